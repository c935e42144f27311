import LinkProfiles
import MessageStore
import Policy
import SIPCore
import Simulation
import Testing

@testable import Engine

@Suite("Between relay and store")
struct TakeoverTests {
    let scene: EngineScene

    init() throws { scene = try EngineScene() }

    @Test func aRelayTheStoreCannotTakeOverGoesOnAndAnswersForItself() throws {
        scene.register("alice", port: 6001)
        _ = scene.take()
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        let relayed = try #require(scene.requests(.message).first)
        scene.store.failure = .io("broken")
        scene.advance(.seconds(12 as Int64))
        #expect(scene.statuses.allSatisfy { $0 == 100 })
        scene.answer(200, to: relayed)
        #expect(scene.statuses.last == 200)
        scene.store.failure = nil
        scene.advance(.seconds(40 as Int64))
        #expect(scene.store.messages.isEmpty)
        #expect(scene.engine.counters.openContexts == 0)
        let isIdle = scene.engine.queues.allSatisfy { $0.isIdle }
        #expect(isIdle)
    }

    @Test func aRefusedTakeoverThatStaysSilentIsRefusedToTheSender() throws {
        let scene = try EngineScene { $0.limits.quotas.perRecipient.bytes = 10 }
        scene.register("alice", port: 6001)
        _ = scene.take()
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.advance(.seconds(20 as Int64))
        #expect(!scene.statuses.contains { $0 >= 200 })
        scene.advance(.seconds(20 as Int64))
        #expect(scene.engine.counters.openContexts == 0)
        #expect(scene.store.messages.isEmpty)
    }

    @Test func theSenderIsAnsweredWhileItStillAsksHoweverSlowTheDevice() throws {
        let scene = try EngineScene { configuration in
            var slow = LinkProfile()
            slow.relayPatience = .seconds(300 as Int64)
            slow.t1 = .seconds(20 as Int64)
            configuration.profiles["slow"] = slow
            configuration.profileRules = [
                ProfileRule(profile: "slow", network: NetworkPrefix("198.51.100.9/32"))
            ]
        }
        scene.register("alice", port: 6001, flow: EngineScene.udp(6001, from: 0xC633_6409))
        _ = scene.take()
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.advance(.seconds(17 as Int64))
        #expect(scene.statuses.last == 202)
        #expect(scene.store.messages.first?.state == .claimed)
    }

    @Test func aLongLineBehindASilentDeviceIsTakenOverAtOnceAndInOrder() throws {
        let scene = try EngineScene { $0.limits.relaysInLine = 256 }
        scene.register("alice", port: 6001)
        _ = scene.take()
        for n in 0..<300 { scene.receive(EngineScene.message(to: "alice", id: "m\(n)")) }
        scene.settle()
        #expect(scene.statuses.count == 300)
        #expect(scene.statuses.allSatisfy { $0 == 202 })
        let order = scene.store.messages.map { String(decoding: $0.message.payload, as: UTF8.self) }
        #expect(order.count == 300)
        #expect(order.enumerated().allSatisfy { $1.contains("Call-ID: m\($0)@") })
        #expect(scene.engine.counters.openContexts == 1)
    }

    @Test func thousandsOfExpiredMessagesEndInOneRegistration() throws {
        for n in 0..<12_000 { scene.receive(EngineScene.message(to: "alice", id: "m\(n)", extra: "Expires: 1\r\n")) }
        scene.receive(EngineScene.message(to: "alice", id: "last", extra: "Expires: 600\r\n"))
        scene.settle()
        _ = scene.take()
        scene.now = scene.now + .seconds(2 as Int64)
        scene.register("alice", port: 6001)
        #expect(scene.requests(.message).map { $0.header(.callID) } == ["last@198.51.100.7"])
        #expect(scene.engine.counters.messagesExpired == 12_000)
        #expect(scene.engine.counters.messagesQueued == 1)
    }

    @Test func attemptsBeyondWhatIsCountedDoNotStopAStart() throws {
        let number = AddressNumber(1)
        let message = DeferredMessage(
            number: MessageNumber(1), recipient: number, sender: "sip:bob@example.com",
            identity: MessageIdentity(high: 1, low: 2), acceptedAt: EngineScene.start,
            expiresAt: EngineScene.start + .seconds(86_400 as Int64), isUrgent: false, state: .claimed,
            attempts: 70_000,
            payload: [])
        _ = try scene.store.commit([.name(number, addressOfRecord: "sip:alice@example.com"), .enqueue(message)])
        scene.now = scene.now + .seconds(3_600 as Int64)
        try scene.restart()
        #expect(scene.engine.counters.messagesQueued == 1)
    }

    @Test func aForkIsNoWiderThanMaxBreadth() throws {
        for port in 6001...6003 { scene.register("alice", port: UInt16(port)) }
        _ = scene.take()
        scene.receive(EngineScene.message(to: "alice", id: "m1", extra: "Max-Breadth: 2\r\n"))
        #expect(scene.requests(.message).count == 2)
        #expect(scene.requests(.message).allSatisfy { $0.header(.maxBreadth) == "1" })
        for request in scene.requests(.message) { scene.answer(486, to: request) }
        #expect(scene.requests(.message).count == 3)
        _ = scene.take()
        scene.receive(EngineScene.message(to: "carol", id: "m2"))
        scene.register("carol", port: 6004)
        _ = scene.take()
        scene.receive(EngineScene.message(to: "alice", id: "m3", extra: "Max-Breadth: 0\r\n"))
        scene.receive(
            HomeServingProxyTests.request("OPTIONS", branch: "o1", extra: "Max-Breadth: 0\r\n"),
            on: EngineScene.udp(7001))
        #expect(scene.statuses.suffix(1) == [440])
    }

    @Test func anAttemptEndsWithItsMessage() throws {
        scene.receive(EngineScene.message(to: "alice", id: "m1", extra: "Expires: 10\r\n"))
        scene.settle()
        scene.register("alice", port: 6001)
        scene.advance(.seconds(11 as Int64))
        #expect(scene.store.messages.first?.state == .expired)
        _ = scene.take()
        scene.advance(.seconds(60 as Int64))
        #expect(scene.requests(.message).isEmpty)
        #expect(scene.engine.counters.openContexts == 0)
    }

    @Test func whatWasDeliveredLeavesNoDeadlineBehind() throws {
        for n in 0..<50 { scene.receive(EngineScene.message(to: "alice", id: "m\(n)", extra: "Expires: 200\r\n")) }
        scene.settle()
        scene.register("alice", port: 6001)
        while let request = scene.take().last(where: { $0.message.isRequest }) {
            scene.answer(200, to: request)
            scene.settle()
        }
        #expect(scene.engine.counters.messagesDelivered == 50)
        scene.advance(.seconds(33 as Int64))
        #expect(scene.engine.deadlineCount == 0)
    }

    @Test func aContactThatLeadsBackToUsLosesNothing() throws {
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.settle()
        _ = scene.take()
        scene.receive(
            """
            REGISTER sip:example.com SIP/2.0\r
            Via: SIP/2.0/UDP 198.51.100.7:6001;rport;branch=z9hG4bKback\r
            Max-Forwards: 70\r
            From: <sip:alice@example.com>;tag=r\r
            To: <sip:alice@example.com>\r
            Call-ID: back\r
            CSeq: 1 REGISTER\r
            Contact: <sip:alice@example.com>\r
            Expires: 600\r
            Content-Length: 0\r
            \r\n
            """, on: EngineScene.udp(6001))
        scene.settle()
        let own = TransportAddress(ip: IPAddress(v4: 0xC000_0201), port: 5060)
        scene.engine.resolved(
            try #require(scene.resolutions.last).id, targets: [Target(transport: .udp, address: own)], at: scene.now)
        scene.drain()
        let flow = Flow(transport: .udp, listener: 0, remote: own)
        scene.receive(try #require(scene.requests(.message).last).text, on: flow)
        let answer = try #require(scene.sent.last)
        #expect(answer.status == 482)
        scene.receive(answer.text, on: flow)
        scene.settle()
        #expect(scene.store.messages.map(\.state) == [.waiting])
    }

    @Test func aTakeoverThatIsNotCommittedIsARelayAgain() throws {
        scene.register("alice", port: 6001)
        _ = scene.take()
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        let relayed = try #require(scene.requests(.message).first)
        scene.now = scene.now + .seconds(9 as Int64)
        scene.engine.advance(to: scene.now)
        scene.drain()
        scene.store.failure = .full("no space")
        scene.settle()
        #expect(!scene.statuses.contains { $0 >= 200 })
        scene.store.failure = nil
        scene.answer(200, to: relayed)
        scene.settle()
        #expect(scene.statuses.last == 200)
        #expect(scene.store.messages.isEmpty)
        #expect(scene.engine.counters.messagesQueued == 0)
        let isIdle = scene.engine.queues.allSatisfy { $0.isIdle }
        #expect(isIdle)
    }

    @Test func aDeviceIsLeftAloneAsLongAsItAsks() throws {
        scene.register("alice", port: 6001)
        _ = scene.take()
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.answer(503, to: try #require(scene.take().last { $0.message.isRequest }), headers: "Retry-After: 120\r\n")
        scene.settle()
        scene.advance(.seconds(119 as Int64))
        #expect(scene.requests(.message).isEmpty)
        scene.advance(.seconds(2 as Int64))
        #expect(!scene.requests(.message).isEmpty)
    }
}
