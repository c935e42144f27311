/// Finds the end of a header with its folded lines (RFC 3261 section 7.3.1).
enum LineGrammar {
    struct Line {
        /// Offset of the line end's first byte.
        var contentEnd: Int
        /// Offset of the next line.
        var next: Int
        /// Whether a bare CR or LF stood where CRLF should.
        var hasBareLineEnd = false
    }

    /// The line that begins at `start`, with its continuations; nil when the bytes end before the line does.
    static func read(_ bytes: Span<UInt8>, _ start: Int, isFoldable: Bool) -> Line? {
        var line = Line(contentEnd: start, next: start)
        var index = start
        while true {
            index = skipPrintable(bytes, index)
            guard index < bytes.count else { return nil }
            switch bytes[index] {
            case 0x0d:
                guard index + 1 < bytes.count else { return nil }
                guard bytes[index + 1] == 0x0a else {
                    line.hasBareLineEnd = true
                    index += 1
                    continue
                }
                line.contentEnd = index
                line.next = index + 2
            case 0x0a:
                line.hasBareLineEnd = true
                line.contentEnd = index
                line.next = index + 1
            default:
                index += 1
                continue
            }
            guard isFoldable, line.next < bytes.count, bytes[line.next] == 0x20 || bytes[line.next] == 0x09,
                line.contentEnd > start
            else { return line }
            index = line.next
        }
    }

    /// The offset of the next byte below 0x20, eight bytes a step.
    @inline(__always)
    static func skipPrintable(_ bytes: Span<UInt8>, _ start: Int) -> Int {
        var index = start
        let count = bytes.count
        while count - index >= 8 {
            let word = bytes.word(at: index)
            // The lowest high bit set marks the first byte below 0x20.
            let below = (word &- 0x2020_2020_2020_2020) & ~word & 0x8080_8080_8080_8080
            if below != 0 { return index + below.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < count, bytes[index] >= 0x20 { index += 1 }
        return index
    }
}
