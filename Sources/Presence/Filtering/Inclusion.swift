import PresenceDocuments

/// What of an element and below it is to be delivered: a tree along the ways to what was selected.
struct Inclusion {
    /// All of it.
    private var isWhole = false
    /// The element's own content: its attributes and texts, but not its child elements.
    private var isOwn = false
    private var attributes: [ExpandedName] = []
    /// By place among the children.
    private var children: [Int: Inclusion] = [:]

    var isEmpty: Bool { !isWhole && !isOwn && attributes.isEmpty && children.isEmpty }

    mutating func include(_ match: FilterMatch) { include(match.path[...], attribute: match.attribute) }

    private mutating func include(_ path: ArraySlice<Int>, attribute: ExpandedName?) {
        guard let index = path.first else {
            if let attribute { attributes.append(attribute) } else { isWhole = true }
            return
        }
        children[index, default: Inclusion()].include(path.dropFirst(), attribute: attribute)
    }

    /// All elements of a namespace, at all depths.
    mutating func include(_ namespace: Namespace, of element: XMLElement) {
        if element.name.namespace == namespace { isOwn = true }
        for (index, child) in element.children.enumerated() {
            guard case .element(let child) = child else { continue }
            var inclusion = children[index] ?? Inclusion()
            inclusion.include(namespace, of: child)
            if !inclusion.isEmpty { children[index] = inclusion }
        }
    }

    /// The element with what is included, and what must be there beside it.
    func picked(from element: XMLElement) -> XMLElement {
        if isWhole { return element }
        let mandatoryAttributes = Mandatory.attributes(of: element.name)
        let mandatoryChildren = Mandatory.children(of: element.name)
        // The text of an element without child elements is its value: without it an attribute would stand on an invalid element.
        let hasValue = isOwn || !attributes.isEmpty && !element.children.contains { $0.element != nil }
        var picked = element
        picked.attributes = element.attributes.filter { attribute in
            isOwn && (attribute.name.namespace == .none || attribute.name.namespace == element.name.namespace)
                || attributes.contains(attribute.name) || mandatoryAttributes.contains(attribute.name)
        }
        picked.children = element.children.enumerated().compactMap { index, child in
            guard case .element(let below) = child else { return hasValue ? child : nil }
            if let inclusion = children[index] { return .element(inclusion.picked(from: below)) }
            return mandatoryChildren.contains(below.name) ? child : nil
        }
        return picked
    }
}
