/// `<add>`, RFC 5261, section 4.3.
extension PatchApplication {
    mutating func add(
        _ nodes: [XMLNode], _ position: PatchOperation.AddPosition, _ path: NodePath, _ target: Selector.Target
    ) throws(PatchError) {
        switch position {
        case .append, .prepend:
            guard target == .element else {
                throw PatchError(.invalidPatchDirective, "only an element can have nodes added to its children")
            }
            let content = try mangled(nodes, below: path[...])
            try spend(texts: content)
            try update(path[...]) { element, _ in
                element.insert(joining: content, at: position == .append ? element.children.count : 0)
            }
        case .before, .after:
            guard let index = path.last else { return }
            let parent = path.dropLast()
            let content = try mangled(parent.isEmpty ? besideRoot(nodes) : nodes, below: parent)
            try spend(texts: content)
            try update(parent) { element, _ in
                element.insert(joining: content, at: position == .before ? index : index + 1)
            }
        }
    }

    /// Only comments and processing instructions can be beside the root element; white space there is not part of the document.
    private func besideRoot(_ nodes: [XMLNode]) throws(PatchError) -> [XMLNode] {
        let kept = nodes.filter { !$0.isWhitespace }
        for node in kept {
            switch node {
            case .element: throw PatchError(.invalidRootElementOperation, "there can be but one root element")
            case .text: throw PatchError(.invalidXMLPrologOperation, "there can be no text beside the root element")
            case .comment, .processingInstruction: break
            }
        }
        return kept
    }

    /// Joining texts copies them.
    private mutating func spend(texts nodes: [XMLNode]) throws(PatchError) {
        for case .text(let text) in nodes { try spend(text.utf8.count / 16 + 1) }
    }

    mutating func addAttribute(
        _ attribute: XMLAttribute, _ path: NodePath, _ target: Selector.Target
    ) throws(PatchError) {
        guard target == .element else { throw PatchError(.invalidPatchDirective, "only elements have attributes") }
        let limit = limits.attributes
        try update(path[...]) { element, scope throws(PatchError) in
            guard element.attributeValue(attribute.name) == nil else {
                throw PatchError(.invalidPatchDirective, "the attribute \(attribute.name) is there already")
            }
            guard element.attributes.count + element.declarations.count < limit else {
                throw PatchError(.invalidPatchDirective, "the element has too many attributes")
            }
            let mangling = NamespaceMangling(targetScope: scope, contextPrefix: element.prefix)
            element.attributes.append(mangling.mangle(attribute, addedTo: &element.declarations))
        }
    }

    mutating func addNamespace(
        _ prefix: String, _ uri: String, _ path: NodePath, _ target: Selector.Target
    ) throws(PatchError) {
        guard target == .element else {
            throw PatchError(.invalidPatchDirective, "only elements have namespace declarations")
        }
        let declaration = NamespaceDeclaration(prefix: prefix, Namespace(uri))
        guard declaration.isReadable else { throw PatchError(.invalidNamespaceURI, "'\(uri)' cannot be declared") }
        let limit = limits.attributes
        try update(path[...]) { element, _ throws(PatchError) in
            guard !element.declarations.contains(where: { $0.prefix == prefix }) else {
                throw PatchError(.invalidNamespacePrefix, "the prefix \(prefix) is declared already")
            }
            guard element.attributes.count + element.declarations.count < limit else {
                throw PatchError(.invalidPatchDirective, "the element has too many attributes")
            }
            element.declarations.append(declaration)
        }
    }
}
