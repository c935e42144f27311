/// What a stream of SIP is cut into.
public enum FramedItem: Hashable, Sendable {
    /// One whole message.
    case message([UInt8])
    /// CRLF CRLF, a keep-alive that wants an answer (RFC 5626 section 3.5.1).
    case ping
    /// CRLF, the answer to a keep-alive this element sent.
    case pong
}

/// Cuts the bytes of a connection into messages by their Content-Length (RFC 3261 section 18.3).
///
/// After a failure framing is lost for good: the connection is to be closed, and ``next()`` keeps failing.
public struct StreamFramer: Sendable {
    /// Pings this element sent and has had no answer to. While it is 0, a single CRLF is nothing (RFC 3261 section
    /// 7.5) or the first half of a ping.
    public var expectedPongs = 0

    private let limits: ParserLimits
    private var buffer: [UInt8] = []
    /// Where the unread bytes begin.
    private var start = 0
    /// Up to where the end of the header has been looked for.
    private var scanned = 0
    /// Where the header ends and the message with it, once known.
    private var frameEnd: Int?
    private var failure: SyntaxFailure?

    public init(limits: ParserLimits = .init()) {
        self.limits = limits
    }

    /// Bytes kept for a message that is not complete.
    public var bufferedCount: Int { buffer.count - start }

    /// What is left unread; after a failure the beginning of the message that could not be framed.
    public var remainder: ArraySlice<UInt8> { buffer[start...] }

    /// Takes what the connection has read.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        prepareToAppend()
        guard failure == nil else { return }
        unsafe buffer.append(contentsOf: bytes)
    }

    public mutating func append(_ bytes: some Collection<UInt8>) {
        prepareToAppend()
        guard failure == nil else { return }
        buffer.append(contentsOf: bytes)
    }

    private mutating func prepareToAppend() {
        if start > 4_096, start > buffer.count / 2 { compact() }
    }

    private mutating func compact() {
        buffer.removeFirst(start)
        scanned -= start
        frameEnd = frameEnd.map { $0 - start }
        start = 0
    }

    /// The next item, or nil when more bytes are needed.
    ///
    /// - Throws: a message without Content-Length or with a bad one, or one larger than the limits.
    public mutating func next() throws(SyntaxFailure) -> FramedItem? {
        if let failure { throw failure }
        if frameEnd == nil {
            switch takeLineEnds() {
            case .item(let item): return item
            case .incomplete: return nil
            case .none: break
            }
            guard start < buffer.count else {
                reset()
                return nil
            }
            do {
                guard let end = try findEnd() else { return nil }
                frameEnd = end
            } catch {
                failure = error
                throw error
            }
        }
        guard let end = frameEnd, end <= buffer.count else { return nil }
        let message = Array(buffer[start..<end])
        start = end
        scanned = end
        frameEnd = nil
        if start == buffer.count { reset() }
        return .message(message)
    }

    private mutating func reset() {
        buffer.removeAll(keepingCapacity: buffer.capacity <= 65_536)
        start = 0
        scanned = 0
    }

    private enum LineEnds {
        case item(FramedItem)
        /// What follows decides what they mean.
        case incomplete
        case none
    }

    /// Takes the line ends before a start line: two are a ping, one is an awaited pong or nothing.
    private mutating func takeLineEnds() -> LineEnds {
        let count = buffer.count - start
        guard count > 0, buffer[start] == 0x0d else { return .none }
        guard count > 1 else { return .incomplete }
        guard buffer[start + 1] == 0x0a else { return .none }
        if expectedPongs > 0 {
            expectedPongs -= 1
            advance(2)
            return .item(.pong)
        }
        guard count > 2 else { return .incomplete }
        if buffer[start + 2] == 0x0d {
            guard count > 3 else { return .incomplete }
            if buffer[start + 3] == 0x0a {
                advance(4)
                return .item(.ping)
            }
        }
        advance(2)
        return .none
    }

    private mutating func advance(_ count: Int) {
        start += count
        scanned = start
    }

    /// Looks for the empty line from where the last search ended.
    private mutating func findEnd() throws(SyntaxFailure) -> Int? {
        guard let headerEnd = Self.headerEnd(buffer.span, start, from: max(scanned, start)) else {
            scanned = buffer.count
            guard buffer.count - start <= limits.headerBytes else { throw SyntaxFailure(.headerTooLarge) }
            return nil
        }
        guard headerEnd - start <= limits.headerBytes else { throw SyntaxFailure(.headerTooLarge) }
        let length = try ContentLength.read(buffer.span, start, headerEnd)
        guard length <= limits.messageBytes - (headerEnd - start) else { throw SyntaxFailure(.messageTooLarge) }
        return headerEnd + length
    }

    /// The offset behind the first CRLF CRLF that ends at or behind `from`.
    private static func headerEnd(_ span: Span<UInt8>, _ start: Int, from: Int) -> Int? {
        var index = from
        while true {
            index = LineGrammar.skipPrintable(span, index)
            guard index < span.count else { return nil }
            if span[index] == 0x0a, index - start >= 3, span[index - 1] == 0x0d, span[index - 2] == 0x0a,
                span[index - 3] == 0x0d
            {
                return index + 1
            }
            index += 1
        }
    }
}

/// Finds the length of a body before the message is parsed.
enum ContentLength {
    /// The one Content-Length of a header that ends with its empty line.
    static func read(_ span: Span<UInt8>, _ start: Int, _ end: Int) throws(SyntaxFailure) -> Int {
        var length: Int?
        var index = start
        var isFirst = true
        while index < end, let line = LineGrammar.read(span, index, isFoldable: !isFirst) {
            defer {
                index = line.next
                isFirst = false
            }
            guard !isFirst, span[index] | 0x20 == UInt8(ascii: "c") || span[index] | 0x20 == UInt8(ascii: "l") else {
                continue
            }
            let nameEnd = span.skip(.token, index, line.contentEnd)
            guard HeaderNameTable.shared.name(span, ByteRange(index, nameEnd)) == .contentLength else { continue }
            var colon = nameEnd
            while colon < line.contentEnd, span[colon] == 0x20 || span[colon] == 0x09 { colon += 1 }
            guard colon < line.contentEnd, span[colon] == UInt8(ascii: ":") else {
                throw SyntaxFailure(.contentLength)
            }
            let valueStart = span.skipSpace(colon + 1, line.contentEnd)
            let valueEnd = span.trimEnd(valueStart, line.contentEnd)
            guard length == nil else { throw SyntaxFailure(.repeatedHeader) }
            guard let value = span.decimal(valueStart, valueEnd), value <= UInt64(Int32.max) else {
                throw SyntaxFailure(.contentLength)
            }
            length = Int(value)
        }
        guard let length else { throw SyntaxFailure(.contentLengthMissing) }
        return length
    }
}
