extension Patch {
    /// The attributes that `id()` looks at where no schema is read: `xml:id`, and `id` as the schemas of presence have it
    /// (RFC 5262, section 3).
    public static let presenceIdentifiers: Set<ExpandedName> = [ExpandedName(.xml, "id"), ExpandedName("id")]

    /// The document with all operations applied, one after the other; or an error and nothing changed (RFC 5261, section 4).
    ///
    /// - Parameters:
    ///   - limits: what the patched document must keep to. The nodes looked at on the way are bounded as well.
    ///   - identifiers: the attributes of type ID; `id()` is not supported where there are none.
    public func apply(
        to document: XMLDocument, limits: DocumentLimits = .standard,
        identifiers: Set<ExpandedName> = presenceIdentifiers
    ) throws(PatchError) -> XMLDocument {
        var application = PatchApplication(document: document, limits: limits, identifiers: identifiers)
        for operation in operations {
            do {
                try application.perform(operation)
            } catch {
                throw PatchError(error.condition, error.phrase, operation: operation.source)
            }
        }
        return try application.result()
    }

    /// The same for a document without anything beside its root element.
    public func apply(
        to root: XMLElement, limits: DocumentLimits = .standard, identifiers: Set<ExpandedName> = presenceIdentifiers
    ) throws(PatchError) -> XMLElement {
        try apply(to: XMLDocument(root: root), limits: limits, identifiers: identifiers).root
    }
}

/// A document while a patch is applied to it.
struct PatchApplication {
    /// An element whose children are those of the document: prolog, root element, epilog.
    var document: XMLElement
    let limits: DocumentLimits
    private let identifiers: Set<ExpandedName>
    /// How many more nodes may be looked at.
    private var budget = 1_000_000

    init(document: XMLDocument, limits: DocumentLimits, identifiers: Set<ExpandedName>) {
        self.document = XMLElement(
            ExpandedName(""), children: document.prolog + [.element(document.root)] + document.epilog)
        self.limits = limits
        self.identifiers = identifiers
    }

    func result() throws(PatchError) -> XMLDocument {
        guard document.nodeCount - 1 <= limits.nodes else {
            throw PatchError(.invalidPatchDirective, "the patched document would have too many nodes")
        }
        guard let index = document.children.firstIndex(where: { $0.element != nil }),
            let root = document.children[index].element
        else { throw PatchError(.invalidRootElementOperation, "the root element is missing") }
        return XMLDocument(
            prolog: Array(document.children[..<index]), root: root, epilog: Array(document.children[(index + 1)...]))
    }

    mutating func perform(_ operation: PatchOperation) throws(PatchError) {
        let path = try locate(operation.selector)
        switch operation.action {
        case .addNodes(let nodes, let position): try add(nodes, position, path, operation.selector.target)
        case .addAttribute(let attribute): try addAttribute(attribute, path, operation.selector.target)
        case .addNamespace(let prefix, let uri): try addNamespace(prefix, uri, path, operation.selector.target)
        case .replace(let content): try replace(path, operation.selector.target, with: content)
        case .remove(let whitespace): try remove(path, operation.selector.target, whitespace: whitespace)
        }
    }

    private mutating func locate(_ selector: Selector) throws(PatchError) -> NodePath {
        if case .identified = selector.origin, identifiers.isEmpty {
            throw PatchError(.unsupportedIDFunction, "attributes of type ID are not known")
        }
        var evaluation = SelectorEvaluation(document: document, identifiers: identifiers, budget: budget)
        defer { budget = evaluation.budget }
        do {
            return try evaluation.locate(selector)
        } catch .notFound {
            throw PatchError(.unlocatedNode, "sel selects no node")
        } catch .ambiguous {
            throw PatchError(.unlocatedNode, "sel selects more than one node")
        } catch {
            throw PatchError(.invalidPatchDirective, "the patch is too laborious")
        }
    }

    /// Pays for work on as many nodes.
    mutating func spend(_ nodes: Int) throws(PatchError) {
        budget -= nodes
        guard budget >= 0 else { throw PatchError(.invalidPatchDirective, "the patch is too laborious") }
    }

    /// Changes the element at the end of a path. `update` gets the namespaces in scope there.
    mutating func update(
        _ path: ArraySlice<Int>, _ update: (inout XMLElement, NamespaceScope) throws(PatchError) -> Void
    ) throws(PatchError) {
        var scope = NamespaceScope()
        try document.update(path, &scope, update)
    }

    /// Content to be put below the element at `path`, with prefixes that fit there.
    func mangled(_ nodes: [XMLNode], below path: ArraySlice<Int>) throws(PatchError) -> [XMLNode] {
        var scope = NamespaceScope()
        var context = document
        for index in path {
            guard case .element(let element) = context.children[index] else { break }
            _ = scope.enter(element)
            context = element
        }
        let mangling = NamespaceMangling(targetScope: scope, contextPrefix: context.prefix)
        var result: [XMLNode] = []
        for node in nodes {
            guard case .element(let element) = node else {
                result.append(node)
                continue
            }
            guard path.count + element.depth <= limits.depth else {
                throw PatchError(.invalidPatchDirective, "the patched document would be too deep")
            }
            result.append(.element(mangling.mangle(element)))
        }
        return result
    }
}

extension XMLElement {
    /// Changes the element at the end of a path below this one in place.
    fileprivate mutating func update(
        _ path: ArraySlice<Int>, _ scope: inout NamespaceScope,
        _ update: (inout XMLElement, NamespaceScope) throws(PatchError) -> Void
    ) throws(PatchError) {
        _ = scope.enter(self)
        guard let index = path.first else { return try update(&self, scope) }
        guard children.indices.contains(index), case .element(var child) = children[index] else {
            throw PatchError(.unlocatedNode, "the node is not there")
        }
        children[index] = .comment("")  // The only other reference goes, so `child` changes in place.
        defer { children[index] = .element(child) }
        try child.update(path.dropFirst(), &scope, update)
    }

    /// Inserts nodes; texts that come to lie side by side become one (RFC 5261, section 4.3.5).
    mutating func insert(joining nodes: [XMLNode], at index: Int) {
        var nodes = nodes[...]
        if index > 0, case .text(let before) = children[index - 1], case .text(let text)? = nodes.first {
            children[index - 1] = .text(before + text)
            nodes = nodes.dropFirst()
        }
        if index < children.count, case .text(let after) = children[index], case .text(let text)? = nodes.last {
            children[index] = .text(text + after)
            nodes = nodes.dropLast()
        }
        children.insert(contentsOf: nodes, at: index)
    }

    /// Removes nodes; the texts on both sides become one (section 4.5.6).
    mutating func remove(joining range: Range<Int>) {
        children.removeSubrange(range)
        let index = range.lowerBound
        guard index > 0, index < children.count, case .text(let before) = children[index - 1],
            case .text(let after) = children[index]
        else { return }
        children[index - 1] = .text(before + after)
        children.remove(at: index)
    }
}
