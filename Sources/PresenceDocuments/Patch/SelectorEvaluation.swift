/// The way from the document to a node: the index among the children at each level. The document itself is the empty path; its
/// children are the prolog, the root element and the epilog in one row.
typealias NodePath = [Int]

/// Finds what a selector selects, and counts the nodes that it looks at.
struct SelectorEvaluation {
    /// An element whose children are those of the document.
    let document: XMLElement
    /// The attributes by which `id()` finds elements.
    let identifiers: Set<ExpandedName>
    /// How many more nodes may be looked at.
    var budget: Int

    enum Failure: Error {
        case notFound
        case ambiguous
        case exhausted
    }

    /// An element that the steps have led to.
    private struct Candidate {
        let path: NodePath
        let element: XMLElement
    }

    /// The path of the only node that is selected; for attributes and namespaces that of their element.
    mutating func locate(_ selector: Selector) throws(Failure) -> NodePath {
        var candidates = try origin(selector.origin)
        for step in selector.steps { candidates = try follow(step, from: candidates) }
        var located: [NodePath] = []
        for candidate in candidates {
            located += try targets(selector.target, of: candidate)
            if located.count > 1 { throw .ambiguous }
        }
        guard let path = located.first else { throw .notFound }
        return path
    }

    private mutating func spend(_ nodes: Int) throws(Failure) {
        budget -= nodes
        guard budget >= 0 else { throw .exhausted }
    }

    private mutating func origin(_ origin: Selector.Origin) throws(Failure) -> [Candidate] {
        switch origin {
        case .document: return [Candidate(path: [], element: document)]
        case .identified(let value):
            var found: [Candidate] = []
            try identified(value, below: Candidate(path: [], element: document), into: &found)
            return found
        }
    }

    private mutating func identified(
        _ value: String, below candidate: Candidate, into found: inout [Candidate]
    ) throws(Failure) {
        try spend(candidate.element.children.count)
        for (index, child) in candidate.element.children.enumerated() {
            guard case .element(let element) = child else { continue }
            let path = candidate.path + [index]
            if element.attributes.contains(where: { identifiers.contains($0.name) && $0.value == value }) {
                found.append(Candidate(path: path, element: element))
            }
            try identified(value, below: Candidate(path: path, element: element), into: &found)
        }
    }

    private mutating func follow(_ step: Selector.Step, from contexts: [Candidate]) throws(Failure) -> [Candidate] {
        var reached: [Candidate] = []
        for context in contexts {
            try spend(context.element.children.count + 1)
            var selected: [Candidate] = []
            for (index, child) in context.element.children.enumerated() {
                guard case .element(let element) = child, step.name == nil || step.name == element.name else {
                    continue
                }
                selected.append(Candidate(path: context.path + [index], element: element))
            }
            for predicate in step.predicates { selected = try filter(selected, by: predicate) }
            reached += selected
        }
        return reached
    }

    private mutating func filter(
        _ candidates: [Candidate], by predicate: Selector.Predicate
    ) throws(Failure) -> [Candidate] {
        try spend(candidates.count)
        switch predicate {
        case .position(let position):
            return candidates.indices.contains(position - 1) ? [candidates[position - 1]] : []
        case .attribute(let name, let value):
            return candidates.filter { $0.element.attributeValue(name) == value }
        case .child(let name, let value):
            var kept: [Candidate] = []
            for candidate in candidates where try hasChild(name, equalTo: value, candidate.element) {
                kept.append(candidate)
            }
            return kept
        case .content(let value):
            var kept: [Candidate] = []
            for candidate in candidates where try hasContent(value, candidate.element) { kept.append(candidate) }
            return kept
        }
    }

    private mutating func hasChild(
        _ name: ExpandedName, equalTo value: String, _ element: XMLElement
    ) throws(Failure) -> Bool {
        try spend(element.children.count)
        for case .element(let child) in element.children where child.name == name {
            if try hasContent(value, child) { return true }
        }
        return false
    }

    private mutating func hasContent(_ value: String, _ element: XMLElement) throws(Failure) -> Bool {
        try spend(element.nodeCount)
        return element.stringValue == value
    }

    private mutating func targets(_ target: Selector.Target, of candidate: Candidate) throws(Failure) -> [NodePath] {
        switch target {
        case .element: return candidate.path.isEmpty ? [] : [candidate.path]
        case .attribute(let name):
            return candidate.element.attributeValue(name) == nil ? [] : [candidate.path]
        case .namespace:
            // Which prefixes the element declares is for the operation to see; it answers with an error of its own.
            return candidate.path.isEmpty ? [] : [candidate.path]
        case .text(let position): return try children(of: candidate, at: position) { $0.text != nil }
        case .comment(let position):
            return try children(of: candidate, at: position) { if case .comment = $0 { true } else { false } }
        case .processingInstruction(let name, let position):
            return try children(of: candidate, at: position) { node in
                guard case .processingInstruction(let instruction) = node else { return false }
                return name == nil || name == instruction.target
            }
        }
    }

    private mutating func children(
        of candidate: Candidate, at position: Int?, where condition: (XMLNode) -> Bool
    ) throws(Failure) -> [NodePath] {
        let children = candidate.element.children
        try spend(children.count)
        let matching = children.indices.filter { condition(children[$0]) }
        guard let position else { return matching.map { candidate.path + [$0] } }
        return matching.indices.contains(position - 1) ? [candidate.path + [matching[position - 1]]] : []
    }
}
