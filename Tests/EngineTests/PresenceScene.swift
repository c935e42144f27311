import LinkProfiles
import SIPCore
import Simulation

@testable import Engine

/// Publishers and watchers for an ``EngineScene``.
extension EngineScene {
    static func document(of user: String, status: String = "open", note: String = "", tuple: String = "t1") -> String {
        """
        <?xml version="1.0" encoding="UTF-8"?>\r
        <presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:\(user)@example.com">\
        <tuple id="\(tuple)"><status><basic>\(status)</basic></status>\
        \(note.isEmpty ? "" : "<note>\(note)</note>")</tuple></presence>\r\n
        """
    }

    static func publish(
        for user: String, from publisher: String? = nil, body: String, id: String, etag: String? = nil,
        expires: Int? = 3_600, event: String? = "presence", type: String = "application/pidf+xml", extra: String = "",
        port: UInt16 = 5060
    ) -> String {
        """
        PUBLISH sip:\(user)@example.com SIP/2.0\r
        Via: SIP/2.0/UDP 198.51.100.7:\(port);rport;branch=z9hG4bK\(id)\r
        Max-Forwards: 70\r
        From: <sip:\(publisher ?? user)@example.com>;tag=p\(id)\r
        To: <sip:\(user)@example.com>\r
        Call-ID: \(id)@198.51.100.7\r
        CSeq: 1 PUBLISH\r
        \(event.map { "Event: \($0)\r\n" } ?? "")\(expires.map { "Expires: \($0)\r\n" } ?? "")\
        \(etag.map { "SIP-If-Match: \($0)\r\n" } ?? "")\(extra)\
        \(body.isEmpty ? "" : "Content-Type: \(type)\r\n")Content-Length: \(body.utf8.count)\r
        \r
        \(body)
        """
    }

    /// - Parameters:
    ///   - dialog: the NOTIFY whose dialog it is in; nil begins one.
    ///   - contact: nil for the port's own; empty for none.
    static func subscribe(
        to user: String, from watcher: String = "bob", id: String, cseq: Int = 1, port: UInt16 = 6001,
        expires: Int? = 3_600, event: String? = "presence", accept: String? = nil, body: String = "",
        type: String = "application/simple-filter+xml", extra: String = "", dialog: Sent? = nil,
        contact: String? = nil, recordRoute: String = "", transport: String = "UDP"
    ) -> String {
        let toTag = dialog.map { ";tag=" + $0.message.text($0.message.from.tag) } ?? ""
        let target = dialog == nil ? "sip:\(user)@example.com" : "sip:192.0.2.1:5060"
        let value = contact ?? "<sip:\(watcher)@198.51.100.7:\(port)>"
        return """
            SUBSCRIBE \(target) SIP/2.0\r
            Via: SIP/2.0/\(transport) 198.51.100.7:\(port);rport;branch=z9hG4bK\(id)\(cseq)\r
            Max-Forwards: 70\r
            \(recordRoute)From: <sip:\(watcher)@example.com>;tag=w\(id)\r
            To: <sip:\(user)@example.com>\(toTag)\r
            Call-ID: \(id)@198.51.100.7\r
            CSeq: \(cseq) SUBSCRIBE\r
            \(value.isEmpty ? "" : "Contact: \(value)\r\n")\(event.map { "Event: \($0)\r\n" } ?? "")\
            \(expires.map { "Expires: \($0)\r\n" } ?? "")\(accept.map { "Accept: \($0)\r\n" } ?? "")\(extra)\
            \(body.isEmpty ? "" : "Content-Type: \(type)\r\n")Content-Length: \(body.utf8.count)\r
            \r
            \(body)
            """
    }

    /// NOTIFYs, each once.
    var notifications: [Sent] {
        var seen: Set<String> = []
        return requests(.notify).filter { seen.insert($0.branch).inserted }
    }

    /// Answers every NOTIFY with 200 until none comes any more.
    func answerNotifications(_ status: UInt16 = 200) {
        var answered = 0
        while answered < notifications.count {
            answer(status, to: notifications[answered])
            answered += 1
            settle()
        }
    }

    /// The entity-tag of the last 200 to a PUBLISH.
    var entityTag: String? { sent.last { !$0.message.isRequest && $0.status == 200 }?.header(.sipETag) }
}

extension EngineScene.Sent {
    var subscriptionState: String { header(.subscriptionState) ?? "" }
    var sequence: UInt32 { message.cseqNumber }
}
