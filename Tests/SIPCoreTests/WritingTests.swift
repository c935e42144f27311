import SIPCore
import Testing

@Suite("Writing messages")
struct WritingTests {
    static let source = TransportAddress(ip: IPAddress(v4: 0xc000_020f), port: 5_062)
    static let elsewhere = TransportAddress(ip: IPAddress(v4: 0xcb00_7107), port: 40_000)

    @Test func response() throws {
        let message = try parsed(request("Via: SIP/2.0/TCP second;branch=b2\nX-Other: y"))
        let bytes = MessageWriter.response(
            to: message, status: 202, toTag: "t2".utf8, headers: Array("Server: g\r\n".utf8), source: Self.source)
        #expect(
            bytes
                == wire(
                    """
                    SIP/2.0 202 Accepted
                    Via: SIP/2.0/UDP 192.0.2.15:5062;branch=z9hG4bK-1
                    From: <sip:alice@example.com>;tag=a1
                    To: <sip:bob@example.com>;tag=t2
                    Call-ID: c1@192.0.2.15
                    CSeq: 7 MESSAGE
                    Via: SIP/2.0/TCP second;branch=b2
                    Server: g
                    Content-Length: 0


                    """))
        let response = try parsed(bytes)
        #expect(response.statusCode == 202 && response.viaCount == 2 && response.text(response.to.tag) == "t2")
    }

    @Test func responseWithBodyAndReason() throws {
        let bytes = MessageWriter.response(
            to: try parsed(request()), status: 400, reason: "Malformed Via", toTag: "t".utf8, body: Array("why".utf8),
            compact: true)
        #expect(text(bytes).hasPrefix("SIP/2.0 400 Malformed Via\r\n") && text(bytes).hasSuffix("\r\nl: 3\r\n\r\nwhy"))
        #expect(try parsed(bytes).body.count == 3)
    }

    @Test func provisionalResponseAddsNoTag() throws {
        let message = try parsed(MessageWriter.response(to: try parsed(request()), status: 100))
        #expect(message.to.tag.isEmpty && message.text(message.reason) == "Trying")
    }

    @Test func tagOfADialogIsKept() throws {
        let bytes = text(request()).replacing("To: <sip:bob@example.com>", with: "t:<sip:bob@example.com>;tag=old")
        let response = try parsed(
            MessageWriter.response(to: try parsed(Array(bytes.utf8)), status: 200, toTag: "new".utf8))
        #expect(response.text(response.to.tag) == "old")
    }

    /// RFC 3261 section 18.2.1 and RFC 3581 section 4.
    @Test(arguments: [
        ("SIP/2.0/UDP 203.0.113.7;branch=b", "SIP/2.0/UDP 203.0.113.7;branch=b"),
        ("SIP/2.0/UDP host.example.com;branch=b", "SIP/2.0/UDP host.example.com;branch=b;received=203.0.113.7"),
        ("SIP/2.0/UDP 192.0.2.1:9;branch=b", "SIP/2.0/UDP 192.0.2.1:9;branch=b;received=203.0.113.7"),
        ("SIP/2.0/UDP 203.0.113.7;rport;branch=b", "SIP/2.0/UDP 203.0.113.7;rport=40000;branch=b;received=203.0.113.7"),
        ("SIP/2.0/UDP h;received=1.2.3.4;rport=1;x", "SIP/2.0/UDP h;rport=40000;x;received=203.0.113.7"),
        ("SIP/2.0/UDP h", "SIP/2.0/UDP h;received=203.0.113.7"),
        (
            "SIP/2.0/UDP h;branch=b , SIP/2.0/TCP k;branch=c",
            "SIP/2.0/UDP h;branch=b;received=203.0.113.7 , SIP/2.0/TCP k;branch=c"
        ),
    ])
    func topVia(_ sent: String, _ answered: String) throws {
        let bytes = text(request()).replacing("SIP/2.0/UDP 192.0.2.15:5062;branch=z9hG4bK-1", with: sent)
        let message = try parsed(Array(bytes.utf8))
        let response = MessageWriter.response(to: message, status: 200, toTag: "t".utf8, source: Self.elsewhere)
        #expect(text(response).contains("Via: \(answered)\r\n"))
        #expect(try parsed(response).viaCount == message.viaCount)
    }

    @Test func foldedViaOfTheTortureMessage() throws {
        let message = try parsed(try TortureVectors.torture("wsinv"))
        let response = try parsed(
            MessageWriter.response(to: message, status: 200, toTag: [UInt8]?.none, source: Self.elsewhere))
        #expect(response.viaCount == 3 && response.text(response.topVia.received) == "203.0.113.7")
        #expect(response.text(response.topVia.branch) == "390skdjuw")
    }

    @Test func receivedOfIPv6HasNoBrackets() throws {
        let ip = try #require(IPAddress(parsing: "2001:db8::7"))
        let bytes = MessageWriter.response(
            to: try parsed(request()), status: 200, source: TransportAddress(ip: ip, port: 1))
        #expect(text(bytes).contains(";received=2001:db8::7\r\n"))
        #expect(try parsed(bytes).topVia.received.count == 11)
    }

    @Test func forwardedRequestKeepsEveryByteElse() throws {
        let message = try parsed(
            request("Max-Forwards: 10\nRoute: <sip:me;lr>, <sip:next;lr>\nC%6Fntact:  odd \n  fold\nl: 2", body: "hi"))
        var changes = ForwardingChanges(via: Array("SIP/2.0/UDP p;branch=z9hG4bKp".utf8))
        changes.requestURI = Array("sip:bob@192.0.2.99".utf8)
        changes.removedRoutes = 1
        changes.insertedLines = Array("Record-Route: <sip:me;lr>\r\n".utf8)
        #expect(
            MessageWriter.forwarded(message, changes)
                == wire(
                    """
                    MESSAGE sip:bob@192.0.2.99 SIP/2.0
                    Via: SIP/2.0/UDP p;branch=z9hG4bKp
                    Record-Route: <sip:me;lr>
                    Via: SIP/2.0/UDP 192.0.2.15:5062;branch=z9hG4bK-1
                    From: <sip:alice@example.com>;tag=a1
                    To: <sip:bob@example.com>
                    Call-ID: c1@192.0.2.15
                    CSeq: 7 MESSAGE
                    Max-Forwards: 9
                    Route: <sip:next;lr>
                    C%6Fntact:  odd \n  fold
                    l: 2

                    hi
                    """))
    }

    @Test func forwardingAddsWhatIsMissing() throws {
        let message = try parsed(request(body: "no length"))
        var changes = ForwardingChanges(via: Array("SIP/2.0/UDP p;branch=z9hG4bKp".utf8))
        changes.source = Self.elsewhere
        changes.removedHeaders = [.cseq]
        let bytes = MessageWriter.forwarded(message, changes, compact: true)
        #expect(text(bytes).contains("v: SIP/2.0/UDP p;branch=z9hG4bKp\r\nMax-Forwards: 70\r\nVia: "))
        #expect(text(bytes).contains(";received=203.0.113.7\r\n") && text(bytes).hasSuffix("\r\nl: 9\r\n\r\nno length"))
        #expect(!text(bytes).contains("CSeq"))
        changes.removedHeaders = []
        changes.maxForwards = 3
        #expect(try parsed(MessageWriter.forwarded(message, changes)).maxForwards == 3)
    }

    @Test func severalRoutesAreRemoved() throws {
        let message = try parsed(request("Route: <sip:a>,<sip:b>\nRoute: <sip:c>\nRoute: <sip:d>, <sip:e>"))
        for count in 0...6 {
            var changes = ForwardingChanges(via: Array("SIP/2.0/UDP p".utf8))
            changes.removedRoutes = count
            let forwarded = try parsed(MessageWriter.forwarded(message, changes))
            let left = forwarded.addresses(.route).map { forwarded.text($0.uri) }
            #expect(left == Array(["sip:a", "sip:b", "sip:c", "sip:d", "sip:e"].dropFirst(count)))
        }
    }

    @Test func surplusOfADatagramIsNotForwarded() throws {
        let message = try parsed(try TortureVectors.torture("dblreq"))
        let bytes = MessageWriter.forwarded(message, ForwardingChanges(via: Array("SIP/2.0/UDP p".utf8)))
        #expect(!text(bytes).contains("INVITE"))
    }

    @Test func forwardedResponseLosesOneVia() throws {
        let separate = try parsed(
            MessageWriter.response(
                to: try parsed(request("Via: SIP/2.0/TCP k;branch=c")), status: 200, toTag: "t".utf8))
        let once = try parsed(try #require(MessageWriter.forwardedResponse(separate)))
        #expect(once.viaCount == 1 && once.text(once.topVia.host) == "k")
        #expect(MessageWriter.forwardedResponse(once) == nil)
        let joined = text(request()).replacing("branch=z9hG4bK-1", with: "branch=a , SIP/2.0/TCP k;branch=c")
        let together = try parsed(MessageWriter.response(to: try parsed(Array(joined.utf8)), status: 200))
        let rest = try #require(MessageWriter.forwardedResponse(together))
        #expect(text(rest).contains("\r\nVia: SIP/2.0/TCP k;branch=c\r\n") && text(rest).hasPrefix("SIP/2.0 200 OK"))
        #expect(try parsed(rest).viaCount == 1)
    }

    @Test func forwardedResponseGetsALength() throws {
        let response = try parsed(
            wire("\n\nSIP/2.0 200 OK\n")
                + text(request("Via: SIP/2.0/TCP k;branch=c", body: "body")).drop(while: { $0 != "\r\n" })
                .dropFirst().utf8)
        let bytes = try #require(MessageWriter.forwardedResponse(response))
        #expect(
            text(bytes).hasPrefix("SIP/2.0 200 OK\r\n") && text(bytes).hasSuffix("\r\nContent-Length: 4\r\n\r\nbody"))
        #expect(try parsed(bytes).viaCount == 1)
    }

    @Test func writerPieces() {
        var writer = MessageWriter(capacity: 64, compact: true)
        writer.appendRequestLine(.message, uri: "sip:a@h")
        writer.appendHeader(.contact, "<sip:b@h>")
        writer.appendHeader(.expires, decimal: 0)
        writer.appendHeader(.minExpires, decimal: UInt64.max)
        writer.appendHeader(.subject, String("x y"))
        writer.appendHeader(.userAgent, Array("u".utf8)[...])
        writer.appendHeader(named: "X-Y", "z")
        writer.appendHex(0x0123_4567_89ab_cdef)
        writer.append(decimal: -5)
        writer.append(byte: 33)
        #expect(
            text(writer.bytes)
                == "MESSAGE sip:a@h SIP/2.0\r\nm: <sip:b@h>\r\nExpires: 0\r\nMin-Expires: 18446744073709551615\r\n"
                + "s: x y\r\nUser-Agent: u\r\nX-Y: z\r\n0123456789abcdef0!")
    }

    @Test func decimals() {
        for value in [UInt64(0), 9, 10, 99, 100, 12_345, UInt64(UInt32.max), .max] {
            var writer = MessageWriter()
            writer.appendDecimal(value)
            #expect(text(writer.bytes) == String(value))
        }
    }

    @Test func reasonPhrases() {
        #expect(StatusCode.reasonPhrase(202).description == "Accepted")
        for code in UInt16(100)...699 { #expect(StatusCode.reasonPhrase(code).utf8CodeUnitCount > 0) }
        #expect(StatusCode.reasonPhrase(499).description == "Bad Request")
    }
}
