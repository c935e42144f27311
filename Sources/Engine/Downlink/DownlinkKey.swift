import SIPTransaction

/// What waits for its turn on a downlink. The scheduler holds this name only; its bytes are made, or are ready, elsewhere.
enum DownlinkKey: Hashable, Sendable {
    /// The response of a server transaction.
    case response(TransactionID)
    /// A request that is sent again, an ACK or a CANCEL, by its client transaction.
    case request(TransactionID)
    /// The first transmission of a branch of a fork.
    case branch(context: UInt32, generation: UInt32, position: UInt16)
    /// The newest state of a subscription, whatever it is when its turn comes.
    case notification(subscription: UInt32, generation: UInt32)

    /// Whether it opens a transaction that the endpoint has to answer.
    var opensTransaction: Bool {
        switch self {
        case .branch, .notification: true
        case .response, .request: false
        }
    }
}
