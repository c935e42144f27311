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

    @inline(__always)
    private mutating func appendEscaped(_ text: String, _ escape: (UInt8) -> StaticString?) {
        let isPlain = text.utf8.withContiguousStorageIfAvailable { utf8 in
            for byte in utf8 where escape(byte) != nil { return false }
            bytes.append(contentsOf: utf8)
            return true
        }
        if isPlain == true { return }
        for byte in text.utf8 {
            if let reference = escape(byte) {
                bytes.append(
                    contentsOf: UnsafeBufferPointer(start: reference.utf8Start, count: reference.utf8CodeUnitCount))
            } else {
                bytes.append(byte)
            }
        }
    }
}
