/// `hostport` and `sent-by` (RFC 3261 section 25.1, with the IPv6 forms of RFC 5954).
enum HostGrammar {
    /// Reads `host [":" port]` and leaves the index behind it.
    ///
    /// - Parameter allowsSpace: whether white space may surround the colon, as in Via and not in a URI.
    @inline(__always)
    static func read(
        _ bytes: Span<UInt8>, _ index: inout Int, _ end: Int, host: inout ByteRange, port: inout UInt16,
        allowsSpace: Bool
    ) -> Bool {
        let start = index
        guard start < end else { return false }
        if bytes[start] == UInt8(ascii: "[") {
            let close = bytes.skip(.ipv6, start + 1, end)
            guard close > start + 2, close < end, bytes[close] == UInt8(ascii: "]") else { return false }
            guard IPAddress(bytes, start + 1, close) != nil else { return false }
            index = close + 1
        } else {
            index = bytes.skip(.hostname, start, end)
            guard index > start else { return false }
        }
        host = ByteRange(start, index)
        port = 0
        var next = allowsSpace ? bytes.skipSpace(index, end) : index
        guard next < end, bytes[next] == UInt8(ascii: ":") else { return true }
        next += 1
        if allowsSpace { next = bytes.skipSpace(next, end) }
        var value = 0
        let digits = next
        while next < end, bytes[next].isDigit {
            value = value * 10 + Int(bytes[next] &- 0x30)
            guard value <= 65_535 else { return false }
            next += 1
        }
        guard next > digits, value > 0 else { return false }
        port = UInt16(truncatingIfNeeded: value)
        index = next
        return true
    }
}
