import LinkProfiles
import SIPCore

/// Words for the trace of a run.
enum Trace {
    /// First line, Call-ID and CSeq number of a SIP message.
    static func summary(_ bytes: [UInt8]) -> String {
        guard let message = PlainMessage(bytes) else { return "\(bytes.count) bytes that are no message" }
        let line = message.startLine.replacing(" SIP/2.0", with: "")
        let method = message.isResponse ? " (\(message.cseqMethod))" : ""
        return
            "\(line)\(method) \(message.callID) \(message.cseqNumber) \(message.branch.dropFirst(7).prefix(26)) [\(bytes.count)]"
    }

    static func arrivals(_ arrivals: [Instant], from sent: Instant) -> String {
        if arrivals.isEmpty { return "LOST" }
        return arrivals.map { "+\(Double(($0 - sent).microseconds) / 1_000)ms" }.joined(separator: " and ")
    }

    static func text(_ address: TransportAddress) -> String {
        let bits = address.ip.v4Bits
        return "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255):\(address.port)"
    }

    /// `+12.345678` padded so that columns line up.
    static func time(_ instant: Instant) -> String {
        let span = (instant - Scenario.beginning).microseconds
        let fraction = String(span % 1_000_000)
        let padded = String(repeating: "0", count: 6 - min(6, fraction.count)) + fraction
        let seconds = String(span / 1_000_000)
        return String(repeating: " ", count: max(0, 6 - seconds.count)) + seconds + "." + padded
    }
}
