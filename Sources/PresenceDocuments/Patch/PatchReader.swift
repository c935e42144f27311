extension Patch {
    /// Reads the patch operations among the children of an element, such as `<pidf-diff>`.
    ///
    /// - Parameter namespace: that of `<add>`, `<replace>` and `<remove>`; nil for the element's own.
    /// - Throws: `PatchError` if the operations are not of the form that RFC 5261 gives them. Whether they fit a document shows when
    ///   they are applied.
    public init(operationsIn root: XMLElement, namespace: Namespace? = nil) throws(PatchError) {
        var scope = NamespaceScope()
        _ = scope.enter(root)
        operations = []
        for child in root.children {
            switch child {
            case .element(let element):
                let reader = PatchOperationReader(
                    element: element, scope: scope, namespace: namespace ?? root.name.namespace)
                do {
                    operations.append(try reader.operation())
                } catch {
                    throw PatchError(error.condition, error.phrase, operation: element)
                }
            case .text:
                guard child.isWhitespace else { throw PatchError(.invalidDiffFormat, "text between patch operations") }
            case .comment, .processingInstruction: break
            }
        }
    }
}

/// Reads one patch operation.
private struct PatchOperationReader {
    let element: XMLElement
    let scope: NamespaceScope
    let namespace: Namespace

    init(element: XMLElement, scope: NamespaceScope, namespace: Namespace) {
        var scope = scope
        _ = scope.enter(element)
        self.element = element
        self.scope = scope
        self.namespace = namespace
    }

    func operation() throws(PatchError) -> PatchOperation {
        guard element.name.namespace == namespace else {
            throw PatchError(.invalidPatchDirective, "\(element.name) is not a patch operation")
        }
        let action: PatchOperation.Action
        switch element.name.local {
        case "add":
            try allowAttributes(["sel", "pos", "type"])
            action = try addition()
        case "replace":
            try allowAttributes(["sel"])
            action = .replace(element.children)
        case "remove":
            try allowAttributes(["sel", "ws"])
            action = try removal()
        default: throw PatchError(.invalidPatchDirective, "\(element.name.local) is not a patch operation")
        }
        return PatchOperation(selector: try selector(), action: action, source: element)
    }

    private func allowAttributes(_ names: [String]) throws(PatchError) {
        for attribute in element.attributes
        where attribute.name.namespace != .none || !names.contains(attribute.name.local) {
            throw PatchError(.invalidPatchDirective, "the attribute \(attribute.name) is not understood")
        }
    }

    private func selector() throws(PatchError) -> Selector {
        guard let text = element[attribute: "sel"] else {
            throw PatchError(.invalidDiffFormat, "an operation without the attribute sel")
        }
        let selector: Selector
        do {
            selector = try SelectorParser.parse(text, in: scope)
        } catch .unknownPrefix(let prefix) {
            throw PatchError(.invalidNamespacePrefix, "the prefix \(prefix) in sel is not declared")
        } catch {
            throw PatchError(.invalidAttributeValue, "sel is not a selector of RFC 5261")
        }
        guard element.name.local == "add" else { return selector }
        switch selector.target {
        case .attribute, .namespace:
            throw PatchError(.invalidAttributeValue, "nothing can be added to what sel selects")
        case .element, .text, .comment, .processingInstruction: return selector
        }
    }

    private func addition() throws(PatchError) -> PatchOperation.Action {
        var position = PatchOperation.AddPosition.append
        if let text = element[attribute: "pos"] {
            guard let known = PatchOperation.AddPosition(rawValue: text), known != .append else {
                throw PatchError(.invalidAttributeValue, "pos is neither before, after nor prepend")
            }
            position = known
        }
        guard let type = element[attribute: "type"] else { return .addNodes(element.children, position) }
        guard element[attribute: "pos"] == nil else {
            throw PatchError(.invalidPatchDirective, "type and pos do not go together")
        }
        return try addition(type: type)
    }

    private func addition(type: String) throws(PatchError) -> PatchOperation.Action {
        var scanner = PathScanner(type)
        let value = try textContent()
        if scanner.skip("namespace::"), let prefix = scanner.unqualifiedName(), scanner.isAtEnd {
            guard prefix != "xml", prefix != "xmlns" else {
                throw PatchError(.invalidNamespacePrefix, "the prefix \(prefix) cannot be declared")
            }
            return .addNamespace(prefix: prefix, uri: value)
        }
        guard scanner.skip("@"), let name = scanner.qualifiedName(), scanner.isAtEnd, name.prefix != "xmlns",
            name.prefix != "" || name.local != "xmlns"
        else { throw PatchError(.invalidAttributeValue, "type names neither an attribute nor a namespace") }
        let namespace = name.prefix.isEmpty ? Namespace.none : scope.namespace(for: name.prefix)
        guard let namespace else {
            throw PatchError(.invalidNamespacePrefix, "the prefix \(name.prefix) in type is not declared")
        }
        return .addAttribute(XMLAttribute(ExpandedName(namespace, name.local), prefix: name.prefix, value: value))
    }

    /// The value of an attribute or namespace to add. RFC 5261, section 4.3 asks for one text; nothing is read as the empty value,
    /// which could not be added otherwise.
    private func textContent() throws(PatchError) -> String {
        switch element.children.count {
        case 0: return ""
        case 1: if case .text(let text) = element.children[0] { return text }
        default: break
        }
        throw PatchError(.invalidAttributeValue, "the value to add is not a text")
    }

    private func removal() throws(PatchError) -> PatchOperation.Action {
        guard element.children.allSatisfy(\.isWhitespace) else {
            throw PatchError(.invalidDiffFormat, "a remove operation with content")
        }
        guard let text = element[attribute: "ws"] else { return .remove(whitespace: .none) }
        guard let whitespace = PatchOperation.RemovedWhitespace(rawValue: text), whitespace != .none else {
            throw PatchError(.invalidAttributeValue, "ws is neither before, after nor both")
        }
        return .remove(whitespace: whitespace)
    }
}
