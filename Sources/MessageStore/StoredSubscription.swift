public import LinkProfiles

/// Where a kept subscription stands (RFC 3857 section 4.7.1; the states that need nothing kept are not among them).
public enum StoredSubscriptionState: UInt8, Hashable, Sendable, CaseIterable {
    /// Nobody has decided yet whether the watcher may see anything.
    case pending = 0
    case active = 1
    /// It ended before a decision and is remembered for watcher information.
    case waiting = 2
}

/// What changes while a subscription lives: rewritten in place, in a row of about forty bytes.
public struct SubscriptionProgress: Hashable, Sendable {
    public var state: StoredSubscriptionState
    /// CSeq of the watcher's last request in the dialog (RFC 3261 section 12.2.2).
    public var remoteSequence: UInt32
    /// No NOTIFY has carried a higher CSeq than this. Numbers are reserved in blocks, so that a NOTIFY needs no write:
    /// after a restart numbering goes on above it.
    public var sequenceCeiling: UInt32
    /// A number that the event package must continue after a restart, such as a document's version.
    public var version: UInt32
    public var expiresAt: Instant

    public init(
        state: StoredSubscriptionState, remoteSequence: UInt32, sequenceCeiling: UInt32, version: UInt32,
        expiresAt: Instant
    ) {
        self.state = state
        self.remoteSequence = remoteSequence
        self.sequenceCeiling = sequenceCeiling
        self.version = version
        self.expiresAt = expiresAt
    }
}

/// Rates of RFC 6446 in millionths of a notification per second; 0 where the watcher asked for none.
public struct StoredRates: Hashable, Sendable {
    public var maximum: UInt32
    public var minimum: UInt32
    public var adaptiveMinimum: UInt32

    public init(maximum: UInt32 = 0, minimum: UInt32 = 0, adaptiveMinimum: UInt32 = 0) {
        self.maximum = maximum
        self.minimum = minimum
        self.adaptiveMinimum = adaptiveMinimum
    }
}

/// A watcher's subscription as it is kept durably (RFC 6665 section 4.2): one row of table `subscription` and one of
/// `subscription_dialog`.
public struct StoredSubscription: Hashable, Sendable {
    public var number: SubscriptionNumber
    /// The address-of-record that is watched.
    public var resource: AddressNumber
    /// Event package and, where there is one, its id, as the Event header writes them: `presence;id=7`.
    public var event: String
    /// The watcher's identity: a URI without parameters.
    public var watcher: String
    public var createdAt: Instant
    /// Body formats the watcher accepts; what a bit means is fixed by the engine and never changes.
    public var accept: UInt32
    public var rates: StoredRates
    /// The flow the watcher subscribed by, as text the engine writes and reads; empty when it is not to be reused.
    public var flow: String
    /// Dialog identifiers, route set and remote target, as SIPDialog packs them.
    public var dialog: [UInt8]
    /// The watcher's filter document (RFC 4661); empty when there is none.
    public var filter: [UInt8]
    public var progress: SubscriptionProgress

    public init(
        number: SubscriptionNumber, resource: AddressNumber, event: String, watcher: String, createdAt: Instant,
        accept: UInt32, rates: StoredRates = StoredRates(), flow: String, dialog: [UInt8], filter: [UInt8] = [],
        progress: SubscriptionProgress
    ) {
        self.number = number
        self.resource = resource
        self.event = event
        self.watcher = watcher
        self.createdAt = createdAt
        self.accept = accept
        self.rates = rates
        self.flow = flow
        self.dialog = dialog
        self.filter = filter
        self.progress = progress
    }
}
