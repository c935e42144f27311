import LinkProfiles
import MessageStore
import SIPCore
import Simulation
import Testing

@testable import Engine

@Suite("Presence rules and watcher information")
struct WatcherAuthorizationTests {
    let scene: EngineScene

    init() throws {
        scene = try EngineScene()
        scene.receive(EngineScene.publish(for: "alice", body: EngineScene.document(of: "alice"), id: "p1"))
        scene.settle()
        _ = scene.take()
    }

    private static func rules(_ handlings: [(String, String)]) -> [UInt8] {
        let rules = handlings.enumerated().map { number, rule in
            """
            <cp:rule id="r\(number)"><cp:conditions><cp:identity><cp:one id="sip:\(rule.0)@example.com"/></cp:identity>\
            </cp:conditions><cp:actions><pr:sub-handling>\(rule.1)</pr:sub-handling></cp:actions>\
            <cp:transformations><pr:provide-services><pr:all-services/></pr:provide-services></cp:transformations>\
            </cp:rule>
            """
        }
        return Array(
            """
            <?xml version="1.0"?><cp:ruleset xmlns:cp="urn:ietf:params:xml:ns:common-policy" \
            xmlns:pr="urn:ietf:params:xml:ns:pres-rules">\(rules.joined())</cp:ruleset>
            """.utf8)
    }

    private func provision(_ handlings: [(String, String)]) {
        #expect(scene.engine.provisionRules(Self.rules(handlings), of: "sip:alice@example.com", at: scene.now) == nil)
        scene.drain()
        scene.settle()
    }

    private func watch(_ watcher: String, id: String, port: UInt16) {
        scene.receive(
            EngineScene.subscribe(to: "alice", from: watcher, id: id, port: port), on: EngineScene.udp(port))
        scene.settle()
    }

    private func last(toPort port: UInt16) throws -> EngineScene.Sent {
        try #require(scene.notifications.last { $0.port == port })
    }

    @Test func whoIsBlockedIsRefused() {
        provision([("bob", "allow"), ("eve", "block")])
        watch("eve", id: "s1", port: 7001)
        #expect(scene.statuses == [403])
        #expect(scene.store.subscriptions.isEmpty)
    }

    @Test func whoIsToBeConfirmedWaitsAndLearnsNothing() throws {
        provision([("bob", "confirm")])
        watch("bob", id: "s1", port: 7001)
        #expect(scene.statuses == [200])
        let notify = try last(toPort: 7001)
        #expect(notify.subscriptionState == "pending;expires=3600")
        #expect(!notify.body.contains("open"))
        scene.answerNotifications()
        provision([("bob", "allow")])
        let decided = try last(toPort: 7001)
        #expect(decided.subscriptionState == "active;expires=3600")
        #expect(decided.body.contains("<basic>open</basic>"))
        #expect(scene.store.subscriptions.first?.progress.state == .active)
    }

    @Test func whoIsBlockedLaterIsToldSo() throws {
        provision([("bob", "allow")])
        watch("bob", id: "s1", port: 7001)
        scene.answerNotifications()
        provision([("bob", "block")])
        #expect(try last(toPort: 7001).subscriptionState == "terminated;reason=rejected")
        scene.answerNotifications()
        #expect(scene.store.subscriptions.isEmpty)
    }

    @Test func politeBlockingLooksLikeAbsence() throws {
        provision([("bob", "polite-block")])
        watch("bob", id: "s1", port: 7001)
        let notify = try last(toPort: 7001)
        #expect(notify.subscriptionState == "active;expires=3600")
        #expect(!notify.body.contains("open"))
    }

    @Test func rulesSurviveARestart() throws {
        provision([("eve", "block")])
        try scene.restart()
        watch("eve", id: "s1", port: 7001)
        #expect(scene.statuses.last == 403)
    }

    @Test func rulesThatAreNoneAreRefused() {
        let refusal = scene.engine.provisionRules(Array("<x/>".utf8), of: "sip:alice@example.com", at: scene.now)
        #expect(refusal != nil)
        #expect(scene.engine.provisionRules(nil, of: "sip:alice@example.net", at: scene.now) != nil)
    }

    @Test func theUserLearnsWhoWatches() throws {
        provision([("bob", "confirm"), ("carol", "allow")])
        scene.receive(
            EngineScene.subscribe(to: "alice", from: "alice", id: "w1", port: 7100, event: "presence.winfo"),
            on: EngineScene.udp(7100))
        scene.settle()
        scene.answerNotifications()
        let first = try last(toPort: 7100)
        #expect(first.header(.contentType) == "application/watcherinfo+xml")
        watch("bob", id: "s1", port: 7001)
        scene.answerNotifications()
        let second = try last(toPort: 7100)
        #expect(second.body.contains("sip:bob@example.com"))
        #expect(second.body.contains("status=\"pending\""))
        watch("carol", id: "s2", port: 7002)
        scene.answerNotifications()
        #expect(try last(toPort: 7100).body.contains("sip:carol@example.com"))
    }
}
