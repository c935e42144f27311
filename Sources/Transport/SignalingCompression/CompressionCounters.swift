public import SIPCore
public import SigComp

/// Messages and bytes in both directions, as SIP and on the wire.
public struct CompressionTraffic: Hashable, Sendable {
    public var messagesSent: UInt64 = 0
    /// Bytes of SIP in `messagesSent`.
    public var plainBytesSent: UInt64 = 0
    /// Bytes on the wire for `messagesSent`, without record marking.
    public var bytesSent: UInt64 = 0
    public var messagesReceived: UInt64 = 0
    /// Bytes of SIP in `messagesReceived`.
    public var plainBytesReceived: UInt64 = 0
    /// Bytes on the wire for `messagesReceived`, without record marking.
    public var bytesReceived: UInt64 = 0

    public init() {}

    mutating func sent(plain: Int, compressed: Int) {
        messagesSent += 1
        plainBytesSent += UInt64(plain)
        bytesSent += UInt64(compressed)
    }

    mutating func received(plain: Int, compressed: Int) {
        messagesReceived += 1
        plainBytesReceived += UInt64(plain)
        bytesReceived += UInt64(compressed)
    }
}

/// What SigComp did since the start. Read on the event loop.
public struct CompressionCounters: Hashable, Sendable {
    /// All SigComp messages that carried SIP.
    public var traffic = CompressionTraffic()
    /// The same by method; a response counts with its request's. Methods without traffic are not in it.
    public var byMethod: [SIPMethod: CompressionTraffic] = [:]
    /// Messages that could not be decompressed, by reason (RFC 4077 section 3.2).
    public var failures: [DecompressionFailureReason: UInt64] = [:]
    /// NACKs sent for `failures`.
    public var negativeAcknowledgementsSent: UInt64 = 0
    /// NACKs not sent because their rate is bounded, or because what failed may have been one itself.
    public var negativeAcknowledgementsWithheld: UInt64 = 0
    /// NACKs received, by the reason they give.
    public var negativeAcknowledgementsReceived: [DecompressionFailureReason: UInt64] = [:]
    /// Messages sent again on a connection because of a NACK.
    public var messagesRepeated: UInt64 = 0
    /// Messages whose states were not kept because their sender was not known.
    public var statesDeclined: UInt64 = 0
    /// Messages not looked at because strangers had caused too much work.
    public var messagesRefused: UInt64 = 0
    /// Messages without SIP in them: states and feedback alone.
    public var messagesWithoutOutput: UInt64 = 0
    /// Messages sent plain to a peer that wants SigComp: it did not react to it, or the message would have grown.
    public var sentPlain: UInt64 = 0
    /// Compartments open at this moment.
    public var compartments = 0
    /// Bytes of states in them.
    public var stateBytes = 0

    public init() {}

    mutating func sent(_ method: SIPMethod, plain: Int, compressed: Int) {
        traffic.sent(plain: plain, compressed: compressed)
        byMethod[method, default: CompressionTraffic()].sent(plain: plain, compressed: compressed)
    }

    mutating func received(_ method: SIPMethod, plain: Int, compressed: Int) {
        traffic.received(plain: plain, compressed: compressed)
        byMethod[method, default: CompressionTraffic()].received(plain: plain, compressed: compressed)
    }
}

/// One remote application's share.
public struct CompressionPeerReport: Hashable, Sendable {
    /// Its SIP/SigComp identifier, or its address when it has none.
    public var name: String
    /// From where it was heard last, or where it was sent to.
    public var address: TransportAddress
    public var traffic: CompressionTraffic
    /// Bytes of states kept for it.
    public var stateBytes: Int
}
