import DequeModule
import LinkProfiles
import MessageStore
import SIPCore
import SIPTransaction

/// A request that is being worked on, and where its answer goes.
final class HeldRequest {
    let request: SIPMessage
    let flow: Flow
    let server: TransactionID
    /// Kept by ``Engine/acceptance(of:)``.
    var acceptance: Acceptance?

    init(request: SIPMessage, flow: Flow, server: TransactionID) {
        self.request = request
        self.flow = flow
        self.server = server
    }
}

/// What accepting a MESSAGE needs to know of its sender and itself.
struct Acceptance {
    /// The sender's address-of-record, or whole URI.
    let sender: [UInt8]
    let identity: MessageIdentity
}

/// What follows when a store command is committed, or fails.
enum Continuation {
    /// The user's number became known to the store.
    case named(user: Int32)
    /// A MESSAGE was accepted: answer 202, or 503 and take it out of the queue again.
    case accepted(HeldRequest, user: Int32, number: MessageNumber, identity: MessageIdentity)
    /// The same message again while the first commit was under way.
    case acceptedAgain(HeldRequest, identity: MessageIdentity, lostBefore: UInt64)
    /// An attempt may begin: the payload comes with the receipt.
    case claimed(user: Int32, number: MessageNumber)
    /// Bindings changed: answer the REGISTER.
    case registered(HeldRequest, RegistrarOutcome)
    /// A publication is durable: answer the PUBLISH and tell the watchers.
    case published(PublicationUnderWay)
    /// A subscription is durable: answer the SUBSCRIBE and tell the state.
    case subscribed(SubscribeUnderWay)
    /// CSeq numbers up to that one may be used.
    case reserved(SubscriptionMark, ceiling: UInt32)
    /// The outcome of an attempt; when it cannot be written it is written again.
    case settled(StoreCommand, user: Int32)
}

/// Continuations in the order of their store commands' numbers.
struct PendingCommits {
    private var waiting = Deque<(sequence: UInt64, continuation: Continuation)>()
    /// Number of the last command handed out.
    private(set) var last: UInt64 = 0
    /// Number of the last command reported committed or failed.
    private(set) var finished: UInt64 = 0

    /// Acceptances whose commit failed. While none fails, an identity that is remembered was handed over before whoever asks now.
    var lostAcceptances: UInt64 = 0

    /// Commands under way.
    var depth: Int { Int(last - finished) }

    /// Numbers the next command.
    mutating func issue() { last += 1 }

    /// Ties a continuation to the command numbered last.
    mutating func hold(_ continuation: Continuation) { waiting.append((last, continuation)) }

    mutating func finish(through sequence: UInt64) { finished = max(finished, min(sequence, last)) }

    /// The next continuation whose command is at or before `sequence`.
    mutating func next(through sequence: UInt64) -> Continuation? {
        guard let first = waiting.first, first.sequence <= sequence else { return nil }
        return waiting.removeFirst().continuation
    }
}
