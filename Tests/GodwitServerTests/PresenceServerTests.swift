import Engine
import LinkProfiles
import Presence
import SIPCore
import SIPDialog
import Testing

@testable import GodwitServer

@Suite("Presence with real sockets", .serialized)
struct PresenceServerTests {
    private static func document(_ note: String) -> String {
        """
        <?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:alice@example.com">\
        <tuple id="t1"><status><basic>open</basic></status><note>\(note)</note></tuple></presence>
        """
    }

    private func publish(_ peer: LoopbackPeer, _ note: String, etag: String? = nil, id: String) throws -> SIPMessage {
        let body = Self.document(note)
        peer.send(
            """
            PUBLISH sip:alice@example.com SIP/2.0
            Via: SIP/2.0/UDP 127.0.0.1:\(peer.port);rport;branch=z9hG4bKp\(id)
            Max-Forwards: 70
            From: <sip:alice@example.com>;tag=p\(id)
            To: <sip:alice@example.com>
            Call-ID: p\(id)
            CSeq: 1 PUBLISH
            Event: presence
            Expires: 3600
            \(etag.map { "SIP-If-Match: \($0)\n" } ?? "")Content-Type: application/pidf+xml
            Content-Length: \(body.utf8.count)

            \(body)
            """)
        return try peer.receiveFinal()
    }

    private func subscribe(_ peer: LoopbackPeer, id: String) {
        peer.send(
            """
            SUBSCRIBE sip:alice@example.com SIP/2.0
            Via: SIP/2.0/UDP 127.0.0.1:\(peer.port);rport;branch=z9hG4bKs\(id)
            Max-Forwards: 70
            From: <sip:bob@example.com>;tag=s\(id)
            To: <sip:alice@example.com>
            Call-ID: s\(id)
            CSeq: 1 SUBSCRIBE
            Contact: <sip:bob@127.0.0.1:\(peer.port)>
            Event: presence
            Expires: 3600
            Content-Length: 0


            """)
    }

    private func notification(_ peer: LoopbackPeer) throws -> SIPMessage {
        while true {
            let message = try peer.receive()
            guard message.isRequest, message.method == .notify else { continue }
            peer.answer(message, 200)
            return message
        }
    }

    @Test func whatIsPublishedIsToldAlsoAfterARestart() async throws {
        let site = Site()
        let listen = try LoopbackPeer(server: 9)
        let line = "listen: [\"udp:127.0.0.1:\(listen.port + 1)\"]"
        let (first, port) = try await site.start(line)
        let alice = try LoopbackPeer(server: port)
        let bob = try LoopbackPeer(server: port)
        let published = try publish(alice, "one", id: "1")
        #expect(published.statusCode == 200)
        let tag = try #require(published.first(.sipETag).map { published.text($0.value) })
        subscribe(bob, id: "1")
        #expect(try bob.receiveFinal().statusCode == 200)
        let initial = try notification(bob)
        #expect(initial.text(initial.body).contains("<note>one</note>"))
        await first.stop()

        let (second, _) = try await site.start(line)
        let again = try notification(bob)
        #expect(again.cseqNumber > initial.cseqNumber)
        #expect(again.text(again.callID) == "s1")
        #expect(again.text(again.body).contains("<note>one</note>"))
        #expect(try publish(alice, "two", etag: tag, id: "2").statusCode == 200)
        let changed = try notification(bob)
        #expect(changed.text(changed.body).contains("<note>two</note>"))
        #expect(try site.ask(AdminRequest(.stats)).counters?["subscriptions"] == 1)
        await second.stop()
    }

    @Test func rulesGoInThroughTheSocket() async throws {
        let site = Site()
        let (server, port) = try await site.start()
        let bob = try LoopbackPeer(server: port)
        #expect(try site.ask(AdminRequest(rulesOf: "sip:alice@example.com", document: "<x/>")).ok == false)
        let rules = """
            <ruleset xmlns="urn:ietf:params:xml:ns:common-policy" xmlns:p="urn:ietf:params:xml:ns:pres-rules">\
            <rule id="a"><conditions><identity><one id="sip:carol@example.com"/></identity></conditions>\
            <actions><p:sub-handling>allow</p:sub-handling></actions></rule></ruleset>
            """
        #expect(try site.ask(AdminRequest(rulesOf: "sip:alice@example.com", document: rules)).ok)
        subscribe(bob, id: "2")
        #expect(try bob.receiveFinal().statusCode == 403)
        #expect(try site.ask(AdminRequest(rulesOf: "sip:alice@example.com", document: nil)).ok)
        subscribe(bob, id: "3")
        #expect(try bob.receiveFinal().statusCode == 200)
        await server.stop()
    }

    @Test func theSectionIsReadWhole() throws {
        let presence = try ServerConfiguration.parse(
            """
            domains: [example.com]
            presence:
              unruled-watchers: polite-block
              publishers: [hlr@example.com]
              observers: ["sip:desk@Example.com"]
              registrations: false
              busy-activities: [fishing]
              subscriptions: {minimum: 30s, maximum: 2h, default: 10m}
              subscriptions-per-watcher: 7
              document-size: 8KiB
              notification-interval: 10s
              external:
                - {event: reg, server: "sip:192.0.2.9:5070;transport=tcp", as: store@example.com}
            """
        ).presence
        #expect(presence.unruledWatchers == .politeBlock)
        #expect(presence.publishers == ["sip:hlr@example.com"])
        #expect(presence.observers == ["sip:desk@example.com"])
        #expect(!presence.includesRegistrations)
        #expect(presence.undisturbedActivities == ["fishing"])
        #expect(presence.subscriptions.standard == .seconds(600 as Int64))
        #expect(presence.subscriptionsPerWatcher == 7)
        #expect(presence.bodyLimit == 8_192)
        #expect(presence.rates.maximum == 100_000)
        let source = try #require(presence.externalSources.first)
        #expect(source.package == .registration && source.domain == "example.com" && source.port == 5_070)
        #expect(source.transport == "tcp" && source.identity == "sip:store@example.com")
    }

    @Test(arguments: [
        ("unruled-watchers: maybe", "presence.unruled-watchers"),
        ("publishers: [hlr]", "presence.publishers"),
        ("subscriptions: {minimum: 2h}", "presence.subscriptions.default"),
        ("external: [{server: \"192.0.2.9\", as: a@example.com}]", "presence.external[1].server"),
        (
            "external: [{server: \"sip:192.0.2.9\", as: a@example.com, domain: example.org}]",
            "presence.external[1].domain"
        ),
    ])
    func mistakesAreRefused(_ line: String, _ key: String) {
        let failure = #expect(throws: SettingsFailure.self) {
            try ServerConfiguration.parse("domains: [example.com]\npresence:\n  \(line)\n")
        }
        #expect(failure?.problems.contains { $0.key == key } == true, "\(failure?.problems ?? [])")
    }
}
