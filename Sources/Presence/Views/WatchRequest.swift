public import LinkProfiles

/// A SUBSCRIBE for the event package "presence", as far as the agent looks at it.
public struct WatchRequest: Sendable {
    /// The engine's own number of the subscription; ``PresenceChanges`` speak of it.
    public var subscription: UInt32
    public var identity: WatcherIdentity
    public var formats: AcceptedFormats
    /// The body, when it is `application/simple-filter+xml`; nil keeps the filters there are.
    public var filter: [UInt8]?
    /// For watcher information; may be empty.
    public var displayName: [UInt8]
    /// When the subscription ends unless it is refreshed; now, for a fetch.
    public var expires: Instant
    /// Of a subscription that goes on after a restart: no smaller than the version of any partial document that its watcher may have
    /// got (RFC 5263 section 4.4), such as the number of NOTIFY requests it may have been sent.
    public var lastVersion: UInt32

    public init(
        subscription: UInt32, identity: WatcherIdentity, formats: AcceptedFormats = .pidf, filter: [UInt8]? = nil,
        displayName: [UInt8] = [], expires: Instant, lastVersion: UInt32 = 0
    ) {
        self.subscription = subscription
        self.identity = identity
        self.formats = formats
        self.filter = filter
        self.displayName = displayName
        self.expires = expires
        self.lastVersion = lastVersion
    }
}

/// Why a SUBSCRIBE is not taken although its sender may watch.
public enum WatchRefusal: Error, Hashable, Sendable {
    /// 488, with the text for a Warning header field (RFC 4660 section 5.4).
    case filter(FilterRefusal)
    /// 503: the presentity has as many subscriptions as it may.
    case tooManyWatchers

    public var statusCode: UInt16 {
        switch self {
        case .filter: 488
        case .tooManyWatchers: 503
        }
    }
}

/// What becomes of a SUBSCRIBE.
public struct WatchAdmission: Sendable {
    /// nil when the subscription was rejected (`handling` is `block`, answer 403): there is no watcher then.
    public let watcher: WatcherID?
    public let handling: SubscriptionHandling
    public let changes: PresenceChanges
}
