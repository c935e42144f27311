import LinkProfiles
import MessageStore
import SIPCore
import Simulation
import Testing

@testable import Engine

/// Watchers and publishers over a server that crashes at any moment: whatever a watcher was told before, it ends with the last state
/// that was acknowledged to its publisher, and no two NOTIFYs of a dialog carry the same CSeq.
@Suite("Presence and crashes")
struct PresenceCrashTests {
    /// What one watcher has seen.
    private struct Watcher {
        var state = ""
        var highest: UInt32 = 0
        /// Body by CSeq: the same number may come again only as a retransmission.
        var bodies: [UInt32: String] = [:]
        var isEnded = false
    }

    private final class World {
        let scene: EngineScene
        var random: SimulationRandom
        var watchers: [String: Watcher] = [:]
        var tags: [String: String] = [:]
        /// The last note that was acknowledged.
        var acknowledged: [String: String] = [:]
        var published: [String: (user: String, note: String)] = [:]
        var violations: [String] = []
        var step = 0

        init(seed: UInt64) throws {
            scene = try EngineScene { $0.presence.publicationsPerPresentity = 200 }
            random = SimulationRandom(seed: seed)
        }

        func run(steps: Int) throws {
            for user in ["alice", "bob"] {
                for number in 0..<5 { subscribe(to: user, number) }
            }
            for _ in 0..<steps {
                step += 1
                switch random.below(10) {
                case 0: try crash()
                case 1, 2: scene.advance(.milliseconds(Int64(random.below(3_000))))
                case 3, 4: scene.commit()
                default: publish(for: random.below(2) == 0 ? "alice" : "bob")
                }
                deliver(losing: 20)
            }
            // A publisher that lost an answer learns by a 412 that its entity-tag is not good, and publishes anew.
            for user in ["alice", "bob", "alice", "bob", "alice", "bob"] {
                publish(for: user)
                scene.settle()
                deliver(losing: 0)
                step += 1
            }
            for _ in 0..<60 {
                scene.settle()
                deliver(losing: 0)
                scene.advance(.seconds(1 as Int64))
            }
        }

        private func subscribe(to user: String, _ number: Int) {
            let id = "s\(user)\(number)"
            watchers[id] = Watcher()
            let port = UInt16(7_000 + number)
            scene.receive(
                EngineScene.subscribe(to: user, from: "w\(number)", id: id, port: port, expires: 86_400),
                on: EngineScene.udp(port))
            scene.settle()
            deliver(losing: 0)
        }

        private func publish(for user: String) {
            // Of two statements the newest counts: none are made at the same moment.
            scene.advance(.milliseconds(1))
            let note = "\(user)-\(step)-\(random.below(1_000_000))"
            let id = "p\(note)"
            published[id] = (user, note)
            scene.receive(
                EngineScene.publish(
                    for: user, body: EngineScene.document(of: user, note: note), id: id, etag: tags[user]))
        }

        private func crash() throws {
            try scene.restart()
            scene.sent = []
        }

        /// Hands everything sent to its receiver, except for what the network loses.
        private func deliver(losing percent: Int) {
            while !scene.sent.isEmpty {
                for sent in scene.take() where random.below(100) >= percent {
                    if sent.message.isRequest { notified(sent) } else { answered(sent) }
                }
            }
        }

        private func answered(_ sent: EngineScene.Sent) {
            let call = sent.message.text(sent.message.callID)
            guard let name = call.split(separator: "@").first, let publication = published[String(name)] else { return }
            switch sent.status {
            case 200:
                tags[publication.user] = sent.header(.sipETag)
                acknowledged[publication.user] = publication.note
            case 412:
                tags[publication.user] = nil
            default:
                break
            }
        }

        private func notified(_ sent: EngineScene.Sent) {
            let call = sent.message.text(sent.message.callID)
            let id = String(call.split(separator: "@").first ?? "")
            guard var watcher = watchers[id] else { return }
            if let known = watcher.bodies[sent.sequence], known != sent.text {
                violations.append("\(id) CSeq \(sent.sequence) used twice")
            }
            watcher.bodies[sent.sequence] = sent.text
            if sent.sequence > watcher.highest {
                watcher.highest = sent.sequence
                if !sent.body.isEmpty { watcher.state = sent.body }
                if sent.subscriptionState.hasPrefix("terminated") { watcher.isEnded = true }
            }
            watchers[id] = watcher
            scene.answer(200, to: sent)
        }
    }

    @Test(arguments: 0..<24) func everyWatcherConverges(_ seed: Int) throws {
        let world = try World(seed: UInt64(seed))
        try world.run(steps: 120)
        #expect(world.violations.isEmpty)
        for (id, watcher) in world.watchers where !watcher.isEnded {
            let user = id.hasPrefix("salice") ? "alice" : "bob"
            let note = try #require(world.acknowledged[user])
            #expect(watcher.state.contains(note), "\(id) after seed \(seed)")
        }
        #expect(world.watchers.values.contains { !$0.isEnded })
    }
}
