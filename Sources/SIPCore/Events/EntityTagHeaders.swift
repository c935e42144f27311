/// The condition of a SUBSCRIBE (RFC 5839 section 7.2): tell me nothing while the state is the one I have.
public enum SuppressIfMatch: Hashable, Sendable {
    /// `*`: true whatever the state is.
    case any
    /// True while the state's entity-tag is that one, byte for byte.
    case tag(ByteRange)

    /// Reads the header of a message; nil when there is none, or it is malformed.
    public init?(of message: SIPMessage) {
        guard let field = message.first(named: "Suppress-If-Match") else { return nil }
        if message.equals(field.value, "*") {
            self = .any
        } else if let tag = message.entityTag(field) {
            self = .tag(tag)
        } else {
            return nil
        }
    }
}

extension SIPMessage {
    /// The entity-tag in SIP-ETag or SIP-If-Match (RFC 3903 section 11.3); nil when there is none, or it is no token.
    public func entityTag(_ name: HeaderName) -> ByteRange? { first(name).flatMap(entityTag) }

    func entityTag(_ field: HeaderField) -> ByteRange? {
        let span = bytes.span
        guard !field.value.isEmpty, span.skip(.token, field.value.lower, field.value.upper) == field.value.upper else {
            return nil
        }
        return field.value
    }
}
