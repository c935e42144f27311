import LinkProfiles
import Policy
import SIPCore
import Testing

@Suite struct FloodGuardTests {
    let start = Instant(microseconds: 1_800_000_000_000_000)
    let source = IPAddress(v4: 0xC000_0201)

    private func guardian(
        _ source: RateLimit, identity: RateLimit = .none, exempt: [NetworkPrefix] = [], entries: Int = 1_024
    ) -> FloodGuard {
        FloodGuard(source: source, identity: identity, exempt: exempt, entries: entries, key: 42)
    }

    @Test func withoutLimitsEverythingIsAdmitted() {
        var flood = guardian(.none)
        for _ in 0..<10_000 { #expect(flood.receive(from: source, at: start) == .admit) }
        #expect(flood.receive(identity: 7, at: start) == .admit)
    }

    @Test func admitsTheBurstThenAnswersThenDrops() {
        var flood = guardian(RateLimit(perSecond: 10, burst: 20))
        var decisions: [FloodDecision] = []
        for _ in 0..<100 { decisions.append(flood.receive(from: source, at: start)) }
        #expect(decisions.prefix(20).allSatisfy { $0 == .admit })
        #expect(decisions[20..<30].allSatisfy { $0 == .answer(503, retryAfter: 1) })
        #expect(decisions[30...].allSatisfy { $0 == .drop })
        #expect(flood.sourceCounters.admitted == 20)
        #expect(flood.sourceCounters.answered == 10)
        #expect(flood.sourceCounters.dropped == 70)
    }

    @Test func holdsTheRateOverTime() {
        var flood = guardian(RateLimit(perSecond: 100, burst: 10))
        var admitted = 0
        for step in 0..<10_000 where flood.receive(from: source, at: start + .milliseconds(Int64(step))) == .admit {
            admitted += 1
        }
        #expect(admitted >= 1_000 && admitted <= 1_011)
    }

    @Test func aSourceThatKeepsItsRateIsNeverRefused() {
        var flood = guardian(RateLimit(perSecond: 50, burst: 5))
        for step in 0..<1_000 {
            #expect(flood.receive(from: source, at: start + .milliseconds(Int64(step) * 20)) == .admit)
        }
    }

    @Test func sourcesDoNotShareABucket() {
        var flood = guardian(RateLimit(perSecond: 1, burst: 1))
        for n in 0..<500 { #expect(flood.receive(from: IPAddress(v4: UInt32(n) + 0x0A00_0000), at: start) == .admit) }
    }

    @Test func anIPv6SourceIsItsNetwork() {
        var flood = guardian(RateLimit(perSecond: 1, burst: 2))
        let network: UInt64 = 0x2001_0DB8_0000_0001
        #expect(flood.receive(from: IPAddress(high: network, low: 1), at: start) == .admit)
        #expect(flood.receive(from: IPAddress(high: network, low: 2), at: start) == .admit)
        #expect(flood.receive(from: IPAddress(high: network, low: 3), at: start) != .admit)
        #expect(flood.receive(from: IPAddress(high: network + 1, low: 3), at: start) == .admit)
    }

    @Test func exemptNetworksAreNotCounted() throws {
        var flood = guardian(RateLimit(perSecond: 1, burst: 1), exempt: [try #require(NetworkPrefix("192.0.2.0/24"))])
        for _ in 0..<1_000 { #expect(flood.receive(from: source, at: start) == .admit) }
        #expect(flood.receive(from: IPAddress(v4: 0xC633_6401), at: start) == .admit)
        #expect(flood.receive(from: IPAddress(v4: 0xC633_6401), at: start) != .admit)
    }

    @Test func countsIdentitiesApartFromSources() {
        var flood = guardian(RateLimit(perSecond: 1_000), identity: RateLimit(perSecond: 2, burst: 2))
        #expect(flood.receive(identity: 1, at: start) == .admit)
        #expect(flood.receive(identity: 1, at: start) == .admit)
        #expect(flood.receive(identity: 1, at: start) == .answer(503, retryAfter: 1))
        #expect(flood.receive(identity: 2, at: start) == .admit)
        #expect(flood.identityCounters.admitted == 3)
        #expect(flood.sourceCounters.admitted == 0)
    }

    @Test func moreSourcesThanPlacesDisplaceTheLeastActive() {
        var flood = guardian(RateLimit(perSecond: 1, burst: 4), entries: 64)
        for n in 0..<10_000 { #expect(flood.receive(from: IPAddress(v4: UInt32(n)), at: start) == .admit) }
        #expect(flood.sourceCounters.displaced > 9_000)
    }

    @Test func tellsHowLongToWait() {
        var flood = guardian(RateLimit(perSecond: 1, burst: 1))
        #expect(flood.receive(from: source, at: start) == .admit)
        guard case .answer(503, let wait) = flood.receive(from: source, at: start) else {
            Issue.record("expected an answer")
            return
        }
        #expect(flood.receive(from: source, at: start + .seconds(Int64(wait))) == .admit)
    }
}
