import LinkProfiles
import MessageStore
import Presence
import PresenceDocuments
import SIPCore
import SIPDialog

/// Names a subscription as long as it lives: a slot and how often it was used before.
struct SubscriptionMark: Hashable {
    var slot: UInt32
    var generation: UInt32
}

extension SubscriptionEndReason {
    /// As watcher information tells it (RFC 3857 section 4.7.1).
    var event: WatcherEvent {
        switch self {
        case .deactivated: .deactivated
        case .probation: .probation
        case .rejected: .rejected
        case .giveUp: .giveup
        case .noResource: .noresource
        case .timeout, .invariant, .other: .timeout
        }
    }
}

/// One watcher's subscription (RFC 6665 section 4.2) as memory holds it. What it sees is decided by ``PresenceAgent``, when it is told
/// by its ``NotifierSubscription``.
struct Subscription {
    /// CSeq numbers reserved at a time.
    static let block: UInt32 = 1_024

    /// Number in the store; 0 for what the store does not hold: a mere question, or one that was taken back.
    var number = SubscriptionNumber(0)
    var dialog: Dialog
    /// Our tag in the dialog, by which it is found.
    let localTag: UInt64
    /// Keyed hash of whoever subscribed.
    let identity: UInt64
    /// Whom it is about.
    let user: UserIndex
    let package: EventPackage
    /// Value of the Event header's id parameter; empty for none.
    let eventID: [UInt8]
    /// What it is to ``PresenceAgent``; nil for other packages than presence.
    var watcher: WatcherID?
    /// What a subscriber to watcher information or registrations has been told.
    var report = ReportVersion()
    /// The flow towards the watcher; nil where the dialog's route or remote target says where it is.
    var flow: Flow?
    var profile: UInt8 = 0
    /// CSeq numbers of NOTIFYs.
    var sequence: SequenceReservation
    /// CSeq of the watcher's last request.
    var remoteSequence: RemoteSequence
    /// When what is to be told of it.
    var notifier: NotifierSubscription
    /// Whether its SUBSCRIBE waits for its commit.
    var isUnanswered = false
    /// Whether it stands in the line of those to be notified.
    var isInLine = false
    /// Its connection is gone: it waits for a refresh that shows another way.
    var isUnreachable = false
    /// Requests too large for a datagram go by one nevertheless, for the watcher takes no connections.
    var skipsSizeCheck = false
    /// What is to be told is that somebody has become available.
    var isArrival = true
    /// Deadlines of it that are in the engine's heap: the last, and one before it.
    var farDeadline: Instant?
    var nearDeadline: Instant?

    /// Whether its last NOTIFY is to be sent.
    var isEnding: Bool { notifier.state == .terminated }
    /// As the Event header writes it.
    var eventText: String {
        eventID.isEmpty ? "\(package.token)" : "\(package.token);id=\(String(decoding: eventID, as: UTF8.self))"
    }
}
