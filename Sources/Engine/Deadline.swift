import LinkProfiles

/// Something the engine wants to be woken for, other than transaction timers.
struct Deadline: Comparable {
    enum Kind: Hashable {
        /// Outcomes that the store refused are to be written again.
        case settlement
        /// A recipient's queue may go on: back-off is over, or the byte budget is filled again.
        case queue(Int32)
        /// Timer C of a proxied INVITE (RFC 3261 section 16.8).
        case timerC(slot: UInt32, generation: UInt32)
        /// The downlink of an endpoint is free again, or may be forgotten.
        case downlink(UInt64)
        /// A message that is being delivered ends its life.
        case messageExpiry(slot: UInt32, generation: UInt32)
        /// A subscription ends, or a NOTIFY that failed may be tried again.
        case subscription(SubscriptionMark)
        /// A subscription of our own elsewhere is to be refreshed, tried again or given up.
        case external(UInt32)
    }

    var at: Instant
    var kind: Kind

    static func < (a: Deadline, b: Deadline) -> Bool { a.at < b.at }
}

/// Walks over the queues so that each is visited once a minute, and over old rows of the store.
struct ExpirySweep {
    static let interval = TimeSpan.seconds(1 as Int64)
    static let stepsPerRound = 60
    /// No queue's deadline is farther away.
    static let farthestWake = TimeSpan.seconds(600 as Int64)

    var next = Instant(microseconds: 0)
    var cursor = 0
    /// Messages that ended since the store was last asked to forget old ones.
    var endedSince = 0
    /// When the store is asked next although nothing ended since.
    var nextForget = Instant(microseconds: 0)
    /// Until when rows of ended messages may be left that the store has not been asked to forget.
    var historyUntil = Instant(microseconds: 0)

    static let forgetInterval = TimeSpan.seconds(10 as Int64)
    /// Rows the store is asked to forget at once, at least.
    static let forgetLimit = 20_000
}
