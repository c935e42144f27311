import SIPCore

/// The event packages the Presence Application notifies of (RFC 6665 section 7.2).
enum EventPackage: UInt8, CaseIterable {
    /// RFC 3856.
    case presence
    /// Watcher information of presence (RFC 3857).
    case watchers
    /// Registrations (RFC 3680).
    case registration

    var token: StaticString {
        switch self {
        case .presence: "presence"
        case .watchers: "presence.winfo"
        case .registration: "reg"
        }
    }

    /// The same as bytes.
    var bytes: [UInt8] { token.withUTF8Buffer { Array($0) } }

    /// The one body format every subscriber must take.
    var mediaType: StaticString {
        switch self {
        case .presence: "application/pidf+xml"
        case .watchers: "application/watcherinfo+xml"
        case .registration: "application/reginfo+xml"
        }
    }
}

extension EventPackage {
    /// The package an Event header names; nil for one that is not notified of here. Event types are compared with their case.
    init?(_ event: EventHeader, of request: SIPMessage) {
        guard let package = Self.allCases.first(where: { request.equals(event.type, $0.token) }) else { return nil }
        self = package
    }

    /// For responses that say what can be subscribed to (RFC 6665 section 4.4.4).
    static let allowEvents = Array("Allow-Events: presence, presence.winfo, reg\r\n".utf8)
}
