/// `<remove>`, RFC 5261, section 4.5.
extension PatchApplication {
    mutating func remove(
        _ path: NodePath, _ target: Selector.Target, whitespace: PatchOperation.RemovedWhitespace
    ) throws(PatchError) {
        switch target {
        case .attribute, .namespace, .text:
            guard whitespace == .none else {
                throw PatchError(
                    .invalidAttributeValue, "ws goes with elements, comments and processing instructions only")
            }
        case .element, .comment, .processingInstruction: break
        }
        switch target {
        case .attribute(let name):
            try update(path[...]) { element, _ in element.setAttribute(name, to: nil) }
        case .namespace(let prefix): try removeNamespace(prefix, path)
        case .element where path.count == 1:
            throw PatchError(.invalidRootElementOperation, "the root element cannot be removed")
        case .element, .text, .comment, .processingInstruction: try removeNode(path, whitespace)
        }
    }

    private mutating func removeNode(
        _ path: NodePath, _ whitespace: PatchOperation.RemovedWhitespace
    ) throws(PatchError) {
        guard let index = path.last else { return }
        try update(path.dropLast()) { parent, _ throws(PatchError) in
            var range = index..<(index + 1)
            if whitespace.includesPreceding { range = (range.lowerBound - 1)..<range.upperBound }
            if whitespace.includesFollowing { range = range.lowerBound..<(range.upperBound + 1) }
            guard range.lowerBound >= 0, range.upperBound <= parent.children.count,
                range.allSatisfy({ $0 == index || parent.children[$0].isWhitespace })
            else { throw PatchError(.invalidWhitespaceDirective, "there is no white space to remove") }
            parent.remove(joining: range)
        }
        try spend(1)
    }

    private mutating func removeNamespace(_ prefix: String, _ path: NodePath) throws(PatchError) {
        var cost = 0
        try update(path[...]) { element, _ throws(PatchError) in
            guard let index = element.declarations.firstIndex(where: { $0.prefix == prefix }) else {
                throw PatchError(.invalidNamespaceURI, "the prefix \(prefix) is not declared on the element")
            }
            guard !element.uses(prefix: prefix) else {
                throw PatchError(.invalidNamespacePrefix, "the prefix \(prefix) is in use")
            }
            element.declarations.remove(at: index)
            cost = element.nodeCount
        }
        try spend(cost)
    }
}
