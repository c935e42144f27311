import SIPCore
import Testing

@Suite("Parameters for compression (RFC 3486, RFC 5049 section 9.1)")
struct CompressionParameterTests {
    static func parsed(_ start: String, _ headers: String) throws -> SIPMessage {
        let text =
            "\(start)\r\n\(headers)From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\nCall-ID: 1\r\n"
            + "CSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n"
        guard case .message(let message) = SIPMessage.parse(Array(text.utf8)) else {
            throw ParsingFailed()
        }
        return message
    }

    struct ParsingFailed: Error {}

    @Test(
        "The top Via",
        arguments: [
            (";branch=z9hG4bK1", false, ""),
            (";branch=z9hG4bK1;comp=sigcomp", true, ""),
            (
                ";COMP=SigComp;branch=z9hG4bK1;sigcomp-id=\"urn:uuid:0C67446E-F1A1-11D9-94D3-000A95A0E128\"", true,
                "urn:uuid:0C67446E-F1A1-11D9-94D3-000A95A0E128"
            ),
            (";branch=z9hG4bK1;sigcomp-id=\"urn:x:1\"", false, "urn:x:1"),
            (";branch=z9hG4bK1;comp=gzip", false, ""),
            (";branch=z9hG4bK1;comp", false, ""),
        ])
    func topVia(parameters: String, wants: Bool, identifier: String) throws {
        let via = "Via: SIP/2.0/UDP 192.0.2.1:5060\(parameters), SIP/2.0/UDP 192.0.2.2;comp=sigcomp;branch=z9hG4bK2\r\n"
        let message = try Self.parsed("SIP/2.0 200 OK", via)
        #expect(message.compressionOfTopVia.wantsSigComp == wants)
        #expect(message.text(message.compressionOfTopVia.identifier) == identifier)
    }

    @Test(
        "The next hop is the first Route, else the Request-URI",
        arguments: [
            ("sip:b@192.0.2.9;comp=sigcomp;sigcomp-id=urn:uuid:1", "", true, "urn:uuid:1"),
            ("sip:b@192.0.2.9", "", false, ""),
            (
                "sip:b@192.0.2.9;comp=sigcomp", "Route: <sip:192.0.2.8;lr>, <sip:192.0.2.7;lr;comp=sigcomp>\r\n", false,
                ""
            ),
            ("sip:b@192.0.2.9", "Route: <sip:192.0.2.8;lr;comp=sigcomp;sigcomp-id=urn:x:7>\r\n", true, "urn:x:7"),
            ("tel:+123;comp=sigcomp", "", false, ""),
        ])
    func nextHop(uri: String, route: String, wants: Bool, identifier: String) throws {
        let via = "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;comp=sigcomp\r\n"
        let message = try Self.parsed("MESSAGE \(uri) SIP/2.0", via + route)
        #expect(message.compressionOfNextHop.wantsSigComp == wants)
        #expect(message.text(message.compressionOfNextHop.identifier) == identifier)
    }

    @Test(
        "The instance of a Contact",
        arguments: [
            ("<sip:b@192.0.2.9>;+sip.instance=\"<urn:uuid:7>\";reg-id=1", "urn:uuid:7"),
            ("<sip:b@192.0.2.9;+sip.instance=x>", ""),
            ("*", ""),
            ("<sip:b@192.0.2.9>;+sip.instance=\"\"", ""),
            ("<sip:b@192.0.2.9>;+sip.instance=\"<>\"", ""),
        ])
    func instance(contact: String, expected: String) throws {
        let via = "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\nContact: \(contact)\r\n"
        let message = try Self.parsed("MESSAGE sip:b@192.0.2.9 SIP/2.0", via)
        #expect(message.text(message.instanceOfContact) == expected)
    }
}
