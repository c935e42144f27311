/// Head of a user's record: domain, length of the name, the name as decoded bytes; the bindings follow.
enum UserRecordLayout {
    static let head = 4

    static func record(name: UnsafeBufferPointer<UInt8>, domain: UInt16) -> [UInt8] {
        var record = [UInt8]()
        record.reserveCapacity(head + name.count)
        record.appendWord(domain)
        record.appendWord(UInt16(truncatingIfNeeded: name.count))
        record.append(contentsOf: name)
        return record
    }

    static func domain(of record: [UInt8]) -> UInt16 { record.word(at: 0, as: UInt16.self) }

    static func nameRange(in record: [UInt8]) -> Range<Int> { head..<bindingsStart(in: record) }

    static func bindingsStart(in record: [UInt8]) -> Int { head + Int(record.word(at: 2, as: UInt16.self)) }
}

extension [UInt8] {
    /// Whether a user's record carries this name.
    func isNamed(_ name: UnsafeBufferPointer<UInt8>, domain: UInt16) -> Bool {
        withUnsafeBytes { record in
            guard record.count >= UserRecordLayout.head + name.count,
                record.loadUnaligned(fromByteOffset: 0, as: UInt16.self) == domain,
                Int(record.loadUnaligned(fromByteOffset: 2, as: UInt16.self)) == name.count
            else { return false }
            var at = 0
            while at < name.count {
                if record[UserRecordLayout.head + at] != name[at] { return false }
                at += 1
            }
            return true
        }
    }
}

/// The user part of a SIP URI (RFC 3261 section 25.1): compared without its escapes, written with those it needs.
enum UserPart {
    /// Hands the bytes to `body` with every `%xx` replaced by the byte it stands for. Copies only where there is one.
    @inline(__always)
    static func withDecoded<Result>(
        _ bytes: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Result?
    ) -> Result? {
        var at = 0
        while at < bytes.count {
            if bytes[at] == 0x25 { return decoded(bytes).withUnsafeBufferPointer(body) }
            at += 1
        }
        return body(bytes)
    }

    private static func decoded(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var at = 0
        while at < bytes.count {
            if bytes[at] == 0x25, at + 2 < bytes.count, let high = digit(bytes[at + 1]), let low = digit(bytes[at + 2])
            {
                result.append(high << 4 | low)
                at += 3
            } else {
                result.append(bytes[at])
                at += 1
            }
        }
        return result
    }

    /// Appends a decoded user part, escaping what may not stand there as it is.
    static func appendEscaped(_ name: ArraySlice<UInt8>, to text: inout [UInt8]) {
        for byte in name {
            if isPlain(byte) {
                text.append(byte)
            } else {
                text.append(0x25)
                text.append(hexDigit(byte >> 4))
                text.append(hexDigit(byte & 15))
            }
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x2D, 0x5F, 0x2E, 0x21, 0x7E, 0x2A, 0x27, 0x28, 0x29: true  // - _ . ! ~ * ' ( )
        case 0x26, 0x3D, 0x2B, 0x24, 0x2C, 0x3B, 0x3F, 0x2F: true  // & = + $ , ; ? /
        default: false
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }

    private static func hexDigit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x37 + nibble }
}

/// The domains we are responsible for, by small numbers, compared without regard to case (RFC 3261 section 19.1.4).
struct ServedDomains {
    private var names: [[UInt8]]
    private let served: Int

    init(_ domains: [String]) {
        names = []
        for domain in domains {
            let name = Self.lowered(domain.utf8)
            if !names.contains(name), names.count < Int(UInt16.max) { names.append(name) }
        }
        served = names.count
    }

    @inline(__always)
    func index(of host: UnsafeBufferPointer<UInt8>) -> UInt16? {
        var index = 0
        while index < served {
            if names[index].matches(host) { return UInt16(truncatingIfNeeded: index) }
            index += 1
        }
        return nil
    }

    /// A number for a domain that is not ours: known to the store from other times.
    mutating func addForeign(_ host: UnsafeBufferPointer<UInt8>) -> UInt16 {
        let name = Self.lowered(host)
        if let known = names[served...].firstIndex(of: name) { return UInt16(truncatingIfNeeded: known) }
        names.append(name)
        return UInt16(truncatingIfNeeded: names.count - 1)
    }

    func name(at index: UInt16) -> [UInt8] { Int(index) < names.count ? names[Int(index)] : [] }

    private static func lowered(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        bytes.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }
    }
}

extension [UInt8] {
    /// Whether `other` is this text, which is in lower case, in any case.
    fileprivate func matches(_ other: UnsafeBufferPointer<UInt8>) -> Bool {
        guard count == other.count else { return false }
        var at = 0
        while at < other.count {
            let byte = other[at]
            if (byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte) != self[at] { return false }
            at += 1
        }
        return true
    }
}
