/// Why bytes are not a document that we take. SIP answers them with 400, 413 or 488.
public enum DocumentError: Error, Hashable, Sendable {
    /// Longer than `DocumentLimits.bytes`.
    case tooLong
    /// Deeper than `DocumentLimits.depth`.
    case tooDeep
    /// More nodes than `DocumentLimits.nodes`.
    case tooManyNodes
    /// An element with more than `DocumentLimits.attributes`.
    case tooManyAttributes
    /// There is a document type declaration; it, and with it every entity that is not predefined, is refused unread.
    case documentTypeDeclaration
    /// Neither UTF-8 nor US-ASCII.
    case unsupportedEncoding
    /// Not well-formed XML, or a prefix without a declaration. `line` is 0 where it is not known.
    case notWellFormed(line: Int)
}

extension DocumentError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooLong: "the document is too long"
        case .tooDeep: "elements are nested too deeply"
        case .tooManyNodes: "the document has too many nodes"
        case .tooManyAttributes: "an element has too many attributes"
        case .documentTypeDeclaration: "a document type declaration is not allowed"
        case .unsupportedEncoding: "the encoding is neither UTF-8 nor US-ASCII"
        case .notWellFormed(let line): line > 0 ? "not well-formed XML (line \(line))" : "not well-formed XML"
        }
    }
}
