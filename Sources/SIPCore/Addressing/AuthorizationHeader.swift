/// Authorization, WWW-Authenticate and their relatives: a scheme and a comma separated list (RFC 3261 section 20.7).
public struct AuthorizationHeader: Hashable, Sendable {
    /// Such as `Digest`; compares without case.
    public var scheme: String
    public var parameters: ParameterList

    public init(scheme: String, parameters: ParameterList) {
        self.scheme = scheme
        self.parameters = parameters
    }

    /// Reads a header value; nil when it is none. A scheme this library does not know is read all the same.
    public init?(parsing bytes: some Collection<UInt8>) {
        let array = Array(bytes)
        self.init(array.span, ByteRange(0, array.count))
    }

    public init?(_ value: ByteRange, of message: SIPMessage) {
        self.init(message.bytes.span, value)
    }

    private init?(_ span: Span<UInt8>, _ value: ByteRange) {
        guard value.upper <= span.count else { return nil }
        var index = span.skipSpace(value.lower, value.upper)
        let schemeEnd = span.skip(.token, index, value.upper)
        guard schemeEnd > index else { return nil }
        scheme = span.text(ByteRange(index, schemeEnd))
        parameters = ParameterList()
        index = span.skipSpace(schemeEnd, value.upper)
        guard index > schemeEnd || index == value.upper else { return nil }
        var list = ListScanner(ByteRange(index, value.upper))
        while let part = list.next(span) {
            guard let parameter = Self.readParameter(span, part) else { return nil }
            parameters.parameters.append(parameter)
        }
    }

    /// `name=value`, the value a token, a quoted string or, as in `nonce=abc==`, anything without white space.
    private static func readParameter(_ span: Span<UInt8>, _ part: ByteRange) -> ParameterList.Parameter? {
        let nameEnd = span.skip(.token, part.lower, part.upper)
        guard nameEnd > part.lower else { return nil }
        let equals = span.skipSpace(nameEnd, part.upper)
        guard equals < part.upper, span[equals] == UInt8(ascii: "=") else { return nil }
        let start = span.skipSpace(equals + 1, part.upper)
        guard start < part.upper else { return nil }
        let name = span.text(ByteRange(part.lower, nameEnd))
        let value = ByteRange(start, part.upper)
        guard span[start] == UInt8(ascii: "\"") else {
            for index in start..<part.upper where span[index].isSpace { return nil }
            return ParameterList.Parameter(name: name, value: span.text(value))
        }
        guard span.skipQuoted(start, part.upper) == part.upper else { return nil }
        return ParameterList.Parameter(name: name, value: QuotedString.unquoted(span, value), isQuoted: true)
    }

    /// Whether the scheme is that one.
    public func isScheme(_ name: String) -> Bool { scheme.equalsFolded(name) }
}

extension AuthorizationHeader: CustomStringConvertible {
    public var description: String {
        var text = scheme
        for (index, parameter) in parameters.parameters.enumerated() {
            text += (index == 0 ? " " : ", ") + parameter.name + "="
            let value = parameter.value ?? ""
            text += parameter.isQuoted ? QuotedString.quoted(value) : value
        }
        return text
    }
}
