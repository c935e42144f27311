extension Patch {
    /// A diff document's root element with these operations in it, in the root's namespace, and all declarations on it.
    ///
    /// - Parameter contentNamespace: the namespace that most content is in, such as PIDF's. It, or the root's own, becomes the
    ///   default namespace, whichever makes less text.
    public func element(
        named root: ExpandedName, attributes: [XMLAttribute] = [], contentNamespace: Namespace
    ) -> XMLElement {
        var used = UsedNamespaces()
        used.gather(fromElement: root)
        var names = 0
        for operation in operations {
            operation.gather(into: &used)
            for case .element(let element) in operation.content { names += element.count(of: contentNamespace) }
        }
        let unprefixed: Namespace
        if operations.contains(where: { $0.selector.namesElementsWithoutNamespace }) {
            unprefixed = .none
        } else {
            unprefixed = names > operations.count + 1 ? contentNamespace : root.namespace
        }
        let prefixes = used.prefixes(default: unprefixed)
        let writer = PatchOperationWriter(prefixes: prefixes, unprefixed: unprefixed, namespace: root.namespace)
        var element = XMLElement(
            root, attributes: attributes, children: operations.map { .element(writer.element($0)) }
        ).withPrefixes(prefixes, default: unprefixed)
        if unprefixed != .none { element.declarations.append(NamespaceDeclaration(unprefixed)) }
        element.declarations += prefixes.map { NamespaceDeclaration(prefix: $0.prefix, $0.namespace) }
        return element
    }
}

/// Writes patch operations as elements.
private struct PatchOperationWriter {
    let prefixes: [(namespace: Namespace, prefix: String)]
    let unprefixed: Namespace
    /// Of `<add>`, `<replace>` and `<remove>`.
    let namespace: Namespace

    func element(_ operation: PatchOperation) -> XMLElement {
        var attributes = [XMLAttribute("sel", text(operation.selector))]
        let name: String
        var children = operation.content
        switch operation.action {
        case .addNodes(_, let position):
            name = "add"
            if position != .append { attributes.append(XMLAttribute("pos", position.rawValue)) }
        case .addAttribute(let attribute):
            name = "add"
            attributes.append(XMLAttribute("type", "@" + text(attribute: attribute.name)))
            children = attribute.value.isEmpty ? [] : [.text(attribute.value)]
        case .addNamespace(let prefix, let uri):
            name = "add"
            attributes.append(XMLAttribute("type", "namespace::\(prefix)"))
            children = [.text(uri)]
        case .replace: name = "replace"
        case .remove(let whitespace):
            name = "remove"
            if whitespace != .none { attributes.append(XMLAttribute("ws", whitespace.rawValue)) }
        }
        return XMLElement(ExpandedName(namespace, name), attributes: attributes, children: children)
    }

    private func text(_ selector: Selector) -> String {
        var parts: [String] = []
        if case .identified(let value) = selector.origin { parts.append("id(\(quoted(value)))") }
        parts += selector.steps.map(text)
        switch selector.target {
        case .element: break
        case .attribute(let name): parts.append("@" + text(attribute: name))
        case .namespace(let prefix): parts.append("namespace::\(prefix)")
        case .text(let position): parts.append("text()" + text(position))
        case .comment(let position): parts.append("comment()" + text(position))
        case .processingInstruction(let target, let position):
            parts.append("processing-instruction(\(target.map(quoted) ?? ""))" + text(position))
        }
        return parts.joined(separator: "/")
    }

    private func text(_ position: Int?) -> String { position.map { "[\($0)]" } ?? "" }

    private func text(_ step: Selector.Step) -> String {
        (step.name.map(text(element:)) ?? "*") + step.predicates.map { "[\(text($0))]" }.joined()
    }

    private func text(_ predicate: Selector.Predicate) -> String {
        switch predicate {
        case .position(let position): "\(position)"
        case .attribute(let name, let value): "@\(text(attribute: name))=\(quoted(value))"
        case .child(let name, let value): "\(text(element: name))=\(quoted(value))"
        case .content(let value): ".=\(quoted(value))"
        }
    }

    private func text(element name: ExpandedName) -> String {
        name.namespace == unprefixed ? name.local : qualified(name)
    }

    private func text(attribute name: ExpandedName) -> String {
        name.namespace == .none ? name.local : qualified(name)
    }

    private func qualified(_ name: ExpandedName) -> String {
        if name.namespace == .xml { return "xml:\(name.local)" }
        guard let prefix = prefixes.first(where: { $0.namespace == name.namespace })?.prefix else { return name.local }
        return "\(prefix):\(name.local)"
    }

    private func quoted(_ value: String) -> String { value.contains("'") ? "\"\(value)\"" : "'\(value)'" }
}

extension PatchOperation {
    /// The nodes that it brings.
    fileprivate var content: [XMLNode] {
        switch action {
        case .addNodes(let nodes, _), .replace(let nodes): nodes
        case .addAttribute, .addNamespace, .remove: []
        }
    }

    fileprivate func gather(into used: inout UsedNamespaces) {
        for case .element(let element) in content { used.gather(from: element) }
        if case .addAttribute(let attribute) = action { used.gather(fromAttribute: attribute.name) }
        if case .attribute(let name) = selector.target { used.gather(fromAttribute: name) }
        for step in selector.steps {
            if let name = step.name { used.gather(fromElement: name) }
            for predicate in step.predicates {
                switch predicate {
                case .attribute(let name, _): used.gather(fromAttribute: name)
                case .child(let name, _): used.gather(fromElement: name)
                case .position, .content: break
                }
            }
        }
    }
}

extension Selector {
    fileprivate var namesElementsWithoutNamespace: Bool {
        steps.contains { step in
            step.name?.namespace == Namespace.none
                || step.predicates.contains { predicate in
                    if case .child(let name, _) = predicate { name.namespace == .none } else { false }
                }
        }
    }
}

extension XMLElement {
    /// How many elements, this one included, are in the namespace.
    fileprivate func count(of namespace: Namespace) -> Int {
        elements.reduce(name.namespace == namespace ? 1 : 0) { $0 + $1.count(of: namespace) }
    }
}
