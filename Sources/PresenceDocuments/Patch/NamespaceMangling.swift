/// Gives content of a diff document the prefixes that the target document has for its namespaces (RFC 5261, section 4.2.3).
struct NamespaceMangling {
    /// The declarations in scope where the content goes.
    let targetScope: NamespaceScope
    /// The prefix of the element there: the evaluation context node.
    let contextPrefix: String

    func mangle(_ element: XMLElement) -> XMLElement {
        var local = NamespaceScope()
        var added: [NamespaceDeclaration] = []
        var mangled = mangle(element, &local, &added)
        mangled.declarations += added
        return mangled
    }

    /// An attribute to be added to an element; what has to be declared for it is added to the element's declarations.
    func mangle(_ attribute: XMLAttribute, addedTo declarations: inout [NamespaceDeclaration]) -> XMLAttribute {
        guard attribute.name.namespace != .none, attribute.name.namespace != .xml else { return attribute }
        if let prefix = targetPrefix(for: attribute.name.namespace, written: attribute.prefix, allowingDefault: false) {
            return XMLAttribute(attribute.name, prefix: prefix, value: attribute.value)
        }
        let isTaken = declarations.contains { $0.prefix == attribute.prefix }
        if !isTaken { declarations.append(NamespaceDeclaration(prefix: attribute.prefix, attribute.name.namespace)) }
        return attribute
    }

    /// `local` has the declarations within the content, which are copied unaltered; `added` gathers those that the outermost element
    /// needs besides.
    private func mangle(
        _ element: XMLElement, _ local: inout NamespaceScope, _ added: inout [NamespaceDeclaration]
    ) -> XMLElement {
        let outer = local.enter(element)
        defer { local.leave(to: outer) }
        var mangled = element
        mangled.prefix = prefix(of: element.name, written: element.prefix, isElement: true, local, &added)
        for (index, attribute) in element.attributes.enumerated() where attribute.name.namespace != .none {
            mangled.attributes[index] = XMLAttribute(
                attribute.name,
                prefix: prefix(of: attribute.name, written: attribute.prefix, isElement: false, local, &added),
                value: attribute.value)
        }
        mangled.updateElements { child in child = mangle(child, &local, &added) }
        return mangled
    }

    private func prefix(
        of name: ExpandedName, written: String, isElement: Bool, _ local: NamespaceScope,
        _ added: inout [NamespaceDeclaration]
    ) -> String {
        if name.namespace == .xml || local.declarations.contains(where: { $0.prefix == written }) { return written }
        if let prefix = targetPrefix(for: name.namespace, written: written, allowingDefault: isElement),
            !local.declarations.contains(where: { $0.prefix == prefix })
        {
            return prefix
        }
        let declaration = NamespaceDeclaration(prefix: written, name.namespace)
        // Where the prefix has been given another meaning the writer finds one.
        if !added.contains(where: { $0.prefix == written }) { added.append(declaration) }
        return written
    }

    /// The three rules of section 4.2.3; nil if the target has no declaration of the namespace in scope.
    private func targetPrefix(for namespace: Namespace, written: String, allowingDefault: Bool) -> String? {
        if targetScope.namespace(for: written) == namespace, allowingDefault || !written.isEmpty { return written }
        if targetScope.namespace(for: contextPrefix) == namespace, allowingDefault || !contextPrefix.isEmpty {
            return contextPrefix
        }
        let prefixes = Set(targetScope.declarations.map(\.prefix)).filter {
            targetScope.namespace(for: $0) == namespace && (allowingDefault || !$0.isEmpty)
        }.sorted()
        return prefixes.last { $0 < written } ?? prefixes.first
    }
}
