/// An attribute that is not a namespace declaration.
public struct XMLAttribute: Hashable, Sendable {
    public let name: ExpandedName
    /// The prefix that it was, or is to be, written with; the writer takes another where this one means something else.
    public let prefix: String
    /// The value with references resolved and white space normalised (XML 1.0, section 3.3.3).
    public var value: String

    public init(_ name: ExpandedName, prefix: String = "", value: String) {
        self.name = name
        self.prefix = prefix
        self.value = value
    }

    /// An attribute in no namespace.
    public init(_ local: String, _ value: String) { self.init(ExpandedName(local), value: value) }

    /// Equal whatever the prefix.
    public static func == (one: XMLAttribute, other: XMLAttribute) -> Bool {
        one.name == other.name && one.value == other.value
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(value)
    }
}

/// A namespace declaration on an element: `xmlns="namespace"` or `xmlns:prefix="namespace"`.
public struct NamespaceDeclaration: Hashable, Sendable {
    /// Empty for the default namespace.
    public let prefix: String
    /// `Namespace.none` where a default namespace is taken back.
    public let namespace: Namespace

    public init(prefix: String = "", _ namespace: Namespace) {
        self.prefix = prefix
        self.namespace = namespace
    }
}
