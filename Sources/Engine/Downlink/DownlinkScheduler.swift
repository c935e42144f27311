import LinkProfiles
import SIPTransaction

/// Decides what leaves next towards one endpoint, and when: the downlink of a binding whose link has a budget.
///
/// Everything that wants to reach the endpoint says so with ``offer(_:_:at:)`` and waits. Whenever the link is free,
/// ``next(at:)`` names what is to leave; whoever owns it makes its bytes then, so that a notification carries the newest state and
/// a subscription waits once however often it changes, and reports them with ``sent(_:plain:transaction:until:at:)``.
///
/// - Answers go first, then messages, then notifications; emergency before urgent before normal messages, arrivals before
///   other changes, and the oldest first. Nobody starves: whoever lets eight times its own size pass has its turn (``FairShare``).
/// - A packet leaves only when those before it have been paid for (``LinkMeter``): so a message waits for one packet at most.
/// - Requests have a limited number of places for open transactions; notifications leave the last one to messages.
/// - Quiet hours hold back all but answers and urgent messages, radio windows all but answers.
/// - While the radio sleeps, notifications wait for each other; whatever wakes it takes them along.
struct DownlinkScheduler {
    /// What is to leave now.
    struct Grant {
        let key: DownlinkKey
        let urgency: DownlinkUrgency
    }

    private(set) var budget: LinkBudget
    private var lines = DownlinkLines()
    private var meter: LinkMeter
    private var sizes = WireSize()
    /// Transactions the endpoint has not answered, and when each has ended by itself at the latest.
    private var open: [TransactionID: Instant] = [:]
    private var groups = FairShare(count: Group.allCases.count)
    private var urgencies = FairShare(count: DownlinkUrgency.allCases.count)
    /// Who could have gone when the last grant was made.
    private var candidates: [DownlinkUrgency] = []
    private var awakeUntil: Instant
    private var lastUse: Instant
    /// Whether sizes on the wire were ever reported.
    private var hasLearned = false

    /// - Parameter largestPacket: the largest packet there is on the link, without its headers.
    init(_ budget: LinkBudget, largestPacket: Int, at now: Instant) {
        self.budget = budget
        meter = LinkMeter(budget, largestPacket: largestPacket, at: now)
        awakeUntil = now - .microseconds(1)
        lastUse = now
    }

    /// The link is another than was thought; what waits, what is open and what was learned stays.
    mutating func adopt(_ budget: LinkBudget, largestPacket: Int, at now: Instant) {
        self.budget = budget
        meter = LinkMeter(budget, largestPacket: largestPacket, notBefore: meter.freeAt, at: now)
    }

    private enum Group: Int, CaseIterable {
        case answers, messages, notifications

        init(_ urgency: DownlinkUrgency) {
            switch urgency.kind {
            case .answer: self = .answers
            case .message: self = .messages
            case .notification: self = .notifications
            }
        }
    }

    // MARK: What wants to leave

    /// Something wants to leave. What waits already keeps its place, or moves ahead if it has become more urgent.
    mutating func offer(_ key: DownlinkKey, _ urgency: DownlinkUrgency, at now: Instant) {
        lastUse = max(lastUse, now)
        lines.add(key, urgency, at: now)
    }

    /// It is not wanted any more; false when it did not wait.
    @discardableResult
    mutating func withdraw(_ key: DownlinkKey) -> Bool { lines.remove(key) }

    func isWaiting(_ key: DownlinkKey) -> Bool { lines.contains(key) }
    var waitingCount: Int { lines.count }
    var waiting: [DownlinkKey] { lines.keys }
    func waitingCount(_ urgency: DownlinkUrgency) -> Int { lines.count(of: urgency) }

    // MARK: What may leave

    /// What is to leave at this moment; nil when nothing may. It does not wait any more then: the caller sends it and says so
    /// with ``sent(_:plain:transaction:until:at:)``, or has nothing to send for it after all.
    mutating func next(at now: Instant) -> Grant? {
        guard !lines.isEmpty, meter.freeAt <= now else { return nil }
        if budget.outstanding > 0 { open = open.filter { $0.value > now } }
        candidates = DownlinkUrgency.allCases.filter { lines.count(of: $0) > 0 && earliest($0, from: now) == now }
        guard let group = groups.choose(among: distinctGroups(of: candidates)) else { return nil }
        let members = candidates.filter { Group($0).rawValue == group }
        guard let rank = urgencies.choose(among: members.map { Int($0.rawValue) }),
            let urgency = DownlinkUrgency(rawValue: UInt8(rank)),
            let key = lines.first(of: urgency, mayOpen: mayOpen(urgency))
        else { return nil }
        lines.remove(key)
        return Grant(key: key, urgency: urgency)
    }

    /// Nothing leaves before this moment unless something happens; nil when nothing waits.
    ///
    /// It may be early, but lies after `now` once ``next(at:)`` has answered nil for `now`.
    mutating func nextGrant(after now: Instant) -> Instant? {
        let free = max(now, meter.freeAt)
        var next: Instant?
        for urgency in DownlinkUrgency.allCases where lines.count(of: urgency) > 0 {
            let time = earliest(urgency, from: free)
            next = min(next ?? time, time)
        }
        return next
    }

    /// A granted message has left.
    ///
    /// - Parameters:
    ///   - plain: its length before compression.
    ///   - transaction: the one it opened, if it did; `until` is when that ends without an answer.
    /// - Returns: the bytes it was reckoned to take on the wire, for ``transmitted(plain:wire:reckoned:_:)``.
    @discardableResult
    mutating func sent(
        _ urgency: DownlinkUrgency, plain: Int, transaction: TransactionID? = nil, until: Instant, at now: Instant
    ) -> Int {
        let reckoned = sizes.estimate(plain: plain, urgency.kind)
        meter.take(reckoned, at: now)
        if let transaction, budget.outstanding > 0 { open[transaction] = until }
        let cost = reckoned + budget.packetOverhead
        groups.took(cost, Group(urgency).rawValue, among: distinctGroups(of: candidates))
        let members = candidates.filter { Group($0) == Group(urgency) }
        urgencies.took(cost, Int(urgency.rawValue), among: members.map { Int($0.rawValue) })
        stayAwake(from: max(now, meter.freeAt))
        return reckoned
    }

    // MARK: What the link and the endpoint say

    /// The transport has put a message on the wire that was reckoned at another size.
    mutating func transmitted(plain: Int, wire: Int, reckoned: Int, _ kind: WireKind) {
        sizes.learn(plain: plain, wire: wire, kind)
        hasLearned = true
        meter.correct(reckoned: reckoned, actual: wire)
    }

    /// A transaction has its final response, or nobody waits for one any more.
    mutating func finished(_ transaction: TransactionID) { open[transaction] = nil }

    /// Something came from the endpoint: its radio is awake.
    mutating func heard(at now: Instant) {
        lastUse = max(lastUse, now)
        stayAwake(from: now)
    }

    /// From when on there is nothing to remember, if nothing happens meanwhile: all is paid for, the radio asleep, and what was
    /// learned of sizes likely out of date.
    func forgettable(after now: Instant) -> Instant {
        let isOpen = open.values.max() ?? now
        let known = hasLearned ? lastUse + Self.memory : now
        return max(max(now, meter.restedAt), max(awakeUntil, max(known, isOpen)))
    }

    private static let memory = TimeSpan.seconds(600 as Int64)

    /// Whether nothing waits and nothing has to be remembered.
    func isForgettable(at now: Instant) -> Bool { lines.isEmpty && forgettable(after: now) <= now }

    /// When a request of that urgency may leave at the earliest for all that the clock says; the moment itself if now.
    func opening(_ urgency: DownlinkUrgency, at now: Instant) -> Instant {
        guard urgency > .answer else { return now }
        var time = now
        // The end of quiet hours may lie outside the radio's window and the other way round. Where they have not met after
        // some rounds the moment is early, which does no harm.
        for _ in 0..<8 {
            let before = time
            if !urgency.passesQuietHours { time = budget.quietEnds(at: time) }
            if time == .distantFuture { return time }
            if time > awakeUntil { time = budget.listens(at: time) }
            if time == before { break }
        }
        return time
    }

    // MARK: Details

    /// When the first of a line may leave, as far as it is known.
    private mutating func earliest(_ urgency: DownlinkUrgency, from now: Instant) -> Instant {
        var time = opening(urgency, at: now)
        if urgency.isNotification, budget.bundling > .zero, time > awakeUntil,
            let since = lines.oldest(of: urgency), since + budget.bundling > time
        {
            time = opening(urgency, at: since + budget.bundling)
        }
        if lines.first(of: urgency, mayOpen: mayOpen(urgency)) == nil, let end = open.values.min() {
            time = max(time, end, now + .microseconds(1))
        }
        return time
    }

    /// Whether there is a place for one more transaction of that urgency.
    private func mayOpen(_ urgency: DownlinkUrgency) -> Bool {
        guard budget.outstanding > 0 else { return true }
        let reserved = urgency.isNotification && budget.outstanding > 1 ? 1 : 0
        return open.count < budget.outstanding - reserved
    }

    private func distinctGroups(of urgencies: [DownlinkUrgency]) -> [Int] {
        var found: [Int] = []
        for urgency in urgencies where found.last != Group(urgency).rawValue { found.append(Group(urgency).rawValue) }
        return found
    }

    private mutating func stayAwake(from time: Instant) {
        guard budget.awake > .zero else { return }
        lastUse = max(lastUse, time)
        awakeUntil = max(awakeUntil, time + budget.awake)
    }
}
