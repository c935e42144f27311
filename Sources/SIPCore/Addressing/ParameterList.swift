/// Parameters of a header value or a URI, in order (RFC 3261 section 7.3.1). Names compare without case.
public struct ParameterList: Hashable, Sendable {
    public struct Parameter: Hashable, Sendable {
        public var name: String
        /// nil for a parameter without "="; a quoted string without its quotes and backslashes.
        public var value: String?
        /// Whether the value is written in quotes.
        public var isQuoted = false

        public init(name: String, value: String? = nil, isQuoted: Bool = false) {
            self.name = name
            self.value = value
            self.isQuoted = isQuoted
        }
    }

    public var parameters: [Parameter]

    public init(_ parameters: [Parameter] = []) { self.parameters = parameters }

    /// Reads `;name=value;name`; nil when the bytes hold anything else.
    public init?(parsing bytes: ArraySlice<UInt8>) {
        let span = bytes.span
        var scanner = ParameterScanner(ByteRange(0, span.count))
        parameters = []
        while let parameter = scanner.next(span) { parameters.append(Parameter(span, parameter)) }
        guard !scanner.isMalformed, span.skipSpace(scanner.position, span.count) == span.count else { return nil }
    }

    public var isEmpty: Bool { parameters.isEmpty }

    public func contains(_ name: String) -> Bool { index(of: name) != nil }

    /// The value of a parameter: nil when it is absent, empty when it has none. Setting nil removes it.
    public subscript(_ name: String) -> String? {
        get { index(of: name).map { parameters[$0].value ?? "" } }
        set {
            if let index = index(of: name) {
                if let newValue { parameters[index].value = newValue } else { parameters.remove(at: index) }
            } else if let newValue {
                parameters.append(Parameter(name: name, value: newValue))
            }
        }
    }

    private func index(of name: String) -> Int? {
        parameters.firstIndex { $0.name.equalsFolded(name) }
    }
}

extension ParameterList: CustomStringConvertible {
    /// `;name=value;name`, quotes and backslashes put back.
    public var description: String {
        var text = ""
        for parameter in parameters {
            text += ";" + parameter.name
            guard let value = parameter.value else { continue }
            text += "="
            text += parameter.isQuoted ? QuotedString.quoted(value) : value
        }
        return text
    }
}

extension ParameterList.Parameter {
    init(_ span: Span<UInt8>, _ parameter: ParameterScanner.Parameter) {
        name = span.text(parameter.name)
        guard !parameter.value.isEmpty else { return }
        isQuoted = span[parameter.value.lower] == UInt8(ascii: "\"")
        value = isQuoted ? QuotedString.unquoted(span, parameter.value) : span.text(parameter.value)
    }
}

/// quoted-string (RFC 3261 section 25.1).
public enum QuotedString {
    /// The text in quotes, with backslashes before quotes and backslashes.
    public static func quoted(_ text: String) -> String {
        var result = "\""
        for character in text.unicodeScalars {
            if character == "\"" || character == "\\" { result += "\\" }
            // A line end cannot be quoted; it would end the header.
            if character == "\r" || character == "\n" { continue }
            result.unicodeScalars.append(character)
        }
        return result + "\""
    }

    /// The text of a quoted string without quotes and backslashes, or of tokens; in both without folding.
    static func unquoted(_ span: Span<UInt8>, _ range: ByteRange) -> String {
        guard range.count >= 2, range.upper <= span.count, span[range.lower] == UInt8(ascii: "\"") else {
            var text = span.text(range)
            text.unicodeScalars.removeAll { $0 == "\r" || $0 == "\n" }
            return text
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        var index = range.lower + 1
        while index < range.upper - 1 {
            if span[index] == UInt8(ascii: "\\"), index + 1 < range.upper - 1 { index += 1 }
            // A folded line is one line with a space in it.
            if span[index] != 0x0d, span[index] != 0x0a { bytes.append(span[index]) }
            index += 1
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Span<UInt8> {
    func text(_ range: ByteRange) -> String {
        let end = Swift.min(range.upper, count)
        return unsafe extracting(Swift.min(range.lower, end)..<end).withUnsafeBufferPointer {
            unsafe String(decoding: $0, as: UTF8.self)
        }
    }
}

extension String {
    /// Whether two texts are equal, letters of ASCII in any case.
    func equalsFolded(_ other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        return zip(utf8, other.utf8).allSatisfy { $0 == $1 || $0.lowercasedASCII == $1.lowercasedASCII }
    }

    /// The text with letters of ASCII in lower case.
    var lowercasedASCII: String {
        String(decoding: utf8.map(\.lowercasedASCII), as: UTF8.self)
    }
}
