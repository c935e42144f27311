public import SIPCore

/// A host and a port as configuration writes them: `127.0.0.1:5060`, `[::1]:5060`, `sip.example.com:5060`, `::1`.
public struct HostPort: Hashable, Sendable {
    /// A domain name, or an address without brackets.
    public var host: String
    /// 0 when none is written.
    public var port: UInt16

    /// Nil when the text is neither a name nor an address, or the port is no port.
    public init?(_ text: String) {
        var host = text
        var portText: Substring?
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = String(text[text.index(after: text.startIndex)..<end])
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            if !rest.isEmpty { portText = rest.dropFirst() }
            guard host.contains(":") else { return nil }
        } else if text.filter({ $0 == ":" }).count == 1, let colon = text.firstIndex(of: ":") {
            host = String(text[..<colon])
            portText = text[text.index(after: colon)...]
        }
        guard IPAddress(parsing: host) != nil || Self.isDomainName(host) else { return nil }
        self.host = host
        port = 0
        if let portText {
            guard portText.allSatisfy({ $0.isASCII && $0.isNumber }), let number = UInt16(portText) else { return nil }
            port = number
        }
    }

    /// The address, when the host is one.
    public var address: TransportAddress? { IPAddress(parsing: host).map { TransportAddress(ip: $0, port: port) } }

    /// Whether the text is a host name by RFC 3261 section 25.1.
    public static func isDomainName(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 253 else { return false }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        let areLabels = labels.allSatisfy { label in
            !label.isEmpty && label.utf8.count <= 63 && label.first != "-" && label.last != "-"
                && label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
        }
        // The last label of a name begins with a letter; "10.0.0" and "300.1.1.1" are slips, not names.
        return areLabels && labels.last?.first?.isLetter == true
    }
}
