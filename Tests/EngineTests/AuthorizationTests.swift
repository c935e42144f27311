import LinkProfiles
import MessageStore
import Policy
import SIPCore
import Simulation
import Testing

@testable import Engine

@Suite("Who may send and register")
struct AuthorizationTests {
    let scene: EngineScene

    init() throws {
        scene = try EngineScene { configuration in
            configuration.authentication.isRequired = true
            configuration.authentication.realm = "example.com"
            configuration.accounts = ["alice", "bob"].map { name in
                Account(
                    username: name, domain: "example.com", realm: "example.com",
                    digests: AccountDigests.make(username: name, realm: "example.com", password: "secret-\(name)"))
            }
            configuration.trustedPeers = [TrustedPeer(network: NetworkPrefix("203.0.113.9")!)]
            configuration.routes = [
                DomainRoute(domain: "example.net", host: "203.0.113.9", port: 5060, transport: .udp)
            ]
        }
    }

    /// Sends a request, answers the challenge for `user` and gives back the statuses seen.
    private func exchange(_ text: (String) -> String, as user: String, password: String? = nil, role: HeaderName) throws
        -> [UInt16]
    {
        scene.receive(text(""))
        let challenge = try #require(scene.sent.last)
        let field = try #require(challenge.header(role))
        let first = text("")
        let parts = first.prefix { $0 != "\r" }.split(separator: " ")
        let offer = try #require(AuthorizationHeader(parsing: Array(field.utf8)[...]))
        let credentials = try #require(
            DigestClient(username: user, password: password ?? "secret-\(user)")
                .answer([offer], method: String(parts[0]), uri: String(parts[1]), cnonce: "0a4f113b"))
        let header = role == .wwwAuthenticate ? "Authorization" : "Proxy-Authorization"
        scene.receive(
            text("\(header): \(credentials)\r\n").replacingText("branch=z9hG4bK", with: "branch=z9hG4bKauth")
                .replacingText("CSeq: 1 ", with: "CSeq: 2 "))
        scene.settle()
        return scene.statuses
    }

    @Test func aMessageNeedsCredentials() throws {
        let statuses = try exchange(
            { EngineScene.message(to: "alice", id: "m1", extra: $0) }, as: "bob", role: .proxyAuthenticate)
        #expect(statuses == [407, 202])
        #expect(scene.store.messages.count == 1)
        let payload = String(decoding: scene.store.messages[0].message.payload, as: UTF8.self)
        #expect(!payload.contains("Proxy-Authorization"))
    }

    @Test func theFromMustBeTheCredentials() throws {
        let statuses = try exchange(
            { EngineScene.message(to: "alice", from: "mallory", id: "m1", extra: $0) }, as: "bob",
            role: .proxyAuthenticate)
        #expect(statuses == [407, 403])
        #expect(scene.store.messages.isEmpty)
        #expect(scene.engine.counters.identityMismatches == 1)
    }

    @Test func aWrongPasswordIsChallengedAgain() throws {
        let statuses = try exchange(
            { EngineScene.message(to: "alice", id: "m1", extra: $0) }, as: "bob", password: "wrong",
            role: .proxyAuthenticate)
        #expect(statuses == [407, 407])
        #expect(scene.engine.counters.authenticationFailures == 1)
    }

    @Test func usersWithoutAnAccountDoNotExist() throws {
        let statuses = try exchange(
            { EngineScene.message(to: "nobody", id: "m1", extra: $0) }, as: "bob", role: .proxyAuthenticate)
        #expect(statuses == [407, 404])
    }

    @Test func aTrustedPeerSpeaksForItsUsers() throws {
        scene.receive(
            EngineScene.message(to: "alice", from: "carol", id: "m1", senderDomain: "example.net"),
            on: EngineScene.udp(5060, from: 0xCB00_7109))
        scene.settle()
        #expect(scene.statuses == [202])
    }

    @Test func theProvenIdentityIsAssertedTowardsTrustedPeersOnly() throws {
        func text(_ credentials: String) -> String {
            EngineScene.message(
                to: "carol", id: "m1", extra: "P-Asserted-Identity: <sip:queen@example.com>\r\n" + credentials,
                domain: "example.net")
        }
        _ = try exchange(text, as: "bob", role: .proxyAuthenticate)
        let relayed = try #require(scene.requests(.message).last)
        #expect(
            relayed.message.values(.pAssertedIdentity).map { relayed.message.text($0) } == ["<sip:bob@example.com>"])
        #expect(!relayed.message.contains(.proxyAuthorization))
    }

    @Test func registrationsNeedCredentialsOfTheUser() throws {
        func register(_ user: String) -> (String) -> String {
            {
                "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.7:6001;rport;branch=z9hG4bKr\(user)\r\nMax-Forwards: 70\r\nFrom: <sip:\(user)@example.com>;tag=r\r\nTo: <sip:\(user)@example.com>\r\nCall-ID: reg\r\nCSeq: 1 REGISTER\r\nContact: <sip:\(user)@198.51.100.7:6001>\r\nExpires: 600\r\n\($0)Content-Length: 0\r\n\r\n"
            }
        }
        #expect(try exchange(register("alice"), as: "alice", role: .wwwAuthenticate) == [401, 200])
        _ = scene.take()
        #expect(try exchange(register("bob"), as: "alice", role: .wwwAuthenticate) == [401, 403])
        #expect(scene.engine.counters.bindings == 1)
    }
}

@Suite("What credentials cannot be left out for")
struct CredentialGapTests {
    let scene: EngineScene

    init() throws {
        scene = try EngineScene { configuration in
            configuration.authentication.isRequired = true
            configuration.accounts = ["alice", "bob"].map { name in
                Account(
                    username: name, domain: "example.com", realm: "example.com",
                    digests: AccountDigests.make(username: name, realm: "example.com", password: "secret-\(name)"))
            }
            configuration.trustedPeers = [TrustedPeer(network: NetworkPrefix("203.0.113.9")!)]
        }
    }

    /// A Route that carries a flow sealed by the server, as everybody who was in a dialog has seen one.
    private func sealedRoute(to flow: Flow) -> String {
        let token = String(decoding: FlowToken.text(of: flow, key: scene.engine.key), as: UTF8.self)
        return "Route: <sip:\(token)@192.0.2.1:5060;lr>\r\n"
    }

    @Test(arguments: ["sip:alice@example.com", "sip:alice@198.51.100.7:6001"])
    func aSealedFlowDoesNotLetAMessageIn(uri: String) {
        scene.receive(
            EngineScene.message(to: "alice", from: "queen", id: "m1", extra: sealedRoute(to: EngineScene.udp(6001)))
                .replacingText("MESSAGE sip:alice@example.com", with: "MESSAGE \(uri)")
                .replacingText("To: <sip:alice@example.com>", with: "To: <sip:alice@example.com>;tag=x"))
        scene.settle()
        #expect(scene.statuses == [407])
        #expect(scene.requests(.message).isEmpty)
    }

    @Test func aSealedFlowLeadsToNoServedUser() {
        scene.receive(
            HomeServingProxyTests.request(
                "BYE", uri: "sip:alice@example.com", branch: "b1", toTag: "x",
                extra: sealedRoute(to: EngineScene.udp(6001))),
            on: EngineScene.udp(7001))
        #expect(scene.statuses == [407])
    }

    @Test func aRequestInsideADialogFindsItsWayWithoutAnIdentityNobodyProved() throws {
        scene.receive(
            HomeServingProxyTests.request(
                "BYE", uri: "sip:alice@198.51.100.7:6001", branch: "b1", toTag: "x",
                extra: sealedRoute(to: EngineScene.udp(6001)) + "P-Asserted-Identity: <sip:queen@example.com>\r\n"),
            on: EngineScene.udp(7001))
        let bye = try #require(scene.requests(.bye).first)
        #expect(bye.port == 6001)
        #expect(!bye.message.contains(.pAssertedIdentity))
    }

    @Test func aCallWithoutCredentialsIsChallengedWithoutState() throws {
        scene.receive(HomeServingProxyTests.request("INVITE", branch: "i1"), on: EngineScene.udp(7001))
        let challenge = try #require(scene.sent.last)
        #expect(challenge.status == 407)
        #expect(challenge.header(.proxyAuthenticate)?.hasPrefix("Digest") ?? false)
        #expect(scene.engine.counters.serverTransactions == 0)
        #expect(scene.engine.heldInvites.isEmpty)
        let tag = challenge.message.text(challenge.message.to.tag)
        scene.receive(
            HomeServingProxyTests.request("ACK", branch: "i1", toTag: tag, extra: "Route: <sip:192.0.2.1:5060;lr>\r\n"),
            on: EngineScene.udp(7001))
        scene.advance(.seconds(10 as Int64))
        #expect(scene.sent.count == 1)
    }

    @Test func anAckThatCameByNoDialogOfOursGoesNowhere() {
        scene.receive(
            HomeServingProxyTests.request("ACK", uri: "sip:victim@203.0.113.50", branch: "a1", toTag: "x"),
            on: EngineScene.udp(7001))
        #expect(scene.sent.isEmpty)
    }

    @Test func anExtensionRequiredOfTheServerItselfIsNamed() throws {
        scene.receive(
            HomeServingProxyTests.request(
                "OPTIONS", uri: "sip:example.com", branch: "o1", extra: "Require: path, teleport\r\n"),
            on: EngineScene.udp(7001))
        #expect(scene.statuses == [420])
        #expect(try #require(scene.sent.last).header(.unsupported) == "teleport")
    }

    @Test func aDrainingServerStillCancelsCalls() throws {
        let peer = EngineScene.udp(5060, from: 0xCB00_7109)
        scene.receive(HomeServingProxyTests.request("INVITE", uri: "sip:carol@example.net", branch: "i1"), on: peer)
        scene.engine.drain(at: scene.now)
        scene.receive(HomeServingProxyTests.request("CANCEL", uri: "sip:carol@example.net", branch: "i1"), on: peer)
        #expect(scene.statuses == [200, 487])
        scene.engine.resolved(try #require(scene.resolutions.last).id, targets: [], at: scene.now)
        #expect(scene.engine.isIdle)
    }

    @Test func callsDroppedByTheFloodGuardLeaveNothingBehind() throws {
        let scene = try EngineScene { $0.limits.perIdentity = RateLimit(perSecond: 1, burst: 1) }
        for n in 0..<50 {
            scene.receive(
                HomeServingProxyTests.request("INVITE", branch: "i\(n)", callID: "c\(n)"), on: EngineScene.udp(7001))
        }
        scene.advance(.seconds(40 as Int64))
        #expect(scene.engine.counters.droppedByFloodGuard > 0)
        #expect(scene.engine.counters.serverTransactions == 0)
        #expect(scene.engine.heldInvites.isEmpty)
    }
}
