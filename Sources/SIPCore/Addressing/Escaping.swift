/// `%HH` escapes in URIs (RFC 3261 section 19.1.2).
public enum Escaping {
    /// The text with escapes of unreserved characters undone and the digits of the others in capitals, so that equal
    /// URI parts have equal text (RFC 3261 section 19.1.4).
    static func canonical(_ span: Span<UInt8>, _ range: ByteRange) -> String {
        var index = range.lower
        let end = Swift.min(range.upper, span.count)
        while index < end, span[index] != UInt8(ascii: "%") { index += 1 }
        guard index < end else { return span.text(range) }
        var bytes: [UInt8] = []
        index = range.lower
        while index < end {
            guard span[index] == UInt8(ascii: "%"), end - index > 2, let high = span[index + 1].hexValue,
                let low = span[index + 2].hexValue
            else {
                bytes.append(span[index])
                index += 1
                continue
            }
            append(high << 4 | low, to: &bytes)
            index += 3
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func append(_ byte: UInt8, to bytes: inout [UInt8]) {
        if ByteSet.unreserved.contains(byte) { bytes.append(byte) } else { appendEscape(byte, to: &bytes) }
    }

    private static func appendEscape(_ byte: UInt8, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "%"))
        for digit in [byte >> 4, byte & 15] { bytes.append(digit < 10 ? 0x30 + digit : 0x37 + digit) }
    }

    /// Plain bytes as a user part: what the grammar allows stands for itself, all else is escaped.
    public static func escapedUser(_ plain: some Sequence<UInt8>) -> String {
        var bytes: [UInt8] = []
        for byte in plain {
            if ByteSet.user.contains(byte) { bytes.append(byte) } else { appendEscape(byte, to: &bytes) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The bytes an escaped text stands for, undone once.
    public static func decoded(_ text: String) -> [UInt8] { Array(text.utf8).withUnsafeBufferPointer { decoded($0) } }

    /// The same of bytes.
    public static func decoded(_ escaped: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var index = 0
        while index < escaped.count {
            if escaped[index] == UInt8(ascii: "%"), escaped.count - index > 2, let high = escaped[index + 1].hexValue,
                let low = escaped[index + 2].hexValue
            {
                bytes.append(high << 4 | low)
                index += 3
            } else {
                bytes.append(escaped[index])
                index += 1
            }
        }
        return bytes
    }
}
