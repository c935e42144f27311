import SIPCore
import Testing

@Suite("IP addresses")
struct IPAddressTests {
    /// Text, and its canonical form by RFC 5952.
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
        ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:db8::9:1", "2001:db8::9:1"),
        ("2001:0DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ("::ffff:192.0.2.2", "192.0.2.2"), ("::192.0.2.2", "::c000:202"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
        ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"), ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8:::192.0.2.1", "2001:db8::c000:201"), ("fe80:0:0:0:0:0:0:0", "fe80::"),
    ])
    func canonical(_ text: String, _ expected: String) throws {
        let address = try #require(IPAddress(parsing: text))
        #expect(address.description == expected)
        #expect(IPAddress(parsing: address.description) == address)
        #expect(IPAddress(parsing: Array(text.utf8)[...]) == address)
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.", ".1.2.3", "1.2.3.0004", ":", ":::", "1:2", "1:", ":1",
        "1::2::3",
        "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7", "12345::", "g::", "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4",
        "1:2:3:4:5:6:7:8::", "fe80::1%eth0", "[::1", "::1]", "[]", "1:2:3:4:::5", "[1.2.3.4", " 1.2.3.4",
    ])
    func refuses(_ text: String) {
        #expect(IPAddress(parsing: text) == nil)
    }

    @Test func roundTrip() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<500 {
            // Few distinct groups, so that runs of zeros occur everywhere.
            var halves: [UInt64] = [0, 0]
            for index in 0..<8 {
                let group = [0, 0, 1, 0xffff, 0xa0].randomElement(using: &generator) ?? 0
                halves[index / 4] = halves[index / 4] << 16 | UInt64(group)
            }
            let address = IPAddress(high: halves[0], low: halves[1])
            #expect(IPAddress(parsing: address.description) == address)
        }
    }

    @Test func transportAddress() throws {
        let v4 = TransportAddress(ip: IPAddress(v4: 0xc000_0201), port: 5060)
        #expect(v4.description == "192.0.2.1:5060")
        #expect(TransportAddress(parsing: "192.0.2.1:5060") == v4)
        let v6 = try #require(TransportAddress(parsing: "[2001:db8::1]:5061"))
        #expect(v6.description == "[2001:db8::1]:5061" && v6.port == 5_061)
        for bad in ["", "192.0.2.1", "host:5060", "[::1]", "::1:5060", "1.2.3.4:0", "1.2.3.4:70000", "1.2.3.4:5060x"] {
            #expect(TransportAddress(parsing: bad) == nil)
        }
    }

    @Test func hostsOfMessages() throws {
        let good = try parsed(try TortureVectors.bytes("rfc5118", "port-ambiguous.dat"))
        let uri = try #require(SIPURI(good.requestURI, of: good))
        #expect(uri.ipAddress == IPAddress(parsing: "2001:db8::10:5070") && uri.port == nil)
        let clear = try parsed(try TortureVectors.bytes("rfc5118", "port-unambiguous.dat"))
        #expect(SIPURI(clear.requestURI, of: clear)?.port == 5_070)
        let three = try parsed(try TortureVectors.bytes("rfc5118", "ipv6-bug-abnf-3-colons.dat"))
        let two = try parsed(try TortureVectors.bytes("rfc5118", "ipv6-correct-abnf-2-colons.dat"))
        let hosts = [three, two].map { SIPURI($0.requestURI, of: $0)?.ipAddress }
        #expect(hosts[0] != nil && hosts[0] == hosts[1])
        for name in ["via-received-param-no-delim", "via-received-param-with-delim"] {
            let message = try parsed(try TortureVectors.bytes("rfc5118", name + ".dat"))
            #expect(IPAddress(parsing: message[message.topVia.received]) != nil)
        }
    }
}
