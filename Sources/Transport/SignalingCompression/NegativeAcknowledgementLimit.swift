internal import SIPCore

/// Bounds the NACKs that messages with forged senders can cause: so many a second to one address, and to all.
struct NegativeAcknowledgementLimit {
    private static let window: UInt64 = 1_000_000

    let perSource: Int
    let inAll: Int
    private var windowEnd: UInt64 = 0
    private var sent = 0
    /// Never more entries than `inAll`, for an address comes in only by being answered.
    private var sentTo: [IPAddress: Int] = [:]

    init(perSource: Int, inAll: Int) {
        self.perSource = perSource
        self.inAll = inAll
    }

    /// Whether one more may be sent now, which counts it.
    ///
    /// - Parameter instant: microseconds.
    mutating func admits(_ address: IPAddress, at instant: UInt64) -> Bool {
        if instant >= windowEnd {
            windowEnd = instant + Self.window
            sent = 0
            sentTo.removeAll(keepingCapacity: true)
        }
        let before = sentTo[address, default: 0]
        guard sent < inAll, before < perSource else { return false }
        sent += 1
        sentTo[address] = before + 1
        return true
    }
}
