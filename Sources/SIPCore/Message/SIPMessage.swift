/// A SIP message (RFC 3261 section 7): its bytes as received, and where in them things are.
///
/// Nothing is copied out of the bytes. What every element reads of every message is indexed while parsing; the rest is
/// found on request. Values are made by ``parse(_:limits:)`` only.
public struct SIPMessage: Sendable {
    /// The message as received; a datagram may hold surplus bytes behind ``body``.
    public internal(set) var bytes: [UInt8]
    /// Header lines in the order received.
    public internal(set) var fields: [HeaderField] = []
    public internal(set) var body: ByteRange = .empty
    /// Offset of the first byte behind the empty line.
    public internal(set) var headerEnd: UInt32 = 0

    public internal(set) var isRequest = true
    /// Of a response: the method of its CSeq.
    public internal(set) var method: SIPMethod = .other
    public internal(set) var methodText: ByteRange = .empty
    public internal(set) var requestURI: ByteRange = .empty
    /// 0 for requests.
    public internal(set) var statusCode: UInt16 = 0
    public internal(set) var reason: ByteRange = .empty

    /// The first value of the first Via; its ``ViaIndex/line`` is negative while there is none.
    public internal(set) var topVia = ViaIndex()
    /// Number of Via values over all lines.
    public internal(set) var viaCount = 0
    public internal(set) var from = AddressIndex()
    public internal(set) var to = AddressIndex()
    public internal(set) var callID: ByteRange = .empty
    public internal(set) var cseqNumber: UInt32 = 0
    public internal(set) var cseqMethod: ByteRange = .empty
    /// -1 when absent.
    public internal(set) var maxForwards: Int16 = -1
    /// Expires in seconds; -1 when absent.
    public internal(set) var expires: Int64 = -1

    /// One bit for every ``HeaderName`` present.
    @usableFromInline var present: UInt128 = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }
}

/// One Via value (RFC 3261 section 20.42).
public struct ViaIndex: Hashable, Sendable {
    /// Index of its line in ``SIPMessage/fields``; -1 when there is none.
    public var line: Int32 = -1
    /// The whole via-parm, without the commas around it.
    public var value: ByteRange = .empty
    /// The transport token of sent-protocol, such as `UDP`.
    public var protocolTransport: ByteRange = .empty
    /// Host of sent-by; an IPv6 address with its brackets.
    public var host: ByteRange = .empty
    /// 0 when sent-by names none.
    public var port: UInt16 = 0
    /// From the first ";" to the end of the value.
    public var parameters: ByteRange = .empty
    public var branch: ByteRange = .empty
    /// Whether the client asks for symmetric response routing (RFC 3581).
    public var hasRport = false
    /// Value of rport; 0 when it has none.
    public var rport: UInt16 = 0
    public var received: ByteRange = .empty
    public var maddr: ByteRange = .empty
    /// -1 when absent.
    public var ttl: Int16 = -1
    public var isOnlyValueOfLine = true

    public init() {}
}

/// One name-addr or addr-spec value (RFC 3261 section 25.1): To, From, Contact, Route and the like.
public struct AddressIndex: Hashable, Sendable {
    /// The whole value, without the commas around it.
    public var value: ByteRange = .empty
    /// The URI without angle brackets.
    public var uri: ByteRange = .empty
    /// The display name as written, quotes included; empty when there is none.
    public var displayName: ByteRange = .empty
    /// From the first ";" behind the address to the end of the value.
    public var parameters: ByteRange = .empty
    public var tag: ByteRange = .empty
    /// Whether the URI stands in angle brackets, so that a ";" inside them belongs to it.
    public var isBracketed = false

    public init() {}
}

extension SIPMessage {
    /// The bytes of a range; cut to the message where the range is another message's.
    public subscript(_ range: ByteRange) -> ArraySlice<UInt8> {
        let end = min(range.upper, bytes.count)
        return bytes[min(range.lower, end)..<end]
    }

    /// The text of a range; bytes that are no UTF-8 become replacement characters.
    public func text(_ range: ByteRange) -> String {
        String(decoding: self[range], as: UTF8.self)
    }

    /// Whether the range holds exactly that text.
    public func equals(_ range: ByteRange, _ text: StaticString) -> Bool {
        bytes.span.equals(text, at: range)
    }

    /// Whether the range holds that text in any case (ASCII).
    public func equalsFolded(_ range: ByteRange, _ text: StaticString) -> Bool {
        bytes.span.equalsFolded(text, at: range)
    }

    /// The first line with that name.
    public func first(_ name: HeaderName) -> HeaderField? {
        guard contains(name) else { return nil }
        for field in fields where field.name == name { return field }
        return nil
    }

    /// The first line with a name this library does not know, in any case.
    public func first(named name: StaticString) -> HeaderField? {
        let span = bytes.span
        for field in fields where span.equalsFolded(name, at: field.nameRange) { return field }
        return nil
    }

    /// Whether there is a line with that name. Costs one test of a bit.
    @inlinable
    public func contains(_ name: HeaderName) -> Bool {
        present & (1 << UInt128(name.rawValue)) != 0
    }

    /// The parts of a comma separated list over all lines of that name, trimmed; commas in quotes and in angle
    /// brackets do not separate. Empty parts are left out.
    public func values(_ name: HeaderName) -> [ByteRange] {
        guard contains(name) else { return [] }
        var result: [ByteRange] = []
        let span = bytes.span
        for field in fields where field.name == name {
            var scanner = ListScanner(field.value)
            while let part = scanner.next(span) {
                if !part.isEmpty { result.append(part) }
            }
        }
        return result
    }

    /// The list of a header such as Require, Supported or Allow as text. Option tags compare without case.
    public func tokens(_ name: HeaderName) -> [String] {
        values(name).map { text($0) }
    }

    /// Whether the list of that header holds a token, in any case.
    public func hasToken(_ token: StaticString, in name: HeaderName) -> Bool {
        guard contains(name) else { return false }
        let span = bytes.span
        for field in fields where field.name == name {
            var scanner = ListScanner(field.value)
            while let part = scanner.next(span) {
                if span.equalsFolded(token, at: part) { return true }
            }
        }
        return false
    }

    /// The address in a value; nil when it is no name-addr or addr-spec.
    public func address(in value: ByteRange) -> AddressIndex? {
        let span = bytes.span
        guard value.upper <= span.count else { return nil }
        var end = 0
        guard var address = AddressGrammar.read(span, value.lower, value.upper, list: false, end: &end) else {
            return nil
        }
        address.value = value
        return address
    }

    /// The addresses of a header such as Contact or Route, in order; what is none, such as the Contact value `*`, is
    /// left out.
    public func addresses(_ name: HeaderName) -> [AddressIndex] {
        values(name).compactMap { address(in: $0) }
    }

    /// All Via values, the top one first.
    public func vias() -> [ViaIndex] {
        var result: [ViaIndex] = []
        let span = bytes.span
        for (index, field) in fields.enumerated() where field.name == .via {
            var position = field.value.lower
            var isFirst = true
            while position < field.value.upper {
                var via = ViaIndex()
                guard ViaGrammar.read(span, &position, field.value.upper, into: &via) else { break }
                via.line = Int32(truncatingIfNeeded: index)
                via.isOnlyValueOfLine = isFirst && position >= field.value.upper
                isFirst = false
                result.append(via)
            }
        }
        return result
    }

    /// The value of a parameter in a `;name=value` list such as ``AddressIndex/parameters``; quotes are kept.
    ///
    /// - Returns: nil when the parameter is absent, an empty range when it has no value.
    public func parameter(_ name: StaticString, in parameters: ByteRange) -> ByteRange? {
        let span = bytes.span
        var scanner = ParameterScanner(parameters)
        while let parameter = scanner.next(span) {
            if span.equalsFolded(name, at: parameter.name) { return parameter.value }
        }
        return nil
    }

    /// The `type/subtype` of Content-Type without its parameters; empty when there is none.
    public var mediaType: ByteRange {
        guard let field = first(.contentType) else { return .empty }
        let span = bytes.span
        var index = field.value.lower
        while index < field.value.upper, span[index] != UInt8(ascii: ";") { index += 1 }
        return ByteRange(field.value.lower, span.trimEnd(field.value.lower, index))
    }

    /// A decimal number of at most 32 bits; nil when the range holds anything else.
    public func decimal(_ range: ByteRange) -> UInt32? {
        guard range.upper <= bytes.count, let value = bytes.span.decimal(range.lower, range.upper) else { return nil }
        return UInt32(exactly: value)
    }
}
