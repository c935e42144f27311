/// What identifies an address-of-record inside a message, found without an allocation (RFC 3261 section 10.3 step 5).
public struct AddressOfRecordKey: Hashable, Sendable {
    /// The user part as written; empty when the URI has none.
    public var user: ByteRange
    /// An IPv6 address with its brackets.
    public var host: ByteRange
    /// 0 when the URI names none.
    public var port: UInt16
    /// Whether the scheme is `sips`.
    public var isSecure: Bool
    /// From the first ";" behind the host.
    public var parameters: ByteRange
    /// Whether the user holds escapes, so that its bytes need not be canonical.
    public var hasEscapes: Bool
}

extension SIPMessage {
    /// The parts of a SIP or SIPS URI; nil for other schemes and for what is no URI.
    public func addressOfRecord(of uri: ByteRange) -> AddressOfRecordKey? {
        let span = bytes.span
        guard let parts = URIGrammar.read(span, uri.lower, uri.upper), parts.scheme != .other else { return nil }
        var hasEscapes = false
        for index in parts.user.lower..<max(parts.user.lower, parts.user.upper) where span[index] == UInt8(ascii: "%") {
            hasEscapes = true
        }
        return AddressOfRecordKey(
            user: parts.user, host: parts.host, port: parts.port, isSecure: parts.scheme == .sips,
            parameters: parts.parameters, hasEscapes: hasEscapes)
    }

    /// The same text as ``SIPURI/addressOfRecord``, as bytes: `sip:user@host`.
    public func canonicalAddressOfRecord(_ key: AddressOfRecordKey) -> [UInt8] {
        let span = bytes.span
        var result: [UInt8] = []
        result.reserveCapacity(key.user.count + key.host.count + 5)
        result.append(contentsOf: "sip:".utf8)
        if !key.user.isEmpty {
            if key.hasEscapes {
                result.append(contentsOf: Escaping.canonical(span, key.user).utf8)
            } else {
                result.append(contentsOf: self[key.user])
            }
            result.append(UInt8(ascii: "@"))
        }
        for byte in self[key.host] { result.append(byte.lowercasedASCII) }
        return result
    }

    /// The canonical address-of-record of a URI; nil for schemes other than `sip` and `sips`.
    public func canonicalAddressOfRecord(of uri: ByteRange) -> [UInt8]? {
        addressOfRecord(of: uri).map(canonicalAddressOfRecord)
    }
}
