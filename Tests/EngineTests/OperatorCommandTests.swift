import LinkProfiles
import MessageStore
import SIPCore
import Simulation
import Testing

@testable import Engine

@Suite("What operators ask for")
struct OperatorCommandTests {
    let scene: EngineScene

    init() throws { scene = try EngineScene() }

    @Test func manyMessagesAreFoundInOnePass() throws {
        for n in 0..<40 { scene.receive(EngineScene.message(to: "user\(n % 4)", id: "m\(n)")) }
        scene.settle()
        let numbers = (1...50).map { MessageNumber($0) }
        let ended = scene.engine.perform(numbers.map { .expire($0) }, at: scene.now)
        #expect(ended == 40)
        #expect(scene.engine.perform(.drop(MessageNumber(1)), at: scene.now) == false)
        scene.drain()
        scene.settle()
        #expect(scene.store.messages.allSatisfy { $0.state == .expired && $0.cause == .expiredByOperator })
        #expect(scene.engine.counters.messagesQueued == 0)
    }

    @Test func aMessageBeingDeliveredCanBeEndedAndItsAnswerChangesNothing() throws {
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.receive(EngineScene.message(to: "alice", id: "m2"))
        scene.settle()
        scene.register("alice", port: 6001)
        let first = try #require(scene.requests(.message).last)
        #expect(scene.engine.perform(.drop(MessageNumber(1)), at: scene.now))
        scene.drain()
        scene.settle()
        scene.answer(200, to: first)
        scene.settle()
        #expect(scene.store.messages.first?.state == .refused)
        scene.answer(200, to: try #require(scene.requests(.message).last))
        scene.settle()
        #expect(scene.store.messages.last?.state == .delivered)
        #expect(scene.engine.counters.messagesQueued == 0)
        #expect(scene.engine.counters.openContexts == 0)
    }

    @Test func aRetryForgetsTheBackOff() throws {
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.settle()
        scene.register("alice", port: 6001)
        scene.answer(480, to: try #require(scene.take().last { $0.message.isRequest }))
        scene.settle()
        #expect(
            scene.engine.perform(
                [.retryRecipient("sip:alice@example.com"), .retryRecipient("sip:x@example.com")], at: scene.now) == 1)
        scene.drain()
        scene.settle()
        #expect(scene.requests(.message).count == 1)
    }
}
