/// `(name-addr / addr-spec) *(SEMI generic-param)` (RFC 3261 section 25.1 and the rule of section 20: a URI with a
/// comma, a question mark or a semicolon stands in angle brackets).
enum AddressGrammar {
    /// Reads one value.
    ///
    /// - Parameters:
    ///   - list: whether a comma ends the value, as in Contact; `end` is then left on it.
    ///   - requiresBrackets: whether only name-addr is allowed, as in Route.
    static func read(
        _ bytes: Span<UInt8>, _ start: Int, _ limit: Int, list: Bool, requiresBrackets: Bool = false, end: inout Int
    ) -> AddressIndex? {
        var address = AddressIndex()
        var index = bytes.skipSpace(start, limit)
        let first = index
        guard index < limit else { return nil }
        if bytes[index] == UInt8(ascii: "\"") {
            guard let close = bytes.skipQuoted(index, limit), close <= limit else { return nil }
            address.displayName = ByteRange(index, close)
            index = bytes.skipSpace(close, limit)
            guard index < limit, bytes[index] == UInt8(ascii: "<") else { return nil }
        } else if bytes[index] != UInt8(ascii: "<") {
            // Tokens and white space up to "<" are a display name; anything else makes it an addr-spec.
            while index < limit, bytes[index].isSpace || bytes[index] >= 0x80 || ByteSet.token.contains(bytes[index]) {
                index += 1
            }
            if index < limit, bytes[index] == UInt8(ascii: "<") {
                address.displayName = ByteRange(first, bytes.trimEnd(first, index))
            } else {
                index = first
            }
        }
        if bytes[index] == UInt8(ascii: "<") {
            let open = index + 1
            index = open
            while index < limit, bytes[index] != UInt8(ascii: ">") { index += 1 }
            guard index < limit, URIGrammar.read(bytes, open, index) != nil else { return nil }
            address.uri = ByteRange(open, index)
            address.isBracketed = true
            index += 1
        } else {
            guard !requiresBrackets else { return nil }
            index = endOfAddrSpec(bytes, first, limit)
            guard URIGrammar.read(bytes, first, index) != nil else { return nil }
            address.uri = ByteRange(first, index)
        }
        index = bytes.skipSpace(index, limit)
        address.parameters = ByteRange(index, index)
        var scanner = ParameterScanner(ByteRange(index, limit))
        while let parameter = scanner.next(bytes) {
            address.parameters.end = UInt32(truncatingIfNeeded: scanner.position)
            if parameter.name.count == 3, bytes.equalsFolded("tag", at: parameter.name) {
                guard address.tag.isEmpty, !parameter.value.isEmpty else { return nil }
                address.tag = parameter.value
            }
        }
        index = bytes.skipSpace(scanner.position, limit)
        guard !scanner.isMalformed, index == limit || (list && bytes[index] == UInt8(ascii: ",")) else { return nil }
        address.value = ByteRange(first, bytes.trimEnd(first, index))
        end = index
        return address
    }

    /// Where a URI without brackets ends: at white space, a semicolon, a comma. A "?" makes it invalid there.
    private static func endOfAddrSpec(_ bytes: Span<UInt8>, _ start: Int, _ limit: Int) -> Int {
        var index = start
        while index < limit {
            switch bytes[index] {
            case UInt8(ascii: ";"), UInt8(ascii: ","): return index
            case UInt8(ascii: "?"): return start
            case let byte where byte.isSpace: return index
            default: index += 1
            }
        }
        return index
    }
}
