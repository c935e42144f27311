/// How soon something has to leave, the most urgent first. Within one urgency the oldest goes first.
enum DownlinkUrgency: UInt8, CaseIterable, Comparable, Sendable {
    /// An answer to what the endpoint asked, an ACK, a CANCEL: the endpoint waits for it, and would ask again.
    case answer
    /// A message with Priority `emergency` (RFC 3261 section 20.26).
    case emergency
    /// A message with Priority `urgent`.
    case urgent
    /// A message, and every other request that is passed on.
    case normal
    /// A message with Priority `non-urgent`.
    case nonUrgent
    /// A notification that somebody has become reachable, or the first of a subscription.
    case arrival
    /// Any other notification.
    case change

    static func < (a: DownlinkUrgency, b: DownlinkUrgency) -> Bool { a.rawValue < b.rawValue }

    /// Whether it leaves in quiet hours.
    var passesQuietHours: Bool { self <= .urgent }
    var isNotification: Bool { self >= .arrival }
    /// What the sizes of compressed messages are learned by.
    var kind: WireKind {
        switch self {
        case .answer: .answer
        case .emergency, .urgent, .normal, .nonUrgent: .message
        case .arrival, .change: .notification
        }
    }
}

/// Kinds of traffic that compress differently.
enum WireKind: UInt8, CaseIterable, Sendable { case answer, message, notification }
