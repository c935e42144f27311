import LinkProfiles
import MessageStore
import SIPCore
import Simulation
import Testing

@testable import Engine

@Suite("Relay to devices that are there")
struct RelayTests {
    let scene: EngineScene

    init() throws { scene = try EngineScene() }

    @Test func aMessageGoesToTheDeviceAndItsAnswerComesBack() throws {
        scene.register("alice", port: 6001)
        _ = scene.take()
        scene.receive(EngineScene.message(to: "alice", id: "m1", port: 7001), on: EngineScene.udp(7001))
        let relayed = try #require(scene.requests(.message).first)
        #expect(relayed.port == 6001)
        #expect(relayed.message.text(relayed.message.requestURI) == "sip:alice@198.51.100.7:6001")
        #expect(relayed.message.maxForwards == 69)
        #expect(relayed.message.viaCount == 2)
        scene.answer(200, to: relayed)
        let answer = try #require(scene.sent.last)
        #expect(answer.status == 200)
        #expect(answer.port == 7001)
        #expect(answer.message.viaCount == 1)
        scene.settle()
        #expect(scene.store.messages.isEmpty)
        #expect(scene.engine.counters.openContexts == 0)
    }

    @Test func aLostResponseIsBuiltAgainForTheRetransmittedRequest() throws {
        scene.register("alice", port: 6001)
        let text = EngineScene.message(to: "alice", id: "m1")
        _ = scene.take()
        scene.receive(text)
        scene.answer(200, to: try #require(scene.requests(.message).first), headers: "X-Device: d1\r\n")
        let first = try #require(scene.sent.last)
        scene.receive(text)
        let again = try #require(scene.sent.last)
        #expect(again.status == 200)
        #expect(again.header(.to) == first.header(.to))
        #expect(again.text.contains("X-Device: d1\r\n"))
        #expect(scene.requests(.message).count == 1)
    }

    @Test(arguments: [408, 430, 480, 503] as [UInt16])
    func aPassingFailureStoresTheMessage(status: UInt16) throws {
        scene.register("alice", port: 6001)
        _ = scene.take()
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.answer(status, to: try #require(scene.requests(.message).first))
        scene.settle()
        #expect(scene.statuses == [202])
        #expect(scene.store.messages.first?.state == .queued)
    }

    @Test(arguments: [404, 415, 486, 603] as [UInt16])
    func aRefusalGoesBackToTheSender(status: UInt16) throws {
        scene.register("alice", port: 6001)
        _ = scene.take()
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.answer(status, to: try #require(scene.requests(.message).first))
        scene.settle()
        #expect(scene.statuses == [status])
        #expect(scene.store.messages.isEmpty)
    }

    @Test func aSilentDeviceBecomesADeferredDeliveryWhoseAttemptGoesOn() throws {
        scene.register("alice", port: 6001)
        _ = scene.take()
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        let first = try #require(scene.requests(.message).first)
        scene.advance(.seconds(9 as Int64))
        #expect(scene.statuses.last == 202)
        #expect(scene.store.messages.first?.state == .claimed)
        #expect(scene.requests(.message).allSatisfy { $0.branch == first.branch })
        scene.answer(200, to: first)
        scene.settle()
        #expect(scene.store.messages.first?.state == .delivered)
        #expect(scene.engine.counters.openContexts == 0)
        #expect(scene.engine.counters.messagesQueued == 0)
    }

    @Test func aUserWhoReturnsAtAnotherAddressGetsTheMessageThereAtOnce() throws {
        scene.register("alice", port: 6001)
        _ = scene.take()
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.advance(.seconds(10 as Int64))
        #expect(scene.statuses.last == 202)
        _ = scene.take()
        scene.register("alice", port: 6002)
        let offer = try #require(scene.requests(.message).first)
        #expect(offer.port == 6002)
        scene.answer(200, to: offer)
        scene.settle()
        #expect(scene.store.messages.first?.state == .delivered)
        #expect(scene.engine.counters.openContexts == 0)
    }

    @Test func theSameMessageSentAgainDuringItsRelayGetsTheSameAnswer() throws {
        scene.register("alice", port: 6001)
        _ = scene.take()
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.receive(EngineScene.message(to: "alice", id: "m1", branch: "again"))
        #expect(scene.requests(.message).count == 1)
        scene.answer(200, to: try #require(scene.requests(.message).first))
        #expect(scene.statuses == [200, 200])
        scene.receive(EngineScene.message(to: "alice", id: "m2"))
        scene.receive(EngineScene.message(to: "alice", id: "m2", branch: "again2"))
        scene.answer(480, to: try #require(scene.requests(.message).last))
        scene.settle()
        #expect(scene.statuses == [200, 200, 202, 202])
        #expect(scene.store.messages.count == 1)
    }

    @Test func aDeviceSilentForGoodLeavesTheMessageWaiting() throws {
        scene.register("alice", port: 6001)
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.advance(.seconds(33 as Int64))
        #expect(scene.store.messages.first?.state == .waiting)
        #expect(scene.store.messages.first?.cause == .timeout)
    }

    @Test func laterMessagesWaitForEarlierOnesOverDatagrams() throws {
        scene.register("alice", port: 6001)
        _ = scene.take()
        for n in 1...3 { scene.receive(EngineScene.message(to: "alice", id: "m\(n)")) }
        for n in 1...3 {
            #expect(scene.requests(.message).count == n)
            scene.answer(200, to: try #require(scene.requests(.message).last))
        }
        #expect(scene.statuses == [200, 200, 200])
    }

    @Test func messagesBehindAFailedOneAreStoredBehindIt() throws {
        scene.register("alice", port: 6001)
        _ = scene.take()
        for n in 1...3 { scene.receive(EngineScene.message(to: "alice", id: "m\(n)")) }
        scene.answer(480, to: try #require(scene.requests(.message).last))
        scene.settle()
        #expect(scene.statuses == [202, 202, 202])
        #expect(scene.store.messages.map { $0.message.number.rawValue } == [1, 2, 3])
        scene.receive(EngineScene.message(to: "alice", id: "m4"))
        scene.settle()
        _ = scene.take()
        scene.register("alice", port: 6001, cseq: 2)
        var order: [String?] = []
        while let request = scene.requests(.message).last, order.count < 4 {
            order.append(request.header(.callID))
            _ = scene.take()
            scene.answer(200, to: request)
            scene.settle()
        }
        #expect(order == ["m1@198.51.100.7", "m2@198.51.100.7", "m3@198.51.100.7", "m4@198.51.100.7"])
    }

    @Test func aConnectionThatBreaksFailsItsRequestsAtOnce() throws {
        let flow = EngineScene.tcp(9)
        scene.register("alice", port: 6001, flow: flow)
        _ = scene.take()
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        #expect(scene.requests(.message).count == 1)
        scene.engine.flowClosed(flow, at: scene.now)
        scene.drain()
        scene.settle()
        #expect(scene.statuses.last == 202)
        #expect(scene.store.messages.first?.state == .queued)
    }

    @Test func aRequestTooLargeForADatagramLeavesByTCPAndComesBackToUDPIfThatFails() throws {
        scene.register("alice", port: 6001)
        _ = scene.take()
        scene.receive(EngineScene.message(to: "alice", body: String(repeating: "x", count: 1_400), id: "m1"))
        let first = try #require(scene.requests(.message).first)
        guard case .target(let target) = first.destination else {
            Issue.record("not sent by a connection")
            return
        }
        #expect(target.transport == .tcp)
        #expect(first.text.contains("Via: SIP/2.0/TCP"))
        scene.engine.transmissionFailed(first.token, reason: "refused", at: scene.now)
        scene.drain()
        let second = try #require(scene.requests(.message).last)
        #expect(second.text.contains("Via: SIP/2.0/UDP 192.0.2.1"))
        #expect(second.branch != first.branch)
        #expect(second.port == 6001)
    }

    @Test func theHighestQIsTriedFirst() throws {
        scene.register("alice", port: 6001, q: "0.5")
        scene.register("alice", port: 6002, q: "1.0")
        _ = scene.take()
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        #expect(scene.requests(.message).map(\.port) == [6002])
        scene.answer(486, to: try #require(scene.requests(.message).last))
        #expect(scene.requests(.message).map(\.port) == [6002, 6001])
        scene.answer(200, to: try #require(scene.requests(.message).last))
        #expect(scene.statuses == [200])
    }

    @Test func compactFormsAreWrittenWhereTheProfileAsks() throws {
        let scene = try EngineScene { configuration in
            var profile = LinkProfile()
            profile.compactHeaders = true
            configuration.profiles["lan"] = profile
        }
        scene.register("alice", port: 6001)
        _ = scene.take()
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        let relayed = try #require(scene.requests(.message).first)
        #expect(relayed.text.contains("\r\nv: SIP/2.0/UDP"))
        #expect(relayed.text.contains("\r\nf: "))
        #expect(!relayed.text.contains("Content-Length"))
    }
}
