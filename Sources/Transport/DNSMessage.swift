internal import SIPCore

/// Reads a DNS response (RFC 1035 section 4): the records of one type, and how long to keep them.
///
/// c-ares has parsers too, but none of them tells the TTL of SRV and NAPTR records.
struct DNSMessage {
    /// Records of the wanted type in the answer section; those that cannot be read are left out.
    var records: [RecordData] = []
    /// The least TTL on the way to the records; without records what the SOA record says (RFC 2308 section 5).
    var ttl: UInt32?

    private let bytes: [UInt8]

    /// `nil` when it is not a DNS response.
    init?(_ bytes: [UInt8], type: RecordType) {
        self.bytes = bytes
        guard bytes.count >= 12, bytes[2] & 0x80 != 0 else { return nil }
        var at = 12
        for _ in 0..<number(at: 4) {
            guard let end = skipName(at), end + 4 <= bytes.count else { return nil }
            at = end + 4
        }
        let answers = number(at: 6)
        let all = answers + number(at: 8)
        for index in 0..<all {
            guard let end = skipName(at), end + 10 <= bytes.count else { return }
            let found = UInt16(number(at: end))
            let life = UInt32(number(at: end + 4)) << 16 | UInt32(number(at: end + 6))
            let start = end + 10
            at = start + number(at: end + 8)
            guard at <= bytes.count else { return }
            if index < answers {
                ttl = min(ttl ?? life, life)
                if found == type.rawValue, let data = read(type, start, at) { records.append(data) }
            } else if records.isEmpty, found == 6, at - start >= 22 {
                let minimum = UInt32(number(at: at - 4)) << 16 | UInt32(number(at: at - 2))
                ttl = min(life, minimum)
            }
        }
    }

    private func read(_ type: RecordType, _ start: Int, _ end: Int) -> RecordData? {
        switch type {
        case .a:
            guard end - start == 4 else { return nil }
            return .address(IPAddress(v4: UInt32(number(at: start)) << 16 | UInt32(number(at: start + 2))))
        case .aaaa:
            guard end - start == 16 else { return nil }
            let halves = [start, start + 8].map { bytes[$0..<$0 + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
            return .address(IPAddress(high: halves[0], low: halves[1]))
        case .srv:
            guard end - start >= 7, let (target, _) = name(start + 6) else { return nil }
            return .service(
                ServiceRecord(
                    priority: UInt16(number(at: start)), weight: UInt16(number(at: start + 2)),
                    port: UInt16(number(at: start + 4)), target: target))
        case .naptr:
            var at = start + 4
            guard at < end, let flags = characterString(&at, end), let service = characterString(&at, end),
                let expression = characterString(&at, end), let (replacement, _) = name(at)
            else { return nil }
            return .pointer(
                NamingPointer(
                    order: UInt16(number(at: start)), preference: UInt16(number(at: start + 2)), flags: flags,
                    service: service, regularExpression: expression, replacement: replacement))
        }
    }

    private func number(at offset: Int) -> Int {
        offset + 2 <= bytes.count ? Int(bytes[offset]) << 8 | Int(bytes[offset + 1]) : 0
    }

    private func characterString(_ at: inout Int, _ end: Int) -> String? {
        guard at < end, at + 1 + Int(bytes[at]) <= end else { return nil }
        let start = at + 1
        at = start + Int(bytes[at])
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private func skipName(_ at: Int) -> Int? { name(at)?.end }

    /// A name, following compression pointers (RFC 1035 section 4.1.4), which must lead backwards. Labels that would not
    /// read as a host name make it unusable, but not unskippable: they come out empty.
    private func name(_ start: Int) -> (text: String, end: Int)? {
        var text: [UInt8] = []
        var at = start
        var lowest = start
        var end: Int?
        while at < bytes.count {
            let length = Int(bytes[at])
            switch length & 0xc0 {
            case 0xc0:
                let place = number(at: at) & 0x3fff
                end = end ?? at + 2
                guard at + 2 <= bytes.count, place < lowest else { return nil }
                lowest = place
                at = place
            case 0:
                if length == 0 {
                    let isHost = text.allSatisfy { $0 > 0x20 && $0 < 0x7f }
                    return (isHost ? String(decoding: text, as: UTF8.self) : "", end ?? at + 1)
                }
                guard at + 1 + length <= bytes.count, text.count + length < 255 else { return nil }
                if !text.isEmpty { text.append(UInt8(ascii: ".")) }
                text += bytes[at + 1...at + length]
                at += 1 + length
            default:
                return nil
            }
        }
        return nil
    }
}
