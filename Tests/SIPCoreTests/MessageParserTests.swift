import SIPCore
import Testing

@Suite("Message parser")
struct MessageParserTests {
    private func failure(_ bytes: [UInt8], _ limits: ParserLimits = .init()) -> SyntaxFailure.Kind? {
        switch SIPMessage.parse(bytes, limits: limits) {
        case .message: nil
        case .malformed(_, let failure), .unreadable(let failure): failure.kind
        }
    }

    /// RFC 3261 section 24.1, the registration F1.
    @Test func registrationExample() throws {
        let message = try parsed(
            """
            REGISTER sip:registrar.biloxi.com SIP/2.0
            Via: SIP/2.0/UDP bobspc.biloxi.com:5060;branch=z9hG4bKnashds7
            Max-Forwards: 70
            To: Bob <sip:bob@biloxi.com>
            From: Bob <sip:bob@biloxi.com>;tag=456248
            Call-ID: 843817637684230@998sdasdh09
            CSeq: 1826 REGISTER
            Contact: <sip:bob@192.0.2.4>
            Expires: 7200
            Content-Length: 0


            """)
        #expect(message.method == .register && message.isRequest && message.statusCode == 0)
        #expect(message.text(message.requestURI) == "sip:registrar.biloxi.com")
        #expect(message.topVia.port == 5060 && message.topVia.line == 0)
        #expect(message.text(message.topVia.value) == "SIP/2.0/UDP bobspc.biloxi.com:5060;branch=z9hG4bKnashds7")
        #expect(message.text(message.from.displayName) == "Bob")
        #expect(message.text(message.from.uri) == "sip:bob@biloxi.com")
        #expect(message.text(message.from.tag) == "456248" && message.to.tag.isEmpty)
        #expect(message.text(message.callID) == "843817637684230@998sdasdh09")
        #expect(message.cseqNumber == 1826 && message.text(message.cseqMethod) == "REGISTER")
        #expect(message.maxForwards == 70 && message.expires == 7_200)
        #expect(message.fields.count == 9 && Int(message.headerEnd) == message.bytes.count)
    }

    /// RFC 3428 section 10, the page-mode message F1 and its response F4.
    @Test func messageExample() throws {
        let message = try parsed(
            """
            MESSAGE sip:user2@domain.com SIP/2.0
            Via: SIP/2.0/TCP user1pc.domain.com;branch=z9hG4bK776sgdkse
            Max-Forwards: 70
            From: sip:user1@domain.com;tag=49583
            To: sip:user2@domain.com
            Call-ID: asd88asd77a@1.2.3.4
            CSeq: 1 MESSAGE
            Content-Type: text/plain
            Content-Length: 18

            Watson, come here.
            """)
        #expect(message.method == .message)
        #expect(text(message[message.body]) == "Watson, come here.")
        #expect(message.text(message.mediaType) == "text/plain")
        let response = try parsed(
            """
            SIP/2.0 200 OK
            Via: SIP/2.0/TCP proxy.domain.com;branch=z9hG4bK123dsghds;
             received=192.0.2.1
            Via: SIP/2.0/TCP user1pc.domain.com;branch=z9hG4bK776sgdkse;
             received=1.2.3.4
            From: sip:user1@domain.com;tag=49583
            To: sip:user2@domain.com;tag=ab8asdasd9
            Call-ID: asd88asd77a@1.2.3.4
            CSeq: 1 MESSAGE
            Content-Length: 0


            """)
        #expect(!response.isRequest && response.statusCode == 200 && response.method == .message)
        #expect(response.text(response.reason) == "OK")
        #expect(response.text(response.topVia.received) == "192.0.2.1")
    }

    @Test func viaParameters() throws {
        let lines = "v: SIP/2.0/UDP [2001:db8::9]:5070;rport;ttl=16;maddr=224.2.0.1;x=\"a,b\", SIP/2.0/TLS h;branch=b2"
        let message = try parsed(
            "OPTIONS sip:b@example.com SIP/2.0\n" + lines + "\n"
                + text(request()).split(
                    separator: "\r\n", omittingEmptySubsequences: false
                ).dropFirst().joined(separator: "\n").replacing("MESSAGE", with: "OPTIONS"))
        #expect(message.viaCount == 3 && !message.topVia.isOnlyValueOfLine)
        #expect(message.topVia.hasRport && message.topVia.rport == 0 && message.topVia.port == 5_070)
        #expect(message.topVia.ttl == 16 && message.text(message.topVia.maddr) == "224.2.0.1")
        #expect(message.text(message.topVia.host) == "[2001:db8::9]" && message.topVia.branch.isEmpty)
        #expect(message.vias().map(\.isOnlyValueOfLine) == [false, false, true])
        #expect(message.vias()[1].line == 0 && message.text(message.vias()[1].branch) == "b2")
    }

    @Test func listsAreCutAtCommas() throws {
        let message = try parsed(
            request("Supported: path, gruu\nk: outbound\nContact: \"a,b\" <sip:a,b@h;x>;q=1 , <sip:c@h>"))
        #expect(message.tokens(.supported) == ["path", "gruu", "outbound"])
        #expect(message.values(.contact).map(message.text) == ["\"a,b\" <sip:a,b@h;x>;q=1", "<sip:c@h>"])
        #expect(message.contains(.supported) && !message.contains(.require) && message.first(.require) == nil)
        #expect(message.values(.require).isEmpty && message.tokens(.allow).isEmpty)
    }

    @Test(arguments: [
        ("Max-Forwards: 256", SyntaxFailure.Kind.maxForwards), ("Max-Forwards: -1", .maxForwards),
        ("Expires: soon", .expires), ("Expires: 4294967296", .expires), ("Expires:", .expires),
        ("Content-Length: -999", .contentLength), ("Content-Length: 1x", .contentLength),
        ("Content-Length: 99999999999999999999999999", .contentLength), ("Content-Length: 9999", .bodyTooShort),
        ("Content-Length: 0\nl: 0", .repeatedHeader), ("t: <sip:b@h>", .repeatedHeader),
        ("Date: Sat, 13 Nov 2010 23:29:00 EST", .date), ("Date: Sat, 31 Feb 2010 23:29:00 GMT", .date),
        ("Contact: <sip:a@h", .contact), ("Contact: sip:a@h?x=y", .contact), ("Contact: ,", .contact),
        ("Contact: <sip:a@h>,", .contact), ("Contact: <sip:a@h>;;q=1", .contact), ("Contact: \"a <sip:a@h>", .contact),
        ("Contact: <sip:a@h> x", .contact), ("Contact: <>", .contact), ("Contact: <sip:a@h>;tag=\"x", .contact),
        ("Route: sip:a@h;lr", .route), ("Record-Route: <sip:a@h;lr>;=", .route), ("Path: x", .route),
        ("Via: SIP/2.0/UDP", .via), ("Via: SIP/2.0/UDP ;branch=x", .via), ("Via: SIP/1.0/UDP h", .via),
        ("Via: SIP/2.0/UDP h:0", .via), ("Via: SIP/2.0/UDP h:65536", .via), ("Via: SIP/2.0/UDP h;ttl=256", .via),
        ("Via: SIP/2.0/UDP h;rport=99999", .via), ("Via: SIP/2.0/UDP [::1;x", .via), ("Via: SIP/2.0/UDP h,", .via),
        ("Via: SIP/2.0/UDP h;branch=a;branch=b", .via), ("Via: SIP/2.0/UDP h;branch", .via), ("Via:", .via),
        ("no colon here", .headerLine), (": no name", .headerLine), ("Two Words: x", .headerLine),
    ])
    func brokenHeader(_ lines: String, _ kind: SyntaxFailure.Kind) {
        let outcome = SIPMessage.parse(request(lines))
        guard case .malformed(let message, let failure) = outcome else {
            Issue.record("not refused: \(lines)")
            return
        }
        #expect(failure.kind == kind && failure.statusCode == 400)
        #expect(message.text(message.callID) == "c1@192.0.2.15")
        let response = MessageWriter.response(to: message, status: failure.statusCode, toTag: "x".utf8)
        #expect(text(response).contains("To: <sip:bob@example.com>;tag=x\r\n"))
    }

    @Test(arguments: [
        "Contact: *", "Contact: <tel:+1-201-555-0123>", "Contact: <mailto:a@b>", "Date: Sat, 13 Nov 2010 23:29:00 GMT",
        "Max-Forwards: 0", "Max-Forwards: 000255", "Expires: 4294967295", "Contact: sip:a@h;expires=5;q=0.5",
        "Contact: Anna <sip:a@h>", "Contact: \"\"<sip:a@h>", "Contact: <sip:h>", "Contact: <sips:a@[::1]:5061;lr>",
        "Contact: Jürgen <sip:j@h>", "X-Empty:", "X-Folded: a\n  b\n\tc", "X-Control: \u{1}\u{7f}",
        "Via: sip / 2.0 / UDP  h : 5060 ; branch = x", "Via: SIP/2.0/UDP h;received=2001:db8::1",
        "Via: SIP/2.0/UDP h;received=[2001:db8::1]", "User-Agent: a\nUser-Agent: b",
    ])
    func acceptedHeader(_ lines: String) throws {
        #expect(try parsed(request(lines)).fields.count >= 6)
    }

    @Test(arguments: [
        ("MESSAGE sip:b@h SIP/2.1", SyntaxFailure.Kind.version), ("MESSAGE sip:b@h SIP/2", .startLine),
        ("MESSAGE sip:b@h HTTP/1.1", .startLine), ("MESSAGE sip:b@h", .startLine), ("MESSAGE", .startLine),
        ("MESSAGE  sip:b@h SIP/2.0", .requestURI), ("MESSAGE sip:b@h SIP/2.0 ", .startLine),
        ("MESSAGE <sip:b@h> SIP/2.0", .requestURI), ("MESSAGE sip: SIP/2.0", .requestURI),
        ("MESSAGE sip:@h SIP/2.0", .requestURI), ("MESSAGE sip:b@ SIP/2.0", .requestURI),
        ("MESSAGE sip:b%4@h SIP/2.0", .requestURI), ("MESSAGE sip:b@h:x SIP/2.0", .requestURI),
        ("MESSAGE sip:b@h;=x SIP/2.0", .requestURI), ("MESSAGE sip:b@h?a=b SIP/2.0", .requestURI),
        ("MESSAGE bob SIP/2.0", .requestURI), ("MESSAGE sip:b@h@i SIP/2.0", .requestURI),
        ("MES/SAGE sip:b@h SIP/2.0", .startLine), ("SIP/2.0 99 Low", .statusCode), ("SIP/2.0 700 High", .statusCode),
        ("SIP/2.0 2000 Long", .statusCode), ("SIP/2.0 20x Odd", .statusCode), ("SIP/3.0 200 OK", .version),
    ])
    func brokenStartLine(_ line: String, _ kind: SyntaxFailure.Kind) {
        var lines = text(request()).split(separator: "\r\n", omittingEmptySubsequences: false)
        lines[0] = Substring(line)
        #expect(failure(Array(lines.joined(separator: "\r\n").utf8)) == kind)
    }

    @Test func datagramsThatHoldNoMessage() {
        #expect(failure([]) == .empty)
        #expect(failure(wire("\n\n")) == .empty)
        #expect(failure([0]) == .startLine)
        #expect(failure(wire("MESSAGE sip:b@h SIP/2.0\n\n")) == .missingHeader)
        #expect(failure(wire("MESSAGE sip:b@h SIP/2.0\nVia: SIP/2.0/UDP h\n")) == .missingEmptyLine)
        #expect(failure(wire("MESSAGE sip:b@h SIP/2.0\nVia: SIP/2.0/UDP h")) == .missingEmptyLine)
    }

    /// RFC 3261 section 18.3: over a datagram the body is the rest, over a stream there is no telling.
    @Test func streamsNeedALength() throws {
        #expect(try parsed(request(body: "abc")).body.count == 3)
        guard case .malformed(_, let failure) = SIPMessage.parse(request(body: "abc"), fromStream: true) else {
            Issue.record("not refused")
            return
        }
        #expect(failure.kind == .contentLengthMissing)
        guard case .message = SIPMessage.parse(request("l: 3", body: "abc"), fromStream: true) else {
            Issue.record("refused")
            return
        }
    }

    @Test func leadingLineEndsAreSkipped() throws {
        #expect(try parsed(wire("\n\n") + request()).method == .message)
    }

    @Test func lineEndsMustBeWhole() {
        #expect(failure(Array(text(request()).replacing("\r\n", with: "\n").utf8)) == .lineEnd)
        #expect(failure(request("X: a\rb")) == .lineEnd)
    }

    @Test func limits() {
        let many = (0..<300).map { "X-\($0): y" }.joined(separator: "\n")
        #expect(failure(request(many)) == .tooManyHeaders)
        #expect(failure(request("X: " + String(repeating: "y", count: 70_000))) == .headerTooLarge)
        let vias = (0..<200).map { "SIP/2.0/UDP h\($0)" }.joined(separator: ",")
        #expect(failure(request("Via: " + vias)) == .tooManyVias)
        #expect(failure(request(), ParserLimits(messageBytes: 100)) == .messageTooLarge)
        #expect(SyntaxFailure(.headerTooLarge).statusCode == 513)
    }

    @Test func rangesOfAnotherMessageAreCut() throws {
        let message = try parsed(request())
        let foreign = ByteRange(start: 100_000, end: 100_010)
        #expect(message[foreign].isEmpty && message.text(foreign).isEmpty && message.address(in: foreign) == nil)
        #expect(message.decimal(foreign) == nil && !message.equals(foreign, "0123456789"))
        #expect(message.parameter("x", in: foreign) == nil && message.addressOfRecord(of: foreign) == nil)
        #expect(message.text(ByteRange(start: 9, end: 3)).isEmpty && ByteRange(start: 9, end: 3).isEmpty)
    }

    @Test(arguments: SyntaxFailure.Kind.allCases)
    func everyFailureHasAnAnswer(_ kind: SyntaxFailure.Kind) {
        let failure = SyntaxFailure(kind)
        #expect([400, 505, 513].contains(failure.statusCode))
        #expect(!failure.reason.isEmpty && failure.reason == failure.phrase.description)
    }
}
