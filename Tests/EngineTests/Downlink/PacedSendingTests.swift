import Foundation
import LinkProfiles
import MessageStore
import SIPCore
import Simulation
import Testing

@testable import Engine

/// The engine towards an endpoint whose link has a budget: everybody at 198.51.100.7 is on a link of 300 bytes a second; the senders
/// are elsewhere and on none.
@Suite("Paced sending")
struct PacedSendingTests {
    static let sender = EngineScene.udp(7_001, from: 0xCB00_7101)

    static func scene(_ change: (inout LinkProfile) -> Void = { _ in }) throws -> EngineScene {
        var slow = LinkProfile()
        slow.name = "slow"
        slow.budget.byteRate = 300
        slow.budget.packetOverhead = 0
        change(&slow)
        return try EngineScene {
            $0.profiles["slow"] = slow
            $0.profileRules = [ProfileRule(profile: "slow", network: NetworkPrefix("198.51.100.0/24"))]
        }
    }

    static func send(_ scene: EngineScene, to user: String, _ id: String, extra: String = "", body: String = "hi") {
        scene.receive(EngineScene.message(to: user, body: body, id: id, port: 7_001, extra: extra), on: sender)
    }

    @Test func withoutABudgetNobodyHasAScheduler() throws {
        let scene = try EngineScene()
        scene.register("alice", port: 6_001)
        Self.send(scene, to: "alice", "m1")
        #expect(scene.requests(.message).first?.charge == nil)
        #expect(scene.requests(.message).count == 1)
        #expect(scene.engine.counters.downlinks == 0)
    }

    @Test func aMessageWaitsUntilWhatLeftBeforeIsPaidFor() throws {
        let scene = try Self.scene()
        scene.register("alice", port: 6_001)
        let registered = try #require(scene.sent.last)
        let start = scene.now
        Self.send(scene, to: "alice", "m1")
        #expect(scene.requests(.message).isEmpty)
        scene.advance(.seconds(3 as Int64))
        let relayed = try #require(scene.requests(.message).first)
        #expect(relayed.at - start == LinkProfile.airtime(registered.text.utf8.count, at: 300))
        #expect(scene.engine.counters.downlinks == 1)
        scene.answer(200, to: relayed)
        #expect(scene.statuses.last == 200)
    }

    /// Devices of several users behind one flow share its budget, and the urgent goes first.
    @Test func oneFlowHasOneBudget() throws {
        let scene = try Self.scene { $0.t1 = .seconds(10 as Int64) }
        for user in ["alice", "carol", "dave"] { scene.register(user, port: 6_001) }
        scene.advance(.seconds(20 as Int64))
        _ = scene.take()
        Self.send(scene, to: "alice", "m1")
        Self.send(scene, to: "carol", "m2")
        Self.send(scene, to: "dave", "m3", extra: "Priority: urgent\r\n")
        #expect(scene.requests(.message).count == 1)
        scene.advance(.seconds(7 as Int64))
        let order = scene.requests(.message).compactMap { $0.header(.callID)?.prefix(2) }
        #expect(Array(order.prefix(3)) == ["m1", "m3", "m2"])
        let sizes = scene.sent.filter { $0.port == 6_001 }.map { ($0.at, Double($0.text.utf8.count)) }
        #expect(DownlinkRun.excess(sizes, rate: 300, allowance: sizes.map(\.1).max() ?? 0) <= 0)
    }

    @Test func retransmissionsAndResponsesCountToo() throws {
        let scene = try Self.scene()
        for user in 0..<6 { scene.register("user\(user)", port: 6_001) }
        for user in 0..<6 { Self.send(scene, to: "user\(user)", "m\(user)") }
        scene.advance(.seconds(120 as Int64))
        let sizes = scene.sent.filter { $0.port == 6_001 }.map { ($0.at, Double($0.text.utf8.count)) }
        #expect(sizes.count > 12 && scene.engine.counters.retransmissionsSent > 6)
        #expect(DownlinkRun.excess(sizes, rate: 300, allowance: sizes.map(\.1).max() ?? 0) <= 0)
    }

    @Test func aRetransmissionThatIsNotNeededAnyMoreDoesNotLeave() throws {
        let scene = try Self.scene { $0.t1 = .milliseconds(100) }
        scene.register("alice", port: 6_001)
        scene.advance(.seconds(5 as Int64))
        _ = scene.take()
        Self.send(scene, to: "alice", "m1", body: String(repeating: "x", count: 600))
        scene.advance(.milliseconds(900))
        let relayed = try #require(scene.requests(.message).first)
        scene.answer(200, to: relayed)
        scene.advance(.seconds(60 as Int64))
        #expect(scene.requests(.message).count == 1)
    }

    @Test func quietHoursStoreAndDeliverWhenTheyEnd() throws {
        // The scene begins at 08:00 UTC.
        let hours = try #require(DayPeriod("07:00-09:00"))
        let scene = try Self.scene { $0.budget.quietHours = [hours] }
        scene.register("alice", port: 6_001, expires: 7_200)
        scene.advance(.seconds(5 as Int64))
        _ = scene.take()
        Self.send(scene, to: "alice", "m1")
        scene.settle()
        #expect(scene.statuses == [202])
        Self.send(scene, to: "alice", "m2", extra: "Priority: emergency\r\n")
        scene.settle()
        let urgent = try #require(scene.requests(.message).first)
        #expect(urgent.header(.callID)?.hasPrefix("m2") == true)
        scene.answer(200, to: urgent)
        scene.advance(.seconds(3_500 as Int64))
        #expect(scene.requests(.message).count == 1)
        scene.advance(.seconds(200 as Int64))
        let late = try #require(scene.requests(.message).dropFirst().first)
        #expect(late.header(.callID)?.hasPrefix("m1") == true)
        #expect(late.at == EngineScene.start + .seconds(3_600 as Int64))
    }

    @Test func whatWaitsOnAConnectionIsStoredWhenItCloses() throws {
        let scene = try Self.scene()
        let flow = EngineScene.tcp(1)
        scene.engine.flowOpened(flow, target: nil, at: scene.now)
        scene.register("alice", port: 6_001, flow: flow)
        Self.send(scene, to: "alice", "m1")
        #expect(scene.requests(.message).isEmpty)
        scene.engine.flowClosed(flow, at: scene.now)
        scene.drain()
        scene.settle()
        #expect(scene.statuses.last == 202)
        #expect(scene.store.messages.first?.state == .waiting || scene.store.messages.first?.state == .queued)
        #expect(scene.engine.counters.openContexts == 0)
    }

    @Test func aMessageThatExpiresInTheLineIsWithdrawn() throws {
        let scene = try Self.scene {
            $0.budget.byteRate = 10
            $0.relayPatience = .seconds(2 as Int64)
        }
        scene.register("alice", port: 6_001)
        _ = scene.take()
        Self.send(scene, to: "alice", "m1", extra: "Expires: 5\r\n")
        scene.advance(.seconds(3 as Int64))
        #expect(scene.statuses == [202])
        scene.advance(.seconds(120 as Int64))
        #expect(scene.requests(.message).isEmpty)
        #expect(scene.engine.counters.messagesExpired == 1)
        #expect(scene.engine.counters.openContexts == 0)
    }

    /// What the transport says about compression makes room for the next message.
    @Test func theSizeOnTheWireIsWhatCounts() throws {
        let scene = try Self.scene { $0.budget.byteRate = 100 }
        scene.register("alice", port: 6_001)
        let answer = try #require(scene.sent.last)
        let charge = try #require(answer.charge)
        Self.send(scene, to: "alice", "m1")
        let start = scene.now
        scene.engine.transmitted(charge, bytes: 50, at: scene.now)
        scene.advance(.seconds(2 as Int64))
        let relayed = try #require(scene.requests(.message).first)
        #expect(relayed.at - start == .milliseconds(500))
        #expect(scene.engine.counters.downlinkBytes == UInt64(50 + relayed.text.utf8.count))
        // One more copy of its own accord counts as well.
        scene.engine.transmitted(try #require(relayed.charge), bytes: 200, again: true, at: scene.now)
        #expect(scene.engine.counters.downlinkBytes == UInt64(250 + relayed.text.utf8.count))
    }

    @Test func whoAsksFasterThanItsLinkBearsDoesNotFillMemory() throws {
        let scene = try Self.scene()
        for number in 0..<1_000 {
            scene.receive(
                EngineScene.message(to: "nobody", id: "m\(number)", port: 6_001, domain: "elsewhere.invalid")
                    .replacingOccurrences(of: "Max-Forwards: 70", with: "Max-Forwards: 0"), on: EngineScene.udp(6_001))
        }
        #expect(scene.engine.counters.downlinkAnswersDropped == 1_000 - 256 - 1)
        scene.advance(.seconds(3_600 as Int64))
        #expect(scene.statuses.count == 257 && scene.statuses.allSatisfy { $0 == 483 })
    }

    @Test func anEndpointIsForgottenWhenNothingIsLeftToRemember() throws {
        let scene = try Self.scene()
        scene.register("alice", port: 6_001)
        Self.send(scene, to: "alice", "m1")
        scene.advance(.seconds(3 as Int64))
        scene.answer(200, to: try #require(scene.requests(.message).first))
        #expect(scene.engine.counters.downlinks == 1)
        scene.advance(.seconds(200 as Int64))
        #expect(scene.engine.counters.downlinks == 0)
        #expect(scene.engine.downlinks.transactionCount == 0)
    }

    @Test func beyondTheLimitEndpointsAreSentToUnpaced() throws {
        var slow = LinkProfile()
        slow.budget.byteRate = 1
        let scene = try EngineScene {
            $0.profiles["slow"] = slow
            $0.profileRules = [ProfileRule(profile: "slow", network: NetworkPrefix("198.51.100.0/24"))]
            $0.limits.downlinks = 1
        }
        for user in 1...3 { scene.register("user\(user)", port: UInt16(6_000 + user)) }
        #expect(scene.statuses == [200, 200, 200])
        Self.send(scene, to: "user2", "m2")
        #expect(scene.requests(.message).count == 1)
        #expect(scene.engine.counters.downlinks == 1 && scene.engine.counters.downlinksRefused == 3)
    }
}

extension LinkProfile {
    static func airtime(_ bytes: Int, at rate: Int) -> TimeSpan {
        var budget = LinkBudget()
        budget.byteRate = rate
        return budget.airtime(bytes: bytes)
    }
}
