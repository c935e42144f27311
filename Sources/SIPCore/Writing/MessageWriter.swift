/// Builds the bytes of a message.
///
/// It writes what it is given: callers hand it grammar, not a peer's raw text. Everything appends to one array.
public struct MessageWriter: Sendable {
    public var bytes: [UInt8] = []
    /// Whether headers written by name use their one-letter form (RFC 3261 section 7.3.3).
    public var usesCompactNames = false

    public init(capacity: Int = 768, compact: Bool = false) {
        bytes.reserveCapacity(capacity)
        usesCompactNames = compact
    }

    public mutating func append(_ text: StaticString) {
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    public mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    public mutating func append(_ slice: ArraySlice<UInt8>) {
        bytes.append(contentsOf: slice)
    }

    public mutating func append(_ more: [UInt8]) {
        bytes.append(contentsOf: more)
    }

    public mutating func append(byte: UInt8) {
        bytes.append(byte)
    }

    /// Copies a stretch of a message.
    public mutating func append(_ range: ByteRange, of message: SIPMessage) {
        bytes.append(contentsOf: message[range])
    }

    /// Copies a whole header line, folding and all.
    public mutating func append(_ field: HeaderField, of message: SIPMessage) {
        bytes.append(contentsOf: message[field.line])
    }

    public mutating func append(decimal value: some BinaryInteger) {
        appendDecimal(UInt64(clamping: value))
    }

    /// Writes a number in decimal.
    public mutating func appendDecimal(_ value: UInt64) {
        if value < 10 {
            bytes.append(0x30 + UInt8(truncatingIfNeeded: value))
            return
        }
        var divisor: UInt64 = 10
        while value / divisor >= 10 { divisor *= 10 }
        var rest = value
        while divisor > 0 {
            bytes.append(0x30 + UInt8(truncatingIfNeeded: rest / divisor))
            rest %= divisor
            divisor /= 10
        }
    }

    /// Writes sixteen lower-case hexadecimal digits.
    public mutating func appendHex(_ value: UInt64) {
        for shift in stride(from: 60, through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(shift)) & 15
            bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
        }
    }

    /// Writes the header's name and the colon, in the form chosen by ``usesCompactNames``.
    public mutating func appendName(_ name: HeaderName) {
        append(usesCompactNames ? name.compactForm : name.longForm)
        append(": ")
    }

    public mutating func appendLineEnd() {
        bytes.append(0x0d)
        bytes.append(0x0a)
    }

    public mutating func appendHeader(_ name: HeaderName, _ value: StaticString) {
        appendName(name)
        append(value)
        appendLineEnd()
    }

    public mutating func appendHeader(_ name: HeaderName, _ value: String) {
        appendName(name)
        append(value)
        appendLineEnd()
    }

    public mutating func appendHeader(_ name: HeaderName, _ value: ArraySlice<UInt8>) {
        appendName(name)
        append(value)
        appendLineEnd()
    }

    public mutating func appendHeader(_ name: HeaderName, decimal value: some BinaryInteger) {
        appendName(name)
        append(decimal: value)
        appendLineEnd()
    }

    /// Writes a header this library has no name for.
    public mutating func appendHeader(named name: StaticString, _ value: String) {
        append(name)
        append(": ")
        append(value)
        appendLineEnd()
    }

    /// Writes a Request-Line (RFC 3261 section 7.1).
    public mutating func appendRequestLine(_ method: SIPMethod, uri: String) {
        append(method.text)
        append(byte: 0x20)
        append(uri)
        append(" SIP/2.0\r\n")
    }

    /// Writes a Status-Line (RFC 3261 section 7.2). A nil reason takes the customary phrase.
    public mutating func appendStatusLine(_ status: UInt16, reason: String? = nil) {
        append("SIP/2.0 ")
        append(decimal: status)
        append(byte: 0x20)
        if let reason { append(reason) } else { append(StatusCode.reasonPhrase(status)) }
        appendLineEnd()
    }

    /// Writes Content-Length, the empty line and the body; returns the message.
    public mutating func finish(body: some Collection<UInt8>) -> [UInt8] {
        append(usesCompactNames ? "l: " : "Content-Length: ")
        append(decimal: body.count)
        append("\r\n\r\n")
        bytes.append(contentsOf: body)
        return bytes
    }

    /// Ends a message without a body.
    public mutating func finish() -> [UInt8] {
        append(usesCompactNames ? "l: 0\r\n\r\n" : "Content-Length: 0\r\n\r\n")
        return bytes
    }

    /// Writes a time as SIP-date (RFC 3261 section 20.17).
    public mutating func append(date unixSeconds: Int64) {
        SIPDate.write(unixSeconds, to: &self)
    }

    /// Writes an address; IPv6 in brackets where `isBracketed`, as everywhere but in `received`.
    public mutating func append(_ address: IPAddress, isBracketed: Bool = true) {
        address.write(to: &bytes, isBracketed: isBracketed)
    }

    mutating func append(twoDigits value: Int64) {
        bytes.append(0x30 + UInt8(truncatingIfNeeded: value / 10 % 10))
        bytes.append(0x30 + UInt8(truncatingIfNeeded: value % 10))
    }

    mutating func append(of text: StaticString, at offset: Int, count: Int) {
        let all = unsafe UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        guard offset >= 0, offset + count <= all.count else { return }
        for index in offset..<(offset + count) { unsafe bytes.append(all[index]) }
    }
}
