/// What follows from a change: everything the engine has to do about it.
public struct PresenceChanges: Sendable {
    /// Subscriptions that have something new to see; ``PresenceAgent/body(for:full:)`` gives it at the moment of sending.
    /// One may stand here twice, and may by then have nothing new after all.
    public var notify: [UInt32] = []
    /// Subscriptions whose authorization changed (RFC 5025 section 3.2.1), with what holds now: `block` ends them with reason
    /// "rejected", `confirm` makes them pending, the others active. They are in `notify` as well where there is a document.
    public var handling: [HandlingChange] = []
    /// Publications that ended by themselves; to be made durable at leisure.
    public var durable: [PublicationChange] = []
    /// Presentities whose ``PresenceAgent/reception(of:at:)`` may have changed: their queues may have to flow, or to wait.
    public var reception: [PresentityID] = []
    /// Presentities whose watcher information changed.
    public var watcherInformation: [PresentityID] = []
    /// Presentities whose registration information changed.
    public var registration: [PresentityID] = []

    public init() {}

    public var isEmpty: Bool {
        notify.isEmpty && handling.isEmpty && durable.isEmpty && reception.isEmpty && watcherInformation.isEmpty
            && registration.isEmpty
    }
}

/// A subscription's new authorization.
public struct HandlingChange: Hashable, Sendable {
    /// The engine's own number of the subscription.
    public var subscription: UInt32
    public var handling: SubscriptionHandling
}

/// A presentity of this agent: an index, valid for the agent's life.
public struct PresentityID: Hashable, Sendable {
    public let rawValue: UInt32

    init(_ index: Int) { rawValue = UInt32(truncatingIfNeeded: index) }

    var index: Int { Int(rawValue) }
}
