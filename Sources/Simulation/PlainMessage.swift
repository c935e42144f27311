/// A SIP message as the scripted endpoints read it: with a small reader of their own, so that a mistake in the
/// engine's parser or writer is not repeated, and thereby hidden, at the far end.
struct PlainMessage {
    var startLine: String
    var fields: [(name: String, value: String)] = []
    var body: [UInt8] = []

    init(startLine: String) { self.startLine = startLine }

    /// Reads one message; nil when it is not one.
    init?(_ bytes: [UInt8]) {
        var at = 0
        func line() -> ArraySlice<UInt8>? {
            var end = at
            while end + 1 < bytes.count {
                if bytes[end] == 13, bytes[end + 1] == 10 {
                    defer { at = end + 2 }
                    return bytes[at..<end]
                }
                end += 1
            }
            return nil
        }
        guard let first = line(), !first.isEmpty else { return nil }
        startLine = String(decoding: first, as: UTF8.self)
        while true {
            guard let next = line() else { return nil }
            if next.isEmpty { break }
            if next.first == 32 || next.first == 9 {
                guard !fields.isEmpty else { return nil }
                fields[fields.count - 1].value += " " + Self.trimmed(next)
                continue
            }
            guard let colon = next.firstIndex(of: 58) else { return nil }
            let name = Self.trimmed(next[next.startIndex..<colon]).lowercased()
            fields.append((Self.longForms[name] ?? name, Self.trimmed(next[(colon + 1)...])))
        }
        body = Array(bytes[at...])
        if let length = self["content-length"].flatMap({ Int($0) }) {
            guard length <= body.count else { return nil }
            body.removeLast(body.count - length)
        }
    }

    /// Value of the first field of that name (lower case).
    subscript(_ name: String) -> String? { fields.first { $0.name == name }?.value }

    func all(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

    mutating func add(_ name: String, _ value: String) { fields.append((name, value)) }

    var isResponse: Bool { startLine.hasPrefix("SIP/2.0 ") }
    var method: String { startLine.prefix { $0 != " " }.description }
    var status: Int { isResponse ? Int(startLine.dropFirst(8).prefix(3)) ?? 0 : 0 }
    /// Method in CSeq.
    var cseqMethod: String { self["cseq"].map { String($0.split(separator: " ").last ?? "") } ?? "" }
    var cseqNumber: Int { self["cseq"].flatMap { $0.split(separator: " ").first.flatMap { Int($0) } } ?? 0 }
    var callID: String { self["call-id"] ?? "" }
    /// First value of Via.
    var topVia: String { self["via"].map { String($0.prefix { $0 != "," }) } ?? "" }
    var branch: String { Self.parameter("branch", of: topVia) ?? "" }

    /// A parameter of a header value; empty when it has no value, nil when it is missing.
    static func parameter(_ name: String, of value: String) -> String? {
        for part in value.utf8.split(separator: UInt8(ascii: ";")).dropFirst() {
            let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            if trimmed(pair[0]).lowercased() == name { return pair.count > 1 ? trimmed(pair[1]) : "" }
        }
        return nil
    }

    /// The message as it goes on the wire; Content-Length is added.
    var bytes: [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(600 + body.count)
        out.append(contentsOf: startLine.utf8)
        out.append(contentsOf: [13, 10])
        for field in fields where field.name != "content-length" {
            out.append(contentsOf: (Self.wireNames[field.name] ?? field.name).utf8)
            out.append(contentsOf: [58, 32])
            out.append(contentsOf: field.value.utf8)
            out.append(contentsOf: [13, 10])
        }
        out.append(contentsOf: "Content-Length: \(body.count)\r\n\r\n".utf8)
        out.append(contentsOf: body)
        return out
    }

    /// A response to this request with everything RFC 3261 section 8.2.6 copies.
    func response(_ status: Int, _ reason: String, toTag: String) -> PlainMessage {
        var answer = PlainMessage(startLine: "SIP/2.0 \(status) \(reason)")
        for field in fields {
            switch field.name {
            case "via", "from", "call-id", "cseq": answer.fields.append(field)
            case "to":
                let tagged = Self.parameter("tag", of: field.value) != nil
                answer.add("to", tagged ? field.value : field.value + ";tag=" + toTag)
            default: break
            }
        }
        return answer
    }

    private static func trimmed<C: BidirectionalCollection>(_ bytes: C) -> String where C.Element == UInt8 {
        var slice = bytes[...]
        while let first = slice.first, first == 32 || first == 9 { slice.removeFirst() }
        while let last = slice.last, last == 32 || last == 9 { slice.removeLast() }
        return String(decoding: slice, as: UTF8.self)
    }

    private static let longForms = [
        "v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "c": "content-type",
        "s": "subject", "k": "supported", "e": "content-encoding", "o": "event", "u": "allow-events", "r": "refer-to",
        "b": "referred-by", "x": "session-expires", "a": "accept-contact", "j": "reject-contact",
        "d": "request-disposition",
        "y": "identity",
    ]

    private static let wireNames = [
        "via": "Via", "from": "From", "to": "To", "call-id": "Call-ID", "cseq": "CSeq", "contact": "Contact",
        "max-forwards": "Max-Forwards", "content-type": "Content-Type", "expires": "Expires", "priority": "Priority",
        "supported": "Supported", "authorization": "Authorization", "proxy-authorization": "Proxy-Authorization",
        "date": "Date", "route": "Route", "user-agent": "User-Agent", "retry-after": "Retry-After",
    ]
}
