import SIPCore
import Testing

@Suite("Addresses and parameters")
struct AddressTests {
    /// RFC 3261 sections 20.10 and 20.20.
    @Test func nameAddresses() throws {
        let watson = try #require(
            NameAddress(parsing: "\"Mr. Watson\" <sip:watson@worcester.bell-telephone.com>;q=0.7; expires=3600"))
        #expect(watson.displayName == "Mr. Watson" && watson.uri.user == "watson")
        #expect(watson.parameters["q"] == "0.7" && watson.parameters["EXPIRES"] == "3600")
        #expect(watson.parameters["tag"] == nil && watson.uriText == "sip:watson@worcester.bell-telephone.com")
        let mail = try #require(NameAddress(parsing: "\"Mr. Watson\" <mailto:watson@bell-telephone.com> ;q=0.1"))
        #expect(mail.uri.scheme == .other("mailto"))
        let plain = try #require(NameAddress(parsing: "sip:+12125551212@server.phone2net.com;tag=887s"))
        #expect(plain.uri.parameters.isEmpty && plain.parameters["tag"] == "887s" && plain.displayName.isEmpty)
        let anonymous = try #require(NameAddress(parsing: "Anonymous <sip:c8oqz84zk7z@privacy.org>;tag=hyh8"))
        #expect(anonymous.displayName == "Anonymous")
        #expect(anonymous.description == "\"Anonymous\" <sip:c8oqz84zk7z@privacy.org>;tag=hyh8")
    }

    @Test func foldedQuotedStringIsOneLine() throws {
        let folded = try #require(NameAddress(parsing: "\"Mr.\r\n Watson\" <sip:a@h>"))
        #expect(folded.displayName == "Mr. Watson")
        #expect(NameAddress(parsing: "Mr.\r\n Watson <sip:a@h>")?.displayName == "Mr. Watson")
        #expect(QuotedString.quoted("a\r\nVia: b") == "\"aVia: b\"")
    }

    @Test func roundTrip() throws {
        let list = ParameterList([
            .init(name: "+sip.instance", value: "<urn:uuid:0>", isQuoted: true), .init(name: "ob"),
            .init(name: "reg-id", value: "1"), .init(name: "odd", value: "a\"\\b", isQuoted: true),
        ])
        let uri = try #require(SIPURI(parsing: "sip:a@h;lr"))
        let address = NameAddress(displayName: "A \"B\" \\ C", uri: uri, parameters: list)
        #expect(NameAddress(parsing: address.description) == address)
    }

    @Test(arguments: [
        "", "<sip:a@h", "\"x <sip:a@h>", "a, b <sip:a@h>", "< sip:a@h >", "<sip:a@h>;", "<sip:a@h>;=", "<sip:a@h> b",
        "sip:a@h?b=c", "<sip:a@h>,<sip:b@h>", "<sip:a@h>;tag=1;tag=2", "<sip:a@h>;tag", "\"a\" sip:a@h", "*",
    ])
    func refuses(_ text: String) {
        #expect(NameAddress(parsing: text) == nil)
    }

    @Test func parameterList() throws {
        var list = try #require(ParameterList(parsing: Array(";a=1; b ;c=\"x\\\"y\"".utf8)[...]))
        #expect(list.parameters.map(\.name) == ["a", "b", "c"])
        #expect(list["c"] == "x\"y" && list["b"] == "" && list["d"] == nil && list.contains("B"))
        list["a"] = nil
        list["d"] = "4"
        #expect(list.description == ";b;c=\"x\\\"y\";d=4")
        #expect(ParameterList(parsing: Array(";a=1 b".utf8)[...]) == nil)
        #expect(ParameterList(parsing: [])?.isEmpty == true)
    }

    /// RFC 3261 sections 20.7 and 20.27.
    @Test func authorization() throws {
        let digest = try #require(
            AuthorizationHeader(
                parsing: """
                    Digest username="Alice", realm="atlanta.com",  nonce="84a4cc6f3082121f32b42a2187831a9e",\
                     response="7587245234b3434cc3412213e5f113a5", qop=auth, nc=00000001, opaque=""
                    """.utf8))
        #expect(digest.isScheme("digest") && digest.parameters["Realm"] == "atlanta.com")
        #expect(digest.parameters["nonce"] == "84a4cc6f3082121f32b42a2187831a9e")
        #expect(digest.parameters["qop"] == "auth" && digest.parameters["opaque"] == "")
        #expect(digest.parameters.parameters[0].isQuoted && !digest.parameters.parameters[4].isQuoted)
        #expect(AuthorizationHeader(parsing: digest.description.utf8) == digest)
        let quoted = try #require(AuthorizationHeader(parsing: "Digest qop=\"auth,auth-int\",realm=\"a\\\"b\"".utf8))
        #expect(quoted.parameters["qop"] == "auth,auth-int" && quoted.parameters["realm"] == "a\"b")
        #expect(AuthorizationHeader(parsing: "NoOneKnowsThisScheme opaque-data=here".utf8) != nil)
        for bad in ["", "Digest realm", "Digest =x", "Digest realm=\"x", "Digest a=b c", "Digest a="] {
            #expect(AuthorizationHeader(parsing: bad.utf8) == nil)
        }
        let unknown = try parsed(try TortureVectors.torture("regaut01"))
        let field = try #require(unknown.first(.authorization))
        #expect(AuthorizationHeader(field.value, of: unknown)?.scheme == "NoOneKnowsThisScheme")
    }

    @Test(arguments: [
        (Int64(1_289_690_940), "Sat, 13 Nov 2010 23:29:00 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (-1, "Wed, 31 Dec 1969 23:59:59 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"), (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ])
    func dates(_ seconds: Int64, _ text: String) {
        #expect(SIPDate.format(seconds) == text)
        #expect(SIPDate.parse(text) == seconds)
    }

    @Test func dateRoundTrip() {
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<500 {
            let seconds = Int64.random(in: -62_000_000_000...253_000_000_000, using: &generator)
            #expect(SIPDate.parse(SIPDate.format(seconds)) == seconds)
        }
        #expect(SIPDate.parse(SIPDate.format(.max)) == 253_402_300_799)
        #expect(SIPDate.format(.min) == "Mon, 01 Jan 0001 00:00:00 GMT")
    }

    @Test(arguments: [
        "", "Sat, 13 Nov 2010 23:29:00 EST", "Sat, 13 Nov 2010 24:00:00 GMT", "Sat, 30 Feb 2010 23:29:00 GMT",
        "Sat, 00 Nov 2010 23:29:00 GMT", "Xxx, 13 Nov 2010 23:29:00 GMT", "Sat, 13 Nox 2010 23:29:00 GMT",
        "Sat, 1x Nov 2010 23:29:00 GMT", "Sat 13 Nov 2010 23:29:00 GMT ", "Sat, 29 Feb 2100 00:00:00 GMT",
    ])
    func badDates(_ text: String) {
        #expect(SIPDate.parse(text) == nil)
    }
}
