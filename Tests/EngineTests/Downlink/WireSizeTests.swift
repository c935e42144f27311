import LinkProfiles
import Simulation
import Testing

@testable import Engine

@Suite("Sizes on the wire")
struct WireSizeTests {
    @Test func withoutReportsAMessageIsItsPlainSize() {
        #expect(WireSize().estimate(plain: 1_000, .message) == 1_000)
    }

    @Test func estimatesFollowTheReportsOfTheirKind() {
        var size = WireSize()
        for _ in 0..<40 { size.learn(plain: 1_000, wire: 100, .notification) }
        #expect((90...130).contains(size.estimate(plain: 1_000, .notification)))
        #expect(size.estimate(plain: 1_000, .message) == 1_000)
        for _ in 0..<40 { size.learn(plain: 1_000, wire: 1_000, .notification) }
        #expect(size.estimate(plain: 1_000, .notification) > 900)
    }

    @Test(arguments: [(0, 10), (10, 0), (1, 100_000), (100, Int.max)])
    func absurdReportsDoNoHarm(plain: Int, wire: Int) {
        var size = WireSize()
        size.learn(plain: plain, wire: min(wire, Int.max / 2_048), .answer)
        #expect((0...500).contains(size.estimate(plain: 500, .answer)))
    }

    /// What was reckoned too high or too low is settled by the report: the link is busy for the true size.
    @Test(arguments: [10, 300, 2_000])
    func reportsSettleTheAccount(wire: Int) {
        var budget = LinkBudget()
        budget.byteRate = 100
        budget.packetOverhead = 0
        var meter = LinkMeter(budget, largestPacket: 300, at: DownlinkRun.start)
        meter.take(300, at: DownlinkRun.start)
        meter.correct(reckoned: 300, actual: wire)
        #expect(meter.freeAt == DownlinkRun.start + .seconds(Double(wire) / 100))
        #expect(meter.restedAt == meter.freeAt)
    }
}
