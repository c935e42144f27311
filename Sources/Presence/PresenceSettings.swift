public import LinkProfiles

/// What the operator decides about presence: limits against abuse, lifetimes, and policies that the RFCs leave open.
public struct PresenceSettings: Hashable, Sendable {
    /// Bytes of one published document.
    public var publicationBytes = 65_536
    /// Tuples, persons and devices of one publication together.
    public var componentsPerPublication = 64
    /// Live publications of one presentity, local sources included.
    public var publicationsPerPresentity = 16
    /// Seconds: shorter requests are refused with 423, longer ones cut, none given means the default (RFC 3903 section 6 step 4).
    public var minimumExpires: UInt32 = 60
    public var maximumExpires: UInt32 = 86_400
    public var defaultExpires: UInt32 = 3_600
    /// What registration state contributes to the composed document.
    public var registration = RegistrationContribution.untilPublished
    /// What a watcher gets whom no rules document speaks of, because the presentity has none.
    public var defaultHandling = SubscriptionHandling.allow
    /// Activities (RFC 4480 section 3.2) in which the user takes urgent messages only, by local name, in whatever namespace: clients
    /// write "do not disturb" in namespaces of their own.
    public var undisturbedActivities: Set<String> = [
        "busy", "meeting", "performance", "presentation", "sleeping", "steering", "worship", "dnd", "do-not-disturb",
    ]
    /// How long a watcher that waits for a decision is remembered (RFC 3857 section 4.7.1, "giveup").
    public var giveUpAfter = TimeSpan.seconds(7 * 86_400 as Int64)
    /// Watchers that wait for a decision, or have waited for it, of one presentity; the oldest is given up first.
    public var undecidedWatchers = 64
    /// Subscriptions to one presentity.
    public var watchersPerPresentity = 10_000
    /// Different filters in use for one presentity: each is evaluated with every change.
    public var filtersPerPresentity = 32
    /// Earlier states that a view keeps so that differences against them can be made.
    public var statesPerView = 4
    /// Bytes of a filter document and of a rules document.
    public var filterBytes = 16_384
    public var rulesBytes = 65_536

    public init() {}
}

/// What registration state says in the composed document (RFC 3680 section 3.2: it is raw data).
public enum RegistrationContribution: Hashable, Sendable {
    /// Nothing.
    case none
    /// A service of its own while no publication has one: what the user says of services counts more than what the network knows.
    case untilPublished
    /// A service of its own always.
    case always
}
