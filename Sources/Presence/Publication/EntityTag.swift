/// The entity-tag of a publication (RFC 3903 section 8) or of a notified state (RFC 5839 section 3): a number, written as 1 to 12
/// characters of base 32, because every character of it crosses the air many times.
public struct EntityTag: Hashable, Sendable {
    /// 0..<2^60.
    public let rawValue: UInt64

    static let bits: UInt64 = 60
    private static let digits = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
    private static let mostDigits = 12

    public init(_ rawValue: UInt64) { self.rawValue = rawValue & (1 << Self.bits - 1) }

    /// Reads a tag that this server may have written; nil for any other token.
    public init?(_ text: some Collection<UInt8>) {
        guard !text.isEmpty, text.count <= Self.mostDigits else { return nil }
        var value: UInt64 = 0
        for byte in text {
            guard let digit = Self.digits.firstIndex(of: byte) else { return nil }
            value = value << 5 | UInt64(digit)
        }
        guard text.count == 1 || text.first != Self.digits[0] else { return nil }
        rawValue = value
    }

    /// The token for SIP-ETag and SIP-If-Match.
    public var text: [UInt8] {
        var reversed: [UInt8] = []
        var rest = rawValue
        repeat {
            reversed.append(Self.digits[Int(rest & 31)])
            rest >>= 5
        } while rest > 0
        return reversed.reversed()
    }
}

/// Gives out entity-tags: it counts up from a number that the driver drew at random when it started, so that no tag of this run, nor
/// of an earlier one, comes again (RFC 3903 section 6 step 6).
struct EntityTagSource {
    private var next: UInt64

    init(first: UInt64) { next = first }

    mutating func make() -> EntityTag {
        defer { next &+= 1 }
        return EntityTag(next)
    }
}
