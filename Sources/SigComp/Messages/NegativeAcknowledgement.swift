/// Tells a compressor that its message could not be decompressed, and why (RFC 4077, section 3).
public struct NegativeAcknowledgement: Equatable, Sendable {
    /// The failure, its reason with details.
    public var failure: DecompressionFailure
    /// The hash of the message that failed; all zero for a framing error, where no message can be told.
    public var messageHash: StateIdentifier

    public init(failure: DecompressionFailure, messageHash: StateIdentifier) {
        self.failure = failure
        self.messageHash = messageHash
    }

    static let version: UInt8 = 1
    /// Reason, opcode, program counter and hash.
    private static let fixedLength = 4 + StateIdentifier.length

    /// The message to send; it is to be sent whole, and over a stream with record marking.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = [0xF8, 0, Self.version, failure.reason.rawValue, failure.opcode]
        bytes.append(UInt8(failure.programCounter >> 8))
        bytes.append(UInt8(failure.programCounter & 0xFF))
        bytes += failure.reason == .framingError ? [UInt8](repeating: 0, count: 20) : messageHash.bytes
        return bytes + failure.details
    }

    /// Reads what follows the header of a message without state and bytecode; nil when it has an unknown reason, or lacks the
    /// details that its reason asks for.
    init?(body: ArraySlice<UInt8>) {
        guard body.count >= Self.fixedLength, let reason = DecompressionFailureReason(rawValue: body[body.startIndex])
        else { return nil }
        let start = body.startIndex
        guard let hash = StateIdentifier(body[start + 4..<start + Self.fixedLength]) else { return nil }
        let details = Array(body[(start + Self.fixedLength)...])
        guard Self.detailLengths(reason).contains(details.count) else { return nil }
        failure = DecompressionFailure(
            reason, opcode: body[start + 1],
            programCounter: UInt16(body[start + 2]) << 8 | UInt16(body[start + 3]), details: details,
            isAnswerable: false)
        messageHash = hash
    }

    private static func detailLengths(_ reason: DecompressionFailureReason) -> ClosedRange<Int> {
        switch reason {
        case .stateNotFound, .idNotUnique, .stateTooShort: PartialStateIdentifier.lengths
        case .cyclesExhausted: 1...1
        case .bytecodesTooLarge: 2...2
        default: 0...Int.max
        }
    }

    /// The state that the peer lacks, cannot tell from another, or has shorter than was asked for.
    public var stateIdentifier: PartialStateIdentifier? {
        switch failure.reason {
        case .stateNotFound, .idNotUnique, .stateTooShort: PartialStateIdentifier(failure.details)
        default: nil
        }
    }
}
