/// What an endpoint has done since it began.
public struct SigCompCounters: Equatable, Sendable {
    /// Messages and bytes in one direction.
    public struct Traffic: Equatable, Sendable {
        public var messages = 0
        /// Before compression, or after decompression.
        public var plainBytes = 0
        /// As they are sent or received, without record marking.
        public var bytes = 0

        mutating func count(plain: Int, sent: Int) {
            messages += 1
            plainBytes += plain
            bytes += sent
        }
    }

    public var received = Traffic()
    /// By algorithm.
    public var compressed: [CompressionAlgorithm: Traffic] = [:]
    public var passedThrough = Traffic()
    /// Messages that were given to compress and are sent plain.
    public var plain = Traffic()
    /// Messages that could not be decompressed.
    public var failures: [DecompressionFailureReason: Int] = [:]
    /// NACKs that peers have sent.
    public var negativeAcknowledgements: [DecompressionFailureReason: Int] = [:]
    /// NACKs about messages that are not known, or not any more.
    public var unknownNegativeAcknowledgements = 0
    /// Messages that were sent again after a NACK.
    public var sentAgain = 0

    public init() {}
}
