/// A name-addr or addr-spec with its parameters: Contact, Route, Path, From, P-Asserted-Identity and the like
/// (RFC 3261 section 20.10).
public struct NameAddress: Hashable, Sendable {
    /// Without quotes and backslashes; empty when there is none.
    public var displayName: String
    public var uri: SIPURI
    /// The URI as written.
    public var uriText: String
    /// The header's parameters, not the URI's.
    public var parameters: ParameterList

    public init(displayName: String = "", uri: SIPURI, parameters: ParameterList = ParameterList()) {
        self.displayName = displayName
        self.uri = uri
        self.uriText = uri.description
        self.parameters = parameters
    }

    /// Reads one value; nil when it is none.
    public init?(parsing bytes: some Collection<UInt8>) {
        let array = Array(bytes)
        self.init(array.span, ByteRange(0, array.count))
    }

    public init?(parsing text: some StringProtocol) {
        self.init(parsing: Array(text.utf8))
    }

    /// Reads one value inside a message, such as one of ``SIPMessage/values(_:)``.
    public init?(_ value: ByteRange, of message: SIPMessage) {
        self.init(message.bytes.span, value)
    }

    private init?(_ span: Span<UInt8>, _ value: ByteRange) {
        guard value.upper <= span.count else { return nil }
        var end = 0
        guard let address = AddressGrammar.read(span, value.lower, value.upper, list: false, end: &end),
            let uri = SIPURI(span, address.uri)
        else { return nil }
        self.uri = uri
        uriText = span.text(address.uri)
        displayName = QuotedString.unquoted(span, address.displayName)
        parameters = ParameterList()
        var scanner = ParameterScanner(address.parameters)
        while let parameter = scanner.next(span) {
            parameters.parameters.append(ParameterList.Parameter(span, parameter))
        }
    }
}

extension NameAddress: CustomStringConvertible {
    /// The value as written in a message, the URI always in angle brackets.
    public var description: String {
        (displayName.isEmpty ? "" : QuotedString.quoted(displayName) + " ") + "<\(uriText)>" + parameters.description
    }
}
