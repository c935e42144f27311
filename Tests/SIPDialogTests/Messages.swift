import SIPCore
import Testing

/// Text with its line ends as SIP wants them.
func wire(_ text: String) -> [UInt8] { Array(text.replacing("\n", with: "\r\n").utf8) }

/// The message in some bytes that must be one.
func parsed(_ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) throws -> SIPMessage {
    switch SIPMessage.parse(bytes) {
    case .message(let message): return message
    case .malformed(_, let failure), .unreadable(let failure):
        Issue.record("refused: \(failure.reason)", sourceLocation: sourceLocation)
        throw failure
    }
}

/// A request of Alice's; lines of the same name replace the ones given here.
func request(_ method: String = "SUBSCRIBE", _ lines: String..., uri: String = "sip:bob@example.com") throws
    -> SIPMessage
{
    var fields: [(name: String, line: String)] = [
        ("Via", "Via: SIP/2.0/UDP 192.0.2.15:5062;branch=z9hG4bK-1"),
        ("From", "From: \"Alice\" <sip:alice@example.org>;tag=a1"),
        ("To", "To: <sip:bob@example.com>"),
        ("Call-ID", "Call-ID: c1@192.0.2.15"),
        ("CSeq", "CSeq: 7 \(method)"),
        ("Contact", "Contact: <sip:alice@192.0.2.15:5062>"),
        ("Event", "Event: presence"),
    ]
    for line in lines {
        let name = String(line.prefix { $0 != ":" })
        fields.removeAll { $0.name == name }
    }
    let head = ["\(method) \(uri) SIP/2.0"] + fields.map(\.line) + lines.filter { !$0.hasSuffix(":") }
    return try parsed(wire(head.joined(separator: "\n") + "\n\n"))
}

func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

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

/// A value that must be there, also where a mutating call makes it.
func required<T>(_ value: T?, sourceLocation: SourceLocation = #_sourceLocation) throws -> T {
    try #require(value, sourceLocation: sourceLocation)
}
