/// A document: its root element, and the comments and processing instructions before and behind it.
public struct XMLDocument: Hashable, Sendable {
    /// Comments and processing instructions before the root element.
    public var prolog: [XMLNode]
    public var root: XMLElement
    /// Comments and processing instructions behind the root element.
    public var epilog: [XMLNode]

    public init(prolog: [XMLNode] = [], root: XMLElement, epilog: [XMLNode] = []) {
        self.prolog = prolog
        self.root = root
        self.epilog = epilog
    }
}
