import PresenceDocuments

/// The filter of a watcher for one resource (RFC 4661 section 3.4).
struct WatcherFilter: Hashable {
    var hasTriggers: Bool { false }

    func content(of permitted: XMLElement) -> XMLElement? { permitted }

    func isTriggered(from old: XMLElement, to new: XMLElement) -> Bool { old != new }
}

/// All filters of a subscription.
struct WatcherFilters: Hashable {
    func filter(for addressOfRecord: [UInt8]) -> WatcherFilter? { nil }

    mutating func change(by body: [UInt8], limit: Int) throws(FilterRefusal) {
        throw body.count > limit ? .tooLarge : .unsupported
    }
}

/// Why a filter document is not taken; the answer is 488 (RFC 4660 section 5.4).
public enum FilterRefusal: Error, Hashable, Sendable {
    case tooLarge
    case unsupported
}
