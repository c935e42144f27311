import SIPCore
import Testing

@Suite("SIP URIs")
struct SIPURITests {
    /// RFC 3261 section 19.1.3.
    @Test(arguments: [
        "sip:alice@atlanta.com", "sip:alice:secretword@atlanta.com;transport=tcp",
        "sips:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:+1-212-555-1212:1234@gateway.com;user=phone", "sips:1212@gateway.com", "sip:alice@192.0.2.4",
        "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com", "sip:alice;day=tuesday@atlanta.com",
        "tel:+1-201-555-0123;ext=7", "sip:[2001:db8::1]:5070;lr", "mailto:bob@example.com", "urn:service:sos",
        "sip:b@h;maddr=[::1];x=/:&+$", "sip:%00@h", "http://www.example.com/a?b#c",
    ])
    func printsWhatItRead(_ text: String) throws {
        let uri = try #require(SIPURI(parsing: text))
        #expect(uri.description == text)
        #expect(SIPURI(parsing: uri.description) == uri)
    }

    @Test func parts() throws {
        let uri = try #require(SIPURI(parsing: "SIPS:Al%69ce:%70w@ExAmple.COM:5071;LR;x=%41?a=b&c=%26"))
        #expect(uri.scheme == .sips && uri.isSIP)
        #expect(uri.user == "Alice" && uri.password == "pw" && uri.host == "example.com" && uri.port == 5_071)
        #expect(uri.parameters.contains("lr") && uri.parameters["X"] == "A" && uri.parameters["lr"] == "")
        #expect(uri.headers == [.init(name: "a", value: "b"), .init(name: "c", value: "%26")])
        let tel = try #require(SIPURI(parsing: "tel:+12015550123"))
        #expect(tel.scheme == .tel && !tel.isSIP && tel.opaque == "+12015550123" && tel.host.isEmpty)
        #expect(SIPURI(parsing: "soap.beep://192.0.2.103:3002")?.scheme == .other("soap.beep"))
        #expect(SIPURI(parsing: "sip:h")?.port == nil && SIPURI(parsing: "sip:h")?.user == nil)
    }

    @Test(arguments: [
        "", "sip", "sip:", "sip:@h", "sip:b@", "sip::p@h", "sip:b@h:", "sip:b@h:0", "sip:b@h:99999", "sip:b@h;",
        "sip:b@h;;x", "sip:b@h;x=", "sip:b@h?", "sip:b@h?a", "sip:b@h?a=b&", "sip:b c@h", "sip:b%zz@h", "sip:b%2@h",
        "sip:b@[::1", "sip:b@[]", "sip:b@[1.2.3.4.5]", "sip:2001:db8::1", "1sip:b@h", "sip:b@h/x", "sip:b\"@h",
        "tel:", "x y:z", "sip:b@h\u{e9}",
    ])
    func refuses(_ text: String) {
        #expect(SIPURI(parsing: text) == nil)
    }

    /// RFC 3261 section 19.1.4, the sets that are equivalent.
    @Test(arguments: [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x"
        ),
        ("sip:a@[2001:db8:0:0::1]", "sip:a@[2001:DB8::1]"), ("sip:a%3bb@h", "sip:a%3Bb@h"),
        ("tel:+1-2", "tel:+1-2"),
    ])
    func equivalent(_ a: String, _ b: String) throws {
        let (first, second) = (try #require(SIPURI(parsing: a)), try #require(SIPURI(parsing: b)))
        #expect(first.matches(second) && second.matches(first) && first.matches(first))
    }

    /// RFC 3261 section 19.1.4, the sets that are not, and what its rules say besides.
    @Test(arguments: [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a@h", "sips:a@h"), ("sip:a@h", "sip:h"), ("sip:a@h", "sip:a:p@h"), ("sip:a:P@h", "sip:a:p@h"),
        ("sip:a@h;user=ip", "sip:a@h"), ("sip:a@h;ttl=1", "sip:a@h"), ("sip:a@h;method=INVITE", "sip:a@h"),
        ("sip:a@h;maddr=192.0.2.1", "sip:a@h"), ("sip:a%3bb@h", "sip:a;b@h"), ("sip:a%00@h", "sip:a@h"),
        ("sip:%00@h", "sip:%00%00@h"), ("tel:+1-2", "tel:+12"), ("sip:a@h?x=1&x=1", "sip:a@h?x=1"),
    ])
    func notEquivalent(_ a: String, _ b: String) throws {
        let (first, second) = (try #require(SIPURI(parsing: a)), try #require(SIPURI(parsing: b)))
        #expect(!first.matches(second) && !second.matches(first))
    }

    @Test(arguments: [
        ("sip:bob@Example.COM:5060;transport=tcp?a=b", "sip:bob@example.com"), ("sips:bob@h", "sip:bob@h"),
        ("sip:b%6Fb@h", "sip:bob@h"), ("sip:Bob@h", "sip:Bob@h"), ("sip:H", "sip:h"), ("sip:a:pw@h", "sip:a@h"),
        ("sip:%00@h", "sip:%00@h"), ("sip:a%3bb@h", "sip:a%3Bb@h"), ("sip:a@[::1]", "sip:a@[::1]"),
    ])
    func addressOfRecord(_ text: String, _ canonical: String) throws {
        #expect(try #require(SIPURI(parsing: text)).addressOfRecord == canonical)
        let message = try parsed(request("Contact: <\(text)>"))
        let uri = try #require(message.addresses(.contact).first).uri
        #expect(message.canonicalAddressOfRecord(of: uri) == Array(canonical.utf8))
        let key = try #require(message.addressOfRecord(of: uri))
        #expect(key.isSecure == text.hasPrefix("sips"))
        #expect(key.port == (text.contains(":5060") ? 5_060 : 0))
    }

    @Test func otherSchemesHaveNoKey() throws {
        let message = try parsed(request("Contact: <tel:+1-201>"))
        let uri = try #require(message.addresses(.contact).first).uri
        #expect(message.addressOfRecord(of: uri) == nil && message.canonicalAddressOfRecord(of: uri) == nil)
    }

    @Test func userPartsEscapeAndDecode() {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<200 {
            let plain = (0..<Int.random(in: 1...12, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            let uri = SIPURI(user: Escaping.escapedUser(plain), host: "h")
            #expect(SIPURI(parsing: uri.description)?.decodedUser == plain)
        }
    }
}
