import LinkProfiles
import Simulation
import Testing

@testable import Engine

/// What the scheduler lets go, on a simulated link that needs its time for every byte: 2400 bit/s, saturated by presence.
@Suite("A slow link saturated by presence")
struct SlowLinkTests {
    typealias Of = DownlinkSchedulerTests

    /// SIP and UDP/IP bytes of a NOTIFY with a difference, and of a short MESSAGE.
    static let notification = 420
    static let message = 500
    static let overhead = 28

    private static func link() -> SimulatedLink {
        SimulatedLink(
            conditions: LinkConditions(delay: .milliseconds(700), bytesPerSecond: 300),
            random: SimulationRandom(seed: 1))
    }

    /// Arrivals of everything that left, in order.
    private static func carried(_ run: DownlinkRun, over link: inout SimulatedLink) -> [(DownlinkKey, Instant)] {
        run.departures.compactMap { departure in
            link.carry(bytes: departure.wireBytes - overhead, at: departure.at).first.map { (departure.key, $0) }
        }
    }

    /// Twice as many changes as the link bears, of 50 contacts; a message every 40 s on average.
    private static func saturated(_ random: inout SimulationRandom) -> [DownlinkRun.Wish] {
        var wishes: [DownlinkRun.Wish] = []
        for number in 0..<1_500 {
            let time = DownlinkRun.start + .microseconds(random.within(0...1_000_000_000))
            let isMessage = number % 60 == 0
            wishes.append(
                DownlinkRun.Wish(
                    at: time, key: isMessage ? Of.message(UInt32(number)) : Of.notification(UInt32(random.below(50))),
                    urgency: isMessage ? .normal : random.chance(0.2) ? .arrival : .change,
                    bytes: isMessage ? message : notification - random.below(100)))
        }
        return wishes.sorted { $0.at < $1.at }
    }

    @Test(arguments: 0..<10)
    func aMessageArrivesAfterItsOwnTimeAndOnePacket(seed: UInt64) throws {
        var random = SimulationRandom(seed: seed)
        var budget = LinkBudget()
        budget.byteRate = 300
        let wishes = Self.saturated(&random)
        var run = DownlinkRun(budget)
        run.play(wishes)
        var link = Self.link()
        let arrivals = Self.carried(run, over: &link)
        #expect(arrivals.count == run.departures.count)
        let packet = budget.airtime(bytes: Self.notification + Self.overhead)
        let own = budget.airtime(bytes: Self.message + Self.overhead)
        var ahead = DownlinkRun.start
        for wish in wishes where !wish.urgency.isNotification {
            let arrived = try #require(arrivals.first { $0.0 == wish.key }).1
            // Messages that came shortly before go first.
            let begin = max(wish.at + packet, ahead)
            #expect(arrived <= begin + own + .milliseconds(700) + .milliseconds(1))
            ahead = max(ahead, arrived - .milliseconds(700))
        }
        #expect(run.byteExcess <= 1e-3)
        #expect(run.waitingCount == 0)
    }

    /// The link never has more than one packet to serialise: nothing piles up where it could not be overtaken.
    @Test func nothingPilesUpInTheModem() {
        var random = SimulationRandom(seed: 99)
        var budget = LinkBudget()
        budget.byteRate = 300
        var run = DownlinkRun(budget)
        run.play(Self.saturated(&random))
        var link = Self.link()
        for departure in run.departures {
            let arrival = link.carry(bytes: departure.wireBytes - Self.overhead, at: departure.at).first
            let own = budget.airtime(bytes: departure.wireBytes)
            #expect(arrival.map { $0 - departure.at <= own + .milliseconds(701) } == true)
        }
    }
}
