/// `<replace>`, RFC 5261, section 4.4.
extension PatchApplication {
    mutating func replace(_ path: NodePath, _ target: Selector.Target, with content: [XMLNode]) throws(PatchError) {
        switch target {
        case .attribute(let name):
            let value = try text(of: content)
            try update(path[...]) { element, _ in
                for index in element.attributes.indices where element.attributes[index].name == name {
                    element.attributes[index].value = value
                }
            }
        case .namespace(let prefix): try replaceNamespace(prefix, path, with: try text(of: content))
        case .text: try replaceText(path, with: try text(of: content))
        case .element, .comment, .processingInstruction:
            guard content.count == 1, content[0].hasSameType(as: target) else {
                throw PatchError(.invalidNodeTypes, "a node can be replaced only by one of its type")
            }
            try replaceNode(path, with: try mangled(content, below: path.dropLast())[0])
        }
    }

    /// Text content, or nothing.
    private func text(of content: [XMLNode]) throws(PatchError) -> String {
        switch content.count {
        case 0: return ""
        case 1: if case .text(let text) = content[0] { return text }
        default: break
        }
        throw PatchError(.invalidNodeTypes, "a text, an attribute or a namespace can be replaced only by text")
    }

    private mutating func replaceNode(_ path: NodePath, with node: XMLNode) throws(PatchError) {
        guard let index = path.last else { return }
        try update(path.dropLast()) { parent, _ in parent.children[index] = node }
    }

    /// A text that becomes empty goes (section 4.4.6).
    private mutating func replaceText(_ path: NodePath, with text: String) throws(PatchError) {
        guard let index = path.last else { return }
        try update(path.dropLast()) { parent, _ in
            if text.isEmpty {
                parent.children.remove(at: index)
            } else {
                parent.children[index] = .text(text)
            }
        }
    }

    /// Names that are written with this declaration go over to the new namespace, as they do where the document is text.
    private mutating func replaceNamespace(_ prefix: String, _ path: NodePath, with uri: String) throws(PatchError) {
        let declaration = NamespaceDeclaration(prefix: prefix, Namespace(uri))
        guard declaration.isReadable else { throw PatchError(.invalidNamespaceURI, "'\(uri)' cannot be declared") }
        var cost = 0
        try update(path[...]) { element, _ throws(PatchError) in
            guard let index = element.declarations.firstIndex(where: { $0.prefix == prefix }) else {
                throw PatchError(.invalidNamespaceURI, "the prefix \(prefix) is not declared on the element")
            }
            let old = element.declarations[index].namespace
            element.declarations[index] = declaration
            element.move(prefix: prefix, from: old, to: declaration.namespace)
            cost = element.nodeCount
        }
        try spend(cost)
    }
}

extension XMLNode {
    fileprivate func hasSameType(as target: Selector.Target) -> Bool {
        switch (self, target) {
        case (.element, .element), (.comment, .comment), (.processingInstruction, .processingInstruction): true
        default: false
        }
    }
}

extension XMLElement {
    fileprivate mutating func move(prefix: String, from old: Namespace, to new: Namespace) {
        if self.prefix == prefix, name.namespace == old { name = ExpandedName(new, name.local) }
        attributes = attributes.map { attribute in
            guard attribute.prefix == prefix, attribute.name.namespace == old else { return attribute }
            return XMLAttribute(ExpandedName(new, attribute.name.local), prefix: prefix, value: attribute.value)
        }
        updateElements { child in
            let isHidden = child.declarations.contains { $0.prefix == prefix }
            if !isHidden { child.move(prefix: prefix, from: old, to: new) }
        }
    }

    /// Whether a name at or below this element is written with the prefix, as far as no other declaration hides it.
    func uses(prefix: String) -> Bool {
        self.prefix == prefix || attributes.contains { $0.prefix == prefix && $0.name.namespace != .none }
            || elements.contains { child in
                !child.declarations.contains { $0.prefix == prefix } && child.uses(prefix: prefix)
            }
    }
}
