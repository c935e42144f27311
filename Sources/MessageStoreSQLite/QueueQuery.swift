public import LinkProfiles
public import MessageStore

/// Which deferred messages an operator asks for. What is not set does not restrict; what is set must all hold.
public struct QueueQuery: Hashable, Sendable {
    /// Address-of-record of the recipient, such as `sip:bob@example.org`.
    public var recipient: String?
    /// The sender's identity as stored: a URI without parameters.
    public var sender: String?
    /// States wanted.
    public var states: Set<DeferredState> = Set(DeferredState.allCases)
    /// Only messages accepted before this moment.
    public var acceptedBefore: Instant?
    /// Only messages with a larger number: how one page follows another.
    public var after: MessageNumber = MessageNumber(0)
    /// At most so many; nil for all.
    public var limit: Int?

    public init(
        recipient: String? = nil, sender: String? = nil, states: Set<DeferredState> = Set(DeferredState.allCases),
        acceptedBefore: Instant? = nil, after: MessageNumber = MessageNumber(0), limit: Int? = nil
    ) {
        self.recipient = recipient
        self.sender = sender
        self.states = states
        self.acceptedBefore = acceptedBefore
        self.after = after
        self.limit = limit
    }

    /// States in which a message still waits for something.
    public static let live: Set<DeferredState> = [.queued, .claimed, .waiting]
}

/// Everything the store knows of one deferred message but its bytes.
public struct QueueRecord: Hashable, Sendable {
    public var number: MessageNumber
    /// Address-of-record; empty when the store has lost the name.
    public var recipient: String
    public var sender: String
    public var identity: MessageIdentity
    public var state: DeferredState
    public var acceptedAt: Instant
    public var expiresAt: Instant
    /// Queued: since when. Waiting: not before. Otherwise nil.
    public var dueAt: Instant?
    /// Claimed: when the attempt under way began. Otherwise nil.
    public var claimedAt: Instant?
    /// Delivered, expired or refused: when. Otherwise nil.
    public var endedAt: Instant?
    /// Attempts begun.
    public var attempts: UInt32
    /// Why the last attempt failed or the message was refused; `.none` when nothing went wrong.
    public var cause: DeliveryCause
    public var isUrgent: Bool
    /// Bytes of the payload as accepted.
    public var size: Int
}

/// What the queue holds, in numbers.
public struct QueueStatistics: Hashable, Sendable {
    /// Messages and bytes of one group.
    public struct Tally: Hashable, Sendable {
        public var messages: Int = 0
        /// Bytes of the payloads as accepted; those of ended messages are no longer stored.
        public var bytes: Int64 = 0

        public init(messages: Int = 0, bytes: Int64 = 0) {
            self.messages = messages
            self.bytes = bytes
        }
    }

    /// A recipient and what waits for it.
    public struct Recipient: Hashable, Sendable {
        public var addressOfRecord: String
        public var tally: Tally
        /// When the oldest of them was accepted.
        public var oldestAcceptedAt: Instant

        public init(addressOfRecord: String, tally: Tally, oldestAcceptedAt: Instant) {
            self.addressOfRecord = addressOfRecord
            self.tally = tally
            self.oldestAcceptedAt = oldestAcceptedAt
        }
    }

    /// By state; every state is present.
    public var byState: [DeferredState: Tally]
    /// The recipients with the most messages that are not ended, most first.
    public var busiest: [Recipient]
    /// Recipients with at least one message that is not ended.
    public var recipients: Int
    /// When the oldest message that is not ended was accepted; nil when there is none.
    public var oldestAcceptedAt: Instant?
    /// Bytes of the database file, its log not counted.
    public var databaseBytes: Int64

    /// What is not ended, taken together.
    public var live: Tally {
        QueueQuery.live.reduce(into: Tally()) { sum, state in
            let tally = byState[state] ?? Tally()
            sum.messages += tally.messages
            sum.bytes += tally.bytes
        }
    }
}
