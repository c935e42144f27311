/// A node below an element or beside the root element (XPath 1.0, section 5).
public enum XMLNode: Hashable, Sendable {
    case element(XMLElement)
    /// Never empty and never next to another text, in a tree that was read or patched.
    case text(String)
    case comment(String)
    case processingInstruction(ProcessingInstruction)

    public var element: XMLElement? {
        if case .element(let element) = self { element } else { nil }
    }

    public var text: String? {
        if case .text(let text) = self { text } else { nil }
    }

    /// Whether this is a text of nothing but white space.
    public var isWhitespace: Bool {
        if case .text(let text) = self { text.utf8.allSatisfy(\.isXMLWhitespace) } else { false }
    }
}

/// A processing instruction, `<?target data?>`.
public struct ProcessingInstruction: Hashable, Sendable {
    public let target: String
    /// Empty where there is none.
    public let data: String

    public init(target: String, data: String = "") {
        self.target = target
        self.data = data
    }
}

extension UInt8 {
    /// Space, tab, carriage return or line feed (XML 1.0, production 3).
    var isXMLWhitespace: Bool { self == 0x20 || self == 0x09 || self == 0x0A || self == 0x0D }
}
