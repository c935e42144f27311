import LinkProfiles
import PresenceDocuments

/// Whether a presentity can be reached, and what it wants to receive: what the deferred queue waits for.
public struct Reception: Hashable, Sendable {
    /// Which messages are welcome now.
    public enum Willingness: Hashable, Sendable {
        case everything
        /// Busy or not to be disturbed: only urgent messages (Priority "urgent" or "emergency").
        case urgentOnly
    }

    /// Whether some service is open; nil when nothing is known of any.
    public let isAvailable: Bool?
    public let willingness: Willingness
    /// When an activity begins or ends, so that the answer may change; nil when none is limited in time.
    let nextChange: Instant?

    static let unknown = Reception(isAvailable: nil, willingness: .everything, nextChange: nil)

    private init(isAvailable: Bool?, willingness: Willingness, nextChange: Instant?) {
        self.isAvailable = isAvailable
        self.willingness = willingness
        self.nextChange = nextChange
    }

    /// What a composed document says.
    init(of presence: XMLElement, undisturbed: Set<String>, at now: Instant) {
        var isAvailable: Bool?
        var activities: [XMLElement] = []
        for case .element(let element) in presence.children {
            switch element.name {
            case .tuple:
                guard let basic = element.firstElement(named: .status)?.firstElement(named: .basic) else { continue }
                isAvailable = (isAvailable ?? false) || BasicStatus(basic) == .open
            case .person: activities += element.elements(named: .activities)
            default: continue
            }
        }
        let current = activities.filter { Self.period(of: $0).contains(now) }
        let isBusy = current.contains { $0.elements.contains { undisturbed.contains($0.name.local) } }
        let bounds = activities.flatMap { Self.period(of: $0).bounds }
        self.init(
            isAvailable: isAvailable, willingness: isBusy ? .urgentOnly : .everything,
            nextChange: bounds.filter { $0 > now }.min())
    }

    /// Whether a message may be delivered now.
    public func accepts(isUrgent: Bool) -> Bool { isAvailable == true && (isUrgent || willingness == .everything) }

    func saysTheSame(as other: Reception) -> Bool {
        isAvailable == other.isAvailable && willingness == other.willingness
    }

    /// The time an element holds for, by its `from` and `until` (RFC 4480 section 3.1).
    private struct Period {
        let from: Instant?
        let until: Instant?

        var bounds: [Instant] { [from, until].compactMap { $0 } }

        func contains(_ now: Instant) -> Bool { from.map { $0 <= now } ?? true && until.map { now < $0 } ?? true }
    }

    private static func period(of element: XMLElement) -> Period {
        Period(
            from: element[attribute: "from"].flatMap(DateTime.instant),
            until: element[attribute: "until"].flatMap(DateTime.instant))
    }
}

extension PresenceAgent {
    /// Whether deferred messages of a presentity may flow now.
    public func reception(of presentity: PresentityID) -> Reception { self[presentity]?.reception ?? .unknown }
}
