extension XMLElement {
    /// This element with every namespace that is used in it declared on it, once, and nowhere below: the root of a document composed
    /// of parts of others. `defaultNamespace` (this element's own, unless said otherwise) goes without prefix; the others get the
    /// prefixes that Godwit always gives them, unknown ones `n1`, `n2` in the order of their URIs.
    ///
    /// Names inside attribute values and texts, such as those of `xsi:type`, are not followed.
    public func declaringNamespacesHere(default defaultNamespace: Namespace? = nil) -> XMLElement {
        var used = UsedNamespaces()
        used.gather(from: self)
        let unprefixed = defaultNamespace ?? name.namespace
        let prefixes = used.prefixes(default: unprefixed)
        var copy = withPrefixes(prefixes, default: unprefixed)
        if unprefixed != .none { copy.declarations.append(NamespaceDeclaration(unprefixed)) }
        copy.declarations += prefixes.map { NamespaceDeclaration(prefix: $0.prefix, $0.namespace) }
        return copy
    }

    /// This element with a prefix from the table for every name and no declarations.
    func withPrefixes(
        _ prefixes: [(namespace: Namespace, prefix: String)], default unprefixed: Namespace
    ) -> XMLElement {
        func prefix(_ namespace: Namespace) -> String {
            namespace == .xml ? "xml" : prefixes.first { $0.namespace == namespace }?.prefix ?? ""
        }
        return XMLElement(
            name, prefix: name.namespace == unprefixed ? "" : prefix(name.namespace),
            attributes: attributes.map {
                $0.name.namespace == .none
                    ? $0 : XMLAttribute($0.name, prefix: prefix($0.name.namespace), value: $0.value)
            },
            children: children.map { child in
                guard case .element(let element) = child else { return child }
                return .element(element.withPrefixes(prefixes, default: unprefixed))
            })
    }
}

/// The namespaces of the names in a tree.
struct UsedNamespaces {
    private(set) var ofElements: Set<Namespace> = []
    private(set) var ofAttributes: Set<Namespace> = []

    mutating func gather(fromElement name: ExpandedName) { ofElements.insert(name.namespace) }

    mutating func gather(fromAttribute name: ExpandedName) { ofAttributes.insert(name.namespace) }

    mutating func gather(from element: XMLElement) {
        gather(fromElement: element.name)
        for attribute in element.attributes { gather(fromAttribute: attribute.name) }
        for case .element(let child) in element.children { gather(from: child) }
    }

    /// Sorted by URI. The default namespace needs a prefix only for attributes.
    func prefixes(default unprefixed: Namespace) -> [(namespace: Namespace, prefix: String)] {
        let needed = ofElements.subtracting([unprefixed]).union(ofAttributes).subtracting([.none, .xml])
        var number = 0
        return needed.sorted { $0.uri < $1.uri }.map { namespace in
            if let conventional = Namespace.conventionalPrefixes[namespace] { return (namespace, conventional) }
            number += 1
            return (namespace, "n\(number)")
        }
    }
}
