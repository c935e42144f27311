import LinkProfiles
import MessageStore
import SIPCore
import Simulation
import Testing

@testable import Engine

@Suite("Presence and the deferred queue")
struct PresenceWakingTests {
    let scene: EngineScene

    init() throws { scene = try EngineScene() }

    private func publish(_ body: String, id: String, etag: String? = nil) {
        scene.receive(EngineScene.publish(for: "alice", body: body, id: id, etag: etag))
        scene.settle()
    }

    private static func activity(_ name: String, status: String = "open") -> String {
        """
        <?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" \
        xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:r="urn:ietf:params:xml:ns:pidf:rpid" \
        entity="sip:alice@example.com"><tuple id="t1"><status><basic>\(status)</basic></status></tuple>\
        <dm:person id="p"><r:activities><r:\(name)/></r:activities></dm:person></presence>
        """
    }

    /// Alice is registered, but her device failed once, so that her queue waits for a retry.
    private func leaveOneWaiting() throws {
        scene.receive(EngineScene.message(to: "alice", body: "one", id: "m1"))
        scene.settle()
        scene.register("alice", port: 6001)
        scene.answer(480, to: try #require(scene.requests(.message).last))
        scene.settle()
        _ = scene.take()
    }

    @Test func anOpenDocumentFlushesAtOnce() throws {
        try leaveOneWaiting()
        publish(EngineScene.document(of: "alice", status: "closed"), id: "p1")
        let tag = scene.entityTag
        #expect(scene.requests(.message).isEmpty)
        publish(EngineScene.document(of: "alice", status: "open"), id: "p2", etag: tag)
        let request = try #require(scene.requests(.message).last)
        #expect(request.body == "one")
        #expect(scene.engine.counters.presence.queuesWoken == 1)
    }

    @Test func aBusyUsersQueueWaitsWhileUrgentMessagesGoThrough() throws {
        publish(Self.activity("busy"), id: "p1")
        let tag = scene.entityTag
        scene.receive(EngineScene.message(to: "alice", body: "one", id: "m1"))
        scene.settle()
        scene.register("alice", port: 6001)
        #expect(scene.requests(.message).isEmpty)
        scene.receive(EngineScene.message(to: "alice", body: "fire", id: "m2", extra: "Priority: urgent\r\n"))
        scene.settle()
        #expect(scene.requests(.message).map(\.body) == ["fire"])
        scene.answer(200, to: try #require(scene.requests(.message).last))
        scene.settle()
        scene.advance(.seconds(60 as Int64))
        #expect(scene.requests(.message).map(\.body) == ["fire"])
        publish(Self.activity("away"), id: "p2", etag: tag)
        #expect(try #require(scene.requests(.message).last).body == "one")
    }

    @Test func aBusyUserIsStillBusyAfterARestart() throws {
        publish(Self.activity("meeting"), id: "p1")
        scene.receive(EngineScene.message(to: "alice", body: "one", id: "m1"))
        scene.settle()
        try scene.restart()
        scene.register("alice", port: 6001)
        scene.advance(.seconds(5 as Int64))
        #expect(scene.requests(.message).isEmpty)
    }

    @Test func aPublicationThatEndsLetsTheQueueFlow() throws {
        publish(Self.activity("busy"), id: "p1")
        scene.receive(EngineScene.message(to: "alice", body: "one", id: "m1", extra: "Expires: 86400\r\n"))
        scene.settle()
        scene.register("alice", port: 6001, expires: 7_200)
        #expect(scene.requests(.message).isEmpty)
        scene.advance(.seconds(3_700 as Int64))
        #expect(try #require(scene.requests(.message).first).body == "one")
    }

    @Test func aRegistrationIsPresence() throws {
        scene.receive(EngineScene.subscribe(to: "alice", id: "s1", port: 7001), on: EngineScene.udp(7001))
        scene.settle()
        scene.answerNotifications()
        #expect(!(try #require(scene.notifications.last).body.contains("open")))
        scene.register("alice", port: 6001)
        #expect(try #require(scene.notifications.last).body.contains("<basic>open</basic>"))
        scene.answerNotifications()
        scene.register("alice", port: 6001, expires: 0, cseq: 2)
        #expect(!(try #require(scene.notifications.last).body.contains("<basic>open</basic>")))
    }

    @Test func registrationsAreReportedToTheirOwner() throws {
        scene.receive(
            EngineScene.subscribe(to: "alice", from: "alice", id: "s1", port: 7001, event: "reg"),
            on: EngineScene.udp(7001))
        scene.settle()
        scene.answerNotifications()
        let first = try #require(scene.notifications.last)
        #expect(first.header(.contentType) == "application/reginfo+xml")
        #expect(first.header(.event) == "reg")
        #expect(first.body.contains("state=\"full\""))
        scene.register("alice", port: 6001)
        let second = try #require(scene.notifications.last)
        #expect(second.sequence == 2)
        #expect(second.body.contains("<uri>sip:alice@198.51.100.7:6001</uri>"))
        #expect(second.body.contains("version=\"1\""))
    }
}
