/// A document of type `application/pidf-diff+xml` (RFC 5262): the full state or what has changed, with a version.
public struct PartialPresence: Hashable, Sendable {
    public enum Content: Hashable, Sendable {
        /// `<pidf-full>`, kept as the `<presence>` element that it stands for.
        case full(XMLElement)
        /// `<pidf-diff>`
        case difference(Patch)
    }

    public static let contentType = "application/pidf-diff+xml"

    /// Counts full states and differences together, by one each time (section 3.1).
    public var version: UInt32?
    /// The presentity's URI. A full state has it in its `<presence>` element; in a difference it is optional (section 3.2).
    public var entity: String?
    public var content: Content

    public init(version: UInt32?, entity: String?, content: Content) {
        self.version = version
        self.entity = entity
        self.content = content
    }

    /// - Throws: `PatchError` if it is no document of RFC 5262.
    public init(_ document: XMLDocument) throws(PatchError) {
        let root = document.root
        entity = root[attribute: "entity"]
        version = nil
        if let text = root[attribute: "version"] {
            guard let number = UInt32(text.trimmingXMLWhitespace()) else {
                throw PatchError(.invalidDiffFormat, "version is not a number of 32 bits")
            }
            version = number
        }
        switch root.name {
        case ExpandedName(.pidfDiff, "pidf-full"): content = .full(Self.presence(from: root))
        case ExpandedName(.pidfDiff, "pidf-diff"): content = .difference(try Patch(operationsIn: root))
        default: throw PatchError(.invalidDiffFormat, "the root element is neither pidf-full nor pidf-diff")
        }
    }

    private static func presence(from root: XMLElement) -> XMLElement {
        var presence = root
        presence.name = ExpandedName(.pidf, "presence")
        presence[attribute: "version"] = nil
        if let declaration = root.declarations.last(where: { $0.namespace == .pidf }) {
            presence.prefix = declaration.prefix
        } else {
            presence.prefix = ""
            presence.declarations.append(NamespaceDeclaration(.pidf))
        }
        return presence
    }

    /// The document to send, with all namespaces declared on its root element.
    public var document: XMLDocument {
        let version = self.version.map { XMLAttribute("version", String($0)) }
        switch content {
        case .full(let presence):
            var root = presence
            root.name = ExpandedName(.pidfDiff, "pidf-full")
            if let version { root.setAttribute(version.name, to: version.value) }
            return XMLDocument(root: root.declaringNamespacesHere(default: .pidf))
        case .difference(let patch):
            let entity = self.entity.map { XMLAttribute("entity", $0) }
            return XMLDocument(
                root: patch.element(
                    named: ExpandedName(.pidfDiff, "pidf-diff"), attributes: [entity, version].compactMap { $0 },
                    contentNamespace: .pidf))
        }
    }
}
