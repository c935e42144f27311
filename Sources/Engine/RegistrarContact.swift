import LinkProfiles
import Policy
import SIPCore

/// One Contact value of a REGISTER (RFC 3261 section 20.10, RFC 5626 section 4.2).
struct ContactRequest {
    /// The URI as written.
    let uri: ArraySlice<UInt8>
    /// Where the URI points.
    let place: AddressOfRecordKey
    var isSecure: Bool { place.isSecure }
    /// q in thousandths.
    private(set) var q: UInt16 = 1_000
    /// The parameter `expires` in seconds; nil when absent.
    private(set) var expires: Int64?
    /// Parameters other than q and expires, each with its `;`.
    private(set) var parameters: [UInt8] = []
    /// `+sip.instance` without quotes and angle brackets.
    private(set) var instance: [UInt8] = []
    /// `reg-id` where an instance goes with it, else 0.
    var regID: UInt32 = 0
    /// Seconds granted; 0 removes the binding.
    private(set) var seconds: Int64 = 0

    /// Texts of one binding together longer than this are refused.
    static let longestTexts = 4_096

    init(_ value: ByteRange, _ request: SIPMessage) throws(RegistrationRefusal) {
        guard let address = request.address(in: value) else { throw RegistrationRefusal(400, "Contact Is Malformed") }
        guard let place = request.addressOfRecord(of: address.uri) else {
            throw RegistrationRefusal(400, "Contact Is No SIP URI")
        }
        uri = request[address.uri]
        self.place = place
        guard uri.count + address.parameters.count <= Self.longestTexts else {
            throw RegistrationRefusal(400, "Contact Is Too Long")
        }
        var scanner = ContactParameterScanner(text: request[address.parameters])
        while let parameter = scanner.next() { try take(parameter) }
        guard scanner.isAtEnd else { throw RegistrationRefusal(400, "Contact Parameters Are Malformed") }
        if instance.isEmpty { regID = 0 }
    }

    private mutating func take(_ parameter: ContactParameter) throws(RegistrationRefusal) {
        if parameter.isNamed("q") {
            guard let q = Self.thousandths(parameter.value) else {
                throw RegistrationRefusal(400, "Contact q Is Malformed")
            }
            self.q = q
        } else if parameter.isNamed("expires") {
            // What is no number counts as one hour (RFC 3261 section 20.10).
            expires = Self.decimal(parameter.value) ?? 3_600
        } else {
            if parameter.isNamed("reg-id") {
                let number = Self.decimal(parameter.value) ?? 0
                regID = number > 0 && number <= 0x7FFF_FFFF ? UInt32(number) : 0
            } else if parameter.isNamed("+sip.instance") {
                instance = Array(parameter.value.stripped(0x22, 0x22).stripped(0x3C, 0x3E))
            }
            parameters.append(0x3B)
            parameters.append(contentsOf: parameter.text.unfolded)
        }
    }

    /// The contact with its expiry settled: the link's default where none is given, cut to its maximum, refused with 423 below
    /// its minimum (RFC 3261 section 10.3 step 7).
    func expiring(after asked: Int64, _ profile: LinkProfile) throws(RegistrationRefusal) -> ContactRequest {
        var settled = self
        let minimum = profile.registrationMinimum.microseconds / 1_000_000
        let maximum = max(1, profile.registrationMaximum.microseconds / 1_000_000)
        let wanted = asked < 0 ? profile.registrationDefault.microseconds / 1_000_000 : asked
        if asked > 0, asked < 3_600, asked < minimum {
            throw RegistrationRefusal(423, tail: Array("Min-Expires: \(minimum)\r\n".utf8))
        }
        settled.seconds = min(wanted, maximum)
        return settled
    }

    /// `0`, `0.5`, `1.000`: at most three digits behind the point (RFC 3261 section 25.1 `qvalue`).
    private static func thousandths(_ text: ArraySlice<UInt8>) -> UInt16? {
        guard let first = text.first, first == 0x30 || first == 0x31 else { return nil }
        var value = UInt16(first - 0x30) * 1_000
        let rest = text.dropFirst()
        guard let point = rest.first else { return value }
        guard point == 0x2E, rest.count <= 4 else { return nil }
        var weight: UInt16 = 100
        for byte in rest.dropFirst() {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            value += UInt16(byte - 0x30) * weight
            weight /= 10
        }
        return value <= 1_000 ? value : nil
    }

    private static func decimal(_ text: ArraySlice<UInt8>) -> Int64? {
        guard !text.isEmpty else { return nil }
        var value: Int64 = 0
        for byte in text {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            value = min(value * 10 + Int64(byte - 0x30), 0xFFFF_FFFF)
        }
        return value
    }
}

/// One `name=value` behind a contact.
struct ContactParameter {
    var name: ArraySlice<UInt8>
    /// Empty when there is none; a quoted string with its quotes.
    var value: ArraySlice<UInt8>
    /// Name and value as written.
    var text: ArraySlice<UInt8>

    func isNamed(_ other: StaticString) -> Bool {
        guard name.count == other.utf8CodeUnitCount else { return false }
        return other.withUTF8Buffer { other in
            zip(name, other).allSatisfy { ($0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0) == $1 }
        }
    }
}

/// Walks `;name=value;name="quoted; text"`.
struct ContactParameterScanner {
    private let text: ArraySlice<UInt8>
    private var at: Int

    init(text: ArraySlice<UInt8>) {
        self.text = text
        at = text.startIndex
    }

    var isAtEnd: Bool { at >= text.endIndex }

    mutating func next() -> ContactParameter? {
        skipSpace()
        guard at < text.endIndex, text[at] == 0x3B else { return nil }
        at += 1
        skipSpace()
        let start = at
        while at < text.endIndex, !Self.endsName(text[at]) { at += 1 }
        guard at > start else { return nil }
        let name = text[start..<at]
        skipSpace()
        guard at < text.endIndex, text[at] == 0x3D else { return ContactParameter(name: name, value: [], text: name) }
        at += 1
        skipSpace()
        let valueStart = at
        guard skipValue() else { return nil }
        let value = text[valueStart..<at]
        return ContactParameter(name: name, value: value, text: text[start..<at])
    }

    private mutating func skipValue() -> Bool {
        let start = at
        if at < text.endIndex, text[at] == 0x22 {
            at += 1
            while at < text.endIndex, text[at] != 0x22 { at += text[at] == 0x5C ? 2 : 1 }
            guard at < text.endIndex else {
                at = start
                return false
            }
            at += 1
            return true
        }
        while at < text.endIndex, text[at] != 0x3B, !Self.isSpace(text[at]) { at += 1 }
        guard at > start else { return false }
        defer { skipSpace() }
        return true
    }

    private mutating func skipSpace() { while at < text.endIndex, Self.isSpace(text[at]) { at += 1 } }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A }
    private static func endsName(_ byte: UInt8) -> Bool { byte == 0x3B || byte == 0x3D || isSpace(byte) }
}

extension ArraySlice<UInt8> {
    /// The text on one line: line ends of folding become spaces.
    var unfolded: ArraySlice<UInt8> {
        guard contains(where: { $0 == 0x0D || $0 == 0x0A }) else { return self }
        return map { $0 == 0x0D || $0 == 0x0A ? 0x20 : $0 }[...]
    }

    /// The text between two bytes, where they stand at its ends.
    fileprivate func stripped(_ opening: UInt8, _ closing: UInt8) -> ArraySlice<UInt8> {
        guard count >= 2, first == opening, last == closing else { return self }
        return dropFirst().dropLast()
    }
}
