/// What a transaction is known by: a keyed 128-bit hash of the top Via's branch and sent-by and of the method
/// (RFC 3261 sections 17.1.3 and 17.2.3).
///
/// The caller computes it, with a key peers do not know, so that it is spread evenly and nobody can make two collide.
/// An ACK takes the id of the INVITE it belongs to; a CANCEL has an id of its own. Client and server transactions
/// are kept apart, so one id may name one of each: that happens when the server sends a request to itself.
public struct TransactionID: Hashable, Sendable {
    public var high: UInt64
    public var low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Feeds one word only: the value is a hash already.
    public func hash(into hasher: inout Hasher) { hasher.combine(low) }
}
