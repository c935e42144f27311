import LinkProfiles
import Testing

@testable import Simulation

@Suite struct LinkTests {
    static let start = Instant(microseconds: 1_000_000)

    @Test func aPerfectLinkDelaysAndNothingElse() {
        var link = SimulatedLink(
            conditions: LinkConditions(delay: .milliseconds(20)), random: SimulationRandom(seed: 1))
        for n in 0..<100 {
            let at = Self.start + .milliseconds(Int64(n))
            #expect(link.carry(bytes: 500, at: at) == [at + .milliseconds(20)])
        }
        #expect(link.lost == 0)
        #expect(link.bytesCarried == 100 * 528)
    }

    @Test func lossAndDuplicationComeInTheSharesAskedFor() {
        var link = SimulatedLink(
            conditions: LinkConditions(loss: 0.2, duplication: 0.1), random: SimulationRandom(seed: 2))
        let counts = (0..<20_000).map { _ in link.carry(bytes: 100, at: Self.start).count }
        let lost = counts.count { $0 == 0 }
        let twice = counts.count { $0 == 2 }
        #expect((3_800...4_200).contains(lost))
        #expect((1_450...1_750).contains(twice))
    }

    @Test func aRateMakesAQueueAndALimitDropsFromIt() {
        var link = SimulatedLink(
            conditions: LinkConditions(delay: .zero, bytesPerSecond: 1_000, queueLimit: .seconds(2 as Int64)),
            random: SimulationRandom(seed: 3))
        let arrivals = (0..<5).map { _ in link.carry(bytes: 972, at: Self.start).first }
        #expect(arrivals[0] == Self.start + .seconds(1 as Int64))
        #expect(arrivals[1] == Self.start + .seconds(2 as Int64))
        #expect(arrivals[2] == Self.start + .seconds(3 as Int64))
        #expect(arrivals[3] == nil)
        #expect(arrivals[4] == nil)
    }

    @Test func reorderingLetsLaterDatagramsOvertake() {
        var link = SimulatedLink(
            conditions: LinkConditions(reordering: 0.3, reorderDelay: .milliseconds(500), delay: .milliseconds(10)),
            random: SimulationRandom(seed: 4))
        let arrivals = (0..<200).compactMap { link.carry(bytes: 100, at: Self.start + .milliseconds($0)).first }
        #expect(arrivals.count == 200)
        #expect(zip(arrivals, arrivals.dropFirst()).contains { $0 > $1 })
    }

    @Test func anOutageLosesDatagramsAndDelaysConnections() {
        var link = SimulatedLink(conditions: LinkConditions(delay: .milliseconds(5)), random: SimulationRandom(seed: 5))
        link.downUntil = Self.start + .seconds(10 as Int64)
        #expect(link.carry(bytes: 100, at: Self.start) == [])
        let late = link.carryReliably(bytes: 100, at: Self.start, patience: .seconds(60 as Int64))
        #expect(late == Self.start + .seconds(10 as Int64) + .milliseconds(5))
        #expect(link.carryReliably(bytes: 100, at: Self.start, patience: .seconds(1 as Int64)) == nil)
    }

    @Test func aConnectionKeepsOrderWhateverIsLost() {
        var link = SimulatedLink(
            conditions: LinkConditions(loss: 0.4, delay: .milliseconds(50), jitter: .milliseconds(400)),
            random: SimulationRandom(seed: 6))
        var last = Self.start
        for n in 0..<500 {
            let arrival = link.carryReliably(
                bytes: 200, at: Self.start + .milliseconds(Int64(n)), patience: .seconds(60 as Int64))
            #expect(arrival.map { $0 >= last } ?? false)
            last = arrival ?? last
        }
    }

    @Test func randomNumbersAreThoseOfSplitMix64() {
        var random = SimulationRandom(seed: 1_234_567)
        #expect(
            [random.next(), random.next(), random.next()] == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            ])
        var dice = SimulationRandom(seed: 9)
        let faces = Set((0..<1_000).map { _ in dice.within(-2...3) })
        #expect(faces == [-2, -1, 0, 1, 2, 3])
    }
}
