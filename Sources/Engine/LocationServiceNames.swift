import SIPCore

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
            if bytes[at] == 0x25 { return Escaping.decoded(bytes).withUnsafeBufferPointer(body) }
            at += 1
        }
        return body(bytes)
    }
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
