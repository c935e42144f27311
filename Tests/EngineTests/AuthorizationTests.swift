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
