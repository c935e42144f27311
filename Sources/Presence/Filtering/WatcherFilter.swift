import PresenceDocuments

/// placeholder
struct WatcherFilter: Hashable {
    var hasTriggers: Bool { false }
    func content(of permitted: XMLElement) -> XMLElement? { permitted }
    func isTriggered(from old: XMLElement, to new: XMLElement) -> Bool { true }
}
struct WatcherFilters: Hashable {
    func filter(for addressOfRecord: [UInt8]) -> WatcherFilter? { nil }
    mutating func change(by body: [UInt8], limit: Int) throws(FilterRefusal) {}
}
public enum FilterRefusal: Error, Hashable, Sendable { case tooLarge }
