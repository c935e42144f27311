public import SIPCore

/// How a NOTIFY transaction ended.
public enum NotifyOutcome: Hashable, Sendable {
    /// 2xx. `rates` are those of an Event header in it (RFC 6446 section 9.3); nil when it has none, or one of another type.
    case delivered(rates: EventRates?)
    /// Another final response; `retryAfter` in seconds where it has that header.
    case refused(status: UInt16, retryAfter: UInt32?)
    /// No final response within timer F.
    case timedOut
    /// It could not be sent: counts as 503 (RFC 3261 section 8.1.3.1).
    case unreachable

    /// Whether the subscription ends with it (RFC 6665 section 4.2.2). A response of 408 says what timer F says.
    public var endsSubscription: Bool {
        switch self {
        case .delivered, .unreachable: false
        case .timedOut: true
        case .refused(let status, _):
            switch status {
            case 404, 405, 408, 410, 416, 480...485, 489, 501, 604: true
            default: false
            }
        }
    }
}

extension EventRates {
    /// The rates in the 2xx response to a NOTIFY for an event; nil when it changes nothing.
    public init?(answeredIn response: SIPMessage, type: some Collection<UInt8>) {
        guard let event = EventHeader(of: response), response[event.type].elementsEqual(type) else { return nil }
        self = event.rates
    }
}
