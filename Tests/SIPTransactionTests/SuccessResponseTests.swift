import LinkProfiles
import SIPCore
import Testing

@testable import SIPTransaction

@Suite("2xx responses to INVITE, RFC 6026")
struct SuccessResponseTests {
    let bench = Bench()

    private func openServer(isReliable: Bool = false) throws {
        bench.layer.openServer(
            Bench.id(1), isInvite: true, isReliable: isReliable, timers: try bench.timers(Bench.lan), user: 4,
            at: bench.now)
    }

    private func openClient(isReliable: Bool = false) throws {
        bench.layer.openClient(
            Bench.id(1), isInvite: true, isReliable: isReliable, timers: try bench.timers(Bench.lan), request: [1],
            destination: Bench.destination, user: 4, at: bench.now)
    }

    // MARK: Server, section 7.1

    @Test func retransmittedInviteIsAbsorbedAfterA2xx() throws {
        try openServer()
        #expect(bench.layer.respond(Bench.id(1), status: 200, tail: [1], at: bench.now))
        bench.run(until: 31_999)
        #expect(bench.layer.requestArrived(Bench.id(1), isAck: false, at: bench.now) == .absorbed)
        bench.run(until: 32_000)
        #expect(bench.layer.requestArrived(Bench.id(1), isAck: false, at: bench.now) == .new)
        #expect(bench.record.isEmpty)
    }

    @Test func the2xxIsSentAgainOnlyByItsUser() throws {
        try openServer()
        for at in [0 as Int64, 500, 1_500, 31_999] {
            bench.run(until: at)
            #expect(bench.layer.respond(Bench.id(1), status: 200, tail: [], at: bench.now))
        }
        bench.run(until: 32_000)
        #expect(!bench.layer.respond(Bench.id(1), status: 200, tail: [], at: bench.now))
        #expect(bench.record.isEmpty)
    }

    @Test func otherResponsesAfterA2xxAreNotSent() throws {
        try openServer()
        #expect(bench.layer.respond(Bench.id(1), status: 200, tail: [], at: bench.now))
        for status in [100 as UInt16, 180, 302, 486, 603] {
            #expect(!bench.layer.respond(Bench.id(1), status: status, tail: [], at: bench.now))
        }
    }

    @Test func ackOfA2xxPasses() throws {
        try openServer()
        #expect(bench.layer.respond(Bench.id(1), status: 200, tail: [], at: bench.now))
        #expect(bench.layer.requestArrived(Bench.id(1), isAck: true, at: bench.now) == .passAck)
        #expect(bench.layer.requestArrived(Bench.id(1), isAck: true, at: bench.now) == .passAck)
        #expect(bench.layer.serverCount == 1)
    }

    @Test func ackWithABranchOfItsOwnPasses() throws {
        try openServer()
        #expect(bench.layer.requestArrived(Bench.id(2), isAck: true, at: bench.now) == .passAck)
    }

    @Test func ackBeforeAnyResponseIsAbsorbed() throws {
        try openServer()
        #expect(bench.layer.requestArrived(Bench.id(1), isAck: true, at: bench.now) == .absorbed)
    }

    @Test func lostAckOfAFailureIsMadeUpFor() throws {
        try openServer()
        #expect(bench.layer.respond(Bench.id(1), status: 486, tail: [5], at: bench.now))
        bench.run(until: 1_600)
        #expect(bench.times(of: "resend") == [500, 1_500])
        let again = bench.layer.requestArrived(Bench.id(1), isAck: false, at: bench.now)
        #expect(again == .resend(status: 486, tail: [5]))
        #expect(bench.layer.requestArrived(Bench.id(1), isAck: true, at: bench.now) == .confirmed(user: 4))
        bench.run(until: 60_000)
        #expect(bench.record.count == 2)
        #expect(bench.layer.serverCount == 0)
    }

    @Test(arguments: [[] as [UInt16], [180], [486], [200]])
    func transportErrorKeepsTheTransaction(responses: [UInt16]) throws {
        try openServer()
        for status in responses {
            #expect(bench.layer.respond(Bench.id(1), status: status, tail: [], at: bench.now))
        }
        #expect(bench.layer.responseFailed(Bench.id(1)) == 4)
        #expect(bench.layer.serverCount == 1)
        #expect(bench.layer.requestArrived(Bench.id(1), isAck: false, at: bench.now) != .new)
    }

    @Test func mostRecentProvisionalResponseIsSentAgain() throws {
        try openServer()
        #expect(bench.layer.requestArrived(Bench.id(1), isAck: false, at: bench.now) == .absorbed)
        for (status, tail) in [(100 as UInt16, [] as [UInt8]), (180, [1, 2]), (183, [3])] {
            #expect(bench.layer.respond(Bench.id(1), status: status, tail: tail, at: bench.now))
            let again = bench.layer.requestArrived(Bench.id(1), isAck: false, at: bench.now)
            #expect(again == .resend(status: status, tail: tail))
        }
        bench.run(until: 10_000)
        #expect(bench.record.isEmpty)
    }

    // MARK: Client, section 7.2

    @Test func every2xxPasses() throws {
        try openClient()
        for at in [0 as Int64, 100, 31_999] {
            bench.run(until: at)
            #expect(bench.layer.responseArrived(Bench.id(1), status: 200, at: bench.now) == .pass(user: 4))
        }
        bench.run(until: 32_000)
        #expect(bench.layer.responseArrived(Bench.id(1), status: 200, at: bench.now) == .unknown)
        #expect(bench.record.isEmpty)
    }

    @Test func otherResponsesAfterA2xxAreAbsorbed() throws {
        try openClient()
        #expect(bench.layer.responseArrived(Bench.id(1), status: 200, at: bench.now) == .pass(user: 4))
        for status in [180 as UInt16, 302, 487] {
            #expect(bench.layer.responseArrived(Bench.id(1), status: status, at: bench.now) == .absorbed)
        }
    }

    @Test func failureIsAcknowledgedEveryTime() throws {
        try openClient()
        let first = bench.layer.responseArrived(Bench.id(1), status: 486, at: bench.now)
        #expect(first == .passAndAcknowledge(user: 4, destination: Bench.destination))
        #expect(bench.layer.responseArrived(Bench.id(1), status: 486, at: bench.now) == .absorbed)
        bench.layer.acknowledged(Bench.id(1), ack: [9, 9])
        for at in [500 as Int64, 31_999] {
            bench.run(until: at)
            let again = bench.layer.responseArrived(Bench.id(1), status: 486, at: bench.now)
            #expect(again == .acknowledgeAgain(ack: [9, 9], destination: Bench.destination))
        }
        #expect(bench.layer.responseArrived(Bench.id(1), status: 200, at: bench.now) == .absorbed)
        #expect(bench.record.isEmpty)
    }

    @Test func failingToSendAnAckEndsTheTransaction() throws {
        try openClient()
        _ = bench.layer.responseArrived(Bench.id(1), status: 486, at: bench.now)
        #expect(bench.layer.transportFailed(Bench.id(1)) == 4)
        #expect(bench.layer.clientCount == 0)
    }
}
