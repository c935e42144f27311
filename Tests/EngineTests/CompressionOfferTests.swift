import LinkProfiles
import MessageStore
import Policy
import SIPCore
import Testing

@testable import Engine

@Suite("What the engine has to do with SigComp")
struct CompressionOfferTests {
    private static let identifier = "urn:uuid:0c67446e-f1a1-11d9-94d3-000a95a0e128"
    private static let offer = ";comp=sigcomp;sigcomp-id=\(identifier)"

    private func scene(identifier: String = Self.identifier, isProtected: Bool = false) throws -> EngineScene {
        try EngineScene { configuration in
            configuration.sigcompIdentifier = identifier
            guard isProtected else { return }
            configuration.authentication.isRequired = true
            configuration.authentication.realm = "example.com"
            configuration.accounts = [
                Account(
                    username: "bob", domain: "example.com", realm: "example.com",
                    digests: AccountDigests.make(username: "bob", realm: "example.com", password: "secret"))
            ]
            configuration.trustedPeers = [TrustedPeer(network: NetworkPrefix("203.0.113.9")!)]
        }
    }

    private func register(_ contact: String) -> String {
        """
        REGISTER sip:example.com SIP/2.0\r
        Via: SIP/2.0/UDP 198.51.100.7:6001;rport;branch=z9hG4bKr1\r
        From: <sip:alice@example.com>;tag=r\r
        To: <sip:alice@example.com>\r
        Call-ID: r1\r
        CSeq: 1 REGISTER\r
        Contact: \(contact)\r
        Content-Length: 0\r
        \r\n
        """
    }

    @Test(
        "Record-Route asks each side for SigComp that wants it itself (RFC 3486 sections 5 and 6)",
        arguments: [(false, false), (false, true), (true, false), (true, true)])
    func recordRoute(callerWants: Bool, calleeWants: Bool) throws {
        let scene = try scene()
        scene.receive(register("<sip:alice@198.51.100.7:6001\(calleeWants ? ";comp=sigcomp" : "")>"))
        scene.settle()
        _ = scene.take()
        var invite = HomeServingProxyTests.request("INVITE", branch: "i1")
        if callerWants { invite = invite.replacingText("branch=z9hG4bKi1", with: "branch=z9hG4bKi1;comp=sigcomp") }
        scene.receive(invite, on: EngineScene.udp(7001))
        let sent = try #require(scene.requests(.invite).first)
        let routes = sent.message.values(.recordRoute).map { sent.message.text($0) }
        #expect(routes.map { $0.contains(Self.offer + ";lr>") } == [calleeWants, callerWants])
        #expect(routes.map { $0.contains("comp") } == [calleeWants, callerWants])
    }

    @Test("Without an identifier nothing asks for SigComp")
    func withoutSigComp() throws {
        let scene = try scene(identifier: "")
        scene.receive(register("<sip:alice@198.51.100.7:6001;comp=sigcomp>"))
        scene.settle()
        _ = scene.take()
        scene.receive(HomeServingProxyTests.request("INVITE", branch: "i1"), on: EngineScene.udp(7001))
        let sent = try #require(scene.requests(.invite).first)
        #expect(sent.header(.recordRoute)?.contains("comp") == false)
        scene.receive(HomeServingProxyTests.request("OPTIONS", uri: "sip:example.com", branch: "o1"))
        #expect(scene.sent.last?.status == 200 && scene.sent.last?.message.contains(.contact) == false)
    }

    @Test("OPTIONS tells a client where it may send SigComp (RFC 3486 section 4.1)", arguments: [false, true])
    func discovery(overTCP: Bool) throws {
        let scene = try scene()
        scene.receive(
            HomeServingProxyTests.request("OPTIONS", uri: "sip:example.com", branch: "o1"),
            on: overTCP ? EngineScene.tcp(1) : EngineScene.udp(5060))
        let transport = overTCP ? ";transport=tcp" : ""
        #expect(scene.sent.last?.header(.contact) == "<sip:192.0.2.1:5060\(transport)\(Self.offer)>")
    }

    @Test(
        "What is too large for a datagram as it is may go by one with SigComp",
        arguments: [(700, false, false), (1_400, false, true), (1_400, true, false), (5_000, true, true)])
    func size(length: Int, isCompressed: Bool, goesByStream: Bool) throws {
        let scene = try scene()
        scene.receive(register("<sip:alice@198.51.100.7:6001\(isCompressed ? ";comp=sigcomp" : "")>"))
        scene.settle()
        _ = scene.take()
        scene.receive(EngineScene.message(to: "alice", body: String(repeating: "x", count: length), id: "m1"))
        let sent = try #require(scene.requests(.message).first)
        if case .target(let target) = sent.destination {
            #expect(goesByStream && target.transport == .tcp)
        } else {
            #expect(!goesByStream)
        }
    }

    @Test("Who proves nothing is unknown where proofs are wanted")
    func standing() throws {
        let open = try scene()
        open.receive(EngineScene.message(to: "alice", id: "m1"))
        #expect(open.standing == .known(user: 0))

        let scene = try scene(isProtected: true)
        let message = EngineScene.message(to: "bob", id: "m1")
        for _ in 0..<2 {
            scene.receive(message)
            #expect(scene.standing == .unknown, "a challenge repeated proves nothing")
        }
        scene.receive("no SIP at all")
        #expect(scene.standing == .unknown)
        scene.receive(EngineScene.message(to: "bob", id: "m2"), on: EngineScene.udp(5060, from: 0xCB00_7109))
        #expect(scene.standing == .known(user: 0), "a trusted neighbour")
        scene.receive(HomeServingProxyTests.request("OPTIONS", branch: "x1"))
        #expect(scene.standing == .unknown)
    }

    @Test("Credentials tell users apart; who answers our request is known by that")
    func knownUsers() throws {
        let scene = try scene(isProtected: true)
        func register(_ credentials: String, cseq: Int) -> String {
            """
            REGISTER sip:example.com SIP/2.0\r
            Via: SIP/2.0/UDP 198.51.100.7:6001;rport;branch=z9hG4bKr\(cseq)\r
            From: <sip:bob@example.com>;tag=r\r
            To: <sip:bob@example.com>\r
            Call-ID: r1\r
            CSeq: \(cseq) REGISTER\r
            Contact: <sip:bob@198.51.100.7:6001>\r
            \(credentials)Content-Length: 0\r
            \r\n
            """
        }
        let flow = EngineScene.udp(6001)
        scene.receive(register("", cseq: 1), on: flow)
        #expect(scene.standing == .unknown)
        let challenge = try #require(scene.sent.last?.header(.wwwAuthenticate))
        let offer = try #require(AuthorizationHeader(parsing: Array(challenge.utf8)[...]))
        let credentials = try #require(
            DigestClient(username: "bob", password: "secret")
                .answer([offer], method: "REGISTER", uri: "sip:example.com", cnonce: "0a4f"))
        let authenticated = register("Authorization: \(credentials)\r\n", cseq: 2)
        scene.receive(authenticated, on: flow)
        guard case .known(let user) = scene.standing else { return #expect(Bool(false), "bob is not known") }
        #expect(user != 0)
        scene.settle()
        scene.receive(authenticated, on: flow)
        #expect(scene.standing == .known(user: 0), "a retransmission of what was accepted")
        _ = scene.take()

        scene.receive(EngineScene.message(to: "bob", id: "m1"), on: EngineScene.udp(5060, from: 0xCB00_7109))
        let relayed = try #require(scene.requests(.message).first)
        scene.answer(200, to: relayed)
        #expect(scene.standing == .known(user: 0))
        let stray =
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKnone\r\nFrom: <sip:a@b>;tag=1\r\n"
            + "To: <sip:b@b>;tag=2\r\nCall-ID: x\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n"
        scene.receive(stray)
        #expect(scene.standing == .unknown)
    }
}
