/// What a watcher asked to be spared (RFC 5839): the condition of the last SUBSCRIBE, as long as it holds. Entity-tags are
/// numbers here; the engine turns them into tokens and back.
public enum NotificationCondition: Hashable, Sendable {
    case none
    /// `Suppress-If-Match: *`: holds until the next SUBSCRIBE.
    case any
    /// Holds while the state's entity-tag is this one.
    case tag(UInt64)

    /// Whether a notification would tell the watcher what it has, the state's entity-tag being `current`.
    public func holds(for current: UInt64?) -> Bool {
        switch self {
        case .none: false
        case .any: true
        case .tag(let tag): tag == current
        }
    }
}
