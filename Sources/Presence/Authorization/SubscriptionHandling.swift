/// The subscription authorization decision, in the order and with the numbers of RFC 5025 section 3.2.1.
public enum SubscriptionHandling: UInt8, Hashable, Comparable, Sendable, CaseIterable {
    /// The subscription is rejected. No rule can ask for less.
    case block = 0
    /// It stays pending until the presentity decides.
    case confirm = 10
    /// It is active, and the presentity looks unavailable.
    case politeBlock = 20
    /// It is active.
    case allow = 30

    /// The value of `sub-handling`.
    public init?(_ text: some StringProtocol) {
        switch text {
        case "block": self = .block
        case "confirm": self = .confirm
        case "polite-block": self = .politeBlock
        case "allow": self = .allow
        default: return nil
        }
    }

    /// Whether a watcher so handled is sent documents.
    public var isActive: Bool { self >= .politeBlock }

    public static func < (a: SubscriptionHandling, b: SubscriptionHandling) -> Bool { a.rawValue < b.rawValue }
}
