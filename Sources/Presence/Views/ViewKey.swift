import PresenceDocuments

/// What two watchers must have in common to share a view: what they may see, and what of it they want.
struct ViewKey: Hashable {
    var audience: Audience
    var filter: WatcherFilter?
}

/// What an active watcher may see.
enum Audience: Hashable {
    /// All there is.
    case everything
    /// A presentity that looks unavailable (polite blocking, RFC 5025 section 3.2.1).
    case unavailable
    /// What rules leave.
    case permitted(Permissions)

    /// - Parameter composed: the presentity's document.
    func document(from composed: XMLElement, entity: String) -> XMLElement {
        switch self {
        case .everything: composed
        case .unavailable: OfflineDocument.make(entity: entity)
        case .permitted(let permissions): PrivacyFilter(permissions).apply(to: composed)
        }
    }
}
