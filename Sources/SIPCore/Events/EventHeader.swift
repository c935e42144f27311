/// The Event header (RFC 6665 section 8.2.1): which event a SUBSCRIBE, NOTIFY or PUBLISH is about.
public struct EventHeader: Hashable, Sendable {
    /// The event-type: package and templates, such as `presence.winfo`.
    public var type: ByteRange
    /// Value of the `id` parameter; empty when there is none.
    public var id: ByteRange
    /// Rates asked for (RFC 6446).
    public var rates: EventRates

    /// Reads the header of a message; nil when there is none, or it is malformed. ``SIPMessage/contains(_:)`` tells the two
    /// apart.
    public init?(of message: SIPMessage) {
        guard let field = message.first(.event) else { return nil }
        self.init(message.bytes.span, field.value)
    }

    init?(_ bytes: Span<UInt8>, _ value: ByteRange) {
        let end = bytes.skip(.token, value.lower, value.upper)
        type = ByteRange(value.lower, end)
        id = .empty
        rates = .none
        guard Self.isEventType(bytes, type) else { return nil }
        var scanner = ParameterScanner(ByteRange(end, value.upper))
        while let parameter = scanner.next(bytes) {
            if bytes.equalsFolded("id", at: parameter.name) {
                guard id.isEmpty, !parameter.value.isEmpty,
                    bytes.skip(.token, parameter.value.lower, parameter.value.upper) == parameter.value.upper
                else { return nil }
                id = parameter.value
            } else if !rates.read(parameter, bytes) {
                return nil
            }
        }
        guard !scanner.isMalformed, bytes.skipSpace(scanner.position, value.upper) == value.upper else { return nil }
    }

    /// `token-nodot *( "." token-nodot )`.
    private static func isEventType(_ bytes: Span<UInt8>, _ range: ByteRange) -> Bool {
        guard !range.isEmpty else { return false }
        var wasDot = true
        for index in range.lower..<range.upper {
            let isDot = bytes[index] == UInt8(ascii: ".")
            if isDot, wasDot { return false }
            wasDot = isDot
        }
        return !wasDot
    }
}

extension SIPMessage {
    /// Whether an Event header of this message names that event (section 8.2.1): type and id compare byte by byte, and an
    /// event with an id is never one without.
    public func names(_ event: EventHeader, type: some Collection<UInt8>, id: some Collection<UInt8>) -> Bool {
        self[event.type].elementsEqual(type) && self[event.id].elementsEqual(id)
    }
}
