/// What the engine counted since it started. Plain integers, read by the driver for metrics.
public struct EngineCounters: Hashable, Sendable {
    // MARK: Messages in and out
    public var requestsReceived: UInt64 = 0
    public var responsesReceived: UInt64 = 0
    public var requestsSent: UInt64 = 0
    public var responsesSent: UInt64 = 0
    public var retransmissionsReceived: UInt64 = 0
    public var retransmissionsSent: UInt64 = 0

    // MARK: Bad input
    /// Bytes that are no SIP message at all; dropped.
    public var unreadable: UInt64 = 0
    /// Malformed requests, answered 4xx or 505.
    public var malformedRequests: UInt64 = 0
    /// Malformed responses; dropped.
    public var malformedResponses: UInt64 = 0
    /// Responses no transaction asked for; dropped.
    public var strayResponses: UInt64 = 0
    public var refusedByFloodGuard: UInt64 = 0
    public var droppedByFloodGuard: UInt64 = 0
    public var loopsDetected: UInt64 = 0

    // MARK: Authentication
    public var challenges: UInt64 = 0
    public var authenticationFailures: UInt64 = 0
    public var identityMismatches: UInt64 = 0

    // MARK: Registrar
    public var registrations: UInt64 = 0
    public var registrationsRefused: UInt64 = 0

    // MARK: Instant messages
    /// MESSAGEs answered by a device's own final response.
    public var messagesRelayed: UInt64 = 0
    /// MESSAGEs answered 202 after commit.
    public var messagesAccepted: UInt64 = 0
    /// Replays acknowledged without storing again.
    public var messagesAcceptedAgain: UInt64 = 0
    public var messagesOverQuota: UInt64 = 0
    public var deliveriesBegun: UInt64 = 0
    public var messagesDelivered: UInt64 = 0
    public var deliveriesFailed: UInt64 = 0
    public var messagesExpired: UInt64 = 0
    public var messagesRefused: UInt64 = 0

    // MARK: Downlinks of constrained endpoints
    /// Messages sent to them, and their bytes on the wire without packet headers.
    public var downlinkPackets: UInt64 = 0
    public var downlinkBytes: UInt64 = 0
    /// Answers not sent because too many waited already.
    public var downlinkAnswersDropped: UInt64 = 0
    /// Times an endpoint was sent to unpaced because there were too many.
    public var downlinksRefused: UInt64 = 0

    // MARK: Presence
    public var presence = PresenceCounters()

    // MARK: Store
    public var storeFailures: UInt64 = 0
    /// Requests answered 503 because the store failed or lagged.
    public var refusedByStore: UInt64 = 0

    // MARK: Size at this moment
    public var openContexts = 0
    public var serverTransactions = 0
    public var clientTransactions = 0
    public var users = 0
    public var bindings = 0
    /// Endpoints that have a downlink scheduler.
    public var downlinks = 0
    /// What waits there for its turn.
    public var downlinkWaiting = 0
    public var messagesQueued = 0
    public var bytesQueued = 0

    public init() {}
}
