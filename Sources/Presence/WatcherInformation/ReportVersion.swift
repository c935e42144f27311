public import PresenceDocuments

/// What ends a subscription (RFC 3857 section 4.7.1). An unsubscription is a timeout.
public typealias WatcherEvent = PresenceDocuments.Watcher.Event

/// What happened to a contact (RFC 3680 section 4.7.1).
public typealias ContactEvent = PresenceDocuments.RegisteredContact.Event

/// What a subscriber to watcher information or registration information has been sent: the version of its last document and the
/// changes in it. The engine keeps one for each such subscription.
public struct ReportVersion: Hashable, Sendable {
    /// The number for the next document; they begin at 0 (RFC 3858 section 3, RFC 3680 section 5.1).
    public private(set) var next: UInt32
    /// The changes that it has seen; nil: none, so that a full document is due.
    private(set) var seen: UInt32?

    /// - Parameter next: of a subscription that goes on after a restart, the number behind the last one committed.
    public init(next: UInt32 = 0) { self.next = next }

    /// A document may not have arrived: the next one is a full one.
    public mutating func undelivered() { seen = nil }

    mutating func advance(to sequence: UInt32) -> UInt32 {
        defer { next &+= 1 }
        seen = sequence
        return next
    }
}
