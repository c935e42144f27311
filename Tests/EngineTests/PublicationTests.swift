import LinkProfiles
import MessageStore
import SIPCore
import Simulation
import Testing

@testable import Engine

@Suite("PUBLISH")
struct PublicationTests {
    let scene: EngineScene

    init() throws { scene = try EngineScene { $0.presence.publishers = ["sip:hlr@example.com"] } }

    private func publish(
        _ user: String = "alice", from publisher: String? = nil, status: String = "open", id: String,
        etag: String? = nil, expires: Int? = 3_600
    ) {
        scene.receive(
            EngineScene.publish(
                for: user, from: publisher, body: EngineScene.document(of: user, status: status), id: id, etag: etag,
                expires: expires))
    }

    @Test func isAnsweredOnlyOnceItIsDurable() throws {
        publish(id: "p1")
        #expect(scene.sent.isEmpty)
        scene.settle()
        #expect(scene.statuses == [200])
        let answer = try #require(scene.sent.last)
        #expect(answer.header(.expires) == "3600")
        let tag = try #require(answer.header(.sipETag))
        let row = try #require(scene.store.publications.first)
        #expect(row.entityTag == tag)
        #expect(String(decoding: row.body, as: UTF8.self).contains("<basic>open</basic>"))
    }

    @Test func aFailingStoreRefusesItAndLeavesNothing() {
        scene.store.failure = .full("no space")
        publish(id: "p1")
        scene.settle()
        #expect(scene.statuses == [503])
        scene.store.failure = nil
        scene.advance(.seconds(10 as Int64))
        #expect(scene.store.publications.isEmpty)
        #expect(scene.engine.counters.presence.publications == 0)
    }

    /// RFC 5264 section 4.3.2; the second request is a retransmission.
    @Test("A difference that does not apply is refused, with the reason as a document")
    func aDifferenceThatDoesNotApply() throws {
        publish(id: "p1")
        scene.settle()
        #expect(scene.entityTag != nil)
        let difference = EngineScene.publish(
            for: "alice",
            body: """
                <p:pidf-diff xmlns="urn:ietf:params:xml:ns:pidf" xmlns:p="urn:ietf:params:xml:ns:pidf-diff" \
                entity="sip:alice@example.com"><p:remove sel="presence/tuple[@id='nobody']"/></p:pidf-diff>
                """, id: "p2", etag: scene.entityTag, type: "application/pidf-diff+xml")
        for _ in 1...2 {
            scene.receive(difference)
            scene.settle()
            let answer = try #require(scene.sent.last)
            #expect(scene.statuses.last == 400)
            #expect(answer.header(.contentType) == "application/patch-ops-error+xml")
            #expect(answer.body.contains("<patch-ops-error"))
            #expect(answer.body.contains("<unlocated-node"))
        }
        let row = try #require(scene.store.publications.first)
        #expect(String(decoding: row.body, as: UTF8.self).contains("<tuple"))
    }

    @Test func everyAnswerHasANewEntityTag() throws {
        publish(id: "p1")
        scene.settle()
        let first = try #require(scene.entityTag)
        publish(status: "closed", id: "p2", etag: first)
        scene.settle()
        let second = try #require(scene.entityTag)
        #expect(first != second)
        scene.receive(EngineScene.publish(for: "alice", body: "", id: "p3", etag: second))
        scene.settle()
        let third = try #require(scene.entityTag)
        #expect(Set([first, second, third]).count == 3)
        #expect(scene.store.publications.count == 1)
        #expect(scene.store.publications.first?.entityTag == third)
        publish(id: "p4", etag: first)
        scene.settle()
        #expect(scene.statuses.last == 412)
    }

    @Test func aPublicationOfZeroSecondsIsRemoved() throws {
        publish(id: "p1")
        scene.settle()
        scene.receive(EngineScene.publish(for: "alice", body: "", id: "p2", etag: scene.entityTag, expires: 0))
        scene.settle()
        #expect(scene.statuses == [200, 200])
        #expect(scene.store.publications.isEmpty)
    }

    @Test func survivesARestart() throws {
        publish(id: "p1")
        scene.settle()
        let tag = try #require(scene.entityTag)
        try scene.restart()
        scene.receive(EngineScene.publish(for: "alice", body: "", id: "p2", etag: tag))
        scene.settle()
        #expect(scene.statuses == [200, 200])
    }

    @Test(
        arguments: [
            ("alice", 200), ("hlr", 200), ("mallory", 403),
        ] as [(String, UInt16)]) func onlyTheUserAndNamedSourcesMay(_ publisher: String, _ status: UInt16)
    {
        publish(from: publisher, id: "p1")
        scene.settle()
        #expect(scene.statuses == [status])
    }

    @Test(
        arguments: [
            (EngineScene.publish(for: "alice", body: EngineScene.document(of: "alice"), id: "p1", event: nil), 489),
            (
                EngineScene.publish(for: "alice", body: EngineScene.document(of: "alice"), id: "p1", event: "dialog"),
                489
            ),
            (EngineScene.publish(for: "alice", body: "x", id: "p1", type: "text/plain"), 415),
            (
                EngineScene.publish(
                    for: "alice", body: "x", id: "p1", extra: "Content-Encoding: gzip\r\n"), 415
            ),
            (EngineScene.publish(for: "alice", body: "", id: "p1"), 400),
            (EngineScene.publish(for: "alice", body: "", id: "p1", etag: "a, b"), 400),
            (EngineScene.publish(for: "alice", body: "", id: "p1", etag: "nosuch"), 412),
            (EngineScene.publish(for: "alice", body: EngineScene.document(of: "alice"), id: "p1", expires: 5), 423),
            (
                EngineScene.publish(
                    for: "alice", body: EngineScene.document(of: "alice"), id: "p1", extra: "Require: nonsense\r\n"),
                420
            ),
            (
                EngineScene.publish(
                    for: "alice", body: EngineScene.document(of: "alice", note: String(repeating: "x", count: 70_000)),
                    id: "p1"), 513
            ),
        ] as [(String, UInt16)]) func isRefused(_ request: String, _ status: UInt16)
    {
        scene.receive(request)
        scene.settle()
        #expect(scene.statuses == [status])
        #expect(scene.store.publications.isEmpty)
        switch status {
        case 423: #expect(scene.sent.last?.header(.minExpires) == "60")
        case 489: #expect(scene.sent.last?.header(.allowEvents)?.contains("presence") == true)
        case 415: #expect(scene.sent.last?.header(.accept)?.contains("application/pidf+xml") == true)
        case 420: #expect(scene.sent.last?.header(.unsupported) == "nonsense")
        default: break
        }
    }

    @Test func aRetransmissionGetsTheSameAnswer() {
        let request = EngineScene.publish(for: "alice", body: EngineScene.document(of: "alice"), id: "p1")
        scene.receive(request)
        scene.receive(request)
        scene.settle()
        scene.receive(request)
        #expect(scene.statuses == [200, 200])
        #expect(scene.sent.first?.header(.sipETag) == scene.sent.last?.header(.sipETag))
        #expect(scene.store.publications.count == 1)
    }
}
