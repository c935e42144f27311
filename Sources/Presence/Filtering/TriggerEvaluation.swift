import PresenceDocuments

/// Evaluates triggers over a change from what a watcher was last sent, before its filter, to what there is now (RFC 4661 section 3.6).
///
/// An instance of an element is found again by the names on the way to it, and the `id` attributes there, or where an element has none,
/// by its place among its like.
struct TriggerEvaluation {
    private let old: XMLElement
    private let new: XMLElement
    /// Nodes that one expression may look at.
    private let budget: Int

    init(from old: XMLElement, to new: XMLElement, budget: Int) {
        self.old = old
        self.new = new
        self.budget = budget
    }

    /// Whether all conditions of the trigger hold.
    func fires(_ trigger: FilterTrigger) throws(FilterError) -> Bool {
        for condition in trigger.conditions where try !holds(condition) { return false }
        return !trigger.conditions.isEmpty
    }

    private func holds(_ condition: FilterTrigger.Condition) throws(FilterError) -> Bool {
        switch condition {
        case .changed(let path, let from, let to, let by):
            let (before, after) = (try values(of: path, in: old), try values(of: path, in: new))
            return before.contains { instance, value in
                guard let now = after[instance], now != value else { return false }
                return Self.isMet(from, value) && Self.isMet(to, now) && Self.isFar(value, now, by: by)
            }
        case .added(let path):
            let before = try values(of: path, in: old)
            return try values(of: path, in: new).contains { before[$0.key] == nil }
        case .removed(let path):
            let after = try values(of: path, in: new)
            return try values(of: path, in: old).contains { after[$0.key] == nil }
        }
    }

    /// Case does not matter: RFC 4661 section 6.2 writes "CLOSED" for PIDF's "closed".
    private static func isMet(_ wanted: String?, _ value: String) -> Bool {
        wanted.map { $0.lowercased() == value.lowercased() } ?? true
    }

    private static func isFar(_ old: String, _ new: String, by amount: Double?) -> Bool {
        guard let amount else { return true }
        guard let old = Double(old), let new = Double(new) else { return false }
        // Decimals such as 0.7 - 0.5 miss their difference by a rounding error.
        return (new - old).magnitude >= amount * (1 - 1e-9)
    }

    /// The values that a path selects, by instance.
    private func values(of path: FilterPath, in root: XMLElement) throws(FilterError) -> [Instance: String] {
        var values: [Instance: String] = [:]
        for match in try path.evaluate(on: root, budget: budget) {
            guard let value = root.value(of: match) else { continue }
            values[Instance(match, in: root)] = value.trimmed
        }
        return values
    }

    /// An element or attribute that has a life beyond one document.
    private struct Instance: Hashable {
        private var steps: [Step] = []
        private let attribute: ExpandedName?

        private struct Step: Hashable {
            let name: ExpandedName
            let id: String?
            let place: Int
        }

        init(_ match: FilterMatch, in root: XMLElement) {
            attribute = match.attribute
            var element = root
            for index in match.path {
                guard
                    case .element(let child)? = element.children.indices.contains(index) ? element.children[index] : nil
                else { return }
                let id = child[attribute: "id"]
                let place = id == nil ? element.children[..<index].count { $0.element?.name == child.name } : 0
                steps.append(Step(name: child.name, id: id, place: place))
                element = child
            }
        }
    }
}

extension String {
    /// Without white space at the ends.
    fileprivate var trimmed: String {
        var text = Substring(self)
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
