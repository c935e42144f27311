import PresenceDocuments

/// Evaluates `what` (RFC 4661 section 3.5): what is included, with everything that must be there for the document to stay valid, less
/// what is excluded.
struct ContentFilter {
    private let content: FilterContent
    /// Nodes that one expression may look at.
    private let budget: Int

    init(_ content: FilterContent, budget: Int) {
        self.content = content
        self.budget = budget
    }

    /// - Returns: nil when nothing is left.
    func apply(to root: XMLElement) throws(FilterError) -> XMLElement? {
        var result = root
        if !content.included.isEmpty {
            var selection = Inclusion()
            for included in content.included { try include(included, of: root, into: &selection) }
            guard !selection.isEmpty else { return nil }
            result = selection.picked(from: root)
        }
        for excluded in content.excluded { try exclude(excluded, from: &result) }
        guard result.children.contains(where: { $0.element != nil }) else {
            return root.children.contains { $0.element != nil } ? nil : result
        }
        return result.isIdentical(to: root) ? root : result.declaringNamespacesHere()
    }

    private func include(
        _ selection: FilterContent.Selection, of root: XMLElement, into inclusion: inout Inclusion
    ) throws(FilterError) {
        switch selection {
        case .path(let path):
            for match in try path.evaluate(on: root, budget: budget) { inclusion.include(match) }
        case .namespace(let namespace): inclusion.include(namespace, of: root)
        }
    }

    private func exclude(_ selection: FilterContent.Selection, from root: inout XMLElement) throws(FilterError) {
        switch selection {
        case .path(let path):
            // From the end, so that the way to the others stays.
            for match in try path.evaluate(on: root, budget: budget).reversed() {
                root.remove(match.path[...], attribute: match.attribute)
            }
        case .namespace(let namespace): root.removeAll(of: namespace)
        }
    }
}

extension XMLElement {
    /// Removes what a match selects; what the schema wants to be there stays (RFC 4661 section 3.5.2).
    fileprivate mutating func remove(_ path: ArraySlice<Int>, attribute: ExpandedName?) {
        guard let index = path.first else {
            if let attribute, !Mandatory.attributes(of: name).contains(attribute) { setAttribute(attribute, to: nil) }
            return
        }
        guard children.indices.contains(index), case .element(var child) = children[index] else { return }
        if path.count == 1, attribute == nil {
            if !Mandatory.children(of: name).contains(child.name) { children.remove(at: index) }
            return
        }
        child.remove(path.dropFirst(), attribute: attribute)
        children[index] = .element(child)
    }

    fileprivate mutating func removeAll(of namespace: Namespace) {
        let mandatory = Mandatory.children(of: name)
        removeElements { $0.name.namespace == namespace && !mandatory.contains($0.name) }
        attributes.removeAll { $0.name.namespace == namespace }
        updateElements { $0.removeAll(of: namespace) }
    }
}

/// What the schemas of presence and watcher information demand of an element.
enum Mandatory {
    static func attributes(of element: ExpandedName) -> [ExpandedName] {
        switch element {
        case .presence: [ExpandedName("entity")]
        case .tuple, .person, .device: [ExpandedName("id")]
        case ExpandedName(.watcherInfo, "watcherinfo"): [ExpandedName("version"), ExpandedName("state")]
        case ExpandedName(.watcherInfo, "watcher-list"): [ExpandedName("resource"), ExpandedName("package")]
        case ExpandedName(.watcherInfo, "watcher"): [ExpandedName("status"), ExpandedName("id"), ExpandedName("event")]
        default: []
        }
    }

    static func children(of element: ExpandedName) -> [ExpandedName] {
        switch element {
        case .tuple: [.status]
        case .device: [.deviceID]
        default: []
        }
    }
}
