import MessageStore

/// Just enough of SIP for ``StandInServer``.
struct SimpleMessage {
    let first: String
    let lines: [String]
    let body: [UInt8]

    init?(_ bytes: [UInt8]) {
        var end = 0
        while end + 3 < bytes.count, bytes[end..<end + 4] != [13, 10, 13, 10] { end += 1 }
        guard end + 3 < bytes.count else { return nil }
        let head = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n").map(String.init)
        guard let first = head.first else { return nil }
        self.first = first
        lines = Array(head.dropFirst())
        body = Array(bytes[(end + 4)...])
    }

    var method: String { String(first.prefix { $0 != " " }) }
    var status: Int { first.hasPrefix("SIP/2.0 ") ? Int(first.dropFirst(8).prefix(3)) ?? 0 : 0 }
    var branch: String { String(self["via"].split(separator: "branch=").last?.prefix { $0 != ";" } ?? "") }

    subscript(_ name: String) -> String {
        let line = lines.first { $0.lowercased().hasPrefix(name + ":") } ?? ""
        return String(line.dropFirst(name.count + 1).drop { $0 == " " })
    }

    func user(_ name: String) -> String {
        String(self[name].split(separator: "sip:").last?.prefix { $0 != "@" } ?? "")
    }

    var identity: MessageIdentity {
        let marker = Array("Message-ID: ".utf8)
        var text = Array((self["call-id"] + self["cseq"]).utf8)
        if self["content-type"] == "message/cpim" {
            for start in body.indices.dropLast(marker.count) where Array(body[start..<start + marker.count]) == marker {
                text = Array(body[start...].prefix { $0 != 13 })
                break
            }
        }
        var high: UInt64 = 14_695_981_039_346_656_037
        for byte in text { high = (high ^ UInt64(byte)) &* 1_099_511_628_211 }
        return MessageIdentity(high: high, low: UInt64(text.count))
    }

    func payload(altered: Bool, callID: String) -> [UInt8] {
        var text = ""
        for line in lines {
            let name = line.lowercased()
            if name.hasPrefix("via:") || name.hasPrefix("max-forwards:") { continue }
            text += name.hasPrefix("call-id:") ? "Call-ID: \(callID)\r\n" : line + "\r\n"
        }
        let kept = altered ? Array(body.dropLast()) + [UInt8(ascii: "?")] : body
        if altered && body.isEmpty {
            return Array((text.replacing("Content-Length: 0", with: "Content-Length: 1") + "\r\n").utf8) + kept
        }
        return Array((text + "\r\n").utf8) + kept
    }

    func answer(_ status: Int, _ extra: String) -> [UInt8] {
        var text = "SIP/2.0 \(status) Stand-In\r\n"
        for line in lines {
            let name = line.lowercased()
            if ["via:", "from:", "call-id:", "cseq:"].contains(where: { name.hasPrefix($0) }) { text += line + "\r\n" }
            if name.hasPrefix("to:") { text += line + ";tag=stand-in\r\n" }
        }
        return Array((text + extra + "Content-Length: 0\r\n\r\n").utf8)
    }
}
