public import LinkProfiles
public import MessageStore
public import Policy
public import SIPCore

/// Everything the engine is told once. Values come from the server's configuration file; nothing is read from elsewhere.
public struct EngineConfiguration: Sendable {
    /// Domains this Home Serving Proxy is responsible for, lower case.
    public var domains: [String]
    /// Listening points, indexed by ``Flow/listener``.
    public var localPoints: [LocalPoint]
    /// Profiles by name; must contain `lan`.
    public var profiles: [String: LinkProfile]
    /// Which flow gets which profile; the first rule that matches counts.
    public var profileRules: [ProfileRule]
    /// Digest authentication of users (RFC 3261 section 22).
    public var authentication: AuthenticationConfiguration
    /// Peers whose requests are relayed without credentials and whose asserted identities are believed (RFC 3325).
    public var trustedPeers: [TrustedPeer]
    /// Next hops for domains that are not to be looked up by RFC 3263.
    public var routes: [DomainRoute]
    public var limits: EngineLimits
    public var presence: PresenceConfiguration
    /// Accounts by which users authenticate.
    public var accounts: [Account]
    /// Value of the Server header in responses; empty for none.
    public var serverName: String
    /// This server's SIP/SigComp identifier (RFC 5049 section 9.1), for URIs by which it is reached; empty without SigComp.
    public var sigcompIdentifier: String

    public init(domains: [String], localPoints: [LocalPoint]) {
        self.domains = domains
        self.localPoints = localPoints
        profiles = ["lan": LinkProfile()]
        profileRules = []
        authentication = AuthenticationConfiguration()
        trustedPeers = []
        routes = []
        limits = EngineLimits()
        presence = PresenceConfiguration()
        accounts = []
        serverName = ""
        sigcompIdentifier = ""
    }
}

/// How users prove who they are.
public struct AuthenticationConfiguration: Sendable {
    /// Whether requests from users of our domains need credentials. Without, anybody may send and register.
    public var isRequired = false
    /// Protection space named in challenges; empty for the first domain.
    public var realm = ""
    /// Algorithms offered, most preferred first (RFC 8760 section 2.4).
    public var algorithms: [DigestAlgorithm] = [.sha256, .md5]
    /// Older nonces are answered with `stale=true`.
    public var nonceLifetime: TimeSpan = .seconds(300 as Int64)

    public init() {}
}

/// A member of our trust domain (RFC 3324 section 2.3).
public struct TrustedPeer: Hashable, Sendable {
    public var network: NetworkPrefix
    /// The source port it must send from; 0 for any.
    public var port: UInt16

    public init(network: NetworkPrefix, port: UInt16 = 0) {
        self.network = network
        self.port = port
    }

    /// Whether a flow's far end is this peer. A connection's source port is any.
    func matches(_ flow: Flow) -> Bool {
        guard port == 0 || flow.transport.isReliable || flow.remote.port == port else { return false }
        return network.contains(high: flow.remote.ip.high, low: flow.remote.ip.low)
    }
}

/// A fixed next hop for a domain.
public struct DomainRoute: Sendable {
    public var domain: String
    public var host: String
    public var port: UInt16
    public var transport: SIPTransport?

    public init(domain: String, host: String, port: UInt16, transport: SIPTransport?) {
        self.domain = domain
        self.host = host
        self.port = port
        self.transport = transport
    }
}

/// Bounds that keep one user, sender or source from taking what belongs to all.
public struct EngineLimits: Sendable {
    /// What may wait for one recipient, from one sender, and in all.
    public var quotas = QuotaPolicy(
        perRecipient: Quota(messages: 100_000, bytes: 64 << 20), perSender: Quota(messages: 1_000_000),
        messagesInAll: 50_000_000)
    /// Bindings one address-of-record may have (RFC 3261 section 10.3).
    public var bindingsPerUser = 16
    /// How long accepted messages are remembered so that a replay is stored once.
    public var duplicateWindow: TimeSpan = .seconds(3_600 as Int64)
    /// How long rows of ended messages stay for the operator.
    public var historyRetention: TimeSpan = .seconds(3_600 as Int64)
    /// Parallel branches one request may have in all (RFC 5393 section 5).
    public var maxBreadth = 60
    /// Messages a second accepted from one source address (IPv4 address or IPv6 /64); trusted networks are exempt.
    public var perSource = RateLimit.none
    /// Requests a second accepted from one identity.
    public var perIdentity = RateLimit.none
    /// Store commands that may wait for their commit before new work is refused with 503.
    public var pendingStoreCommands = 200_000
    /// MESSAGEs that may wait in memory for the one before them to the same device, before the store takes them all over.
    public var relaysInLine = 1_024
    /// Endpoints of constrained links that may have a downlink scheduler at once; what goes to others leaves unpaced.
    public var downlinks = 100_000
    /// Requests being proxied at once before new ones are refused with 503.
    public var openContexts = 500_000

    public init() {}
}

/// The keys the engine hashes with: 32 random bytes of this installation. With the same secret, branches and nonces
/// survive a restart.
public struct EngineSecret: Sendable {
    public var words: (UInt64, UInt64, UInt64, UInt64)

    public init(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64) { words = (a, b, c, d) }

    /// Takes the first 32 bytes; shorter input is padded with zeros.
    public init(bytes: [UInt8]) {
        func word(_ index: Int) -> UInt64 {
            (0..<8).reduce(0) { sum, i in
                let at = index * 8 + i
                return sum << 8 | UInt64(at < bytes.count ? bytes[at] : 0)
            }
        }
        words = (word(0), word(1), word(2), word(3))
    }
}
