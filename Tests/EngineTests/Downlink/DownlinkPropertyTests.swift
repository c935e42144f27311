import LinkProfiles
import SIPTransaction
import Simulation
import Testing

@testable import Engine

/// Random arrivals on random links, from a seed.
@Suite("Downlink properties")
struct DownlinkPropertyTests {
    private static func budget(_ random: inout SimulationRandom) -> LinkBudget {
        var budget = LinkBudget()
        budget.byteRate = [75, 300, 2_000, 8_000][random.below(4)]
        budget.burst = [0, 1_000, 4_096][random.below(3)]
        budget.packetOverhead = [0, 28, 48][random.below(3)]
        if random.chance(0.4) {
            budget.packetRate = [0.5, 3, 20][random.below(3)]
            budget.packetBurst = 1 + random.below(5)
        }
        if random.chance(0.5) { budget.outstanding = 1 + random.below(6) }
        if random.chance(0.3), let period = DayPeriod(["22:00-06:00", "08:05-08:20"][random.below(2)]) {
            budget.quietHours = [period]
        }
        if random.chance(0.3) {
            budget.listensEvery = .seconds(300 as Int64)
            budget.listensFor = .seconds(random.within(5...200))
            budget.listensAt = .seconds(random.within(0...300))
        }
        if random.chance(0.5) { budget.awake = .seconds(random.within(1...30)) }
        if budget.awake > .zero { budget.bundling = .seconds(random.within(0...60)) }
        return budget
    }

    private static func wishes(_ count: Int, _ random: inout SimulationRandom) -> [DownlinkRun.Wish] {
        var time = DownlinkRun.start
        let gap = random.within(1_000...4_000_000)
        return (0..<count).map { number in
            if random.chance(0.7) { time = time + .microseconds(random.within(0...gap)) }
            let urgency: DownlinkUrgency =
                random.chance(0.6)
                ? (random.chance(0.3) ? .arrival : .change)
                : DownlinkUrgency.allCases[random.below(5)]
            let key: DownlinkKey =
                switch urgency {
                case .answer: DownlinkSchedulerTests.response(UInt64(number))
                case .arrival, .change: DownlinkSchedulerTests.notification(UInt32(random.below(40)))
                default:
                    random.chance(0.2)
                        ? DownlinkSchedulerTests.again(UInt64(number)) : DownlinkSchedulerTests.message(UInt32(number))
                }
            return DownlinkRun.Wish(
                at: time, key: key, urgency: urgency, bytes: 1 + random.below(1_300),
                ratio: random.chance(0.5) ? 1 : 0.05 + 0.95 * random.fraction(),
                answeredAfter: .microseconds(random.within(0...20_000_000)))
        }
    }

    /// Rates, places and windows hold; everything leaves, the newest state with it; the clock always moves on.
    @Test(arguments: 0..<60)
    func budgetsHoldAndEverythingLeaves(seed: UInt64) {
        var random = SimulationRandom(seed: seed)
        let budget = Self.budget(&random)
        let wishes = Self.wishes(300, &random)
        var run = DownlinkRun(budget)
        run.play(wishes)
        #expect(run.waitingCount == 0)
        #expect(run.longestIdling <= 3)
        #expect(run.byteExcess <= 1e-3)
        if budget.packetRate > 0 { #expect(run.packetExcess <= 1e-3) }
        if budget.outstanding > 0 {
            let opening = zip(run.departures, run.openCounts).filter { $0.0.key.opensTransaction }
            #expect(opening.allSatisfy { $0.1 <= budget.outstanding })
            if budget.outstanding > 1 {
                #expect(opening.allSatisfy { !$0.0.urgency.isNotification || $0.1 < budget.outstanding })
            }
        }
        for departure in run.departures where !departure.urgency.passesQuietHours {
            #expect(budget.quietEnds(at: departure.at) == departure.at)
        }
        if budget.listensEvery > .zero, budget.awake == .zero {
            for departure in run.departures where departure.urgency > .answer {
                #expect(budget.listens(at: departure.at) == departure.at)
            }
        }
        expectTheNewest(wishes, run)
    }

    /// Each key that was wanted left, the last time with the newest wish, and never with one that had been overtaken.
    private func expectTheNewest(_ wishes: [DownlinkRun.Wish], _ run: DownlinkRun) {
        var times: [DownlinkKey: [Instant]] = [:]
        for wish in wishes { times[wish.key, default: []].append(wish.at) }
        var last: [DownlinkKey: Instant] = [:]
        for departure in run.departures {
            let newest = times[departure.key]?.last { $0 <= departure.at }
            #expect(departure.newest == newest)
            last[departure.key] = departure.newest
        }
        #expect(last.count == times.count)
        for (key, all) in times { #expect(last[key] == all.last) }
    }

    /// On a saturated link without windows each subscription has its turn before any other of its urgency has two.
    @Test(arguments: 0..<20)
    func newestStateIsOneRoundLateAtMost(seed: UInt64) {
        var random = SimulationRandom(seed: seed &+ 1_000)
        var budget = LinkBudget()
        budget.byteRate = 300
        let subscriptions = 5 + random.below(40)
        var time = DownlinkRun.start
        let wishes = (0..<1_500).map { _ in
            time = time + .microseconds(random.within(0...400_000))
            return DownlinkRun.Wish(
                at: time, key: DownlinkSchedulerTests.notification(UInt32(random.below(subscriptions))),
                urgency: .change, bytes: 200 + random.below(300))
        }
        var run = DownlinkRun(budget)
        run.play(wishes)
        let largest = budget.airtime(bytes: 500 + budget.packetOverhead)
        for departure in run.departures {
            #expect(departure.at - departure.since <= largest * Int64(subscriptions + 1))
        }
        #expect(run.waitingCount == 0 && run.byteExcess <= 1e-3)
    }

    /// Everything of every urgency at once, six times what the link bears: each urgency gets its part, the last two lines of the last
    /// group a ninth of a ninth, less what packets of different sizes take off it.
    @Test(arguments: 0..<10)
    func nobodyStarves(seed: UInt64) {
        var random = SimulationRandom(seed: seed &+ 2_000)
        var budget = LinkBudget()
        budget.byteRate = 1_000
        var wishes: [DownlinkRun.Wish] = []
        for number in 0..<4_000 {
            let urgency = DownlinkUrgency.allCases[number % DownlinkUrgency.allCases.count]
            let key: DownlinkKey =
                urgency.isNotification
                ? DownlinkSchedulerTests.notification(UInt32(number % 70))
                : DownlinkSchedulerTests.again(UInt64(number))
            wishes.append(
                DownlinkRun.Wish(
                    at: DownlinkRun.start + .milliseconds(Int64(number) * 50), key: key, urgency: urgency,
                    bytes: 100 + random.below(400)))
        }
        var run = DownlinkRun(budget)
        run.play(wishes, atMost: .seconds(200 as Int64))
        for urgency in DownlinkUrgency.allCases {
            let share = run.departures.filter { $0.urgency == urgency }.map(\.wireBytes).reduce(0, +)
            #expect(share > 200_000 / 81 / 3, "\(urgency) got \(share) bytes")
        }
    }
}
