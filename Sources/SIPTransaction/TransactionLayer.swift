public import LinkProfiles
public import SIPCore

/// All client and server transactions (RFC 3261 section 17 with RFC 6026 and RFC 4320).
///
/// It has no sockets and no clock: every call that starts a timer takes the time, which must never run backwards, and
/// nothing happens by itself before ``advance(to:into:)``.
public final class TransactionLayer {
    public init() {}

    /// Makes timers known. The same timers always get the same number; there is room for 255 different ones, and a
    /// layer that is full answers nil.
    public func register(_ timers: TransactionTimers) -> TimersIndex? { TimersIndex(number: 0) }

    /// No timer fires before this; it may be earlier than the first that does. Nil while no timer runs.
    public var nextDeadline: Instant? { nil }

    /// Fires every timer due at `now` and appends what follows from it.
    public func advance(to now: Instant, into events: inout [TransactionEvent]) {}

    // MARK: Server transactions

    /// What a request means to the transactions there are.
    public enum Arrival: Sendable, Equatable {
        /// No transaction knows it: handle it, and open one.
        case new
        /// A retransmission with nothing to be sent again.
        case absorbed
        /// A retransmission: send the last response again, rebuilt from this request, the status and the tail.
        case resend(status: UInt16, tail: [UInt8])
        /// The ACK for a final response other than 2xx; it goes no further.
        case confirmed(user: UInt32)
        /// An ACK that belongs to the transaction user: for a 2xx (RFC 6026 section 7.1), or one nobody knows.
        case passAck
    }

    /// Offers a request. It opens nothing.
    ///
    /// - Parameter isAck: whether the method is ACK; `id` is then that of its INVITE.
    public func requestArrived(_ id: TransactionID, isAck: Bool, at: Instant) -> Arrival { .new }

    /// Opens the server transaction of a request for which ``requestArrived(_:isAck:at:)`` said `.new`.
    ///
    /// - Parameters:
    ///   - user: the caller's context, handed back with events; 0 for none.
    ///   - reportsEnd: whether ``advance(to:into:)`` tells when it ends by timer I, J or L.
    /// - Returns: false if there is one with this id already; nothing changes then.
    @discardableResult
    public func openServer(
        _ id: TransactionID, isInvite: Bool, isReliable: Bool, timers: TimersIndex, user: UInt32 = 0,
        reportsEnd: Bool = false, at: Instant
    ) -> Bool { true }

    /// Hands a response to its server transaction, which remembers it for retransmissions.
    ///
    /// - Parameter tail: what the response holds beyond what it copies from the request. Kept as it is: one shared
    ///   empty array costs nothing.
    /// - Returns: whether to send it. False: there is no such transaction, it had a final response before, or RFC 4320
    ///   section 4 forbids this one (a 1xx to a non-INVITE request other than a late 100; a 408 to a non-INVITE
    ///   request, which ends the transaction in silence).
    public func respond(_ id: TransactionID, status: UInt16, tail: [UInt8], at: Instant) -> Bool { true }

    /// The context given with the server transaction; nil if there is no such transaction.
    public func user(ofServer id: TransactionID) -> UInt32? { nil }

    /// Replaces the context of a server transaction, e.g. with 0 once it is answered.
    public func setUser(_ user: UInt32, ofServer id: TransactionID) {}

    // MARK: Client transactions

    /// What a response means to the transactions there are.
    public enum Response: Sendable, Equatable {
        /// No transaction knows it: drop it (RFC 6026 section 8.9).
        case unknown
        /// A retransmission, or nobody wants it.
        case absorbed
        /// It goes to the transaction user.
        case pass(user: UInt32)
        /// It goes to the transaction user, and its ACK has to be built, sent to where the INVITE went and handed to
        /// ``acknowledged(_:ack:)`` (RFC 3261 section 17.1.1.3). `user` is 0 if the transaction was abandoned.
        case passAndAcknowledge(user: UInt32, destination: Destination)
        /// A final response again: send its ACK again.
        case acknowledgeAgain(ack: [UInt8], destination: Destination)
    }

    /// Opens a client transaction. The caller sends `request` the first time; the layer keeps it until a final
    /// response comes, and asks for retransmissions.
    ///
    /// - Returns: false if there is one with this id already; nothing changes then.
    @discardableResult
    public func openClient(
        _ id: TransactionID, isInvite: Bool, isReliable: Bool, timers: TimersIndex, request: [UInt8],
        destination: Destination, user: UInt32, reportsEnd: Bool = false, at: Instant
    ) -> Bool { true }

    /// Offers a response.
    public func responseArrived(_ id: TransactionID, status: UInt16, at: Instant) -> Response { .unknown }

    /// Keeps the ACK for a final response other than 2xx, to be sent again when the response is.
    public func acknowledged(_ id: TransactionID, ack: [UInt8]) {}

    /// The request or its ACK could not be sent (RFC 3261 section 17.1.4): the client transaction ends.
    ///
    /// - Returns: the context to be told; nil if there is no such transaction or nobody wants to know.
    public func transportFailed(_ id: TransactionID) -> UInt32? { nil }

    /// Loses interest in a client transaction: no more retransmissions and no event; responses are absorbed until it
    /// would have timed out. An INVITE still asks for the ACK of a final response, with user 0.
    public func abandon(_ id: TransactionID, at: Instant) {}

    // MARK: Size

    /// Server transactions there are.
    public var serverCount: Int { 0 }
    /// Client transactions there are.
    public var clientCount: Int { 0 }
    /// Bytes reserved by the tables, without the requests and tails they refer to.
    public var reservedBytes: Int { 0 }
}
