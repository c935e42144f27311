import FoundationEssentials
import LinkProfiles
import MessageStore
import SIPCore
import Simulation
import Testing

@testable import Engine

@Suite("Forking, its answers and its end")
struct ForkingTests {
    let scene: EngineScene
    let caller = EngineScene.udp(7001)

    init() throws { scene = try EngineScene() }

    /// An INVITE to alice, with what was sent to her devices.
    private func call(_ branch: String = "i1", devices: Int = 1) -> [EngineScene.Sent] {
        for device in 0..<devices { scene.register("alice", port: UInt16(6001 + device)) }
        _ = scene.take()
        scene.receive(HomeServingProxyTests.request("INVITE", branch: branch), on: caller)
        return scene.requests(.invite)
    }

    private func cancel(_ branch: String = "i1") {
        scene.receive(HomeServingProxyTests.request("CANCEL", branch: branch), on: caller)
    }

    @Test func aCancelWaitsForAProvisionalResponse() throws {
        let invite = try #require(call().first)
        cancel()
        #expect(scene.requests(.cancel).isEmpty)
        scene.answer(100, to: invite)
        #expect(scene.requests(.cancel).map(\.branch) == [invite.branch])
        scene.answer(180, to: invite)
        #expect(scene.requests(.cancel).count == 1)
        scene.answer(487, to: invite)
        #expect(scene.requests(.ack).count == 1)
        #expect(scene.statuses.last == 487)
        #expect(scene.engine.counters.openContexts == 0)
    }

    @Test func aCancelledCallToASilentDeviceEnds() throws {
        _ = call()
        cancel()
        scene.advance(.seconds(33 as Int64))
        #expect(scene.statuses.prefix(3) == [200, 100, 487])
        #expect(scene.engine.counters.openContexts == 0)
    }

    @Test func aCancelledCallIsNotSentOnceItsNameIsResolved() throws {
        scene.receive(
            HomeServingProxyTests.request("INVITE", uri: "sip:carol@example.net", branch: "i1"), on: caller)
        let question = try #require(scene.resolutions.last)
        scene.receive(HomeServingProxyTests.request("CANCEL", uri: "sip:carol@example.net", branch: "i1"), on: caller)
        #expect(scene.statuses == [200, 487])
        scene.engine.resolved(
            question.id,
            targets: [Target(transport: .udp, address: TransportAddress(ip: IPAddress(v4: 0xC000_0210), port: 5060))],
            at: scene.now)
        scene.drain()
        #expect(scene.requests(.invite).isEmpty)
    }

    @Test func everySuccessOfAForkGoesToTheCaller() throws {
        let invites = call(devices: 2)
        scene.answer(200, to: invites[0], headers: "Contact: <sip:one@198.51.100.7>\r\n")
        scene.answer(200, to: invites[1], headers: "Contact: <sip:two@198.51.100.7>\r\n")
        #expect(scene.statuses == [200, 200])
        #expect(
            scene.sent.compactMap { $0.header(.contact) }.suffix(2) == [
                "<sip:one@198.51.100.7>", "<sip:two@198.51.100.7>",
            ])
        #expect(scene.engine.counters.openContexts == 0)
    }

    @Test func aSuccessRetransmittedForLackOfItsAckIsPassedOnAgain() throws {
        let invite = try #require(call().first)
        scene.answer(200, to: invite)
        scene.answer(200, to: invite)
        #expect(scene.statuses == [200, 200])
        scene.advance(.seconds(33 as Int64))
        _ = scene.take()
        scene.answer(200, to: invite)
        #expect(scene.statuses.isEmpty)
        #expect(scene.engine.acceptedCalls.isEmpty)
        #expect(scene.engine.heldInvites.isEmpty)
    }

    @Test func aCallAnsweredElsewhereIsNotTriedAtAnotherNextHop() throws {
        scene.register("alice", port: 6001)
        let contact = EngineScene.udp(6002)
        scene.receive(
            """
            REGISTER sip:example.com SIP/2.0\r
            Via: SIP/2.0/UDP 198.51.100.7:6002;rport;branch=z9hG4bKelsewhere\r
            Max-Forwards: 70\r
            From: <sip:alice@example.com>;tag=r\r
            To: <sip:alice@example.com>\r
            Call-ID: elsewhere\r
            CSeq: 1 REGISTER\r
            Contact: <sip:alice@office.example.net>\r
            Expires: 600\r
            Content-Length: 0\r
            \r\n
            """, on: contact)
        scene.settle()
        _ = scene.take()
        scene.receive(HomeServingProxyTests.request("INVITE", branch: "i1"), on: caller)
        let question = try #require(scene.resolutions.last)
        let hops = [0xC000_0210, 0xC000_0211].map {
            Target(transport: .udp, address: TransportAddress(ip: IPAddress(v4: $0), port: 5060))
        }
        scene.engine.resolved(question.id, targets: hops, at: scene.now)
        scene.drain()
        let invites = scene.requests(.invite)
        #expect(invites.count == 2)
        scene.answer(200, to: try #require(invites.first { $0.port == 6001 }))
        scene.answer(503, to: try #require(invites.first { $0.port == 5060 }))
        #expect(scene.requests(.invite).count == 2)
        #expect(scene.statuses == [200])
        #expect(scene.engine.counters.openContexts == 0)
    }

    @Test func aCallThatRangTooLongIsCancelledAndItsRefusalAcknowledged() throws {
        let invite = try #require(call().first)
        scene.answer(180, to: invite)
        scene.advance(.seconds(186 as Int64))
        let cancel = try #require(scene.requests(.cancel).first)
        scene.answer(200, to: cancel)
        scene.answer(487, to: invite)
        #expect(scene.requests(.ack).count == 1)
        #expect(scene.statuses.last == 408)
        #expect(scene.engine.counters.openContexts == 0)
    }

    @Test func aCallThatRangTooLongEndsEvenIfItsDeviceIsGone() throws {
        let invite = try #require(call().first)
        scene.answer(180, to: invite)
        scene.advance(.seconds(225 as Int64))
        #expect(scene.statuses.contains(408))
        scene.advance(.seconds(60 as Int64))
        #expect(scene.engine.counters.openContexts == 0)
        #expect(scene.engine.counters.clientTransactions == 0)
        #expect(scene.engine.counters.serverTransactions == 0)
        #expect(scene.engine.heldInvites.isEmpty)
    }

    @Test func aRefusalForAllEndsTheOtherBranches() throws {
        let invites = call(devices: 2)
        for invite in invites { scene.answer(180, to: invite) }
        scene.answer(603, to: invites[0])
        scene.answer(487, to: invites[1])
        #expect(scene.requests(.cancel).map(\.branch) == [invites[1].branch])
        #expect(scene.statuses == [180, 180, 603])
    }

    @Test(
        arguments: [
            ([404, 302], 302), ([500, 404], 404), ([404, 415], 415), ([503, 500], 500), ([503, 503], 500),
            ([486, 603], 603),
        ] as [([UInt16], UInt16)])
    func theBestRefusalIsChosen(refusals: [UInt16], best: UInt16) {
        let invites = call(devices: 2)
        for (invite, status) in zip(invites, refusals) { scene.answer(status, to: invite) }
        #expect(scene.statuses == [best])
    }

    @Test func theChallengesOfAllDevicesArePassedOn() throws {
        let invites = call(devices: 2)
        scene.answer(401, to: invites[0], headers: "WWW-Authenticate: Digest realm=\"one\", nonce=\"a\"\r\n")
        scene.answer(407, to: invites[1], headers: "Proxy-Authenticate: Digest realm=\"two\", nonce=\"b\"\r\n")
        let answer = try #require(scene.sent.last)
        #expect(answer.header(.wwwAuthenticate)?.contains("one") ?? false)
        #expect(answer.header(.proxyAuthenticate)?.contains("two") ?? false)
    }

    @Test func aResponseThatLostItsWayIsABadGateway() throws {
        let invite = try #require(call().first)
        let bytes = EngineScene.response(486, to: invite)
        let text = String(decoding: bytes, as: UTF8.self)
        let vias = text.components(separatedBy: "\r\n").filter { $0.hasPrefix("Via:") }
        scene.receive(text.replacingText((vias.last ?? "") + "\r\n", with: ""), on: EngineScene.udp(6001))
        #expect(scene.statuses == [502])
        #expect(scene.engine.counters.openContexts == 0)
    }

    @Test func aProxiedRequestWhoseClientGaveUpIsForgotten() throws {
        scene.receive(HomeServingProxyTests.request("OPTIONS", uri: "sip:carol@example.net", branch: "o1"), on: caller)
        scene.advance(.seconds(33 as Int64))
        #expect(scene.engine.counters.openContexts == 0)
        scene.engine.resolved(try #require(scene.resolutions.last).id, targets: [], at: scene.now)
        #expect(scene.engine.resolving.isEmpty)
    }

    @Test func aLateFailureOfAnEarlierHopDoesNotEndTheNext() throws {
        scene.receive(EngineScene.message(to: "carol", id: "m1", domain: "example.net"))
        let hops = [0xC000_0210, 0xC000_0211].map {
            Target(transport: .tcp, address: TransportAddress(ip: IPAddress(v4: $0), port: 5060))
        }
        scene.engine.resolved(try #require(scene.resolutions.last).id, targets: hops, at: scene.now)
        scene.drain()
        let first = try #require(scene.requests(.message).last)
        scene.engine.transmissionFailed(first.token, reason: "refused", at: scene.now)
        scene.engine.transmissionFailed(first.token, reason: "closed", at: scene.now)
        scene.drain()
        #expect(scene.requests(.message).count == 2)
        scene.answer(200, to: try #require(scene.requests(.message).last), on: EngineScene.tcp(3))
        #expect(scene.statuses == [200])
    }

    @Test func aDeferredMessageWaitsForADeviceThatMayTakeItYet() throws {
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.settle()
        scene.register("alice", port: 6001)
        scene.answer(503, to: try #require(scene.take().last { $0.message.isRequest }))
        scene.settle()
        scene.register("alice", port: 6002)
        let offers = scene.requests(.message)
        scene.answer(415, to: offers[0])
        scene.answer(480, to: offers[1])
        scene.settle()
        #expect(scene.store.messages.first?.state == .waiting)
    }
}
