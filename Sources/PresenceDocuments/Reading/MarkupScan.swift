/// A look at the bytes before libxml2 sees them. libxml2 compares each attribute of an element with all others, so the number of
/// attributes has to be bounded beforehand; and only encodings that extend ASCII can be looked at in this way.
enum MarkupScan {
    /// - Throws: `tooManyAttributes` if a tag has more equals signs outside quotation marks than there may be attributes,
    ///   `unsupportedEncoding` if the first bytes are of UTF-16 or UTF-32.
    static func check(_ bytes: [UInt8], attributes limit: Int) throws(DocumentError) {
        if let first = bytes.first, first == 0 || first >= 0xFE { throw .unsupportedEncoding }
        if bytes.count > 1, bytes[1] == 0 { throw .unsupportedEncoding }
        let isBounded = bytes.withUnsafeBufferPointer { hasBoundedTags($0, limit: limit) }
        guard isBounded else { throw .tooManyAttributes }
    }

    private static func hasBoundedTags(_ bytes: UnsafeBufferPointer<UInt8>, limit: Int) -> Bool {
        var position = 0
        while position < bytes.count {
            guard bytes[position] == UInt8(ascii: "<") else {
                position += 1
                continue
            }
            if let terminator = terminator(at: position, of: bytes) {
                position = end(of: terminator, from: position, in: bytes)
            } else if !skipTag(from: &position, in: bytes, limit: limit) {
                return false
            }
        }
        return true
    }

    /// What ends a comment, a CDATA section or a processing instruction that begins here; nil for a tag.
    private static func terminator(at position: Int, of bytes: UnsafeBufferPointer<UInt8>) -> StaticString? {
        let rest = bytes[position...].prefix(9)
        if rest.starts(with: "<!--".utf8) { return "-->" }
        if rest.starts(with: "<![CDATA[".utf8) { return "]]>" }
        if rest.starts(with: "<?".utf8) { return "?>" }
        return nil
    }

    private static func end(
        of terminator: StaticString, from start: Int, in bytes: UnsafeBufferPointer<UInt8>
    ) -> Int {
        let length = terminator.utf8CodeUnitCount
        var position = start
        while position + length <= bytes.count {
            var matched = 0
            while matched < length, bytes[position + matched] == terminator.utf8Start[matched] { matched += 1 }
            if matched == length { return position + length }
            position += 1
        }
        return bytes.count
    }

    /// Moves behind the tag. False if it has more equals signs than allowed.
    private static func skipTag(from position: inout Int, in bytes: UnsafeBufferPointer<UInt8>, limit: Int) -> Bool {
        var equalsSigns = 0
        var quotation: UInt8?
        position += 1
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if let mark = quotation {
                if byte == mark { quotation = nil }
                continue
            }
            switch byte {
            case UInt8(ascii: ">"): return true
            case UInt8(ascii: "\""), UInt8(ascii: "'"): quotation = byte
            case UInt8(ascii: "="):
                equalsSigns += 1
                if equalsSigns > limit { return false }
            default: break
            }
        }
        return true
    }
}
