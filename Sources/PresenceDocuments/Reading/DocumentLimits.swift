/// What a document may claim of us. Everything that reads or changes documents of others keeps to it.
public struct DocumentLimits: Hashable, Sendable {
    /// Bytes of the document as received.
    public var bytes: Int
    /// Elements inside each other; the root element counts 1.
    public var depth: Int
    /// Elements, texts, comments and processing instructions together.
    public var nodes: Int
    /// Attributes and namespace declarations of one element together.
    public var attributes: Int

    public init(bytes: Int = 262_144, depth: Int = 32, nodes: Int = 16_384, attributes: Int = 64) {
        self.bytes = bytes
        self.depth = depth
        self.nodes = nodes
        self.attributes = attributes
    }

    public static let standard = DocumentLimits()
}
