public import LinkProfiles

/// How users are asked for credentials (RFC 7616, RFC 8760, RFC 3261 section 22).
public struct DigestPolicy: Hashable, Sendable {
    /// Protection space named in challenges.
    public var realm: String
    /// Algorithms offered, most preferred first (RFC 8760 section 2.4).
    public var algorithms: [DigestAlgorithm]
    /// Whether `auth-int`, which covers the body, is offered besides `auth`.
    public var offersIntegrity: Bool
    /// Older nonces are answered with `stale=true`.
    public var nonceLifetime: TimeSpan
    /// Nonces whose use is remembered, at about 32 bytes each; beyond that the oldest become stale early.
    public var rememberedNonces: Int
    /// How the digest's `uri` must fit the request.
    public var uriRule: DigestURIRule

    public init(
        realm: String, algorithms: [DigestAlgorithm] = [.sha256, .sha512_256, .md5], offersIntegrity: Bool = false,
        nonceLifetime: TimeSpan = .seconds(300 as Int64), rememberedNonces: Int = 131_072,
        uriRule: DigestURIRule = .sameHost
    ) {
        self.realm = realm
        self.algorithms = algorithms
        self.offersIntegrity = offersIntegrity
        self.nonceLifetime = nonceLifetime
        self.rememberedNonces = rememberedNonces
        self.uriRule = uriRule
    }
}

/// How the `uri` of credentials must fit the Request-URI. Proxies may have changed the latter on the way, so that RFC 3261
/// section 22.4 item 9 makes the check optional.
public enum DigestURIRule: Hashable, Sendable {
    /// Equal by RFC 3261 section 19.1.4.
    case equal
    /// Equal, or at least to the same host.
    case sameHost
    /// Not checked.
    case any
}
