import SIPCore

/// The parameters of a Digest Authorization field (RFC 7616 section 3.4), as ranges of the message's bytes without quotes.
struct DigestCredentials {
    var username: ByteRange?
    var realm: ByteRange?
    var nonce: ByteRange?
    var uri: ByteRange?
    var response: ByteRange?
    var algorithm: ByteRange?
    var cnonce: ByteRange?
    var qop: ByteRange?
    var nonceCount: ByteRange?
    var userhash: ByteRange?

    enum Reading {
        case credentials(DigestCredentials)
        /// Another scheme, such as Basic.
        case otherScheme
        case malformed
    }

    static func read(_ value: ByteRange, in bytes: [UInt8]) -> Reading {
        bytes.withUnsafeBufferPointer { buffer in
            guard value.start <= value.end, Int(value.end) <= buffer.count else { return .malformed }
            var scanner = CredentialScanner(bytes: buffer, at: Int(value.start), end: Int(value.end))
            guard let scheme = scanner.token() else { return .malformed }
            guard scanner.equals(scheme, "digest") else { return .otherScheme }
            var credentials = DigestCredentials()
            while let parameter = scanner.parameter() {
                guard credentials.take(parameter.name, parameter.value, scanner) else { return .malformed }
            }
            return scanner.isAtEnd ? .credentials(credentials) : .malformed
        }
    }

    /// Keeps a parameter; false when it was there before.
    private mutating func take(_ name: ByteRange, _ value: ByteRange, _ scanner: CredentialScanner) -> Bool {
        if scanner.equals(name, "username") { return Self.set(&username, value) }
        if scanner.equals(name, "realm") { return Self.set(&realm, value) }
        if scanner.equals(name, "nonce") { return Self.set(&nonce, value) }
        if scanner.equals(name, "uri") { return Self.set(&uri, value) }
        if scanner.equals(name, "response") { return Self.set(&response, value) }
        if scanner.equals(name, "algorithm") { return Self.set(&algorithm, value) }
        if scanner.equals(name, "cnonce") { return Self.set(&cnonce, value) }
        if scanner.equals(name, "qop") { return Self.set(&qop, value) }
        if scanner.equals(name, "nc") { return Self.set(&nonceCount, value) }
        if scanner.equals(name, "userhash") { return Self.set(&userhash, value) }
        return true
    }

    private static func set(_ field: inout ByteRange?, _ value: ByteRange) -> Bool {
        guard field == nil else { return false }
        field = value
        return true
    }
}

/// Walks `name=value, name="value"` (RFC 7235 section 2.1), folding white space included.
struct CredentialScanner {
    let bytes: UnsafeBufferPointer<UInt8>
    var at: Int
    let end: Int

    var isAtEnd: Bool { at >= end }

    mutating func token() -> ByteRange? {
        skipSpace()
        let start = at
        while at < end, Self.isToken(bytes[at]) { at += 1 }
        return at > start ? ByteRange(start, at) : nil
    }

    /// The next parameter; nil at the end or where there is none.
    mutating func parameter() -> (name: ByteRange, value: ByteRange)? {
        skipSpaceAndCommas()
        guard let name = token() else { return nil }
        skipSpace()
        guard at < end, bytes[at] == 0x3D else {
            at = min(at, end - 1)
            return nil
        }
        at += 1
        skipSpace()
        let value: ByteRange
        if at < end, bytes[at] == 0x22 {
            let start = at + 1
            at = start
            while at < end, bytes[at] != 0x22 { at += bytes[at] == 0x5C ? 2 : 1 }
            guard at < end else {
                at = end - 1
                return nil
            }
            value = ByteRange(start, at)
            at += 1
        } else {
            let start = at
            while at < end, bytes[at] != 0x2C, !Self.isSpace(bytes[at]) { at += 1 }
            guard at > start else { return nil }
            value = ByteRange(start, at)
        }
        skipSpace()
        guard at >= end || bytes[at] == 0x2C else { return nil }
        skipSpaceAndCommas()
        return (name, value)
    }

    /// Whether the range is this lower-case text in any case.
    @inline(__always)
    func equals(_ range: ByteRange, _ text: StaticString) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        let start = Int(range.start)
        return text.withUTF8Buffer { text in
            var index = 0
            while index < text.count {
                let byte = bytes[start + index]
                if (byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte) != text[index] { return false }
                index += 1
            }
            return true
        }
    }

    private mutating func skipSpace() { while at < end, Self.isSpace(bytes[at]) { at += 1 } }

    private mutating func skipSpaceAndCommas() {
        while at < end, Self.isSpace(bytes[at]) || bytes[at] == 0x2C { at += 1 }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A }

    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x21, 0x23, 0x24, 0x25, 0x26, 0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E, 0x5F, 0x60, 0x7C, 0x7E: true
        default: false
        }
    }
}
