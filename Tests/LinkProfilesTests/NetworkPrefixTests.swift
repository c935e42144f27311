import LinkProfiles
import Testing

@Suite("Network prefixes and profile rules")
struct NetworkPrefixTests {
    private func halves(_ address: String) throws -> (high: UInt64, low: UInt64) {
        let prefix = try #require(NetworkPrefix(address))
        return (prefix.high, prefix.low)
    }

    @Test(arguments: [
        ("10.1.0.0/16", "10.1.255.3", true), ("10.1.0.0/16", "10.2.0.1", false), ("0.0.0.0/0", "203.0.113.9", true),
        ("192.0.2.7", "192.0.2.7", true), ("192.0.2.7", "192.0.2.8", false), ("2001:db8::/32", "2001:db8:1::5", true),
        ("2001:db8::/32", "2001:db9::5", false), ("::/0", "2001:db8::1", true), ("::/0", "192.0.2.1", true),
        ("0.0.0.0/0", "2001:db8::1", false), ("fe80::/64", "fe80::1:2:3:4", true),
        ("fe80::/65", "fe80::8000:0:0:1", false),
    ])
    func containsWhatItShould(prefix: String, address: String, expected: Bool) throws {
        let (high, low) = try halves(address)
        #expect(try #require(NetworkPrefix(prefix)).contains(high: high, low: low) == expected)
    }

    @Test(arguments: [
        "", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "10.1.2.3/16", "::/129", "::1/64", "example.com", "10.0.0.0/8/8",
        "10.0.0.0/-1", " 10.0.0.1", "10.0.0.1:5060",
    ])
    func refusesOtherText(text: String) {
        #expect(NetworkPrefix(text) == nil)
    }

    @Test(arguments: ["10.1.0.0/16", "192.0.2.7", "0.0.0.0/0", "2001:db8::/32", "::1"])
    func writesItself(text: String) throws {
        #expect(try #require(NetworkPrefix(text)).description == text)
    }

    @Test func ruleNeedsEveryConditionItNames() throws {
        let (high, low) = try halves("10.1.2.3")
        let network = NetworkPrefix("10.1.0.0/16")
        let rule = ProfileRule(profile: "gprs", network: network, transport: "udp", account: "alice@example.com")
        #expect(rule.matches(high: high, low: low, transport: "udp", account: "alice@example.com"))
        #expect(!rule.matches(high: high, low: low, transport: "tcp", account: "alice@example.com"))
        #expect(!rule.matches(high: high, low: low, transport: "udp"))
        #expect(!rule.matches(high: high, low: low &+ 1 << 40, transport: "udp", account: "alice@example.com"))
        #expect(ProfileRule(profile: "lan").matches(high: 0, low: 0, transport: "tls"))
    }
}
