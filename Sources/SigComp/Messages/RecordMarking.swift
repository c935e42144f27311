/// Writing messages to a stream (RFC 3320, section 4.2.2).
public enum RecordMarking {
    /// Appends a message, its bytes 0xFF quoted and the delimiter 0xFFFF behind it.
    ///
    /// A byte 0xFF is written with a count of the bytes behind it, up to 127, that need no quoting of their own; the count is
    /// chosen so that it covers the last 0xFF within reach, so a run of them costs one byte in 127.
    public static func append(_ message: [UInt8], to stream: inout [UInt8]) {
        var index = 0
        while index < message.count {
            let byte = message[index]
            stream.append(byte)
            index += 1
            guard byte == 0xFF else { continue }
            let reach = min(message.count, index + 127)
            let quoted = message[index..<reach].lastIndex(of: 0xFF).map { $0 + 1 - index } ?? 0
            stream.append(UInt8(quoted))
            stream += message[index..<index + quoted]
            index += quoted
        }
        stream += [0xFF, 0xFF]
    }
}

/// Finds the messages in a stream with record marking. Feed it with ``append(_:)``, then take with ``next()`` until nil.
public struct RecordDeframer: Sendable {
    /// Why a stream cannot be read on; it should be closed.
    public enum Failure: Error, Equatable, Sendable {
        /// An unquoted 0xFF80 to 0xFFFE.
        case framingError
        /// A message longer than the limit.
        case messageTooLong
    }

    private enum Position { case plain, afterEscape, quoted(Int) }

    /// The bytes that one message may have.
    public let messageLimit: Int
    private var position = Position.plain
    private var message: [UInt8] = []
    private var pending: [UInt8] = []
    private var read = 0

    public init(messageLimit: Int = 65_535) {
        self.messageLimit = messageLimit
    }

    /// The bytes that are kept.
    public var bufferedCount: Int { message.count + pending.count - read }

    public mutating func append(_ bytes: some Sequence<UInt8>) {
        if read == pending.count {
            pending.removeAll(keepingCapacity: true)
            read = 0
        } else if read > 4_096 {
            pending.removeSubrange(..<read)
            read = 0
        }
        pending += bytes
    }

    /// The next whole message without its marks; nil when more bytes are needed. Empty messages are passed over.
    public mutating func next() throws(Failure) -> [UInt8]? {
        while read < pending.count {
            let byte = pending[read]
            switch position {
            case .plain where byte == 0xFF:
                read += 1
                position = .afterEscape
            case .plain:
                let end = pending[read...].firstIndex(of: 0xFF) ?? pending.count
                try take(through: end)
            case .afterEscape:
                read += 1
                if let whole = try escape(byte) { return whole }
            case .quoted(let count):
                let end = min(pending.count, read + count)
                position = end - read == count ? .plain : .quoted(count - (end - read))
                try take(through: end)
            }
        }
        return nil
    }

    private mutating func take(through end: Int) throws(Failure) {
        guard message.count + end - read <= messageLimit else { throw .messageTooLong }
        message += pending[read..<end]
        read = end
    }

    /// What stands behind an unquoted 0xFF.
    private mutating func escape(_ byte: UInt8) throws(Failure) -> [UInt8]? {
        switch byte {
        case 0xFF:
            position = .plain
            guard !message.isEmpty else { return nil }
            defer { message = [] }
            return message
        case 0...0x7F:
            guard message.count < messageLimit else { throw .messageTooLong }
            message.append(0xFF)
            position = byte == 0 ? .plain : .quoted(Int(byte))
            return nil
        default:
            throw .framingError
        }
    }
}
