/// An XML namespace name: the URI that a prefix stands for, or nothing for names without a namespace.
public struct Namespace: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The URI, empty for no namespace.
    public let uri: String

    public init(_ uri: String) { self.uri = uri }

    public init(stringLiteral uri: String) { self.uri = uri }

    public var description: String { uri }
}

extension Namespace {
    public static let none: Namespace = ""
    /// Bound to the prefix `xml` without a declaration.
    public static let xml: Namespace = "http://www.w3.org/XML/1998/namespace"
    /// Of declarations themselves; no element or attribute may be in it.
    public static let xmlns: Namespace = "http://www.w3.org/2000/xmlns/"
    public static let schemaInstance: Namespace = "http://www.w3.org/2001/XMLSchema-instance"

    /// PIDF, RFC 3863.
    public static let pidf: Namespace = "urn:ietf:params:xml:ns:pidf"
    /// The presence data model, RFC 4479.
    public static let dataModel: Namespace = "urn:ietf:params:xml:ns:pidf:data-model"
    /// Rich presence, RFC 4480.
    public static let rpid: Namespace = "urn:ietf:params:xml:ns:pidf:rpid"
    /// Timed status, RFC 4481.
    public static let timedStatus: Namespace = "urn:ietf:params:xml:ns:pidf:timed-status"
    /// Contact information, RFC 4482.
    public static let cipid: Namespace = "urn:ietf:params:xml:ns:pidf:cipid"
    /// User agent capabilities, RFC 5196.
    public static let capabilities: Namespace = "urn:ietf:params:xml:ns:pidf:caps"
    /// The status values of instant messaging, RFC 3863, section 4.2.4.
    public static let instantMessaging: Namespace = "urn:ietf:params:xml:ns:pidf:im"
    /// Location types, RFC 4589.
    public static let locationType: Namespace = "urn:ietf:params:xml:ns:location-type"
    /// Location objects, RFC 4119.
    public static let geopriv: Namespace = "urn:ietf:params:xml:ns:pidf:geopriv10"
    /// Partial presence, RFC 5262.
    public static let pidfDiff: Namespace = "urn:ietf:params:xml:ns:pidf-diff"
    /// Errors of patch operations, RFC 5261, section 5.1.
    public static let patchError: Namespace = "urn:ietf:params:xml:ns:patch-ops-error"
    /// Filters, RFC 4661.
    public static let simpleFilter: Namespace = "urn:ietf:params:xml:ns:simple-filter"
    /// Watcher information, RFC 3858.
    public static let watcherInfo: Namespace = "urn:ietf:params:xml:ns:watcherinfo"
    /// Registration information, RFC 3680.
    public static let regInfo: Namespace = "urn:ietf:params:xml:ns:reginfo"
    /// Common policy, RFC 4745.
    public static let commonPolicy: Namespace = "urn:ietf:params:xml:ns:common-policy"
    /// Presence authorization rules, RFC 5025.
    public static let presenceRules: Namespace = "urn:ietf:params:xml:ns:pres-rules"
    /// Resource list meta-information, RFC 4662.
    public static let resourceListMeta: Namespace = "urn:ietf:params:xml:ns:rlmi"

    /// The namespaces whose names Godwit deals with; a reader shares these strings instead of copying them.
    static let wellKnown: Set<Namespace> = Set(conventionalPrefixes.keys).union([.xml, .none])

    /// The prefixes that Godwit gives the namespaces of the documents that it composes: one and the same everywhere, so that
    /// documents of different publishers stay comparable, and short.
    static let conventionalPrefixes: [Namespace: String] = [
        .pidf: "p", .dataModel: "d", .rpid: "r", .timedStatus: "t", .cipid: "ci", .capabilities: "c",
        .instantMessaging: "im", .locationType: "lt", .geopriv: "gp", .pidfDiff: "pd", .patchError: "pe",
        .simpleFilter: "sf", .watcherInfo: "wi", .regInfo: "ri", .commonPolicy: "cp", .presenceRules: "pr",
        .resourceListMeta: "rm", .schemaInstance: "xsi",
    ]
}
