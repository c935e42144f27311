/// The state of a subscription as watcher information tells it (RFC 3857 section 4.7.1).
enum WatcherStatus: UInt8 {
    case pending, active, waiting, terminated

    /// The value of the `status` attribute (RFC 3858 section 3).
    var text: String {
        switch self {
        case .pending: "pending"
        case .active: "active"
        case .waiting: "waiting"
        case .terminated: "terminated"
        }
    }
}

/// What brought a subscription into its state (RFC 3857 section 4.7.1). An unsubscription is a timeout.
public enum WatcherEvent: UInt8, Hashable, Sendable {
    case subscribe, approved, deactivated, probation, rejected, timeout, giveup, noresource

    /// The value of the `event` attribute (RFC 3858 section 3).
    var text: String {
        switch self {
        case .subscribe: "subscribe"
        case .approved: "approved"
        case .deactivated: "deactivated"
        case .probation: "probation"
        case .rejected: "rejected"
        case .timeout: "timeout"
        case .giveup: "giveup"
        case .noresource: "noresource"
        }
    }
}

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
