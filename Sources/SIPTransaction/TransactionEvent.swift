public import SIPCore

/// Something that fell due: what ``TransactionLayer/advance(to:into:)`` reports.
public enum TransactionEvent: Sendable {
    /// Timer A or E: send the request again.
    case retransmit(client: TransactionID, bytes: [UInt8], destination: Destination)
    /// Timer G: send the final response to an INVITE again. `status` and `tail` are those given to
    /// ``TransactionLayer/respond(_:status:tail:at:)``.
    case resendResponse(server: TransactionID, user: UInt32, status: UInt16, tail: [UInt8])
    /// Timer B or F: no answer came. The client transaction is gone.
    case timedOut(client: TransactionID, user: UInt32)
    /// Timer H: the ACK for a final response other than 2xx never came. The server transaction is gone.
    case ackTimeout(server: TransactionID, user: UInt32)
    /// Nothing was answered in time: send a 100 by ``TransactionLayer/respond(_:status:tail:at:)``. For an INVITE after
    /// 200 ms (RFC 3261 section 17.2.1), for others once the peer's timer E has reached T2 (RFC 4320 section 4.1).
    case tryingDue(server: TransactionID, user: UInt32)
    /// A non-INVITE request was not answered within 64*T1. Its client has given up and a response would be useless
    /// (RFC 4320 section 4.2). The server transaction is gone.
    case unanswered(server: TransactionID, user: UInt32)
    /// A server transaction opened with `reportsEnd` ended by timer I, J or L.
    case ended(server: TransactionID, user: UInt32)
    /// A client transaction opened with `reportsEnd` ended by timer D, K or M.
    case clientEnded(client: TransactionID, user: UInt32)
}
