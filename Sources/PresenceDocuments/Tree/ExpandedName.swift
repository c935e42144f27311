/// The name of an element or an attribute with its prefix resolved (Namespaces in XML 1.0, section 2.1). Two names are equal when
/// namespace and local part are, whatever prefixes they were written with.
public struct ExpandedName: Hashable, Sendable, CustomStringConvertible {
    public let namespace: Namespace
    public let local: String

    public init(_ namespace: Namespace, _ local: String) {
        self.namespace = namespace
        self.local = local
    }

    /// A name in no namespace, as attributes without a prefix have.
    public init(_ local: String) { self.init(.none, local) }

    /// In Clark's notation: `{namespace}local`.
    public var description: String { namespace == .none ? local : "{\(namespace)}\(local)" }

    public static func == (one: ExpandedName, other: ExpandedName) -> Bool {
        one.local == other.local && one.namespace == other.namespace
    }
}
