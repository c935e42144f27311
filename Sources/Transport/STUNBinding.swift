internal import SIPCore

/// The STUN server of a SIP port: it tells a client by which address its datagrams arrive, and so that the flow lives
/// (RFC 5626 section 8, RFC 5389 sections 6, 7.3 and 15).
enum STUNBinding {
    private static let cookie: UInt32 = 0x2112_A442
    private static let headerLength = 20

    /// Whether a datagram is STUN and not SIP: SIP begins with a letter, STUN with two zero bits and its cookie.
    static func isSTUN(_ bytes: [UInt8]) -> Bool {
        bytes.count >= headerLength && bytes[0] & 0xc0 == 0
            && bytes[4] == 0x21 && bytes[5] == 0x12 && bytes[6] == 0xa4 && bytes[7] == 0x42
    }

    /// The answer to a Binding request; `nil` for anything else, which wants none.
    static func response(to request: [UInt8], from source: TransportAddress) -> [UInt8]? {
        guard isSTUN(request), request[0] == 0x00, request[1] == 0x01,
            word(request, at: 2) == request.count - headerLength, request.count % 4 == 0,
            let unknown = unknownAttributes(of: request)
        else { return nil }
        let transaction = request[4..<headerLength]
        if !unknown.isEmpty { return errorResponse(transaction: transaction, unknown: unknown) }

        var value: [UInt8] = [0, source.ip.isV4 ? 1 : 2]
        append(source.port ^ UInt16(cookie >> 16), to: &value)
        if source.ip.isV4 {
            append(source.ip.v4Bits ^ cookie, to: &value)
        } else {
            var address: [UInt8] = []
            append(source.ip.high, to: &address)
            append(source.ip.low, to: &address)
            // For IPv6 the mask is the cookie followed by the transaction identifier: bytes 4 to 19 of the header.
            value += zip(address, transaction).map { $0 ^ $1 }
        }
        return message(type: 0x0101, transaction: transaction, attribute: 0x0020, value: value)
    }

    /// Attributes that must be understood and are not (RFC 5389 section 7.3.1); `nil` where they do not add up.
    private static func unknownAttributes(of request: [UInt8]) -> [UInt16]? {
        var unknown: [UInt16] = []
        var at = headerLength
        while at < request.count {
            guard at + 4 <= request.count else { return nil }
            let type = UInt16(word(request, at: at))
            let length = word(request, at: at + 2)
            // MAPPED-ADDRESS, USERNAME, MESSAGE-INTEGRITY, REALM, NONCE and XOR-MAPPED-ADDRESS need no action here.
            let known: Set<UInt16> = [0x0001, 0x0006, 0x0008, 0x0014, 0x0015, 0x0020]
            if type < 0x8000, !known.contains(type) { unknown.append(type) }
            at += 4 + (length + 3) / 4 * 4
        }
        return at == request.count ? unknown : nil
    }

    /// 420 with the attributes that were not understood (RFC 5389 sections 15.6 and 15.9).
    private static func errorResponse(transaction: ArraySlice<UInt8>, unknown: [UInt16]) -> [UInt8] {
        let reason = Array("Unknown Attribute".utf8)
        var bytes = message(type: 0x0111, transaction: transaction, attribute: 0x0009, value: [0, 0, 4, 20] + reason)
        var listed: [UInt8] = []
        for type in unknown.prefix(16) { append(type, to: &listed) }
        appendAttribute(0x000a, listed, to: &bytes)
        setLength(of: &bytes)
        return bytes
    }

    private static func message(
        type: UInt16, transaction: ArraySlice<UInt8>, attribute: UInt16, value: [UInt8]
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        append(type, to: &bytes)
        append(0 as UInt16, to: &bytes)
        bytes += transaction
        appendAttribute(attribute, value, to: &bytes)
        setLength(of: &bytes)
        return bytes
    }

    private static func appendAttribute(_ type: UInt16, _ value: [UInt8], to bytes: inout [UInt8]) {
        append(type, to: &bytes)
        append(UInt16(value.count), to: &bytes)
        bytes += value
        while bytes.count % 4 != 0 { bytes.append(0) }
    }

    private static func setLength(of bytes: inout [UInt8]) {
        let length = bytes.count - headerLength
        bytes[2] = UInt8(truncatingIfNeeded: length >> 8)
        bytes[3] = UInt8(truncatingIfNeeded: length)
    }

    private static func word(_ bytes: [UInt8], at offset: Int) -> Int {
        Int(bytes[offset]) << 8 | Int(bytes[offset + 1])
    }

    private static func append<T: FixedWidthInteger>(_ value: T, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.bigEndian) { bytes += $0 }
    }
}
