import SIPCore
import Testing

/// Text with its line ends as SIP wants them.
func wire(_ text: String) -> [UInt8] {
    Array(text.replacing("\n", with: "\r\n").utf8)
}

/// The message in some bytes that must be one.
func parsed(_ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) throws -> SIPMessage {
    switch SIPMessage.parse(bytes) {
    case .message(let message): return message
    case .malformed(_, let failure), .unreadable(let failure):
        Issue.record("refused: \(failure.reason)", sourceLocation: sourceLocation)
        throw failure
    }
}

func parsed(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> SIPMessage {
    try parsed(wire(text), sourceLocation: sourceLocation)
}

func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

/// A request with given header lines behind the ones every request needs.
func request(_ lines: String = "", method: String = "MESSAGE", body: String = "") -> [UInt8] {
    wire(
        """
        \(method) sip:bob@example.com SIP/2.0
        Via: SIP/2.0/UDP 192.0.2.15:5062;branch=z9hG4bK-1
        From: <sip:alice@example.com>;tag=a1
        To: <sip:bob@example.com>
        Call-ID: c1@192.0.2.15
        CSeq: 7 \(method)
        \(lines)

        \(body)
        """.replacing("\n\n\n", with: "\n\n"))
}

/// Numbers that come out the same every time for one seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
