/// The beginning of a SigComp message (RFC 3320, section 7, figure 3).
public struct SigCompHeader: Equatable, Sendable {
    /// What the UDVM is started with.
    public enum Program: Equatable, Sendable {
        /// A stored state.
        case state(PartialStateIdentifier)
        /// Bytecode in the message, and the address to which it is copied.
        case bytecode(Range<Int>, destination: Int)
    }

    /// The returned feedback item as it stands in the message, its length byte included; nil when the T-bit is 0.
    public var returnedFeedbackItem: Range<Int>?
    public var program: Program
    /// The bytes of the header, uploaded bytecode included; the compressed data follows.
    public var length: Int

    /// Whether bytes on a port for both begin a SigComp message rather than a plain one (RFC 5049, section 5).
    @inline(__always)
    public static func isSigComp(firstByte: UInt8) -> Bool { firstByte & 0xF8 == 0xF8 }

    /// Whether the message has the form that NACKs have: no state and no bytecode (RFC 4077, section 3).
    static func isEmptyUpload(_ message: [UInt8]) -> Bool {
        guard let first = message.first, isSigComp(firstByte: first), first & 3 == 0 else { return false }
        guard let code = endOfFeedback(message), message.count >= code + 2 else { return false }
        return message[code] == 0 && message[code + 1] & 0xF0 == 0
    }

    public init(reading message: [UInt8]) throws(DecompressionFailureReason) {
        guard let first = message.first else { throw .messageTooShort }
        guard Self.isSigComp(firstByte: first) else { throw .internalError }
        guard let start = Self.endOfFeedback(message) else { throw .messageTooShort }
        returnedFeedbackItem = start > 1 ? 1..<start : nil
        let identifierLength = Self.identifierLengths[Int(first & 3)]
        if identifierLength > 0 {
            length = start + identifierLength
            guard message.count >= length, let identifier = PartialStateIdentifier(message[start..<length]) else {
                throw .messageTooShort
            }
            program = .state(identifier)
        } else {
            guard message.count >= start + 2 else { throw .messageTooShort }
            let codeLength = Int(message[start]) << 4 | Int(message[start + 1]) >> 4
            let destination = Int(message[start + 1] & 0x0F)
            guard destination != 0 else { throw .invalidCodeLocation }
            length = start + 2 + codeLength
            guard message.count >= length else { throw .messageTooShort }
            program = .bytecode(start + 2..<length, destination: (destination + 1) * 64)
        }
    }

    /// What the two bits `len` stand for.
    static let identifierLengths = [0, 6, 9, 12]

    /// Where the field after the returned feedback item begins; nil when the message ends before.
    private static func endOfFeedback(_ message: [UInt8]) -> Int? {
        guard let first = message.first else { return nil }
        guard first & 4 != 0 else { return 1 }
        guard message.count > 1 else { return nil }
        let end = message[1] & 0x80 == 0 ? 2 : 2 + Int(message[1] & 0x7F)
        return message.count >= end ? end : nil
    }
}

/// Writing the header of a SigComp message.
public struct SigCompMessageBuilder {
    public private(set) var bytes: [UInt8] = []

    /// Begins a message that starts a stored state.
    ///
    /// - Parameter feedback: the item to return, its length byte included.
    /// - Returns: nil unless 6, 9 or 12 bytes of the identifier are given.
    public init?(state: PartialStateIdentifier, feedback: [UInt8]? = nil) {
        guard let code = SigCompHeader.identifierLengths.firstIndex(of: state.length), code > 0 else { return nil }
        begin(UInt8(code), feedback)
        bytes += state.bytes
    }

    /// Begins a message that uploads bytecode.
    ///
    /// - Parameter destination: 128, 192, ... 1024.
    /// - Returns: nil when the bytecode is longer than 4095 bytes or the destination is none of these.
    public init?(bytecode: [UInt8], destination: Int, feedback: [UInt8]? = nil) {
        guard bytecode.count <= 4_095, destination % 64 == 0, (2...16).contains(destination / 64) else { return nil }
        begin(0, feedback)
        bytes.append(UInt8(bytecode.count >> 4))
        bytes.append(UInt8((bytecode.count & 15) << 4 | (destination / 64 - 1)))
        bytes += bytecode
    }

    private mutating func begin(_ length: UInt8, _ feedback: [UInt8]?) {
        bytes.append(0xF8 | (feedback == nil ? 0 : 4) | length)
        bytes += feedback ?? []
    }

    public mutating func append(_ input: some Sequence<UInt8>) { bytes += input }
}
