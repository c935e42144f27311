import LinkProfiles
import SIPCore
import Simulation
import Testing

@testable import Engine

/// The engine towards a watcher on 2400 bit/s whose contacts change faster than the link bears.
@Suite("Presence over a slow link")
struct PacedPresenceTests {
    static let contacts = 20
    static let publisher = EngineScene.udp(5_060, from: 0xCB00_7105)

    static func scene(_ change: (inout LinkProfile) -> Void = { _ in }) throws -> EngineScene {
        let scene = try PacedSendingTests.scene {
            $0.t1 = .seconds(20 as Int64)
            $0.t2 = .seconds(60 as Int64)
            $0.budget.outstanding = 4
            $0.datagramLimit = 1_300
            change(&$0)
        }
        scene.register("bob", port: 6_001, expires: 7_200)
        for number in 0..<contacts {
            scene.receive(
                EngineScene.subscribe(
                    to: "c\(number)", id: "s\(number)", expires: 7_200, accept: "application/pidf+xml"),
                on: EngineScene.udp(6_001))
            scene.settle()
        }
        return scene
    }

    /// Publishes one change of a random contact every half second, and answers what the watcher gets two seconds later.
    private struct Play {
        let scene: EngineScene
        var random: SimulationRandom
        var tags: [Int: String] = [:]
        var newest: [Int: Int] = [:]
        var published = 0
        var answered = 0
        /// When the oldest change came that no NOTIFY has told.
        var since: [Int: Instant] = [:]

        mutating func publish() {
            let number = random.below(PacedPresenceTests.contacts)
            published += 1
            newest[number] = published
            if since[number] == nil { since[number] = scene.now }
            let body = EngineScene.document(of: "c\(number)", note: "state \(published).")
            scene.receive(
                EngineScene.publish(
                    for: "c\(number)", body: body, id: "p\(published)", etag: tags[number], expires: 7_200),
                on: PacedPresenceTests.publisher)
            scene.settle()
            if let tag = scene.entityTag { tags[number] = tag }
        }

        mutating func answer() {
            let due = scene.requests(.notify).filter { $0.port == 6_001 && $0.at + .seconds(2 as Int64) <= scene.now }
            for request in due.dropFirst(answered) { scene.answer(200, to: request) }
            answered = max(answered, due.count)
            scene.settle()
        }
    }

    @Test(arguments: 0..<4)
    func aMessagePassesAllPresence(seed: UInt64) throws {
        let scene = try Self.scene()
        var play = Play(scene: scene, random: SimulationRandom(seed: seed))
        var arrivals: [String: Instant] = [:]
        var answeredMessages = 0
        for step in 0..<700 {
            play.publish()
            if step > 200, step % 45 == 7 {
                let id = "m\(step)"
                arrivals[id] = scene.now
                PacedSendingTests.send(scene, to: "bob", id)
            }
            scene.advance(.milliseconds(250 + Int64(play.random.below(500))))
            play.answer()
            let messages = scene.requests(.message)
            for request in messages.dropFirst(answeredMessages) { scene.answer(200, to: request) }
            answeredMessages = messages.count
        }
        let downlink = scene.sent.filter { $0.port == 6_001 }
        let largest = downlink.map { $0.text.utf8.count }.max() ?? 0
        let packet = LinkProfile.airtime(largest, at: 300)
        let messages = scene.requests(.message)
        #expect(messages.count == arrivals.count && arrivals.count > 8)
        for message in messages {
            let id = message.header(.callID)?.prefix { $0 != "@" } ?? ""
            let arrival = try #require(arrivals[String(id)])
            #expect(message.at - arrival <= packet)
        }
        #expect(scene.notifications.count < play.published / 2)
        #expect(
            DownlinkRun.excess(
                downlink.map { ($0.at, Double($0.text.utf8.count)) }, rate: 300, allowance: Double(largest)) <= 1e-3)
    }

    /// A NOTIFY carries what is newest when it leaves, and every contact has its turn in each round.
    @Test func everyNotificationIsTheNewestAndNobodyStarves() throws {
        let scene = try Self.scene()
        var play = Play(scene: scene, random: SimulationRandom(seed: 77))
        var seen = 0
        var waits: [TimeSpan] = []
        var told: Set<Int> = []
        for step in 0..<900 {
            // The first minute is taken by twenty subscriptions and their answers.
            if step == 150 { (play.since, waits) = ([:], []) }
            play.publish()
            let before = play.newest
            scene.advance(.milliseconds(500))
            play.answer()
            for request in scene.notifications.dropFirst(seen) {
                let contact = request.message.text(request.message.callID).dropFirst().prefix { $0 != "@" }
                let number = try #require(Int(contact))
                if let expected = before[number] { #expect(request.body.contains("state \(expected).")) }
                if let since = play.since.removeValue(forKey: number) { waits.append(request.at - since) }
                told.insert(number)
            }
            seen = scene.notifications.count
        }
        #expect(told.count == Self.contacts && waits.count > 100)
        let largest = scene.notifications.map { $0.text.utf8.count }.max() ?? 0
        // Each of the others once before it, and some answers to its own requests.
        let round = LinkProfile.airtime(largest, at: 300) * Int64(Self.contacts + 2)
        #expect(waits.max().map { $0 <= round } == true)
    }

    @Test func aSubscriptionThatEndsWhileItWaitsSendsItsLastNotification() throws {
        let scene = try Self.scene { $0.budget.byteRate = 2_000 }
        var play = Play(scene: scene, random: SimulationRandom(seed: 5))
        for _ in 0..<60 {
            scene.advance(.milliseconds(500))
            play.answer()
        }
        let first = try #require(scene.notifications.first { $0.header(.callID)?.hasPrefix("s3@") ?? false })
        #expect(scene.notifications.count == Self.contacts)
        scene.receive(
            EngineScene.subscribe(to: "c3", id: "s3", cseq: 2, expires: 0, dialog: first), on: EngineScene.udp(6_001))
        scene.settle()
        scene.advance(.seconds(10 as Int64))
        let mine = scene.notifications.filter { $0.header(.callID)?.hasPrefix("s3@") ?? false }
        #expect(mine.last?.subscriptionState.hasPrefix("terminated") == true)
    }
}
