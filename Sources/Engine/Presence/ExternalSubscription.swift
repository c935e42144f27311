import LinkProfiles
import Policy
import SIPCore
import SIPDialog
import SIPTransaction

/// A subscription of our own at an external presence server or registrar, for one user whose queue is not empty
/// (draft-houri-simple-arch-01 figure 10).
final class ExternalSubscription {
    let number: UInt32
    let user: UserIndex
    let source: ExternalEventSource
    var machine: OutgoingSubscription
    var dialog: SubscriberDialog
    /// The Authorization line to send, and how often its nonce was used.
    var authorization = ""
    var challenge: SIPMessage?
    var nonceCount: UInt32 = 0
    /// The SUBSCRIBE under way.
    var client: TransactionID?
    var attempt: OutgoingSubscription.Attempt?
    /// Whether the present attempt has answered a challenge already.
    var hasAnsweredChallenge = false
    var armed: Instant?

    init(
        number: UInt32, user: UserIndex, source: ExternalEventSource, policy: SubscriberPolicy,
        dialog: SubscriberDialog, notBefore: Instant
    ) {
        self.number = number
        self.user = user
        self.source = source
        self.dialog = dialog
        machine = OutgoingSubscription(policy: policy, notBefore: notBefore)
    }

    /// Whom it is about, as the Request-URI and To write it.
    var resource = ""
}

/// All of them.
struct ExternalSubscriptions {
    private(set) var all: [UInt32: ExternalSubscription] = [:]
    private var byUser: [UserIndex: [UInt32]] = [:]
    /// By the hash of Call-ID, which is random.
    private var byCallID: [[UInt8]: UInt32] = [:]
    /// Next hops that are being looked up.
    var resolving: [UInt64: UInt32] = [:]
    private var last: UInt32 = 0

    var isEmpty: Bool { all.isEmpty }

    subscript(number: UInt32) -> ExternalSubscription? { all[number] }

    func of(_ user: UserIndex) -> [ExternalSubscription] { (byUser[user] ?? []).compactMap { all[$0] } }

    func addressed(by notify: SIPMessage) -> ExternalSubscription? {
        byCallID[Array(notify[notify.callID])].flatMap { all[$0] }
    }

    mutating func nextNumber() -> UInt32 {
        last = (last + 1) & 0x3fff_ffff
        return last
    }

    mutating func add(_ subscription: ExternalSubscription) {
        all[subscription.number] = subscription
        byUser[subscription.user, default: []].append(subscription.number)
        byCallID[subscription.dialog.callID] = subscription.number
    }

    /// It goes on in another dialog.
    mutating func renew(_ subscription: ExternalSubscription, _ dialog: SubscriberDialog) {
        byCallID[subscription.dialog.callID] = nil
        subscription.dialog = dialog
        byCallID[dialog.callID] = subscription.number
    }

    mutating func remove(_ subscription: ExternalSubscription) {
        all[subscription.number] = nil
        byCallID[subscription.dialog.callID] = nil
        byUser[subscription.user]?.removeAll { $0 == subscription.number }
        if byUser[subscription.user]?.isEmpty ?? false { byUser[subscription.user] = nil }
    }
}
