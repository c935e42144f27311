import LinkProfiles
import SIPCore
import Testing

@testable import Engine

@Suite("Home Serving Proxy")
struct HomeServingProxyTests {
    let scene: EngineScene

    init() throws { scene = try EngineScene() }

    static func request(
        _ method: String, uri: String = "sip:alice@example.com", branch: String, callID: String = "c1", cseq: Int = 1,
        toTag: String = "", maxForwards: Int = 70, extra: String = "", port: UInt16 = 7001
    ) -> String {
        """
        \(method) \(uri) SIP/2.0\r
        Via: SIP/2.0/UDP 198.51.100.7:\(port);rport;branch=z9hG4bK\(branch)\r
        Max-Forwards: \(maxForwards)\r
        From: <sip:bob@example.com>;tag=caller\r
        To: <sip:alice@example.com>\(toTag.isEmpty ? "" : ";tag=\(toTag)")\r
        Call-ID: \(callID)\r
        CSeq: \(cseq) \(method)\r
        Contact: <sip:bob@198.51.100.7:\(port)>\r
        \(extra)Content-Length: 0\r
        \r\n
        """
    }

    @Test func aCallIsSetUpAndEndedOverOurRecordRoute() throws {
        let caller = EngineScene.udp(7001)
        scene.register("alice", port: 6001)
        _ = scene.take()
        scene.receive(Self.request("INVITE", branch: "i1"), on: caller)
        let invite = try #require(scene.requests(.invite).first)
        let routes = invite.message.values(.recordRoute).map { invite.message.text($0) }
        #expect(routes.count == 2)
        scene.answer(180, to: invite)
        scene.answer(
            200, to: invite,
            headers: "Record-Route: \(routes.joined(separator: ", "))\r\nContact: <sip:alice@198.51.100.7:6001>\r\n")
        #expect(scene.statuses == [180, 200])
        #expect(scene.sent.last?.port == 7001)
        _ = scene.take()

        let routeSet = routes.reversed().map { "Route: \($0)\r\n" }.joined()
        scene.receive(
            Self.request("ACK", uri: "sip:alice@198.51.100.7:6001", branch: "a1", toTag: "endpoint", extra: routeSet),
            on: caller)
        let ack = try #require(scene.requests(.ack).first)
        #expect(ack.port == 6001)
        #expect(!ack.message.contains(.route))

        scene.receive(
            Self.request(
                "BYE", uri: "sip:alice@198.51.100.7:6001", branch: "b1", cseq: 2, toTag: "endpoint", extra: routeSet),
            on: caller)
        let bye = try #require(scene.requests(.bye).first)
        #expect(bye.port == 6001)
        scene.answer(200, to: bye)
        #expect(scene.statuses == [200])

        // The callee's direction: its route set is in the order of Record-Route.
        let calleeRoutes = routes.map { "Route: \($0)\r\n" }.joined()
        scene.receive(
            Self.request(
                "INFO", uri: "sip:bob@198.51.100.7:7001", branch: "n1", cseq: 3, toTag: "x", extra: calleeRoutes,
                port: 6001),
            on: EngineScene.udp(6001))
        #expect(scene.requests(.info).first?.port == 7001)
    }

    @Test func allDevicesRingAndTheFirstAnswerCancelsTheOthers() throws {
        scene.register("alice", port: 6001)
        scene.register("alice", port: 6002)
        _ = scene.take()
        scene.receive(Self.request("INVITE", branch: "i1"), on: EngineScene.udp(7001))
        let invites = scene.requests(.invite)
        #expect(Set(invites.map(\.port)) == [6001, 6002])
        for invite in invites { scene.answer(180, to: invite) }
        scene.answer(200, to: invites[0])
        let cancel = try #require(scene.requests(.cancel).first)
        #expect(cancel.port == invites[1].port)
        #expect(cancel.branch == invites[1].branch)
        scene.answer(200, to: cancel)
        scene.answer(487, to: invites[1])
        let ack = try #require(scene.requests(.ack).first)
        #expect(ack.port == invites[1].port)
        #expect(scene.statuses.filter { $0 >= 200 } == [200])
    }

    @Test func aCancelledCallEndsWith487() throws {
        scene.register("alice", port: 6001)
        _ = scene.take()
        scene.receive(Self.request("INVITE", branch: "i1"), on: EngineScene.udp(7001))
        let invite = try #require(scene.requests(.invite).first)
        scene.answer(180, to: invite)
        _ = scene.take()
        scene.receive(Self.request("CANCEL", branch: "i1"), on: EngineScene.udp(7001))
        #expect(scene.statuses == [200])
        let cancel = try #require(scene.requests(.cancel).first)
        scene.answer(200, to: cancel)
        scene.answer(487, to: invite)
        #expect(scene.statuses == [200, 487])
    }

    @Test func theBestRefusalIsPassedOn() throws {
        scene.register("alice", port: 6001)
        scene.register("alice", port: 6002)
        _ = scene.take()
        scene.receive(Self.request("OPTIONS", branch: "o1"), on: EngineScene.udp(7001))
        let offers = scene.requests(.options)
        scene.answer(500, to: offers[0])
        #expect(scene.statuses.isEmpty)
        scene.answer(404, to: offers[1])
        #expect(scene.statuses == [404])
    }

    @Test(
        arguments: [
            (request("OPTIONS", uri: "sip:example.com", branch: "a"), 200),
            (request("OPTIONS", uri: "sip:alice@example.com", branch: "b", maxForwards: 0), 483),
            (request("OPTIONS", uri: "sip:alice@example.com", branch: "c"), 480),
            (request("OPTIONS", uri: "mailto:alice@example.com", branch: "d"), 416),
            (request("OPTIONS", branch: "e", extra: "Proxy-Require: nothingSupportsThis\r\n"), 420),
            (request("CANCEL", branch: "f"), 481),
            (request("FROBNICATE", uri: "sip:example.com", branch: "g"), 501),
        ] as [(String, UInt16)])
    func rejections(text: String, status: UInt16) {
        scene.receive(text, on: EngineScene.udp(7001))
        #expect(scene.statuses == [status])
    }

    @Test func theUnsupportedOptionIsNamed() throws {
        scene.receive(
            Self.request("OPTIONS", branch: "e", extra: "Proxy-Require: foo, bar\r\n"), on: EngineScene.udp(7001))
        #expect(try #require(scene.sent.last).header(.unsupported) == "foo, bar")
    }

    @Test func aLoopIsDetectedAndASpiralIsNot() throws {
        scene.register("alice", port: 6001)
        _ = scene.take()
        scene.receive(EngineScene.message(to: "alice", id: "m1", port: 7001), on: EngineScene.udp(7001))
        let relayed = try #require(scene.requests(.message).first)
        // The device sends it back to where it was first addressed: everything that decides its way is as it was.
        let looped = relayed.text
            .replacingText("MESSAGE sip:alice@198.51.100.7:6001", with: "MESSAGE sip:alice@example.com")
            .replacingText("Via:", with: "Via: SIP/2.0/UDP 198.51.100.7:6001;branch=z9hG4bKloop\r\nVia:")
        scene.receive(looped, on: EngineScene.udp(6001))
        #expect(scene.statuses == [482])
        // Retargeted to somebody else it is a spiral, and allowed.
        let spiral = relayed.text
            .replacingText("MESSAGE sip:alice@198.51.100.7:6001", with: "MESSAGE sip:carol@example.com")
            .replacingText("Via:", with: "Via: SIP/2.0/UDP 198.51.100.7:6001;branch=z9hG4bKspiral\r\nVia:")
        scene.receive(spiral, on: EngineScene.udp(6001))
        scene.settle()
        #expect(scene.statuses == [482, 202])
    }

    @Test func anotherDomainIsLookedUpAndNextHopsAreTriedInTurn() throws {
        scene.receive(EngineScene.message(to: "carol", id: "m1", domain: "example.net"))
        let question = try #require(scene.resolutions.first)
        #expect(question.host == "example.net")
        let hops = [0xC000_0210, 0xC000_0211].map {
            Target(transport: .udp, address: TransportAddress(ip: IPAddress(v4: $0), port: 5060), domain: "example.net")
        }
        scene.engine.resolved(question.id, targets: hops, at: scene.now)
        scene.drain()
        let first = try #require(scene.requests(.message).last)
        #expect(first.destination == .target(hops[0]))
        scene.engine.transmissionFailed(first.token, reason: "unreachable", at: scene.now)
        scene.drain()
        let second = try #require(scene.requests(.message).last)
        #expect(second.destination == .target(hops[1]))
        #expect(second.branch != first.branch)
        // A neighbour's 503 does not say that we can do nothing.
        scene.answer(503, to: second, on: EngineScene.udp(5060))
        #expect(scene.statuses == [500])
    }

    @Test func aDomainWithoutServersIsSaidToBeUnreachable() throws {
        scene.receive(EngineScene.message(to: "carol", id: "m1", domain: "example.net"))
        scene.engine.resolved(try #require(scene.resolutions.first).id, targets: [], at: scene.now)
        scene.drain()
        #expect(scene.statuses == [502])
    }

    @Test func aConfiguredRouteGoesBeforeDNS() throws {
        let scene = try EngineScene {
            $0.routes = [DomainRoute(domain: "example.net", host: "192.0.2.99", port: 5070, transport: .tcp)]
        }
        scene.receive(EngineScene.message(to: "carol", id: "m1", domain: "example.net"))
        let request = try #require(scene.requests(.message).first)
        guard case .target(let target) = request.destination else {
            Issue.record("not sent to the route's next hop")
            return
        }
        #expect(target.transport == .tcp)
        #expect(target.address.port == 5070)
    }

    @Test func aDrainingServerTakesNoNewWork() {
        scene.engine.drain(at: scene.now)
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        #expect(scene.statuses == [503])
        #expect(scene.engine.isIdle)
    }

    @Test func responsesNobodyAskedForAreDropped() {
        scene.receive(
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKnone\r\nVia: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@b>;tag=2\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        )
        #expect(scene.sent.isEmpty)
        #expect(scene.engine.counters.strayResponses == 1)
    }
}
