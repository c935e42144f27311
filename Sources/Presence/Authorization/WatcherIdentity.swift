import SIPCore

/// Who a watcher is, as far as its request proved it (RFC 5025 section 3.1.1).
public struct WatcherIdentity: Hashable, Sendable {
    /// Empty for a watcher that proved nothing. Apart from the others, since there is rarely another.
    private let first: [UInt8]
    private let others: [[UInt8]]

    /// - Parameter uris: the authenticated URIs: one address-of-record, or all that a trusted assertion names. Empty for a watcher that
    ///   proved nothing, also for an anonymous one.
    public init(uris: [[UInt8]]) {
        first = uris.first ?? []
        others = Array(uris.dropFirst())
    }

    public init(_ uri: [UInt8]) {
        first = uri
        others = []
    }

    public static let unauthenticated = WatcherIdentity(uris: [])

    public var uris: [[UInt8]] { first.isEmpty ? [] : [first] + others }

    var isAuthenticated: Bool { !first.isEmpty }

    /// What stands for the watcher where one URI has to.
    var representative: [UInt8]? { first.isEmpty ? nil : first }

    func shares(anyURIWith other: WatcherIdentity) -> Bool {
        guard isAuthenticated, other.isAuthenticated else { return false }
        return first == other.first || uris.contains { other.uris.contains($0) }
    }
}

/// A URI of a rule or of a watcher, taken apart once for the comparisons of RFC 4745 section 7.1 and RFC 5025 section 3.1.1.2. URIs of
/// different schemes are never equivalent.
struct ComparableURI: Hashable, Sendable {
    private let uri: SIPURI?
    private let text: String
    /// The domain in ASCII lower case; empty for schemes that have none.
    let domain: String

    init(_ text: String) {
        uri = SIPURI(parsing: text)
        self.text = text
        domain = Self.domain(of: uri, text)
    }

    init(_ bytes: [UInt8]) { self.init(String(decoding: bytes, as: UTF8.self)) }

    func matches(_ other: ComparableURI) -> Bool {
        guard let uri, let otherURI = other.uri else { return text == other.text }
        return uri.matches(otherURI)
    }

    private static func domain(of uri: SIPURI?, _ text: String) -> String {
        guard let uri else { return "" }
        if !uri.host.isEmpty { return uri.host }
        // Schemes such as mailto, pres, im and xmpp have user@domain behind the colon.
        guard let at = uri.opaque.lastIndex(of: "@") else { return "" }
        let rest = uri.opaque[uri.opaque.index(after: at)...]
        return rest.prefix { $0 != "?" && $0 != ";" && $0 != "/" }.lowercased()
    }
}
