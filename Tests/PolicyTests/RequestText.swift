import SIPCore
import Testing

/// Writes requests for the tests of this room.
enum RequestText {
    static func message(
        method: String, uri: String, from: String, to: String, headers: [String] = [], body: String = ""
    ) -> SIPMessage {
        var lines = [
            "\(method) \(uri) SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc", "Max-Forwards: 70",
            "From: <\(from)>;tag=1", "To: <\(to)>", "Call-ID: 1@192.0.2.1", "CSeq: 1 \(method)",
        ]
        lines += headers
        lines.append("Content-Length: \(body.utf8.count)")
        let text = lines.joined(separator: "\r\n") + "\r\n\r\n" + body
        switch SIPMessage.parse(Array(text.utf8)) {
        case .message(let message): return message
        case .malformed(let message, let failure):
            Issue.record("\(failure.reason): \(text)")
            return message
        case .unreadable(let failure): fatalError("\(failure.reason): \(text)")
        }
    }
}
