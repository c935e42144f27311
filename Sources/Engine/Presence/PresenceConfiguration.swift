public import LinkProfiles
public import Presence
public import SIPDialog

/// What the Presence Application does and allows (draft-houri-simple-arch-01 section 7.5).
public struct PresenceConfiguration: Sendable {
    /// Whether PUBLISH, and SUBSCRIBE to `presence`, `presence.winfo` and `reg`, are served here; else they are proxied.
    public var isEnabled = true
    /// What a watcher gets for whom the presentity has no rules (RFC 5025 section 3.2.1 names the four).
    public var unruledWatchers = SubscriptionHandling.allow
    /// Identities that may publish for every user: adapters of network presence sources (section 7.5.1).
    public var publishers: [String] = []
    /// Identities that may watch the registrations and the watchers of every user.
    public var observers: [String] = []
    /// Activities besides the usual ones in which a user takes urgent messages only (RFC 4480 section 3.2), by local name.
    public var undisturbedActivities: Set<String> = []
    /// Whether registrations count as a source of presence.
    public var includesRegistrations = true
    /// Lives of subscriptions (RFC 6665 section 4.2.1.1, RFC 3856 section 6.4).
    public var subscriptions = LifeLimits()
    /// Lives of publications (RFC 3903 section 6, step 4).
    public var publications = LifeLimits()
    /// Subscriptions there may be, of one watcher and in all; more are refused with 503.
    public var subscriptionsPerWatcher = 1_000
    public var subscriptionsInAll = 2_000_000
    /// Publications one presentity may have at a time.
    public var publicationsPerPresentity = 32
    /// Larger bodies of PUBLISH and SUBSCRIBE are refused with 413.
    public var bodyLimit = 65_536
    /// What the operator allows of the rates watchers ask for (RFC 6446).
    public var rates = RatePolicy()
    /// Watchers notified at most, in a second, of what they missed while the server was away.
    public var resumptionsPerSecond = 2_000
    /// External presence servers and registrars that wake the deferred queue (figure 10).
    public var externalSources: [ExternalEventSource] = []

    public init() {}
}

/// What lives clients may ask for.
public struct LifeLimits: Hashable, Sendable {
    /// A shorter one is refused with 423; 0 always ends.
    public var minimum: TimeSpan = .seconds(60 as Int64)
    /// A longer one is cut.
    public var maximum: TimeSpan = .seconds(86_400 as Int64)
    /// Used where the request names none.
    public var standard: TimeSpan = .seconds(3_600 as Int64)

    public init() {}
}

/// A server elsewhere that knows when users of ours are there (draft-houri-simple-arch-01 figure 10).
public struct ExternalEventSource: Hashable, Sendable {
    /// What is asked there.
    public enum Package: String, Hashable, Sendable, CaseIterable {
        /// A presence server (RFC 3856): the document says when the user is open.
        case presence
        /// A registrar (RFC 3680): an active contact says so.
        case registration = "reg"
    }

    public var package: Package
    /// Domain of ours whose users are known there.
    public var domain: String
    /// The server's host, port (0: by RFC 3263) and transport.
    public var host: String
    public var port: UInt16
    /// The transport's token; nil: by RFC 3263.
    public var transport: String?
    /// Whom we subscribe as, `sip:user@domain`.
    public var identity: String
    /// For digest challenges; the name is the identity's user part. Nil: none are answered.
    public var password: String?

    public init(
        package: Package, domain: String, host: String, port: UInt16, transport: String? = nil, identity: String,
        password: String? = nil
    ) {
        self.package = package
        self.domain = domain
        self.host = host
        self.port = port
        self.transport = transport
        self.identity = identity
        self.password = password
    }
}
