import PresenceDocuments

/// Persons and devices of all sources: all that is said of the same one becomes one element.
///
/// Every presence attribute (child element) is taken from the statement that counts most among those which have it; what a newer
/// statement does not mention stays, since the absence of an attribute says nothing (RFC 4479 section 3.6).
enum DataComponentMerge {
    /// There is one person (RFC 4479 section 3.2), but the user may describe it differently for different audiences by class.
    static func persons(_ statements: [Statement]) -> [XMLElement] {
        merged(statements) { $0.text(of: .classLabel) }
    }

    static func devices(_ statements: [Statement]) -> [XMLElement] {
        merged(statements) { $0.text(of: .deviceID) + "\n" + $0.text(of: .classLabel) }
    }

    private static func merged(_ statements: [Statement], by subject: (XMLElement) -> String) -> [XMLElement] {
        guard statements.count > 1 else { return statements.map(\.element) }
        var subjects: [String] = []
        var groups: [String: [Statement]] = [:]
        for statement in statements {
            let key = subject(statement.element)
            if groups[key] == nil { subjects.append(key) }
            groups[key, default: []].append(statement)
        }
        return subjects.compactMap { groups[$0].flatMap(merge) }
    }

    /// The id, and the order of attributes, are those of the statement with the smallest id, whoever is newest: they stay the same
    /// while the sources stay.
    private static func merge(_ group: [Statement]) -> XMLElement? {
        let ranked = group.sorted { $0.outranks($1) }
        let base = group.min { ($0.element[attribute: "id"] ?? "") < ($1.element[attribute: "id"] ?? "") }
        guard let base, group.count > 1 else { return base?.element }
        var chosen: [ExpandedName: [XMLNode]] = [:]
        for statement in ranked {
            var own: [ExpandedName: [XMLNode]] = [:]
            for case .element(let child) in statement.element.children {
                own[child.name, default: []].append(.element(child))
            }
            chosen.merge(own) { first, _ in first }
        }
        var children: [XMLNode] = []
        for case .element(let child) in base.element.children {
            children += chosen.removeValue(forKey: child.name) ?? []
        }
        let rest = chosen.sorted { ($0.key.namespace.uri, $0.key.local) < ($1.key.namespace.uri, $1.key.local) }
        children += rest.flatMap(\.value)
        var merged = base.element
        merged.children = ordered(children)
        return merged
    }

    /// Notes come behind everything else but the deviceID and the timestamp (schema of RFC 4479 section 5.1).
    private static func ordered(_ children: [XMLNode]) -> [XMLNode] {
        func rank(_ node: XMLNode) -> Int {
            switch node.element?.name {
            case .deviceID?: 1
            case .dataNote?: 2
            case .dataTimestamp?: 3
            default: 0
            }
        }
        return (0...3).flatMap { wanted in children.filter { rank($0) == wanted } }
    }
}
