/// Patch operations of RFC 5261, in the order in which they apply.
public struct Patch: Hashable, Sendable {
    public var operations: [PatchOperation]

    public init(_ operations: [PatchOperation] = []) { self.operations = operations }

    /// Whether it changes nothing.
    public var isEmpty: Bool { operations.isEmpty }
}

/// One patch operation, with all names resolved (RFC 5261, section 4).
public struct PatchOperation: Hashable, Sendable {
    enum Action: Hashable, Sendable {
        /// `<add>` of nodes.
        case addNodes([XMLNode], AddPosition)
        /// `<add type="@name">`; the prefix is that of the diff document.
        case addAttribute(XMLAttribute)
        /// `<add type="namespace::prefix">`
        case addNamespace(prefix: String, uri: String)
        case replace([XMLNode])
        case remove(whitespace: RemovedWhitespace)
    }

    /// The values of `pos`, and `append` where there is none.
    enum AddPosition: String, Hashable, Sendable {
        case append, prepend, before, after
    }

    /// The values of `ws`, and `none` where there is none.
    enum RemovedWhitespace: String, Hashable, Sendable {
        case none, before, after, both

        var includesPreceding: Bool { self == .before || self == .both }
        var includesFollowing: Bool { self == .after || self == .both }
    }

    var selector: Selector
    var action: Action
    /// The operation as it was written; nil for one of our own.
    var source: XMLElement?

    public static func == (one: PatchOperation, other: PatchOperation) -> Bool {
        one.selector == other.selector && one.action == other.action
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(selector)
        hasher.combine(action)
    }
}
