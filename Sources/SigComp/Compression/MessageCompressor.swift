/// An algorithm's memory of one peer: what was sent to it, and which states it has made of that.
///
/// States are referred to only when the peer is known to have them: a compressor hears of that by ``confirmed(_:)`` or finds it
/// in what the peer sends. What it keeps is bounded by the peer's parameters.
protocol MessageCompressor: AnyObject {
    /// The bytes that it keeps.
    var memoryUse: Int { get }

    /// Whether it goes on serving a peer of which more has become known; otherwise another is made in its place.
    func suits(_ peer: PeerKnowledge) -> Bool

    /// Compresses one message; nil when the peer could not decompress it, or when nothing would be gained.
    func compress(_ message: [UInt8], for request: CompressionRequest) -> EncodedMessage?

    /// The peer has decompressed the message of this sequence number and done what it asked.
    func confirmed(_ sequence: UInt64)

    /// The message of this sequence number has most likely not arrived.
    func presumedLost(_ sequence: UInt64)

    /// The peer has refused the message of this sequence number: none of its states was made. `missing` is the state that it
    /// lacked, when that was the reason; whatever rests on that state must not be used again.
    func refused(_ sequence: UInt64, missing: PartialStateIdentifier?)

    /// A message of the peer has been accepted, and its states stored here.
    ///
    /// - Returns: the sequence numbers of the messages that it shows to have been decompressed.
    func accepted(_ message: DecompressedMessage, created: [StateItem], in compartment: Compartment) -> [UInt64]
}

extension MessageCompressor {
    func suits(_ peer: PeerKnowledge) -> Bool { false }

    func accepted(_ message: DecompressedMessage, created: [StateItem], in compartment: Compartment) -> [UInt64] { [] }
}

/// What one message is to be compressed with and for.
struct CompressionRequest {
    let peer: PeerKnowledge
    let transport: DecompressorDispatcher.Transport
    /// Counts the messages of a compartment.
    let sequence: UInt64
    /// 1 to 127; the item that the message should ask to have returned (RFC 3320, section 5.2) if it makes a state and the
    /// scheme relies on feedback. As an item it is this one byte.
    let feedbackNumber: UInt8
    /// The peer's item, which the header returns.
    let returnedFeedback: [UInt8]?
    /// The returned parameters that the message should carry, in the form of RFC 3320, figure 13; at most 30 bytes. nil when
    /// the peer knows them.
    let announcement: [UInt8]?
    /// This endpoint's states, for a scheme that shares: `states.perform` makes in `compartment` what the message makes at the peer.
    let states: StateHandler
    let compartment: Compartment

    /// The memory that the peer's UDVM has for a message of this length (RFC 3320, section 7).
    func memorySize(messageLength: Int) -> Int {
        switch transport {
        case .message: min(65_536, peer.parameters.decompressionMemorySize - messageLength)
        case .stream: min(65_536, peer.parameters.decompressionMemorySize / 2)
        }
    }

    /// The cycles that a message may cost (RFC 3320, section 8.6): every byte of it must have been read by then.
    func cycles(messageLength: Int) -> Int { (1_000 + 8 * messageLength) * peer.parameters.cyclesPerBit }

    /// Begins a message that starts a state of the peer.
    func header(state: StateIdentifier) -> SigCompMessageBuilder? {
        state.prefix(peer.identifierLength).flatMap { SigCompMessageBuilder(state: $0, feedback: returnedFeedback) }
    }
}

/// A message as a compressor has made it.
struct EncodedMessage {
    /// The whole SigComp message.
    var bytes: [UInt8]
    /// Whether it carries the announcement that was asked for.
    var announces = false
    /// Whether it asks for ``CompressionRequest/feedbackNumber``.
    var requestsFeedback = false
    /// By how many bytes the message may be longer than plain, for the sake of those to come.
    var advance = 0
}
