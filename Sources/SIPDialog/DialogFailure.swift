/// Why a request makes no dialog, or may not change one. Its sender gets ``statusCode``.
public enum DialogFailure: Error, Hashable, Sendable, CaseIterable {
    /// No Contact header, or none that holds an address (RFC 3261 section 8.1.1.8).
    case noContact
    /// More than one Contact value.
    case severalContacts
    /// The Contact is neither a SIP nor a SIPS URI.
    case contactNotSIP
    /// A tag that is no token.
    case malformedTag
    /// A Record-Route value that is no SIP URI.
    case malformedRoute
    /// Identifiers, URIs and routes are longer than ``Dialog/maximumLength``.
    case tooLong

    /// The response the request is refused with.
    public var statusCode: UInt16 {
        switch self {
        case .noContact, .severalContacts, .contactNotSIP, .malformedTag, .malformedRoute: 400
        case .tooLong: 513
        }
    }

    /// A reason phrase that says what is wrong.
    public var reason: String {
        switch self {
        case .noContact: "Missing Contact"
        case .severalContacts: "More Than One Contact"
        case .contactNotSIP: "Contact Is No SIP URI"
        case .malformedTag: "Malformed Tag"
        case .malformedRoute: "Malformed Record-Route"
        case .tooLong: "Dialog State Too Large"
        }
    }
}
