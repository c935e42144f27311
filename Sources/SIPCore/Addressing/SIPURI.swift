/// A URI as SIP uses it (RFC 3261 section 19.1). `sip` and `sips` are taken apart; any other scheme is kept as text.
///
/// Escapes are kept where they mean something: ``user``, ``password``, parameters and headers hold the canonical
/// escaped text, in which unreserved characters stand for themselves and all else that was escaped stays so, in capital
/// hexadecimal (`%00`). Two URIs with equal canonical text name the same; ``decodedUser`` has the plain bytes.
public struct SIPURI: Hashable, Sendable {
    public enum Scheme: Hashable, Sendable {
        case sip, sips, tel
        /// The scheme's name in lower case.
        case other(String)

        public var text: String {
            switch self {
            case .sip: "sip"
            case .sips: "sips"
            case .tel: "tel"
            case .other(let name): name
            }
        }
    }

    /// One `name=value` behind the "?" of a URI.
    public struct Header: Hashable, Sendable {
        public var name: String
        public var value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    public var scheme: Scheme
    /// nil when the URI has no user part.
    public var user: String?
    public var password: String?
    /// In lower case; an IPv6 address in brackets. Empty for schemes other than `sip` and `sips`.
    public var host: String
    /// nil when the URI names none, which is not the same as naming the default (section 19.1.4).
    public var port: UInt16?
    public var parameters = ParameterList()
    public var headers: [Header] = []
    /// What follows the colon of a scheme other than `sip` and `sips`, untouched.
    public var opaque = ""

    public init(scheme: Scheme = .sip, user: String? = nil, host: String, port: UInt16? = nil) {
        self.scheme = scheme
        self.user = user
        self.host = host.lowercasedASCII
        self.port = port
    }

    /// Reads one URI, without angle brackets; nil when the bytes are none.
    public init?(_ bytes: some Collection<UInt8>) {
        let array = Array(bytes)
        self.init(array.span, ByteRange(0, array.count))
    }

    /// Reads one URI from text.
    public init?(parsing text: some StringProtocol) {
        self.init(Array(text.utf8))
    }

    /// Reads a URI inside a message.
    public init?(_ range: ByteRange, of message: SIPMessage) {
        self.init(message.bytes.span, range)
    }

    init?(_ span: Span<UInt8>, _ range: ByteRange) {
        guard let parts = URIGrammar.read(span, range.lower, range.upper) else { return nil }
        switch parts.scheme {
        case .sip: scheme = .sip
        case .sips: scheme = .sips
        case .other:
            let name = span.text(parts.schemeText).lowercasedASCII
            scheme = name == "tel" ? .tel : .other(name)
            host = ""
            opaque = span.text(ByteRange(parts.schemeText.upper + 1, range.upper))
            return
        }
        host = span.text(parts.host).lowercasedASCII
        if parts.hasUser { user = Escaping.canonical(span, parts.user) }
        if parts.hasPassword { password = Escaping.canonical(span, parts.password) }
        if parts.port != 0 { port = parts.port }
        parameters = Self.readParameters(span, parts.parameters)
        headers = Self.readHeaders(span, parts.headers)
    }

    private static func readParameters(_ span: Span<UInt8>, _ range: ByteRange) -> ParameterList {
        var list = ParameterList()
        var index = range.lower
        while index < range.upper {
            var end = index + 1
            var equals: Int?
            while end < range.upper, span[end] != UInt8(ascii: ";") {
                if equals == nil, span[end] == UInt8(ascii: "=") { equals = end }
                end += 1
            }
            let name = Escaping.canonical(span, ByteRange(index + 1, equals ?? end))
            let value = equals.map { Escaping.canonical(span, ByteRange($0 + 1, end)) }
            list.parameters.append(ParameterList.Parameter(name: name, value: value))
            index = end
        }
        return list
    }

    private static func readHeaders(_ span: Span<UInt8>, _ range: ByteRange) -> [Header] {
        var headers: [Header] = []
        var index = range.lower
        while index < range.upper {
            var end = index
            var equals: Int?
            while end < range.upper, span[end] != UInt8(ascii: "&") {
                if equals == nil, span[end] == UInt8(ascii: "=") { equals = end }
                end += 1
            }
            let name = Escaping.canonical(span, ByteRange(index, equals ?? end))
            let value = equals.map { Escaping.canonical(span, ByteRange($0 + 1, end)) } ?? ""
            headers.append(Header(name: name, value: value))
            index = end + 1
        }
        return headers
    }

    /// Whether the scheme is one this server routes by: `sip` or `sips`.
    public var isSIP: Bool { scheme == .sip || scheme == .sips }

    /// The host as an address; nil when it is a name.
    public var ipAddress: IPAddress? { IPAddress(parsing: host) }

    public var isIPAddress: Bool { ipAddress != nil }

    /// The user part with its escapes undone, once; may hold any byte, NUL included.
    public var decodedUser: [UInt8] { user.map(Escaping.decoded) ?? [] }

    /// The canonical address-of-record (RFC 3261 section 10.3 step 5): `sip:user@host`, without parameters, headers,
    /// password and port, the host in lower case. `sips` is written `sip`, for both name one user (RFC 5630 section
    /// 3.1.1). For other schemes the URI as it is.
    public var addressOfRecord: String {
        guard isSIP else { return description }
        return user.map { "sip:\($0)@\(host)" } ?? "sip:\(host)"
    }
}

extension SIPURI: CustomStringConvertible {
    /// The URI as written in a message.
    public var description: String {
        guard isSIP else { return scheme.text + ":" + opaque }
        var text = scheme.text + ":"
        if let user {
            text += user
            if let password { text += ":" + password }
            text += "@"
        }
        text += host
        if let port { text += ":\(port)" }
        text += parameters.description
        for (index, header) in headers.enumerated() {
            text += (index == 0 ? "?" : "&") + header.name + "=" + header.value
        }
        return text
    }
}
