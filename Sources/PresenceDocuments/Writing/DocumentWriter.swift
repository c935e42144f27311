/// Writes documents as UTF-8: nothing that is not in the tree, in the order of the tree, so that the same tree always gives the same
/// bytes.
///
/// Prefixes of the tree are kept where they mean what they should. Where they do not, as in an element that came from another
/// document, one that is in scope for the namespace is taken, or a declaration is added. What XML cannot say is changed: characters
/// that it does not allow become U+FFFD, and `--` in a comment is taken apart. Names are written as they are.
public struct DocumentWriter: Sendable {
    /// Whether to begin with `<?xml version="1.0" encoding="UTF-8"?>`. PIDF demands it (RFC 3863, section 3.1).
    public var writesDeclaration: Bool

    public init(writesDeclaration: Bool = true) { self.writesDeclaration = writesDeclaration }

    public func write(_ document: XMLDocument) -> [UInt8] {
        var output = MarkupOutput(capacity: 1024)
        if writesDeclaration { output.append(#"<?xml version="1.0" encoding="UTF-8"?>"#) }
        var scope = NamespaceScope()
        for node in document.prolog { Self.write(node, to: &output, in: &scope) }
        Self.write(document.root, to: &output, in: &scope)
        for node in document.epilog { Self.write(node, to: &output, in: &scope) }
        return output.bytes
    }

    public func write(_ root: XMLElement) -> [UInt8] { write(XMLDocument(root: root)) }

    static func write(_ node: XMLNode, to output: inout MarkupOutput, in scope: inout NamespaceScope) {
        switch node {
        case .element(let element): write(element, to: &output, in: &scope)
        case .text(let text): output.appendText(text)
        case .comment(let text):
            output.append("<!--")
            output.appendComment(text)
            output.append("-->")
        case .processingInstruction(let instruction):
            output.append("<?")
            output.append(instruction.target)
            if !instruction.data.isEmpty {
                output.append(" ")
                output.appendInstruction(instruction.data)
            }
            output.append("?>")
        }
    }

    static func write(_ element: XMLElement, to output: inout MarkupOutput, in scope: inout NamespaceScope) {
        let outerScope = scope.enter(element)
        let prefix = scope.prefix(forElement: element)
        for attribute in element.attributes { _ = scope.prefix(forAttribute: attribute) }
        output.append("<")
        output.appendName(prefix: prefix, local: element.name.local)
        for declaration in scope.declarations(since: outerScope) {
            output.append(declaration.prefix.isEmpty ? " xmlns" : " xmlns:")
            output.append(declaration.prefix)
            output.appendValue(declaration.namespace.uri)
        }
        for attribute in element.attributes {
            output.append(" ")
            output.appendName(prefix: scope.prefix(forAttribute: attribute), local: attribute.name.local)
            output.appendValue(attribute.value)
        }
        if element.children.isEmpty {
            output.append("/>")
        } else {
            output.append(">")
            for child in element.children { write(child, to: &output, in: &scope) }
            output.append("</")
            output.appendName(prefix: prefix, local: element.name.local)
            output.append(">")
        }
        scope.leave(to: outerScope)
    }
}
