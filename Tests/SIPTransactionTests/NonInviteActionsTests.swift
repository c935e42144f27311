import LinkProfiles
import SIPCore
import Testing

@testable import SIPTransaction

@Suite("Actions for non-INVITE transactions, RFC 4320 section 4")
struct NonInviteActionsTests {
    let bench = Bench()

    private func open(isReliable: Bool = false, _ profile: LinkProfile = Bench.lan) throws {
        bench.layer.openServer(
            Bench.id(1), isInvite: false, isReliable: isReliable, timers: try bench.timers(profile), user: 4,
            at: bench.now)
    }

    private func respond(_ status: UInt16, tail: [UInt8] = []) -> Bool {
        bench.layer.respond(Bench.id(1), status: status, tail: tail, at: bench.now)
    }

    @Test(arguments: [false, true], [101 as UInt16, 180, 182, 183, 199])
    func noProvisionalOtherThan100(isReliable: Bool, status: UInt16) throws {
        try open(isReliable: isReliable)
        #expect(!respond(status))
        bench.run(until: 4_000)
        #expect(!respond(status))
        #expect(respond(100))
        #expect(!respond(status))
        #expect(respond(200))
    }

    @Test func no100BeforeTimerEReachesT2OnUnreliableTransports() throws {
        try open()
        bench.run(until: 3_499)
        #expect(!respond(100))
        #expect(bench.layer.requestArrived(Bench.id(1), isAck: false, at: bench.now) == .absorbed)
        bench.run(until: 3_500)
        #expect(bench.times(of: "trying due") == [3_500])
        #expect(respond(100))
        let again = bench.layer.requestArrived(Bench.id(1), isAck: false, at: bench.now)
        #expect(again == .resend(status: 100, tail: []))
    }

    @Test func onHFRadioThe100WaitsForItsT2() throws {
        try open(Bench.hfRadio)
        bench.run(until: 44_999)
        #expect(!respond(100))
        bench.run(until: 45_000)
        #expect(respond(100))
    }

    @Test func early100OnReliableTransports() throws {
        try open(isReliable: true)
        #expect(respond(100))
        bench.run(until: 31_999)
        #expect(bench.record.isEmpty)
        bench.run(until: 32_000)
        #expect(bench.record == [Bench.Due(at: 32_000, what: "unanswered")])
    }

    @Test func a100IsNotAskedForOnceAnswered() throws {
        try open()
        bench.run(until: 3_400)
        #expect(respond(202))
        bench.run(until: 100_000)
        #expect(bench.record.isEmpty)
    }

    @Test func no408() throws {
        try open()
        #expect(!respond(408))
        bench.run(until: 31_999)
        #expect(bench.layer.requestArrived(Bench.id(1), isAck: false, at: bench.now) == .absorbed)
        #expect(!respond(200))
        #expect(bench.layer.responseFailed(Bench.id(1)) == nil)
        bench.run(until: 32_000)
        #expect(bench.layer.serverCount == 0)
        #expect(bench.record.isEmpty)
    }

    @Test func no408OnReliableTransports() throws {
        try open(isReliable: true)
        #expect(!respond(408))
        #expect(bench.layer.serverCount == 0)
    }

    @Test func a408AfterThe100EndsItsRetransmission() throws {
        try open()
        bench.run(until: 4_000)
        #expect(respond(100, tail: [1]))
        #expect(!respond(408))
        #expect(bench.layer.requestArrived(Bench.id(1), isAck: false, at: bench.now) == .absorbed)
    }

    @Test func nothingIsSentOnceTheClientHasGivenUp() throws {
        try open()
        bench.run(until: 4_000)
        #expect(respond(100))
        bench.run(until: 32_000)
        #expect(bench.times(of: "unanswered") == [32_000])
        #expect(!respond(200))
        #expect(bench.layer.user(ofServer: Bench.id(1)) == nil)
    }

    @Test func onlyTheFirstFinalResponseIsSent() throws {
        try open()
        #expect(respond(486, tail: [1]))
        #expect(!respond(200, tail: [2]))
        #expect(!respond(100, tail: [3]))
        #expect(!respond(408, tail: [4]))
        let again = bench.layer.requestArrived(Bench.id(1), isAck: false, at: bench.now)
        #expect(again == .resend(status: 486, tail: [1]))
    }

    @Test func noStrayResponses() {
        #expect(!respond(200))
        #expect(bench.layer.responseArrived(Bench.id(1), status: 200, at: bench.now) == .unknown)
    }

    @Test func aTailReplacesTheOneBefore() throws {
        try open()
        bench.run(until: 3_500)
        #expect(respond(100, tail: [1]))
        #expect(respond(100, tail: [2, 2]))
        #expect(respond(200, tail: [3, 3, 3]))
        #expect(bench.layer.tails.count == 1)
        let again = bench.layer.requestArrived(Bench.id(1), isAck: false, at: bench.now)
        #expect(again == .resend(status: 200, tail: [3, 3, 3]))
        bench.run(until: 100_000)
        #expect(bench.layer.tails.count == 0)
    }
}
