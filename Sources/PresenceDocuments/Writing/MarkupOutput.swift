/// Bytes of markup in the making.
struct MarkupOutput {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    mutating func appendName(prefix: String, local: String) {
        if !prefix.isEmpty {
            append(prefix)
            bytes.append(UInt8(ascii: ":"))
        }
        append(local)
    }

    /// A comment's text. What would end the comment is taken apart with a space.
    mutating func appendComment(_ text: String) {
        var previous: UInt8?
        for byte in text.utf8 {
            if byte == UInt8(ascii: "-"), previous == byte { bytes.append(0x20) }
            bytes.append(byte)
            previous = byte
        }
        if previous == UInt8(ascii: "-") { bytes.append(0x20) }
    }

    /// A processing instruction's data. What would end it is taken apart with a space.
    mutating func appendInstruction(_ data: String) {
        var previous: UInt8?
        for byte in data.utf8 {
            if byte == UInt8(ascii: ">"), previous == UInt8(ascii: "?") { bytes.append(0x20) }
            bytes.append(byte)
            previous = byte
        }
    }

    /// Content of an element, escaped.
    mutating func appendText(_ text: String) {
        appendEscaped(text) { byte in
            switch byte {
            case UInt8(ascii: "<"): "&lt;"
            case UInt8(ascii: ">"): "&gt;"
            case UInt8(ascii: "&"): "&amp;"
            case 0x0D: "&#13;"
            default: nil
            }
        }
    }

    /// The equals sign and the value of an attribute, escaped so that normalisation (XML 1.0, section 3.3.3) leaves it as it is.
    mutating func appendValue(_ value: String) {
        append("=\"")
        appendEscaped(value) { byte in
            switch byte {
            case UInt8(ascii: "<"): "&lt;"
            case UInt8(ascii: "&"): "&amp;"
            case UInt8(ascii: "\""): "&quot;"
            case 0x09: "&#9;"
            case 0x0A: "&#10;"
            case 0x0D: "&#13;"
            default: nil
            }
        }
        append("\"")
    }

    /// Characters that XML does not allow (XML 1.0, production 2) become U+FFFD.
    @inline(__always)
    private mutating func appendEscaped(_ text: String, _ escape: (UInt8) -> StaticString?) {
        let isPlain = text.utf8.withContiguousStorageIfAvailable { utf8 in
            for byte in utf8 where byte < 0x20 || byte == 0xEF || escape(byte) != nil { return false }
            bytes.append(contentsOf: utf8)
            return true
        }
        if isPlain == true { return }
        for scalar in text.unicodeScalars {
            if scalar.value < 0x80, let reference = escape(UInt8(scalar.value)) {
                bytes.append(
                    contentsOf: UnsafeBufferPointer(start: reference.utf8Start, count: reference.utf8CodeUnitCount))
            } else {
                bytes.append(
                    contentsOf: UTF8.encode(scalar.isXMLCharacter ? scalar : "\u{FFFD}")
                        ?? UTF8.encodedReplacementCharacter)
            }
        }
    }
}

extension Unicode.Scalar {
    /// Whether a document may have the character.
    fileprivate var isXMLCharacter: Bool {
        value >= 0x20 && value != 0xFFFE && value != 0xFFFF || value == 0x09 || value == 0x0A || value == 0x0D
    }
}
