import Policy
import SIPCore
import Testing

@Suite struct IdentityPolicyTests {
    let alice = AuthenticatedUser(username: "alice", domain: "example.com")

    @Test(arguments: [
        "sip:alice@example.com", "sip:alice@EXAMPLE.Com;transport=tcp", "sips:alice@example.com",
        "sip:%61lice@example.com",
    ])
    func acceptsTheSendersOwnName(_ from: String) {
        #expect(IdentityPolicy.judge(message(from), authenticated: alice) == .own)
    }

    @Test(arguments: [
        "sip:bob@example.com", "sip:alice@example.org", "sip:Alice@example.com", "sip:example.com", "tel:+123",
    ])
    func refusesAnotherName(_ from: String) {
        #expect(IdentityPolicy.judge(message(from), authenticated: alice) == .foreignFrom)
    }

    @Test func letsTheSenderHide() {
        let hidden = message("sip:anonymous@anonymous.invalid", ["Privacy: id"])
        #expect(IdentityPolicy.judge(hidden, authenticated: alice) == .anonymous)
    }

    @Test func checksThePreferredIdentity() {
        let own = message("sip:alice@example.com", ["P-Preferred-Identity: \"A\" <sip:alice@example.com>"])
        #expect(IdentityPolicy.judge(own, authenticated: alice) == .own)
        let foreign = message("sip:alice@example.com", ["P-Preferred-Identity: <sip:bob@example.com>"])
        #expect(IdentityPolicy.judge(foreign, authenticated: alice) == .foreignPreferred)
        let second = message(
            "sip:anonymous@anonymous.invalid", ["P-Preferred-Identity: <sip:alice@example.com>, <sip:bob@example.com>"])
        #expect(IdentityPolicy.judge(second, authenticated: alice) == .foreignPreferred)
    }

    @Test func believesOnlyTrustedPeers() {
        let asserted = message("sip:x@elsewhere.example", ["P-Asserted-Identity: <sip:alice@example.com>"])
        #expect(IdentityPolicy.incoming(asserted, fromTrusted: true) == .believe)
        #expect(IdentityPolicy.incoming(asserted, fromTrusted: false) == .remove)
        #expect(IdentityPolicy.incoming(message("sip:x@y.example"), fromTrusted: true) == .none)
    }

    @Test func keepsIdentitiesInsideTheTrustDomain() {
        let open = message("sip:alice@example.com", ["P-Asserted-Identity: <sip:alice@example.com>"])
        #expect(IdentityPolicy.outgoing(open, toTrusted: true) == .keep)
        #expect(IdentityPolicy.outgoing(open, toTrusted: false) == .keepWithoutAdding)
        for privacy in ["id", "ID", "header;id", "critical ; id;user"] {
            let hidden = message(
                "sip:alice@example.com", ["P-Asserted-Identity: <sip:alice@example.com>", "Privacy: \(privacy)"])
            #expect(IdentityPolicy.outgoing(hidden, toTrusted: true) == .keep)
            #expect(IdentityPolicy.outgoing(hidden, toTrusted: false) == .remove)
        }
        for privacy in ["none", "header;user", "identity"] {
            #expect(!IdentityPolicy.asksForPrivacy(message("sip:alice@example.com", ["Privacy: \(privacy)"])))
        }
    }

    private func message(_ from: String, _ headers: [String] = []) -> SIPMessage {
        RequestText.message(
            method: "MESSAGE", uri: "sip:bob@example.com", from: from, to: "sip:bob@example.com", headers: headers)
    }
}
