import DequeModule
import LinkProfiles
import MessageStore
import Presence
import SIPCore
import SIPDialog

/// The Presence Application (draft-houri-simple-arch-01 section 7.5): what the engine keeps of publications, subscriptions and
/// notifications. Documents and decisions are ``PresenceAgent``'s; dialogs, transactions and commits are the engine's.
final class PresenceApplication {
    private let settings: PresenceSettings
    private let firstEntityTag: UInt64
    var agent: PresenceAgent
    var subscriptions = SubscriptionTable()
    /// Subscriptions with something to tell, in the order they are told.
    var line = Deque<UInt32>()
    /// Subscriptions taken over at the start, to be notified little by little.
    var resumptions = Deque<SubscriptionMark>()
    var resumesAt = Instant.distantFuture
    /// Subscribers to watcher information and to registrations, by whom they are about.
    var watcherReports: [UserIndex: [UInt32]] = [:]
    var registrationReports: [UserIndex: [UInt32]] = [:]
    /// Users whose presence says that only urgent messages are welcome.
    var undisturbed: Set<UserIndex> = []
    /// Subscriptions of each watcher, by the hash of its identity.
    var perWatcher: [UInt64: UInt32] = [:]
    /// Host names of watchers that are being looked up.
    var resolving: [UInt64: SubscriptionMark] = [:]
    /// Header lines of answers to SUBSCRIBE, shared between transactions that remember them.
    var acceptances: [UInt64: [UInt8]] = [:]
    var lastSubscription: Int64 = 0
    /// Rates and retries of all subscriptions.
    let policy: NotifierPolicy
    /// What was counted.
    var counters = PresenceCounters()

    init(_ configuration: PresenceConfiguration, firstEntityTag: UInt64) {
        settings = PresenceSettings(configuration)
        policy = NotifierPolicy(rates: configuration.rates)
        self.firstEntityTag = firstEntityTag
        agent = PresenceAgent(settings: settings, firstEntityTag: firstEntityTag)
    }

    /// Begins anew behind the numbers a store has used.
    func continueNumbering(_ numbering: StoreNumbering) {
        lastSubscription = numbering.lastSubscription.rawValue
        agent = PresenceAgent(
            settings: settings, firstEntityTag: firstEntityTag, lastPublication: numbering.lastPublication.rawValue)
    }

    /// Nothing happens by itself before this.
    func nextDeadline(at now: Instant) -> Instant? {
        var next = agent.nextDeadline ?? .distantFuture
        if !line.isEmpty { next = min(next, now) }
        if !resumptions.isEmpty { next = min(next, resumesAt) }
        return next
    }

    func nextSubscriptionNumber() -> SubscriptionNumber {
        lastSubscription += 1
        return SubscriptionNumber(lastSubscription)
    }
}

/// What the Presence Application counted since it started.
public struct PresenceCounters: Hashable, Sendable {
    public var publications: UInt64 = 0
    public var publicationsRefused: UInt64 = 0
    public var subscriptionsMade: UInt64 = 0
    public var subscriptionsRefreshed: UInt64 = 0
    public var subscriptionsRefused: UInt64 = 0
    public var subscriptionsEnded: UInt64 = 0
    public var notificationsSent: UInt64 = 0
    public var notificationsFailed: UInt64 = 0
    /// Bytes of bodies in NOTIFYs.
    public var notificationBytes: UInt64 = 0
    /// Refreshes and changes that cost no NOTIFY or no body (RFC 5839).
    public var notificationsSuppressed: UInt64 = 0
    /// Queues made to flow because their owner's presence said so.
    public var queuesWoken: UInt64 = 0

    // MARK: Size at this moment
    public var subscriptions = 0

    public init() {}
}

extension PresenceSettings {
    init(_ configuration: PresenceConfiguration) {
        self.init()
        defaultHandling = configuration.unruledWatchers
        publicationBytes = configuration.bodyLimit
        publicationsPerPresentity = configuration.publicationsPerPresentity
        minimumExpires = UInt32(clamping: configuration.publications.minimum.microseconds / 1_000_000)
        maximumExpires = UInt32(clamping: configuration.publications.maximum.microseconds / 1_000_000)
        defaultExpires = UInt32(clamping: configuration.publications.standard.microseconds / 1_000_000)
        if !configuration.includesRegistrations { registration = .none }
        undisturbedActivities.formUnion(configuration.undisturbedActivities)
    }
}
