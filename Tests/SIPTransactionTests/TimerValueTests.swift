import LinkProfiles
import SIPCore
import Testing

@testable import SIPTransaction

@Suite("Timer values, RFC 3261 table 4")
struct TimerValueTests {
    private func openClient(_ bench: Bench, _ profile: LinkProfile, isInvite: Bool, isReliable: Bool) throws {
        bench.layer.openClient(
            Bench.id(1), isInvite: isInvite, isReliable: isReliable, timers: try bench.timers(profile),
            request: [1, 2, 3], destination: Bench.destination, user: 9, reportsEnd: true, at: bench.now)
    }

    private func openServer(_ bench: Bench, _ profile: LinkProfile, isInvite: Bool, isReliable: Bool) throws {
        bench.layer.openServer(
            Bench.id(1), isInvite: isInvite, isReliable: isReliable, timers: try bench.timers(profile), user: 9,
            reportsEnd: true, at: bench.now)
    }

    // MARK: Timers E, F and K

    @Test func timerEAndF() throws {
        let bench = Bench()
        try openClient(bench, Bench.lan, isInvite: false, isReliable: false)
        bench.run(until: 60_000)
        let sent: [Int64] = [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]
        #expect(bench.times(of: "retransmit") == sent)
        #expect(bench.times(of: "timed out") == [32_000])
        #expect(bench.layer.clientCount == 0)
        #expect(bench.layer.nextDeadline == nil)
    }

    @Test func timerEOnHFRadio() throws {
        let bench = Bench()
        try openClient(bench, Bench.hfRadio, isInvite: false, isReliable: false)
        bench.run(until: 2_000_000)
        let sent: [Int64] = [15_000, 45_000] + (0..<15).map { 105_000 + $0 * 60_000 }
        #expect(bench.times(of: "retransmit") == sent)
        #expect(bench.times(of: "timed out") == [960_000])
    }

    @Test func timerEIsT2WhileProceeding() throws {
        let bench = Bench()
        try openClient(bench, Bench.lan, isInvite: false, isReliable: false)
        bench.run(until: 600)
        #expect(bench.layer.responseArrived(Bench.id(1), status: 100, at: bench.now) == .pass(user: 9))
        bench.run(until: 60_000)
        let sent: [Int64] = [500, 1_500, 5_500, 9_500, 13_500, 17_500, 21_500, 25_500, 29_500]
        #expect(bench.times(of: "retransmit") == sent)
        #expect(bench.times(of: "timed out") == [32_000])
    }

    @Test func timerFOnly() throws {
        let bench = Bench()
        try openClient(bench, Bench.lan, isInvite: false, isReliable: true)
        bench.run(until: 60_000)
        #expect(bench.record == [Bench.Due(at: 32_000, what: "timed out")])
    }

    @Test func timerK() throws {
        let bench = Bench()
        try openClient(bench, Bench.lan, isInvite: false, isReliable: false)
        bench.run(until: 100)
        #expect(bench.layer.responseArrived(Bench.id(1), status: 200, at: bench.now) == .pass(user: 9))
        bench.run(until: 5_000)
        #expect(bench.layer.responseArrived(Bench.id(1), status: 200, at: bench.now) == .absorbed)
        bench.run(until: 60_000)
        #expect(bench.record == [Bench.Due(at: 5_100, what: "ended")])
        #expect(bench.layer.responseArrived(Bench.id(1), status: 200, at: bench.now) == .unknown)
    }

    @Test func timerKIsZeroOnReliableTransports() throws {
        let bench = Bench()
        try openClient(bench, Bench.lan, isInvite: false, isReliable: true)
        #expect(bench.layer.responseArrived(Bench.id(1), status: 503, at: bench.now) == .pass(user: 9))
        #expect(bench.layer.clientCount == 0)
        #expect(bench.layer.responseArrived(Bench.id(1), status: 503, at: bench.now) == .unknown)
    }

    // MARK: Timers A, B, D and M

    @Test func timerAAndB() throws {
        let bench = Bench()
        try openClient(bench, Bench.lan, isInvite: true, isReliable: false)
        bench.run(until: 60_000)
        #expect(bench.times(of: "retransmit") == [500, 1_500, 3_500, 7_500, 15_500, 31_500])
        #expect(bench.times(of: "timed out") == [32_000])
    }

    @Test func timerBOnly() throws {
        let bench = Bench()
        try openClient(bench, Bench.hfRadio, isInvite: true, isReliable: true)
        bench.run(until: 2_000_000)
        #expect(bench.record == [Bench.Due(at: 960_000, what: "timed out")])
    }

    @Test func nothingRunsWhileAnInviteIsProceeding() throws {
        let bench = Bench()
        try openClient(bench, Bench.lan, isInvite: true, isReliable: false)
        #expect(bench.layer.responseArrived(Bench.id(1), status: 180, at: bench.now) == .pass(user: 9))
        bench.run(until: 1_000_000)
        #expect(bench.record.isEmpty)
        #expect(bench.layer.clientCount == 1)
    }

    /// 64*T1, but never less than 32 s.
    @Test(arguments: [(250 as Int64, 32_000 as Int64), (500, 32_000), (1_000, 64_000)])
    func timerD(t1: Int64, expected: Int64) throws {
        let bench = Bench()
        var profile = Bench.lan
        profile.t1 = .milliseconds(t1)
        try openClient(bench, profile, isInvite: true, isReliable: false)
        _ = bench.layer.responseArrived(Bench.id(1), status: 486, at: bench.now)
        bench.run(until: 1_000_000)
        #expect(bench.record == [Bench.Due(at: expected, what: "ended")])
    }

    @Test func timerDIsZeroOnReliableTransports() throws {
        let bench = Bench()
        try openClient(bench, Bench.lan, isInvite: true, isReliable: true)
        let response = bench.layer.responseArrived(Bench.id(1), status: 486, at: bench.now)
        #expect(response == .passAndAcknowledge(user: 9, destination: Bench.destination))
        #expect(bench.layer.clientCount == 0)
    }

    @Test(arguments: [false, true])
    func timerM(isReliable: Bool) throws {
        let bench = Bench()
        try openClient(bench, Bench.lan, isInvite: true, isReliable: isReliable)
        _ = bench.layer.responseArrived(Bench.id(1), status: 200, at: bench.now)
        bench.run(until: 60_000)
        #expect(bench.record == [Bench.Due(at: 32_000, what: "ended")])
    }

    // MARK: Timers J and the delays before an answer

    @Test func timerJ() throws {
        let bench = Bench()
        try openServer(bench, Bench.lan, isInvite: false, isReliable: false)
        #expect(bench.layer.respond(Bench.id(1), status: 202, tail: [7], at: bench.now))
        bench.run(until: 31_999)
        let again = bench.layer.requestArrived(Bench.id(1), isAck: false, at: bench.now)
        #expect(again == .resend(status: 202, tail: [7]))
        bench.run(until: 60_000)
        #expect(bench.record == [Bench.Due(at: 32_000, what: "ended")])
        #expect(bench.layer.requestArrived(Bench.id(1), isAck: false, at: bench.now) == .new)
    }

    @Test func timerJIsZeroOnReliableTransports() throws {
        let bench = Bench()
        try openServer(bench, Bench.lan, isInvite: false, isReliable: true)
        #expect(bench.layer.respond(Bench.id(1), status: 202, tail: [7], at: bench.now))
        #expect(bench.layer.serverCount == 0)
        #expect(bench.layer.requestArrived(Bench.id(1), isAck: false, at: bench.now) == .new)
    }

    @Test(arguments: [false, true])
    func hundredIsDueWhenTimerEReachesT2(isReliable: Bool) throws {
        let bench = Bench()
        try openServer(bench, Bench.lan, isInvite: false, isReliable: isReliable)
        bench.run(until: 60_000)
        let expected = [Bench.Due(at: 3_500, what: "trying due"), Bench.Due(at: 32_000, what: "unanswered")]
        #expect(bench.record == expected)
        #expect(bench.layer.serverCount == 0)
    }

    @Test(arguments: [
        (500 as Int64, 4_000 as Int64, 3_500 as Int64), (15_000, 60_000, 45_000), (500, 500, 500), (500, 100, 500),
        (500, 1_000, 500), (500, 3_000, 3_500), (1_000, 4_000, 3_000),
    ])
    func tryingDelay(t1: Int64, t2: Int64, expected: Int64) {
        let timers = TransactionTimers(t1: t1 * 1_000, t2: t2 * 1_000, t4: 5_000_000, lifetime: 64 * t1 * 1_000)
        #expect(TimerSchedules.tryingDelay(timers) == expected * 1_000)
    }

    @Test func inviteIsDueAHundredAfter200Milliseconds() throws {
        let bench = Bench()
        try openServer(bench, Bench.lan, isInvite: true, isReliable: true)
        bench.run(until: 100_000)
        #expect(bench.record == [Bench.Due(at: 200, what: "trying due")])
        #expect(bench.layer.serverCount == 1)
    }

    // MARK: Timers G, H, I and L

    @Test func timerGAndH() throws {
        let bench = Bench()
        try openServer(bench, Bench.lan, isInvite: true, isReliable: false)
        #expect(bench.layer.respond(Bench.id(1), status: 486, tail: [1], at: bench.now))
        bench.run(until: 60_000)
        let sent: [Int64] = [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]
        #expect(bench.times(of: "resend") == sent)
        #expect(bench.times(of: "no ACK") == [32_000])
        #expect(bench.layer.serverCount == 0)
    }

    @Test func timerHOnly() throws {
        let bench = Bench()
        try openServer(bench, Bench.hfRadio, isInvite: true, isReliable: true)
        #expect(bench.layer.respond(Bench.id(1), status: 486, tail: [1], at: bench.now))
        bench.run(until: 2_000_000)
        #expect(bench.record == [Bench.Due(at: 960_000, what: "no ACK")])
    }

    @Test func timerI() throws {
        let bench = Bench()
        try openServer(bench, Bench.lan, isInvite: true, isReliable: false)
        #expect(bench.layer.respond(Bench.id(1), status: 486, tail: [], at: bench.now))
        bench.run(until: 100)
        #expect(bench.layer.requestArrived(Bench.id(1), isAck: true, at: bench.now) == .confirmed(user: 9))
        #expect(bench.layer.requestArrived(Bench.id(1), isAck: true, at: bench.now) == .absorbed)
        #expect(bench.layer.requestArrived(Bench.id(1), isAck: false, at: bench.now) == .absorbed)
        bench.run(until: 60_000)
        #expect(bench.record == [Bench.Due(at: 5_100, what: "ended")])
    }

    @Test func timerIIsZeroOnReliableTransports() throws {
        let bench = Bench()
        try openServer(bench, Bench.lan, isInvite: true, isReliable: true)
        #expect(bench.layer.respond(Bench.id(1), status: 486, tail: [], at: bench.now))
        #expect(bench.layer.requestArrived(Bench.id(1), isAck: true, at: bench.now) == .confirmed(user: 9))
        #expect(bench.layer.serverCount == 0)
    }

    @Test(arguments: [false, true])
    func timerL(isReliable: Bool) throws {
        let bench = Bench()
        try openServer(bench, Bench.lan, isInvite: true, isReliable: isReliable)
        #expect(bench.layer.respond(Bench.id(1), status: 200, tail: [], at: bench.now))
        bench.run(until: 60_000)
        #expect(bench.record == [Bench.Due(at: 32_000, what: "ended")])
    }

    // MARK: Profiles side by side

    @Test func profilesDoNotDisturbEachOther() throws {
        let bench = Bench()
        let (lan, hf) = (try bench.timers(Bench.lan), try bench.timers(Bench.hfRadio))
        #expect(try bench.timers(Bench.lan) == lan)
        #expect(lan != hf)
        for (n, timers) in [(1 as UInt64, lan), (2, hf), (3, lan)] {
            bench.layer.openServer(Bench.id(n), isInvite: false, isReliable: false, timers: timers, at: bench.now)
            #expect(bench.layer.respond(Bench.id(n), status: 200, tail: [], at: bench.now))
        }
        bench.run(until: 31_999)
        #expect(bench.layer.serverCount == 3)
        bench.run(until: 32_000)
        #expect(bench.layer.serverCount == 1)
        bench.run(until: 960_000)
        #expect(bench.layer.serverCount == 0)
    }

    @Test func aFullLayerRefusesMoreTimers() {
        let layer = TransactionLayer()
        for t1 in 1...255 {
            #expect(layer.register(TransactionTimers(t1: Int64(t1) * 1_000, t2: 4, t4: 5, lifetime: 6)) != nil)
        }
        #expect(layer.register(TransactionTimers(t1: 7, t2: 4, t4: 5, lifetime: 6)) == nil)
        #expect(layer.register(TransactionTimers(t1: 9_000, t2: 4, t4: 5, lifetime: 6)) != nil)
    }
}
