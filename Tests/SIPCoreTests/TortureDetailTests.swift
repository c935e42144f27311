import SIPCore
import Testing

/// What RFC 4475 says about the contents of its messages, beyond accepting or refusing them.
@Suite("RFC 4475 in detail")
struct TortureDetailTests {
    private func torture(_ name: String) throws -> SIPMessage { try parsed(try TortureVectors.torture(name)) }

    @Test func shortTortuousInvite() throws {
        let message = try torture("wsinv")
        #expect(message.method == .invite)
        #expect(message.cseqNumber == 9)
        #expect(message.maxForwards == 68)
        #expect(message.viaCount == 3)
        #expect(message.text(message.topVia.branch) == "390skdjuw")
        #expect(message.text(message.topVia.host) == "192.0.2.2")
        #expect(message.text(message.topVia.protocolTransport) == "UDP")
        #expect(message.topVia.isOnlyValueOfLine)
        let vias = message.vias()
        #expect(vias.map { message.text($0.branch) } == ["390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"])
        #expect(vias.map { message.text($0.host) } == ["192.0.2.2", "spindle.example.com", "192.168.255.111"])
        #expect(message.text(message.to.tag) == "1918181833n")
        #expect(message.text(message.from.tag) == "98asjd8")
        #expect(NameAddress(message.from.value, of: message)?.displayName == "J Rosenberg \\\"")
        #expect(message.first(.subject)?.value.isEmpty == true)
        let unusual = try #require(message.first(named: "unknownheaderwithunusualvalue"))
        #expect(message.text(unusual.value) == ";;,,;;,;")
        let contact = try #require(message.addresses(.contact).first)
        #expect(message.parameter("q", in: contact.parameters).map(message.text) == "0.33")
        #expect(message.parameter("newparam", in: contact.parameters).map(message.text) == "newvalue")
        #expect(message.parameter("secondparam", in: contact.parameters)?.isEmpty == true)
        #expect(message.body.count == 150)
    }

    @Test func wideRangeOfCharacters() throws {
        let message = try torture("intmeth")
        #expect(message.method == .other)
        let uri = try #require(SIPURI(message.requestURI, of: message))
        #expect(uri.user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*")
        #expect(uri.password == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)")
        #expect(uri.host == "example.com")
        #expect(uri.description == message.text(message.requestURI))
        #expect(message.text(message.from.displayName) == "token1~` token2'+_ token3*%!.-")
        #expect(message.text(message.from.tag) == "_token~1'+`*%!-.")
        #expect(Array(message[message.to.displayName]).contains(0))
        #expect(message.text(message.callID) == "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{")
    }

    @Test func escapes() throws {
        let message = try torture("esc01")
        let uri = try #require(SIPURI(message.requestURI, of: message))
        #expect(text(uri.decodedUser) == "sips:user@example.com")
        #expect(uri.host == "example.net")
        let contact = try #require(message.addresses(.contact).first)
        let contactURI = try #require(SIPURI(contact.uri, of: message))
        #expect(contactURI.parameters.parameters.map(\.name).contains("name"))
        #expect(contactURI.parameters["name"].map { text(Escaping.decoded($0)) } == "value%41")

        let register = try torture("escnull")
        let users = register.addresses(.contact).compactMap { SIPURI($0.uri, of: register)?.user }
        #expect(users == ["%00", "%00%00"])
        #expect(SIPURI(register.to.uri, of: register)?.decodedUser == Array("null-\0-null".utf8))

        let method = try torture("esc02")
        #expect(method.method == .other)
        #expect(method.values(.contact).count == 2)
    }

    @Test func longValues() throws {
        let message = try torture("longreq")
        #expect(message.viaCount == 34)
        #expect(message.vias().count == 34)
        #expect(message.text(message.callID).hasPrefix("longreq.one"))
    }

    @Test func surplusBytesAreNoBody() throws {
        let message = try torture("dblreq")
        #expect(message.method == .register)
        #expect(message.body.isEmpty)
        #expect(message.bytes.count == 750)
    }

    @Test func semicolonInTheUserPart() throws {
        let message = try torture("semiuri")
        let uri = try #require(SIPURI(message.requestURI, of: message))
        #expect(uri.user == "user;par=u%40example.net")
        #expect(uri.host == "example.com")
        #expect(uri.parameters.isEmpty)
    }

    @Test func transports() throws {
        let message = try torture("transports")
        let names = message.vias().map { message.text($0.protocolTransport) }
        #expect(names == ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"])
    }

    @Test func binaryBody() throws {
        let message = try torture("mpart01")
        #expect(message.body.count == 553)
        #expect(message.text(message.mediaType) == "multipart/mixed")
    }

    @Test func responses() throws {
        let unusual = try torture("unreason")
        #expect(unusual.statusCode == 200 && unusual.method == .invite)
        #expect(unusual.text(unusual.reason).hasPrefix("= 2**3 * 5**2 "))
        let silent = try torture("noreason")
        #expect(silent.statusCode == 100 && silent.reason.isEmpty)
        #expect(try torture("bcast").viaCount == 2)
    }

    @Test func contactParametersAndURIParameters() throws {
        let outer = try torture("cparam01")
        let outerContact = try #require(outer.addresses(.contact).first)
        #expect(!outerContact.isBracketed)
        #expect(outer.parameter("unknownparam", in: outerContact.parameters) != nil)
        #expect(SIPURI(outerContact.uri, of: outer)?.parameters.isEmpty == true)
        let inner = try torture("cparam02")
        let innerContact = try #require(inner.addresses(.contact).first)
        #expect(innerContact.parameters.isEmpty)
        #expect(SIPURI(innerContact.uri, of: inner)?.parameters.contains("unknownparam") == true)
        let escaped = try torture("regescrt")
        let address = try #require(escaped.addresses(.contact).first)
        #expect(SIPURI(address.uri, of: escaped)?.headers == [.init(name: "Route", value: "%3Csip:sip.example.com%3E")])
    }

    @Test func oldSyntax() throws {
        let message = try torture("inv2543")
        #expect(message.topVia.branch.isEmpty && message.from.tag.isEmpty && message.maxForwards == -1)
        #expect(message.body.count == 105)
    }

    @Test func badBranchSurvives() throws {
        let message = try torture("badbranch")
        #expect(message.text(message.topVia.branch) == "z9hG4bK")
    }

    @Test func optionTags() throws {
        let message = try torture("bext01")
        #expect(message.tokens(.require) == ["nothingSupportsThis", "nothingSupportsThisEither"])
        #expect(message.tokens(.proxyRequire).count == 2)
        #expect(message.hasToken("NOTHINGsupportsthiseither", in: .require))
        #expect(!message.hasToken("nothing", in: .require))
    }

    /// Every refused request in the suite that names a Via can be answered, and the answer is a message.
    @Test(arguments: TortureTests.messages.filter { $0.kind == "request" && $0.category != "undocumented" })
    func everyRequestIsAnswerable(_ vector: TortureVectors.Message) throws {
        let outcome = SIPMessage.parse(try TortureVectors.bytes("rfc4475", vector.file))
        guard case .malformed(let message, let failure) = outcome else { return }
        let source = TransportAddress(ip: IPAddress(v4: 0xc000_0201), port: 5060)
        let bytes = MessageWriter.response(
            to: message, status: failure.statusCode, reason: failure.reason, toTag: "t1".utf8, source: source)
        let head = text(bytes.prefix(14))
        #expect(head.hasPrefix("SIP/2.0 400") || head.hasPrefix("SIP/2.0 505"))
        #expect(text(bytes).contains("Via"))
        #expect(text(bytes.suffix(4)) == "\r\n\r\n")
    }
}
