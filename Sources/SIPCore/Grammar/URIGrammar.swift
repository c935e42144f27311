/// The parts of a SIP or SIPS URI (RFC 3261 section 19.1.1), as ranges.
struct URIParts {
    enum Scheme: UInt8 { case sip, sips, other }
    var scheme: Scheme = .other
    /// Text of the scheme, without the colon.
    var schemeText: ByteRange = .empty
    var hasUser = false
    var user: ByteRange = .empty
    var hasPassword = false
    var password: ByteRange = .empty
    /// With brackets for an IPv6 address.
    var host: ByteRange = .empty
    /// 0 when there is none.
    var port: UInt16 = 0
    /// From the first ";" on.
    var parameters: ByteRange = .empty
    /// Behind the "?"; empty when there are none.
    var headers: ByteRange = .empty
}

enum URIGrammar {
    /// Reads the range as one URI; nil when it is none. Schemes other than `sip` and `sips` are opaque.
    static func read(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> URIParts? {
        guard start >= 0, start < end, end <= bytes.count else { return nil }
        var parts = URIParts()
        var index: Int
        if end - start > 4, bytes[start + 3] == UInt8(ascii: ":"), isSIP(bytes, start) {
            parts.scheme = .sip
            index = start + 3
        } else {
            guard bytes[start].isLetter else { return nil }
            index = bytes.skip(.scheme, start, end)
            guard index + 1 < end, bytes[index] == UInt8(ascii: ":") else { return nil }
            if index == start + 4, isSIP(bytes, start), bytes[start + 3] | 0x20 == UInt8(ascii: "s") {
                parts.scheme = .sips
            } else if index == start + 3, isSIP(bytes, start) {
                parts.scheme = .sip
            }
        }
        parts.schemeText = ByteRange(start, index)
        index += 1
        if parts.scheme == .other {
            return bytes.skip(.anyURI, index, end) == end ? parts : nil
        }
        guard readUserInfo(bytes, &index, end, &parts) else { return nil }
        guard HostGrammar.read(bytes, &index, end, host: &parts.host, port: &parts.port, allowsSpace: false) else {
            return nil
        }
        guard readParameters(bytes, &index, end, &parts) else { return nil }
        return index == end ? parts : nil
    }

    @inline(__always)
    private static func isSIP(_ bytes: Span<UInt8>, _ start: Int) -> Bool {
        bytes[start] | 0x20 == UInt8(ascii: "s") && bytes[start + 1] | 0x20 == UInt8(ascii: "i")
            && bytes[start + 2] | 0x20 == UInt8(ascii: "p")
    }

    /// Reads `user[:password]@` if there is an "@"; leaves the index behind it.
    private static func readUserInfo(
        _ bytes: Span<UInt8>, _ index: inout Int, _ end: Int, _ parts: inout URIParts
    ) -> Bool {
        let start = index
        guard let userEnd = skipEscaped(bytes, .user, start, end) else { return false }
        if userEnd < end, bytes[userEnd] == UInt8(ascii: "@") {
            guard userEnd > start else { return false }
            parts.hasUser = true
            parts.user = ByteRange(start, userEnd)
            index = userEnd + 1
            return true
        }
        // A colon begins a password, or else a port: an "@" behind it decides.
        guard userEnd < end, bytes[userEnd] == UInt8(ascii: ":"), userEnd > start else { return true }
        guard let passwordEnd = skipEscaped(bytes, .password, userEnd + 1, end) else { return true }
        guard passwordEnd < end, bytes[passwordEnd] == UInt8(ascii: "@") else { return true }
        parts.hasUser = true
        parts.user = ByteRange(start, userEnd)
        parts.hasPassword = true
        parts.password = ByteRange(userEnd + 1, passwordEnd)
        index = passwordEnd + 1
        return true
    }

    private static func readParameters(
        _ bytes: Span<UInt8>, _ index: inout Int, _ end: Int, _ parts: inout URIParts
    ) -> Bool {
        let start = index
        while index < end, bytes[index] == UInt8(ascii: ";") {
            let nameStart = index + 1
            guard let nameEnd = skipEscaped(bytes, .parameter, nameStart, end), nameEnd > nameStart
            else { return false }
            index = nameEnd
            guard index < end, bytes[index] == UInt8(ascii: "=") else { continue }
            guard let valueEnd = skipEscaped(bytes, .parameter, index + 1, end), valueEnd > index + 1
            else { return false }
            index = valueEnd
        }
        parts.parameters = ByteRange(start, index)
        guard index < end, bytes[index] == UInt8(ascii: "?") else { return true }
        let headers = index + 1
        index = headers
        while true {
            guard let nameEnd = skipEscaped(bytes, .uriHeader, index, end), nameEnd > index else { return false }
            guard nameEnd < end, bytes[nameEnd] == UInt8(ascii: "=") else { return false }
            guard let valueEnd = skipEscaped(bytes, .uriHeader, nameEnd + 1, end) else { return false }
            index = valueEnd
            guard index < end, bytes[index] == UInt8(ascii: "&") else { break }
            index += 1
        }
        parts.headers = ByteRange(headers, index)
        return true
    }

    /// Skips characters of the set and `%HH` escapes; nil at a percent sign that begins none.
    @inline(__always)
    static func skipEscaped(_ bytes: Span<UInt8>, _ set: ByteSet, _ start: Int, _ end: Int) -> Int? {
        var index = start
        while true {
            index = bytes.skip(set, index, end)
            guard index < end, bytes[index] == UInt8(ascii: "%") else { return index }
            guard end - index > 2, bytes[index + 1].hexValue != nil, bytes[index + 2].hexValue != nil
            else { return nil }
            index += 3
        }
    }
}
