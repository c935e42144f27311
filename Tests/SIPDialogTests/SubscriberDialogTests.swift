import SIPCore
import SIPDialog
import Testing

@Suite("The dialog of a subscription kept elsewhere (RFC 6665 sections 4.1.3, 4.4.1)")
struct SubscriberDialogTests {
    private func made() -> SubscriberDialog {
        SubscriberDialog(
            callID: Array("c1@192.0.2.15".utf8), localTag: Array("mine".utf8), event: Array("presence".utf8))
    }

    private func notify(_ lines: String..., cseq: UInt32 = 7) throws -> SIPMessage {
        let all = [
            "From: <sip:bob@example.com>;tag=n1", "To: <sip:godwit@example.org>;tag=mine", "CSeq: \(cseq) NOTIFY",
            "Subscription-State: active;expires=60", "Contact: <sip:bob@192.0.2.9>",
        ].filter { given in !lines.contains { $0.prefix { $0 != ":" } == given.prefix { $0 != ":" } } }
        let merged = all + lines
        switch merged.count {
        case 5: return try request("NOTIFY", merged[0], merged[1], merged[2], merged[3], merged[4])
        default: return try request("NOTIFY", merged[0], merged[1], merged[2], merged[3], merged[4], merged[5])
        }
    }

    private func status(_ verdict: SubscriberDialog.Verdict) -> UInt16 {
        switch verdict {
        case .accepted: 200
        case .refused(let status): status
        }
    }

    @Test("the first NOTIFY makes the dialog, with its own Record-Route and not the response's")
    func establishment() throws {
        var subscriber = made()
        let verdict = try subscriber.received(notify("Record-Route: <sip:p1;lr>,<sip:p2;lr>"))
        #expect(verdict == .accepted(SubscriptionStateHeader(.active, expires: 60)))
        let dialog = try #require(subscriber.dialog)
        #expect(text(dialog.routeSet) == "<sip:p1;lr>,<sip:p2;lr>")
        #expect(text(dialog.remoteTag) == "n1")
        #expect(text(dialog.remoteTarget) == "sip:bob@192.0.2.9")
    }

    @Test(
        "what does not belong to it is refused",
        arguments: [
            ("Call-ID: other", 481), ("To: <sip:godwit@example.org>;tag=theirs", 481),
            ("To: <sip:godwit@example.org>", 481),
            ("Event: dialog", 489), ("Event: presence;id=4", 481), ("Event:", 400), ("Event: ;", 400),
            ("Subscription-State:", 400), ("Subscription-State: ;expires=1", 400), ("Contact:", 400),
            ("CSeq: 3000000000 NOTIFY", 400),
        ])
    func refusals(_ line: String, _ expected: UInt16) throws {
        var subscriber = made()
        #expect(try status(subscriber.received(notify(line))) == expected)
        #expect(subscriber.dialog == nil)
    }

    @Test("a second dialog of a forked SUBSCRIBE is refused (RFC 3856 section 6.9)")
    func forked() throws {
        var subscriber = made()
        #expect(try status(subscriber.received(notify())) == 200)
        #expect(try status(subscriber.received(notify("From: <sip:bob@example.com>;tag=n2", cseq: 8))) == 481)
        #expect(try status(subscriber.received(notify(cseq: 8))) == 200)
    }

    @Test("NOTIFYs come in order, and one that is refused changes nothing")
    func order() throws {
        var subscriber = made()
        #expect(try status(subscriber.received(notify(cseq: 7))) == 200)
        #expect(try status(subscriber.received(notify("Event: dialog", cseq: 20))) == 489)
        #expect(try status(subscriber.received(notify(cseq: 9))) == 200)
        let before = subscriber
        #expect(try status(subscriber.received(notify(cseq: 8))) == 500)
        #expect(subscriber == before)
    }

    @Test("a NOTIFY refreshes the target")
    func target() throws {
        var subscriber = made()
        _ = try subscriber.received(notify())
        _ = try subscriber.received(notify("Contact: <sip:bob@198.51.100.1>", cseq: 8))
        #expect(subscriber.dialog.map { text($0.remoteTarget) } == "sip:bob@198.51.100.1")
    }

    @Test("our requests are numbered from one")
    func sequence() {
        var subscriber = made()
        #expect([subscriber.nextSequence(), subscriber.nextSequence(), subscriber.nextSequence()] == [1, 2, 3])
    }
}
