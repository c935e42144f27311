import LinkProfiles
import MessageStore
import SIPCore
import Simulation
import Testing

@testable import Engine

@Suite("Subscriptions at external servers")
struct ExternalSubscriptionTests {
    let scene: EngineScene

    init() throws {
        scene = try EngineScene {
            $0.presence.externalSources = [
                ExternalEventSource(
                    package: .presence, domain: "example.com", host: "203.0.113.5", port: 5070,
                    identity: "sip:store@example.com", password: "secret")
            ]
        }
    }

    private func notify(
        _ subscribe: EngineScene.Sent, cseq: Int, state: String = "active;expires=3600", body: String,
        tag: String = "srv"
    ) -> String {
        let message = subscribe.message
        return """
            NOTIFY sip:192.0.2.1:5060 SIP/2.0\r
            Via: SIP/2.0/UDP 203.0.113.5:5070;branch=z9hG4bKn\(cseq)\r
            Max-Forwards: 70\r
            From: <sip:alice@example.com>;tag=\(tag)\r
            To: <sip:store@example.com>;tag=\(message.text(message.from.tag))\r
            Call-ID: \(message.text(message.callID))\r
            CSeq: \(cseq) NOTIFY\r
            Contact: <sip:203.0.113.5:5070>\r
            Event: presence\r
            Subscription-State: \(state)\r
            Content-Type: application/pidf+xml\r
            Content-Length: \(body.utf8.count)\r
            \r
            \(body)
            """
    }

    private let server = EngineScene.udp(5070, from: 0xCB00_7105)

    /// One message waits for alice, whose device failed once.
    private func leaveOneWaiting() throws {
        scene.receive(EngineScene.message(to: "alice", body: "one", id: "m1"))
        scene.settle()
        scene.register("alice", port: 6001)
        scene.answer(480, to: try #require(scene.requests(.message).last))
        scene.settle()
    }

    @Test func aWaitingMessageMakesASubscription() throws {
        #expect(scene.requests(.subscribe).isEmpty)
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.settle()
        let subscribe = try #require(scene.requests(.subscribe).last)
        #expect(subscribe.text.hasPrefix("SUBSCRIBE sip:alice@example.com SIP/2.0\r\n"))
        #expect(subscribe.header(.event) == "presence")
        guard case .target(let target) = subscribe.destination else {
            Issue.record("not sent to the server")
            return
        }
        #expect(target.address.description == "203.0.113.5:5070")
    }

    @Test func aChallengeIsAnswered() throws {
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.settle()
        let challenge = "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"abc\", qop=\"auth\", algorithm=MD5\r\n"
        scene.answer(401, to: try #require(scene.requests(.subscribe).last), headers: challenge, on: server)
        let again = try #require(scene.requests(.subscribe).last)
        #expect(again.message.cseqNumber == 2)
        let credentials = try #require(again.header(.authorization))
        #expect(credentials.contains("username=\"store\""))
        scene.answer(401, to: again, headers: challenge, on: server)
        #expect(scene.requests(.subscribe).count == 2)
    }

    @Test func anOpenDocumentWakesTheQueue() throws {
        try leaveOneWaiting()
        let subscribe = try #require(scene.requests(.subscribe).first)
        scene.answer(200, to: subscribe, headers: "Expires: 3600\r\nContact: <sip:203.0.113.5:5070>\r\n", on: server)
        _ = scene.take()
        scene.receive(
            notify(subscribe, cseq: 1, body: EngineScene.document(of: "alice", status: "closed")), on: server)
        #expect(scene.statuses == [200])
        #expect(scene.requests(.message).isEmpty)
        scene.receive(notify(subscribe, cseq: 2, body: EngineScene.document(of: "alice")), on: server)
        scene.settle()
        let delivered = try #require(scene.requests(.message).last)
        #expect(delivered.body == "one")
        scene.answer(200, to: delivered)
        scene.settle()
        let last = try #require(scene.requests(.subscribe).last)
        #expect(last.header(.expires) == "0")
        #expect(last.message.text(last.message.to.tag) == "srv")
    }

    @Test func aStrangersNotifyIsRefused() throws {
        try leaveOneWaiting()
        let subscribe = try #require(scene.requests(.subscribe).first)
        _ = scene.take()
        let text = notify(subscribe, cseq: 1, body: EngineScene.document(of: "alice"))
            .replacingText("Call-ID: ", with: "Call-ID: x")
        scene.receive(text, on: server)
        #expect(scene.statuses == [481])
        #expect(scene.requests(.message).isEmpty)
    }

    @Test func theSubscriptionIsMadeAgainAfterARestart() throws {
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.settle()
        try scene.restart()
        _ = scene.take()
        scene.advance(.seconds(1 as Int64))
        #expect(!scene.requests(.subscribe).isEmpty)
    }
}
