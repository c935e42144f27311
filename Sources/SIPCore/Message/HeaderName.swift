/// Header fields this server knows by name (IANA registry "SIP Header Fields"); every other one is ``other`` and
/// stays readable through ``HeaderField/nameRange``.
public enum HeaderName: UInt8, Hashable, Sendable, CaseIterable {
    case other
    // At most once in a message; the parser refuses a second one.
    case from, to, callID, cseq, maxForwards, contentLength, contentType, expires, minExpires, date
    case contentDisposition, mimeVersion, event, subscriptionState, retryAfter, maxBreadth, flowTimer
    case sipETag, sipIfMatch, referTo, replyTo, sessionExpires, minSE, rseq, rack
    // Once too by the grammar, but a second one does no harm.
    case organization, priority, server, subject, userAgent, timestamp
    // May be repeated, or carry a comma separated list.
    case identity
    case via, contact, route, recordRoute, require, proxyRequire, supported, unsupported, allow, accept
    case acceptEncoding, acceptLanguage, acceptContact, rejectContact, requestDisposition
    case authorization, proxyAuthorization, wwwAuthenticate, proxyAuthenticate, authenticationInfo
    case path, serviceRoute, pAssertedIdentity, pPreferredIdentity, privacy, warning, inReplyTo
    case contentEncoding, contentLanguage, allowEvents, reason, historyInfo, referredBy, replaces, errorInfo
    case alertInfo, callInfo, joinHeader, identityInfo, securityClient, securityServer, securityVerify, pAssociatedURI

    /// The full name in its customary capitals; empty for ``other``.
    public var longForm: StaticString {
        switch self {
        case .other: ""
        case .from: "From"
        case .to: "To"
        case .callID: "Call-ID"
        case .cseq: "CSeq"
        case .maxForwards: "Max-Forwards"
        case .contentLength: "Content-Length"
        case .contentType: "Content-Type"
        case .expires: "Expires"
        case .minExpires: "Min-Expires"
        case .date: "Date"
        case .contentDisposition: "Content-Disposition"
        case .mimeVersion: "MIME-Version"
        case .event: "Event"
        case .subscriptionState: "Subscription-State"
        case .retryAfter: "Retry-After"
        case .timestamp: "Timestamp"
        case .maxBreadth: "Max-Breadth"
        case .flowTimer: "Flow-Timer"
        case .sipETag: "SIP-ETag"
        case .sipIfMatch: "SIP-If-Match"
        case .referTo: "Refer-To"
        case .replyTo: "Reply-To"
        case .identity: "Identity"
        case .organization: "Organization"
        case .priority: "Priority"
        case .server: "Server"
        case .subject: "Subject"
        case .userAgent: "User-Agent"
        case .sessionExpires: "Session-Expires"
        case .minSE: "Min-SE"
        case .rseq: "RSeq"
        case .rack: "RAck"
        case .via: "Via"
        case .contact: "Contact"
        case .route: "Route"
        case .recordRoute: "Record-Route"
        case .require: "Require"
        case .proxyRequire: "Proxy-Require"
        case .supported: "Supported"
        case .unsupported: "Unsupported"
        case .allow: "Allow"
        case .accept: "Accept"
        case .acceptEncoding: "Accept-Encoding"
        case .acceptLanguage: "Accept-Language"
        case .acceptContact: "Accept-Contact"
        case .rejectContact: "Reject-Contact"
        case .requestDisposition: "Request-Disposition"
        case .authorization: "Authorization"
        case .proxyAuthorization: "Proxy-Authorization"
        case .wwwAuthenticate: "WWW-Authenticate"
        case .proxyAuthenticate: "Proxy-Authenticate"
        case .authenticationInfo: "Authentication-Info"
        case .path: "Path"
        case .serviceRoute: "Service-Route"
        case .pAssertedIdentity: "P-Asserted-Identity"
        case .pPreferredIdentity: "P-Preferred-Identity"
        case .privacy: "Privacy"
        case .warning: "Warning"
        case .inReplyTo: "In-Reply-To"
        case .contentEncoding: "Content-Encoding"
        case .contentLanguage: "Content-Language"
        case .allowEvents: "Allow-Events"
        case .reason: "Reason"
        case .historyInfo: "History-Info"
        case .referredBy: "Referred-By"
        case .replaces: "Replaces"
        case .errorInfo: "Error-Info"
        case .alertInfo: "Alert-Info"
        case .callInfo: "Call-Info"
        case .joinHeader: "Join"
        case .identityInfo: "Identity-Info"
        case .securityClient: "Security-Client"
        case .securityServer: "Security-Server"
        case .securityVerify: "Security-Verify"
        case .pAssociatedURI: "P-Associated-URI"
        }
    }

    /// The one-letter form (RFC 3261 section 7.3.3 and the registry); the long form for headers that have none.
    public var compactForm: StaticString {
        switch self {
        case .acceptContact: "a"
        case .referredBy: "b"
        case .contentType: "c"
        case .requestDisposition: "d"
        case .contentEncoding: "e"
        case .from: "f"
        case .callID: "i"
        case .rejectContact: "j"
        case .supported: "k"
        case .contentLength: "l"
        case .contact: "m"
        case .identityInfo: "n"
        case .event: "o"
        case .referTo: "r"
        case .subject: "s"
        case .to: "t"
        case .allowEvents: "u"
        case .via: "v"
        case .sessionExpires: "x"
        case .identity: "y"
        default: longForm
        }
    }

    /// Whether a message with two of these is refused.
    public var isSingle: Bool { rawValue >= HeaderName.from.rawValue && rawValue <= HeaderName.rack.rawValue }

    /// The header with that name, in any case, long or compact; ``other`` when unknown.
    public init(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        self = HeaderNameTable.shared.name(bytes.span, ByteRange(0, bytes.count))
    }
}

/// One header line of a message.
public struct HeaderField: Sendable {
    public var name: HeaderName
    /// The name as written.
    public var nameRange: ByteRange
    /// The value without surrounding white space; folding inside it is left in place.
    public var value: ByteRange
    /// The whole line or folded lines, with the line end.
    public var line: ByteRange

    @inlinable
    public init(name: HeaderName, nameRange: ByteRange, value: ByteRange, line: ByteRange) {
        self.name = name
        self.nameRange = nameRange
        self.value = value
        self.line = line
    }
}
