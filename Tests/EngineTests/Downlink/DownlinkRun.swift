import LinkProfiles
import SIPTransaction
import Simulation

@testable import Engine

/// A scheduler driven through virtual time, as the engine does it: things come to want to leave, the scheduler is asked whenever it
/// said it would have something, and the transport reports what each message took on the wire.
struct DownlinkRun {
    static let start = Instant(microseconds: 1_800_000_000_000_000)

    /// One thing that comes to want to leave.
    struct Wish {
        var at: Instant
        var key: DownlinkKey
        var urgency: DownlinkUrgency
        var bytes: Int
        /// Length on the wire for each plain byte.
        var ratio = 1.0
        /// How long the endpoint takes to answer, if it opens a transaction.
        var answeredAfter = TimeSpan.seconds(2 as Int64)
    }

    /// One thing that left.
    struct Departure {
        var at: Instant
        var key: DownlinkKey
        var urgency: DownlinkUrgency
        /// With the packet's headers.
        var wireBytes: Int
        /// When the first change it carries came, and the last.
        var since: Instant
        var newest: Instant
    }

    let budget: LinkBudget
    var scheduler: DownlinkScheduler
    private(set) var now = Self.start
    private(set) var departures: [Departure] = []
    /// Transactions open at each departure, it included.
    private(set) var openCounts: [Int] = []
    private var waiting: [DownlinkKey: (wish: Wish, since: Instant)] = [:]
    private var open: [(id: TransactionID, answered: Instant)] = []
    private var lastTransaction: UInt64 = 0
    /// Moments at which the scheduler had nothing although it had named them, in a row.
    private(set) var longestIdling = 0

    init(_ budget: LinkBudget, largestPacket: Int = 1_300) {
        self.budget = budget
        scheduler = DownlinkScheduler(budget, largestPacket: largestPacket, at: Self.start)
    }

    var waitingCount: Int { waiting.count }

    /// Plays the wishes, which are in the order of time, then goes on until nothing waits or the limit is reached.
    mutating func play(_ wishes: [Wish], atMost limit: TimeSpan = .seconds(86_400 * 30 as Int64)) {
        var rest = wishes[...]
        var idling = 0
        let end = now + limit
        while true {
            let departed = departures.count
            drain()
            if departures.count > departed { idling = 0 }
            longestIdling = max(longestIdling, idling)
            let named = scheduler.nextGrant(after: now) ?? .distantFuture
            var next = named
            if let wish = rest.first { next = min(next, wish.at) }
            if let answer = open.map(\.answered).min() { next = min(next, answer) }
            idling = next < named ? 0 : idling + 1
            guard next <= end, !(rest.isEmpty && waiting.isEmpty) else { return }
            now = max(now, next)
            for answered in open where answered.answered <= now { scheduler.finished(answered.id) }
            open.removeAll { $0.answered <= now }
            while let wish = rest.first, wish.at <= now {
                rest.removeFirst()
                want(wish)
            }
        }
    }

    private mutating func want(_ wish: Wish) {
        waiting[wish.key] = (wish, waiting[wish.key]?.since ?? wish.at)
        scheduler.offer(wish.key, wish.urgency, at: now)
    }

    private mutating func drain() {
        while let grant = scheduler.next(at: now) {
            guard let (wish, since) = waiting.removeValue(forKey: grant.key) else { continue }
            var transaction: TransactionID?
            if grant.key.opensTransaction {
                lastTransaction += 1
                transaction = TransactionID(high: 0, low: lastTransaction)
                open.append((TransactionID(high: 0, low: lastTransaction), now + wish.answeredAfter))
            }
            let reckoned = scheduler.sent(
                grant.urgency, plain: wish.bytes, transaction: transaction, until: now + .seconds(64 as Int64), at: now)
            let wire = max(1, Int(Double(wish.bytes) * wish.ratio))
            scheduler.transmitted(plain: wish.bytes, wire: wire, reckoned: reckoned, grant.urgency.kind)
            departures.append(
                Departure(
                    at: now, key: grant.key, urgency: grant.urgency, wireBytes: wire + budget.packetOverhead,
                    since: since, newest: wish.at))
            openCounts.append(open.count)
        }
    }

    // MARK: Checks

    /// The most that left in any window, above rate × length + allowance; 0 or less when the budget was kept.
    static func excess(_ sizes: [(at: Instant, size: Double)], rate: Double, allowance: Double) -> Double {
        var worst = -Double.infinity
        for first in sizes.indices {
            var sum = 0.0
            for last in first..<sizes.count {
                sum += sizes[last].size
                worst = max(worst, sum - rate * (sizes[last].at - sizes[first].at).inSeconds - allowance)
            }
        }
        return worst
    }

    var byteExcess: Double {
        let largest = departures.map(\.wireBytes).max() ?? 0
        return Self.excess(
            departures.map { ($0.at, Double($0.wireBytes)) }, rate: Double(budget.byteRate),
            allowance: Double(max(budget.burst, largest)))
    }

    var packetExcess: Double {
        Self.excess(departures.map { ($0.at, 1) }, rate: budget.packetRate, allowance: Double(budget.packetBurst))
    }
}
