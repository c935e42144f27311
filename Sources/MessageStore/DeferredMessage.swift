public import LinkProfiles

/// The life of a deferred message (draft-houri-simple-arch-01 section 7.2). Every state is durable.
///
/// | state | meaning | can become | after a crash |
/// |---|---|---|---|
/// | queued | accepted, waits for the recipient | claimed, expired, refused | stays queued |
/// | claimed | an attempt is under way | delivered, waiting, queued, expired, refused | the attempt is repeated with the same branch while the endpoint's transaction can live |
/// | waiting | an attempt failed for a passing reason; not before `due` | claimed, expired, refused | stays waiting |
/// | delivered | an endpoint answered 2xx | nothing | payload is gone |
/// | expired | its life ended before delivery | nothing | payload is gone |
/// | refused | an endpoint or an operator refused it for good; `cause` says why | nothing | payload is gone |
public enum DeferredState: UInt8, Hashable, Sendable, CaseIterable {
    case queued = 0
    case claimed = 1
    case waiting = 2
    case delivered = 3
    case expired = 4
    case refused = 5

    /// Whether nothing follows any more.
    public var isTerminal: Bool { rawValue >= DeferredState.delivered.rawValue }
}

/// A message accepted for later delivery, as it is handed to the store.
public struct DeferredMessage: Hashable, Sendable {
    public var number: MessageNumber
    public var recipient: AddressNumber
    /// The sender's identity as authenticated or claimed: a URI without parameters.
    public var sender: String
    public var identity: MessageIdentity
    public var acceptedAt: Instant
    public var expiresAt: Instant
    /// SIP Priority (RFC 3261 section 20.26): whether the message may overtake others towards a constrained link.
    public var isUrgent: Bool
    /// `.queued`, or `.claimed` when a live attempt is already under way as it is stored.
    public var state: DeferredState
    /// Attempts begun so far; part of the branch of a redelivery.
    public var attempts: UInt32
    /// Header fields from From on, an empty line, and the body: all of the request that does not depend on the hop.
    public var payload: [UInt8]

    public init(
        number: MessageNumber, recipient: AddressNumber, sender: String, identity: MessageIdentity, acceptedAt: Instant,
        expiresAt: Instant, isUrgent: Bool, state: DeferredState, attempts: UInt32, payload: [UInt8]
    ) {
        self.number = number
        self.recipient = recipient
        self.sender = sender
        self.identity = identity
        self.acceptedAt = acceptedAt
        self.expiresAt = expiresAt
        self.isUrgent = isUrgent
        self.state = state
        self.attempts = attempts
        self.payload = payload
    }
}

/// Why an attempt failed or a message was refused: a SIP status, or a cause of our own below 100.
public struct DeliveryCause: Hashable, Sendable {
    public var code: UInt16
    public init(code: UInt16) { self.code = code }

    public static let none = DeliveryCause(code: 0)
    /// No final response within timer F.
    public static let timeout = DeliveryCause(code: 1)
    /// The flow or connection was gone or could not be opened.
    public static let flowGone = DeliveryCause(code: 2)
    /// An operator dropped it.
    public static let dropped = DeliveryCause(code: 3)
    /// An operator expired it.
    public static let expiredByOperator = DeliveryCause(code: 4)
}
