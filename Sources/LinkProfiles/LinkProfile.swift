/// What one kind of link can bear, and every timer and limit that follows from it.
///
/// A flow gets its profile by configuration (``ProfileRule``); without a rule it gets `lan`. The engine takes every
/// timer from here, never from a constant (RFC 3261 section 17 leaves T1, T2 and T4 to be chosen by the link).
public struct LinkProfile: Hashable, Sendable {
    /// The name used in configuration, and the base name of the file in `profiles/`.
    public var name: String = "lan"
    /// One line for people.
    public var summary: String = ""

    // MARK: Transaction timers (RFC 3261 section 17.1.1.1)

    /// Round-trip time estimate; the first retransmission interval.
    public var t1: TimeSpan = .milliseconds(500)
    /// The longest retransmission interval for non-INVITE requests and INVITE responses.
    public var t2: TimeSpan = .seconds(4 as Int64)
    /// The longest time a message stays in the network.
    public var t4: TimeSpan = .seconds(5 as Int64)
    /// Timers B, F, H, J, L and M are this many times T1. RFC 3261 says 64.
    public var transactionLifetimeInT1: Int64 = 64
    /// Timer C: how long an INVITE may ring before a proxy gives up (RFC 3261 section 16.6; over 3 minutes).
    public var timerC: TimeSpan = .seconds(185 as Int64)

    // MARK: Sizes

    /// Requests larger than this many bytes leave by a congestion-controlled transport (RFC 3261 section 18.1.1).
    public var datagramLimit: Int = 1_300
    /// Messages larger than this are refused with 513 (RFC 3261 section 21.5.7).
    public var messageLimit: Int = 65_535
    /// Whether requests and responses towards this link use the compact header forms (RFC 3261 section 7.3.3).
    public var compactHeaders: Bool = false

    // MARK: Downlink

    /// What may leave towards one endpoint, and when.
    public var budget = LinkBudget()

    // MARK: Deferred delivery

    /// How long a relayed MESSAGE may stay unanswered by the device before it is committed to the store and the sender
    /// is answered 202; the attempt goes on.
    public var relayPatience: TimeSpan = .seconds(8 as Int64)
    /// Messages outstanding at once towards one recipient during a flush.
    public var flushWindow: Int = 1
    /// What the flush keeps in order: all messages of a recipient, or only those of each sender to it.
    public var flushOrder: FlushOrder = .recipient
    /// Bytes a second one recipient's flush may use; 0 means as fast as answers come.
    public var flushByteRate: Int = 0
    /// Bytes that may be sent at once before `flushByteRate` applies.
    public var flushBurst: Int = 65_536
    /// First retry delay after a transient failure; doubles with each failure.
    public var retryInitial: TimeSpan = .seconds(20 as Int64)
    /// The longest retry delay.
    public var retryMaximum: TimeSpan = .seconds(86_400 as Int64)
    /// Random share added to or taken from a retry delay, 0 to 0.5.
    public var retryJitter: Double = 0.2
    /// Life of a deferred message whose sender gave no Expires (RFC 3428 section 4).
    public var deferredLifetime: TimeSpan = .seconds(7 * 86_400 as Int64)

    // MARK: Registration (RFC 3261 section 10.3) and keep-alive (RFC 5626 section 4.4)

    /// A shorter expiry is refused with 423.
    public var registrationMinimum: TimeSpan = .seconds(60 as Int64)
    /// A longer expiry is cut to this.
    public var registrationMaximum: TimeSpan = .seconds(86_400 as Int64)
    /// Used where the request names none.
    public var registrationDefault: TimeSpan = .seconds(3_600 as Int64)
    /// Value of the Flow-Timer header (RFC 5626 section 4.4.1); a flow silent for longer (plus a grace) is dead.
    public var flowTimer: TimeSpan = .seconds(120 as Int64)

    // MARK: Streams

    /// A connection on which nothing arrived for so long is closed.
    public var connectionIdle: TimeSpan = .seconds(600 as Int64)
    /// A message that has begun to arrive on a stream must be complete within this time.
    public var messageCompletion: TimeSpan = .seconds(30 as Int64)
    /// How long a connection attempt, TLS included, may take.
    public var connectTimeout: TimeSpan = .seconds(10 as Int64)

    // MARK: SigComp (RFC 5049)

    /// Whether SigComp messages are taken from this link, and sent to peers that ask for it.
    public var offersSigComp: Bool = true
    /// Whether states of a SigComp message are kept only for senders that have proved who they are (RFC 3320 section 4.3).
    public var sigcompNeedsAuthentication: Bool = true

    public init() {}

    /// Timers B, F, H, J, L and M.
    public var transactionLifetime: TimeSpan { t1 * transactionLifetimeInT1 }
}

/// Which messages a flush keeps in order while it has several outstanding.
public enum FlushOrder: String, Hashable, Sendable, CaseIterable {
    /// One message of a recipient at a time on unreliable transports: all arrive in the order they were accepted.
    case recipient
    /// One message of each sender at a time: messages of different senders may overtake each other.
    case sender
}
