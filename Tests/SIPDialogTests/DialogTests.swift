import SIPCore
import SIPDialog
import Testing

@Suite("Dialog state (RFC 3261 section 12)")
struct DialogTests {
    private let tag = Array("9fxced".utf8)

    private func made(_ lines: String..., uri: String = "sip:bob@example.com") throws -> Dialog {
        let message: SIPMessage
        switch lines.count {
        case 0: message = try request("SUBSCRIBE", uri: uri)
        case 1: message = try request("SUBSCRIBE", lines[0], uri: uri)
        default: message = try request("SUBSCRIBE", lines[0], lines[1], uri: uri)
        }
        return try Dialog(accepting: message, localTag: tag)
    }

    private func failure(_ lines: String...) throws -> DialogFailure? {
        let message =
            lines.count == 1 ? try request("SUBSCRIBE", lines[0]) : try request("SUBSCRIBE", lines[0], lines[1])
        do throws(DialogFailure) {
            _ = try Dialog(accepting: message, localTag: tag)
            return nil
        } catch {
            return error
        }
    }

    private func notify(_ dialog: Dialog, contact: String = "<sip:bob@192.0.2.1>") throws -> SIPMessage {
        var writer = MessageWriter()
        dialog.appendRequest(
            .notify, sequence: 4_711, via: Array("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKn".utf8),
            contact: Array(contact.utf8), to: &writer)
        return try parsed(writer.finish())
    }

    private func routes(_ message: SIPMessage) -> [String] { message.values(.route).map(message.text) }

    @Test("the accepting side takes over identifiers, URIs, target and routes (section 12.1.1)")
    func accepting() throws {
        let dialog = try made("Record-Route: <sip:p2.example.org;lr>;x=1, <sip:p1.example.org:5070;lr;foo=bar>")
        #expect(text(dialog.callID) == "c1@192.0.2.15")
        #expect(text(dialog.localTag) == "9fxced")
        #expect(text(dialog.remoteTag) == "a1")
        #expect(text(dialog.localURI) == "sip:bob@example.com")
        #expect(text(dialog.remoteURI) == "sip:alice@example.org")
        #expect(text(dialog.remoteTarget) == "sip:alice@192.0.2.15:5062")
        #expect(text(dialog.routeSet) == "<sip:p2.example.org;lr>,<sip:p1.example.org:5070;lr;foo=bar>")
        #expect(text(dialog.nextHop) == "sip:p2.example.org;lr")
        #expect(!dialog.isStrictlyRouted && !dialog.isSecure)
    }

    @Test("a NOTIFY makes the subscriber's dialog with the tag of its To (RFC 6665 section 4.4.1)")
    func subscriber() throws {
        let message = try request(
            "NOTIFY", "From: <sip:bob@example.com>;tag=n7", "To: <sip:alice@example.org>;tag=mine",
            "Record-Route: <sip:p1;lr>")
        let dialog = try Dialog(accepting: message, localTag: [])
        #expect(text(dialog.localTag) == "mine")
        #expect(text(dialog.remoteTag) == "n7")
        #expect(text(dialog.localURI) == "sip:alice@example.org")
        #expect(text(dialog.routeSet) == "<sip:p1;lr>")
    }

    @Test("a request of the dialog is known by both tags and Call-ID")
    func matching() throws {
        let dialog = try made()
        #expect(dialog.matches(try request("SUBSCRIBE", "To: <sip:x@y>;tag=9fxced", "From: <sip:z@y>;tag=a1")))
        #expect(!dialog.matches(try request("SUBSCRIBE", "To: <sip:bob@example.com>")))
        #expect(!dialog.matches(try request("SUBSCRIBE", "To: <sip:bob@example.com>;tag=9fxceD")))
        #expect(
            !dialog.matches(try request("SUBSCRIBE", "To: <sip:bob@example.com>;tag=9fxced", "From: <sip:z@y>;tag=a2")))
        #expect(
            !dialog.matches(try request("SUBSCRIBE", "To: <sip:bob@example.com>;tag=9fxced", "Call-ID: c1@192.0.2.16")))
    }

    @Test("a request without routes goes to the remote target")
    func plainRequest() throws {
        let dialog = try made()
        let message = try notify(dialog)
        #expect(message.method == .notify)
        #expect(message.text(message.requestURI) == "sip:alice@192.0.2.15:5062")
        #expect(message.text(message.from.uri) == "sip:bob@example.com")
        #expect(message.text(message.from.tag) == "9fxced")
        #expect(message.text(message.to.uri) == "sip:alice@example.org")
        #expect(message.text(message.to.tag) == "a1")
        #expect(message.text(message.callID) == "c1@192.0.2.15")
        #expect(message.cseqNumber == 4_711)
        #expect(message.text(message.cseqMethod) == "NOTIFY")
        #expect(message.maxForwards == 70)
        #expect(message.addresses(.contact).map { message.text($0.uri) } == ["sip:bob@192.0.2.1"])
        #expect(!message.contains(.route))
        #expect(text(dialog.nextHop) == "sip:alice@192.0.2.15:5062")
    }

    @Test("no Contact is written where there is none to write")
    func withoutContact() throws {
        #expect(try !notify(made(), contact: "").contains(.contact))
    }

    @Test("loose routers stand in Route, in order")
    func looseRouting() throws {
        let message = try notify(
            made("Record-Route: <sip:p1;lr>", "Record-Route: <sip:p2;lr=on>;q=1,<sips:p3:5071;lr;transport=tcp>"))
        #expect(message.text(message.requestURI) == "sip:alice@192.0.2.15:5062")
        #expect(routes(message) == ["<sip:p1;lr>", "<sip:p2;lr=on>", "<sips:p3:5071;lr;transport=tcp>"])
    }

    @Test("a strict router stands in the Request-URI and the target last in Route: the RFC's example")
    func strictRouting() throws {
        let dialog = try made(
            "Record-Route: <sip:proxy1>,<sip:proxy2>,<sip:proxy3;lr>,<sip:proxy4>", "Contact: <sip:user@remoteua>")
        #expect(dialog.isStrictlyRouted)
        let message = try notify(dialog)
        #expect(message.text(message.requestURI) == "sip:proxy1")
        #expect(
            message.first(.route).map { message.text($0.value) }
                == "<sip:proxy2>,<sip:proxy3;lr>,<sip:proxy4>,<sip:user@remoteua>")
        #expect(text(dialog.nextHop) == "sip:proxy1")
    }

    @Test("what a Request-URI may not have is taken off a single strict router and the target")
    func requestURIs() throws {
        let strict = try notify(
            made("Record-Route: <sip:p1;maddr=10.0.0.1;method=INVITE;x?Subject=a>", "Contact: <sip:a@b;method=BYE?c=d>")
        )
        #expect(strict.text(strict.requestURI) == "sip:p1;maddr=10.0.0.1;x")
        #expect(routes(strict) == ["<sip:a@b>"])
        let plain = try notify(made("Contact: \"A\" <sip:a@b;transport=tcp;Method=NOTIFY>;expires=7"))
        #expect(plain.text(plain.requestURI) == "sip:a@b;transport=tcp")
    }

    @Test("tags that an old peer does not give are left out")
    func nullTag() throws {
        let message = try notify(made("From: <sip:alice@example.org>"))
        #expect(message.to.tag.isEmpty)
        #expect(message.first(.to).map { message.text($0.value) } == "<sip:alice@example.org>")
    }

    @Test("a refused request says why")
    func refusals() throws {
        #expect(try failure("Contact:") == .noContact)
        #expect(try failure("Contact: *") == .noContact)
        #expect(try failure("Contact: <sip:a@b>, <sip:c@d>") == .severalContacts)
        #expect(try failure("Contact: <tel:+15551234>") == .contactNotSIP)
        #expect(try failure("Contact: <http://example.org/>") == .contactNotSIP)
        #expect(try failure("From: <sip:a@b>;tag=\"a b\"") == .malformedTag)
        #expect(try failure("Record-Route: <tel:+15551234>") == .malformedRoute)
        #expect(try failure("Contact: <sip:\(String(repeating: "a", count: 4_100))@b>") == .tooLong)
        #expect(
            DialogFailure.allCases.allSatisfy { $0.statusCode == ($0 == .tooLong ? 513 : 400) && !$0.reason.isEmpty })
    }

    @Test("a target refresh changes the target and nothing else (section 12.2)")
    func targetRefresh() throws {
        var dialog = try made("Record-Route: <sip:p1;lr>")
        let before = dialog
        #expect(try !dialog.refreshTarget(from: request()))
        #expect(try !dialog.refreshTarget(from: request("SUBSCRIBE", "Contact:")))
        #expect(dialog == before)
        #expect(try dialog.refreshTarget(from: request("SUBSCRIBE", "Contact: <sip:alice@198.51.100.7;transport=tcp>")))
        #expect(text(dialog.remoteTarget) == "sip:alice@198.51.100.7;transport=tcp")
        #expect(text(dialog.routeSet) == "<sip:p1;lr>")
        #expect(text(dialog.callID) == text(before.callID) && dialog.localTag == before.localTag)
        let changed = dialog
        #expect(throws: DialogFailure.severalContacts) {
            try dialog.refreshTarget(from: request("SUBSCRIBE", "Contact: <sip:a@b>,<sip:c@d>"))
        }
        #expect(dialog == changed)
    }

    @Test("what the store keeps is the dialog")
    func stored() throws {
        let dialog = try made("Record-Route: <sip:p1>,<sip:p2;lr>")
        #expect(Dialog(bytes: dialog.bytes) == dialog)
        let secure = try Dialog(accepting: request(), localTag: tag, isSecure: true)
        #expect(Dialog(bytes: secure.bytes)?.isSecure == true)
        #expect(dialog.bytes.count < 200)
    }

    @Test("damaged bytes are refused or are a dialog, never a crash", arguments: [1, 2, 3] as [UInt64])
    func damaged(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let sound = try made("Record-Route: <sip:p1;lr>,<sip:p2;lr>").bytes
        for _ in 0..<2_000 {
            var bytes = sound
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                switch Int.random(in: 0..<3, using: &random) {
                case 0 where !bytes.isEmpty:
                    bytes[Int.random(in: 0..<min(bytes.count, 20), using: &random)] = .random(
                        in: 0...255, using: &random)
                case 1: bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
                default: bytes.append(0x41)
                }
            }
            guard let dialog = Dialog(bytes: bytes) else { continue }
            var writer = MessageWriter()
            dialog.appendRequest(.notify, sequence: 1, via: [], contact: [], to: &writer)
            #expect(!dialog.callID.isEmpty && dialog.bytes == bytes)
            #expect(!writer.bytes.isEmpty)
        }
        #expect(Dialog(bytes: []) == nil)
        #expect(Dialog(bytes: [UInt8](repeating: 1, count: 5_000)) == nil)
    }

    @Test("Record-Route lines for the response are the request's own")
    func recordRoutes() throws {
        let message = try request("SUBSCRIBE", "Record-Route: <sip:p1;lr>;x=y, <sip:p2;lr>")
        #expect(text(message.recordRouteLines) == "Record-Route: <sip:p1;lr>;x=y, <sip:p2;lr>\r\n")
        #expect(try request().recordRouteLines.isEmpty)
    }
}
