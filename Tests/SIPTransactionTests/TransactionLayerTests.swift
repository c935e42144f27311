import LinkProfiles
import SIPCore
import Testing

@testable import SIPTransaction

@Suite("Transaction layer")
struct TransactionLayerTests {
    let bench = Bench()

    @discardableResult
    private func openClient(_ n: UInt64, isInvite: Bool = false, user: UInt32 = 1) throws -> Bool {
        bench.layer.openClient(
            Bench.id(n), isInvite: isInvite, isReliable: false, timers: try bench.timers(Bench.lan), request: [1, 2],
            destination: Bench.destination, user: user, reportsEnd: true, at: bench.now)
    }

    @discardableResult
    private func openServer(_ n: UInt64, isInvite: Bool = false, user: UInt32 = 2) throws -> Bool {
        bench.layer.openServer(
            Bench.id(n), isInvite: isInvite, isReliable: false, timers: try bench.timers(Bench.lan), user: user,
            at: bench.now)
    }

    @Test func aRecordIs48Bytes() {
        #expect(MemoryLayout<TransactionRecord>.stride == 48)
        #expect(MemoryLayout<TransactionMachine>.size == 1)
    }

    @Test func oneIDMayNameAClientAndAServerTransaction() throws {
        #expect(try openClient(1, user: 1))
        #expect(bench.layer.requestArrived(Bench.id(1), isAck: false, at: bench.now) == .new)
        #expect(try openServer(1, user: 2))
        #expect(bench.layer.user(ofServer: Bench.id(1)) == 2)
        #expect(bench.layer.respond(Bench.id(1), status: 200, tail: [], at: bench.now))
        #expect(bench.layer.responseArrived(Bench.id(1), status: 200, at: bench.now) == .pass(user: 1))
        #expect(bench.layer.serverCount == 1 && bench.layer.clientCount == 1)
        bench.run(until: 5_000)
        #expect(bench.layer.serverCount == 1 && bench.layer.clientCount == 0)
    }

    @Test func anIDIsTakenOnlyOnce() throws {
        #expect(try openServer(1, user: 7))
        #expect(try !openServer(1, user: 8))
        #expect(bench.layer.user(ofServer: Bench.id(1)) == 7)
        #expect(try openClient(1))
        #expect(try !openClient(1))
        #expect(bench.layer.clientCount == 1)
    }

    @Test func idsThatShareABucketAreToldApart() throws {
        let timers = try bench.timers(Bench.lan)
        for high in 0..<100 as Range<UInt64> {
            bench.layer.openServer(
                TransactionID(high: high, low: 77), isInvite: false, isReliable: false, timers: timers,
                user: UInt32(high), at: bench.now)
        }
        for high in 0..<100 as Range<UInt64> {
            #expect(bench.layer.user(ofServer: TransactionID(high: high, low: 77)) == UInt32(high))
        }
        #expect(bench.layer.user(ofServer: TransactionID(high: 100, low: 77)) == nil)
    }

    @Test func theContextMayChange() throws {
        try openServer(1, user: 7)
        bench.layer.setUser(0, ofServer: Bench.id(1))
        #expect(bench.layer.user(ofServer: Bench.id(1)) == 0)
        bench.layer.setUser(5, ofServer: Bench.id(2))
        #expect(bench.layer.user(ofServer: Bench.id(2)) == nil)
    }

    @Test func transportErrorEndsAClientTransaction() throws {
        for isInvite in [false, true] {
            try openClient(1, isInvite: isInvite, user: 3)
            #expect(bench.layer.transportFailed(Bench.id(1)) == 3)
            #expect(bench.layer.transportFailed(Bench.id(1)) == nil)
            #expect(bench.layer.clientCount == 0)
        }
        bench.run(until: 100_000)
        #expect(bench.record.isEmpty)
    }

    @Test func statusCodesBelow100AreNotResponses() throws {
        try openServer(1)
        try openClient(1)
        #expect(!bench.layer.respond(Bench.id(1), status: 0, tail: [], at: bench.now))
        #expect(bench.layer.responseArrived(Bench.id(1), status: 99, at: bench.now) == .unknown)
    }

    // MARK: Abandoning

    @Test func anAbandonedRequestIsNotSentAgain() throws {
        try openClient(1)
        bench.run(until: 600)
        #expect(bench.times(of: "retransmit") == [500])
        bench.layer.abandon(Bench.id(1), at: bench.now)
        bench.run(until: 31_000)
        #expect(bench.layer.responseArrived(Bench.id(1), status: 100, at: bench.now) == .absorbed)
        #expect(bench.layer.responseArrived(Bench.id(1), status: 200, at: bench.now) == .absorbed)
        bench.run(until: 100_000)
        #expect(bench.record.count == 1)
        #expect(bench.layer.clientCount == 0)
    }

    @Test func anAbandonedRequestTimesOutInSilence() throws {
        try openClient(1)
        bench.layer.abandon(Bench.id(1), at: bench.now)
        bench.run(until: 31_999)
        #expect(bench.layer.clientCount == 1)
        bench.run(until: 32_000)
        #expect(bench.layer.clientCount == 0)
        #expect(bench.record.isEmpty)
    }

    @Test func anAbandonedInviteIsStillAcknowledged() throws {
        try openClient(1, isInvite: true)
        #expect(bench.layer.responseArrived(Bench.id(1), status: 180, at: bench.now) == .pass(user: 1))
        bench.layer.abandon(Bench.id(1), at: bench.now)
        bench.run(until: 1_000)
        let response = bench.layer.responseArrived(Bench.id(1), status: 487, at: bench.now)
        #expect(response == .passAndAcknowledge(user: 0, destination: Bench.destination))
        bench.layer.acknowledged(Bench.id(1), ack: [8])
        let again = bench.layer.responseArrived(Bench.id(1), status: 487, at: bench.now)
        #expect(again == .acknowledgeAgain(ack: [8], destination: Bench.destination))
        bench.run(until: 100_000)
        #expect(bench.record.isEmpty)
        #expect(bench.layer.clientCount == 0)
    }

    /// RFC 3261 section 9.1: 64*T1 after the CANCEL the INVITE counts as cancelled.
    @Test func anAbandonedInviteThatRingsIsForgotten() throws {
        try openClient(1, isInvite: true)
        _ = bench.layer.responseArrived(Bench.id(1), status: 180, at: bench.now)
        bench.run(until: 100_000)
        bench.layer.abandon(Bench.id(1), at: bench.now)
        bench.run(until: 131_999)
        #expect(bench.layer.clientCount == 1)
        bench.run(until: 132_000)
        #expect(bench.layer.clientCount == 0)
        #expect(bench.record.isEmpty)
    }

    @Test func anAbandonedInviteThatBeginsToRingIsForgotten() throws {
        try openClient(1, isInvite: true)
        bench.layer.abandon(Bench.id(1), at: bench.now)
        bench.run(until: 10_000)
        #expect(bench.layer.responseArrived(Bench.id(1), status: 180, at: bench.now) == .absorbed)
        bench.run(until: 32_000)
        #expect(bench.layer.clientCount == 0)
        #expect(bench.record.isEmpty)
    }

    @Test func abandoningWhatIsAnsweredChangesNothing() throws {
        try openClient(1)
        #expect(bench.layer.responseArrived(Bench.id(1), status: 200, at: bench.now) == .pass(user: 1))
        bench.layer.abandon(Bench.id(1), at: bench.now)
        bench.layer.abandon(Bench.id(2), at: bench.now)
        #expect(bench.layer.responseArrived(Bench.id(1), status: 200, at: bench.now) == .absorbed)
        bench.run(until: 5_000)
        #expect(bench.layer.clientCount == 0)
    }

    // MARK: Time

    @Test func aLateDriverGetsOneRetransmission() throws {
        try openClient(1)
        bench.now = bench.now + .seconds(20 as Int64)
        var events: [TransactionEvent] = []
        bench.layer.advance(to: bench.now, into: &events)
        #expect(events.map(Bench.name) == ["retransmit"])
        #expect(bench.layer.nextDeadline == bench.start + .seconds(21 as Int64))
    }

    @Test func aVeryLateDriverGetsTheTimeoutOnly() throws {
        try openClient(1)
        bench.now = bench.now + .seconds(40 as Int64)
        var events: [TransactionEvent] = []
        bench.layer.advance(to: bench.now, into: &events)
        #expect(events.map(Bench.name) == ["timed out"])
    }

    @Test func advancingBeforeAnythingIsDueDoesNothing() throws {
        #expect(bench.layer.nextDeadline == nil)
        try openClient(1)
        #expect(bench.layer.nextDeadline == bench.start + .milliseconds(500))
        var events: [TransactionEvent] = []
        bench.layer.advance(to: bench.start + .milliseconds(499), into: &events)
        #expect(events.isEmpty)
    }

    @Test func degenerateTimersTerminate() throws {
        let timers = try #require(bench.layer.register(TransactionTimers(t1: 0, t2: 0, t4: 0, lifetime: 0)))
        bench.layer.openClient(
            Bench.id(1), isInvite: false, isReliable: false, timers: timers, request: [],
            destination: Bench.destination, user: 1, at: bench.now)
        bench.layer.openServer(Bench.id(1), isInvite: false, isReliable: false, timers: timers, at: bench.now)
        bench.run(until: 1)
        #expect(bench.layer.clientCount == 0 && bench.layer.serverCount == 0)
    }

    // MARK: Requests kept

    @Test func retransmissionsCarryTheRequest() throws {
        try openClient(1)
        bench.now = bench.now + .milliseconds(500)
        var events: [TransactionEvent] = []
        bench.layer.advance(to: bench.now, into: &events)
        guard case .retransmit(let id, let bytes, let destination)? = events.first else {
            Issue.record("no retransmission")
            return
        }
        #expect(id == Bench.id(1) && bytes == [1, 2] && destination == Bench.destination)
    }

    @Test func theRequestIsDroppedWithTheFinalResponse() throws {
        try openClient(1)
        try openClient(2, isInvite: true)
        #expect(bench.layer.pending.slots.count == 2)
        _ = bench.layer.responseArrived(Bench.id(1), status: 200, at: bench.now)
        _ = bench.layer.responseArrived(Bench.id(2), status: 200, at: bench.now)
        #expect(bench.layer.pending.slots.count == 0)
        #expect(bench.layer.clientCount == 2)
    }

    /// What a layer holds goes with it, whatever the state: an array nobody else refers to is written to in place.
    @Test func nothingOutlivesTheLayer() throws {
        var request = [UInt8](repeating: 1, count: 100)
        var tail = [UInt8](repeating: 2, count: 100)
        let places = [Self.place(of: &request), Self.place(of: &tail)]
        do {
            let layer = TransactionLayer()
            let timers = try #require(layer.register(TransactionTimers(Bench.lan)))
            for n in 0..<10 as Range<UInt64> {
                let isInvite = n % 2 == 0
                layer.openClient(
                    Bench.id(n), isInvite: isInvite, isReliable: false, timers: timers, request: request,
                    destination: Bench.destination, user: 1, at: bench.now)
                layer.openServer(Bench.id(n), isInvite: isInvite, isReliable: false, timers: timers, at: bench.now)
                #expect(layer.respond(Bench.id(n), status: 486, tail: tail, at: bench.now))
            }
        }
        #expect([Self.place(of: &request), Self.place(of: &tail)] == places)
    }

    private static func place(of bytes: inout [UInt8]) -> UInt {
        bytes.withUnsafeMutableBytes { UInt(bitPattern: $0.baseAddress) }
    }
}
