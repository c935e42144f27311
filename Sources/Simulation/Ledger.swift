import Engine
public import LinkProfiles
public import MessageStore

/// What became of one message, as an observer sees it who stands beside the node, the store and every device.
public struct MessageRecord: Sendable {
    /// A device showed the message to its user.
    public struct Showing: Hashable, Sendable {
        public var device: Int
        public var at: Instant
        /// When the copy that was shown had left the node.
        public var sentAt: Instant
        /// Position among all showings of the world.
        public var ordinal: Int
    }

    /// When a request with it first reached the node.
    public var firstArrival: Instant?
    /// When the node first sent a 2xx for it to the sender.
    public var acknowledgedAt: Instant?
    public var acknowledgedWith: Int?
    /// What the sender took as final; nil while it still tries.
    public var senderStatus: Int?
    /// Requests the sender made of it, repetitions after a failure included.
    public var tries = 0
    public var showings: [Showing] = []
    /// Refusals devices answered, by status.
    public var refusals: [Int] = []
    /// Rows the store committed for it.
    public var numbers: [MessageNumber] = []
    /// When the first of them was committed.
    public var storedAt: Instant?
    /// Expiry of the first row.
    public var expiresAt: Instant?
    public var isDurable: Bool { !numbers.isEmpty }
}

/// Everything observed in one world, and what was seen to be wrong.
public struct Ledger: Sendable {
    public internal(set) var messages: [MessageRecord]
    public internal(set) var violations: [Violation] = []
    public internal(set) var totals = Totals()
    /// How and when rows ended, as committed.
    private(set) var endings: [MessageNumber: (state: DeferredState, at: Instant, cause: DeliveryCause)] = [:]
    private var showings = 0

    /// Plain counts, for the report.
    public struct Totals: Hashable, Sendable {
        public var events = 0
        public var crashes = 0
        public var groups = 0
        public var storeFailures = 0
        public var datagramsToNode = 0
        public var datagramsFromNode = 0
        public var bytesToNode = 0
        public var bytesFromNode = 0
        public var registrations = 0
        public var acknowledged = 0
        public var stored = 0
        public var shown = 0
        public var expired = 0
        public var refused = 0
        /// Retransmissions a device's transaction absorbed.
        public var retransmissionsAbsorbed = 0
        /// New transactions with a message the device had shown before.
        public var redeliveriesAbsorbed = 0

        public static func += (a: inout Totals, b: Totals) {
            a.events += b.events
            a.crashes += b.crashes
            a.groups += b.groups
            a.storeFailures += b.storeFailures
            a.datagramsToNode += b.datagramsToNode
            a.datagramsFromNode += b.datagramsFromNode
            a.bytesToNode += b.bytesToNode
            a.bytesFromNode += b.bytesFromNode
            a.registrations += b.registrations
            a.acknowledged += b.acknowledged
            a.stored += b.stored
            a.shown += b.shown
            a.expired += b.expired
            a.refused += b.refused
            a.retransmissionsAbsorbed += b.retransmissionsAbsorbed
            a.redeliveriesAbsorbed += b.redeliveriesAbsorbed
        }
    }

    init(messages: Int) { self.messages = Array(repeating: MessageRecord(), count: messages) }

    mutating func violated(_ check: Check, token: Int? = nil, at: Instant, _ detail: String) {
        violations.append(Violation(check: check, token: token, at: at, detail: detail))
    }

    mutating func show(token: Int, device: Int, sentAt: Instant, at: Instant) {
        guard messages.indices.contains(token) else { return }
        showings += 1
        totals.shown += 1
        messages[token].showings.append(
            MessageRecord.Showing(device: device, at: at, sentAt: sentAt, ordinal: showings))
    }

    /// Takes note of a group the store committed.
    mutating func committed(_ commands: [StoreCommand], at now: Instant) {
        totals.groups += 1
        for command in commands {
            switch command {
            case .enqueue(let message):
                guard let token = Self.token(ofPayload: message.payload), messages.indices.contains(token) else {
                    continue
                }
                totals.stored += 1
                messages[token].numbers.append(message.number)
                if messages[token].expiresAt == nil { messages[token].expiresAt = message.expiresAt }
                if messages[token].storedAt == nil { messages[token].storedAt = now }
            case .deliver(let number, let at): ended(number, .delivered, at, .none)
            case .expire(let number, let at, let cause): ended(number, .expired, at, cause)
            case .refuse(let number, let at, let cause): ended(number, .refused, at, cause)
            case .name, .claim, .retry, .release, .forget, .bind, .unbind, .presence: break
            }
        }
    }

    private mutating func ended(_ number: MessageNumber, _ state: DeferredState, _ at: Instant, _ cause: DeliveryCause)
    {
        guard endings[number] == nil else { return }
        endings[number] = (state, at, cause)
        if state == .expired { totals.expired += 1 }
        if state == .refused { totals.refused += 1 }
    }

    /// The message a Call-ID belongs to: `m17...`.
    static func token(ofCallID callID: String) -> Int? {
        guard callID.utf8.first == UInt8(ascii: "m") else { return nil }
        return Int(callID.dropFirst().prefix { $0.isNumber })
    }

    static func token(ofPayload payload: [UInt8]) -> Int? {
        PlainMessage(Array("PAYLOAD\r\n".utf8) + payload).flatMap { token(ofCallID: $0.callID) }
    }
}

/// What the world promises; each is checked in every run.
public enum Check: String, Hashable, Sendable, CaseIterable {
    /// A message answered 2xx was neither shown, nor is it in the queue, nor has it expired or been refused with a cause.
    case lost
    /// A 202 left the node before the message was durable.
    case acknowledgedBeforeCommit
    /// A device that honours identity showed a message twice.
    case shownTwice
    /// A device saw a message again as a new transaction while the one it was shown in was alive.
    case branchChanged
    /// Messages of one recipient arrived in another order than they were accepted.
    case recipientOrder
    /// Messages of one sender to one recipient arrived in another order than they were accepted.
    case senderOrder
    /// A body did not arrive as it was sent.
    case bodyAltered
    /// A message reached a user it was not for.
    case misrouted
    /// A copy left the node after the message had expired.
    case deliveredAfterExpiry
    /// The store says expired, and its time had not come.
    case expiredEarly
    /// A message was stored twice.
    case storedTwice
    /// A message was refused for good, and no device had refused it.
    case refusedWithoutCause
    /// A sender never got a final answer, though all was well in the end.
    case unanswered
    /// Messages were left in the queue of a recipient who is there.
    case notDrained
    /// A device could not register, though all was well in the end.
    case unregistered
    /// More left towards an endpoint than the budget of its link allows, or at a time at which it allows nothing.
    case overBudget
    /// The server's tables did not return to their floor.
    case memory
    /// The server asked to be woken at the same moment over and over.
    case stuck
    /// The server sent something a device could not read, or broke the store's protocol.
    case malformed
}

/// One promise broken.
public struct Violation: Hashable, Sendable, CustomStringConvertible {
    public var check: Check
    public var token: Int?
    public var at: Instant
    public var detail: String

    public var description: String {
        let when = (at - Scenario.beginning).inSeconds
        return "\(check.rawValue) at +\(when)s\(token.map { " message m\($0)" } ?? ""): \(detail)"
    }
}
