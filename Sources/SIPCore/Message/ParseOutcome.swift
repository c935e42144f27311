/// What became of the bytes of one datagram or one framed message.
public enum ParseOutcome: Sendable {
    /// A message in the grammar of RFC 3261 section 25 as far as this server relies on it.
    case message(SIPMessage)
    /// Not in the grammar. The message is what could be read of it: a request is answered with
    /// ``SyntaxFailure/statusCode``, a response is dropped.
    case malformed(SIPMessage, SyntaxFailure)
    /// Nothing that could be answered: no start line, or not even a Via.
    case unreadable(SyntaxFailure)
}

/// Bounds on what a peer may send in one message.
public struct ParserLimits: Hashable, Sendable {
    /// Bytes of start line and headers.
    public var headerBytes: Int
    /// Header lines.
    public var headerCount: Int
    /// Via values; more than any sane chain of proxies, Max-Forwards being 70.
    public var viaCount: Int
    /// Bytes of a whole message.
    public var messageBytes: Int

    public init(headerBytes: Int = 65_536, headerCount: Int = 256, viaCount: Int = 128, messageBytes: Int = 1_048_576) {
        self.headerBytes = headerBytes
        self.headerCount = headerCount
        self.viaCount = viaCount
        self.messageBytes = messageBytes
    }
}

/// Why bytes are no well-formed SIP message.
public struct SyntaxFailure: Error, Hashable, Sendable {
    /// The rule that was broken; for counting and for the log.
    public enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        case empty, startLine, version, requestURI, statusCode
        case headerLine, lineEnd, missingEmptyLine, tooManyHeaders, headerTooLarge, messageTooLarge
        case via, tooManyVias, from, to, contact, route, callID, cseq, cseqMethodMismatch, maxForwards, expires, date
        case contentLength, contentLengthMissing, bodyTooShort, repeatedHeader, missingHeader
    }

    public var kind: Kind

    public init(_ kind: Kind) { self.kind = kind }

    /// The response a request earns by it.
    public var statusCode: UInt16 {
        switch kind {
        case .version: 505
        case .headerTooLarge, .messageTooLarge, .tooManyHeaders: 513
        default: 400
        }
    }

    /// A reason phrase for that response (RFC 3261 section 21.4.1 wants the problem named). Holds no peer's bytes.
    public var reason: String { phrase.description }

    /// ``reason`` without an allocation.
    public var phrase: StaticString {
        switch kind {
        case .empty: "Empty Message"
        case .startLine: "Malformed Start Line"
        case .version: "Version Not Supported"
        case .requestURI: "Malformed Request-URI"
        case .statusCode: "Malformed Status Code"
        case .headerLine: "Malformed Header Line"
        case .lineEnd: "Malformed Line End"
        case .missingEmptyLine: "Missing Empty Line"
        case .tooManyHeaders: "Too Many Header Fields"
        case .headerTooLarge: "Header Too Large"
        case .messageTooLarge: "Message Too Large"
        case .via: "Malformed Via"
        case .tooManyVias: "Too Many Via Values"
        case .from: "Malformed From"
        case .to: "Malformed To"
        case .contact: "Malformed Contact"
        case .route: "Malformed Route"
        case .callID: "Malformed Call-ID"
        case .cseq: "Malformed CSeq"
        case .cseqMethodMismatch: "CSeq Method Does Not Match"
        case .maxForwards: "Malformed Max-Forwards"
        case .expires: "Malformed Expires"
        case .date: "Malformed Date"
        case .contentLength: "Malformed Content-Length"
        case .contentLengthMissing: "Missing Content-Length"
        case .bodyTooShort: "Body Shorter Than Content-Length"
        case .repeatedHeader: "Repeated Header Field"
        case .missingHeader: "Missing Header Field"
        }
    }
}
