import Glibc

/// A range of IP addresses written as `10.1.0.0/16`, `2001:db8::/32` or a single address.
///
/// Kept in the 128 bits of the IPv6 form; IPv4 is kept IPv4-mapped (`::ffff:a.b.c.d`), so that one comparison serves both.
public struct NetworkPrefix: Hashable, Sendable {
    /// Upper and lower half of the first address of the range, in host order.
    public var high: UInt64
    public var low: UInt64
    /// Leading bits that must agree, 0 to 128; for IPv4 the written length plus 96.
    public var length: UInt8

    /// Bits below `length` are cleared.
    public init(high: UInt64, low: UInt64, length: UInt8) {
        self.length = min(length, 128)
        let (highMask, lowMask) = Self.masks(self.length)
        self.high = high & highMask
        self.low = low & lowMask
    }

    /// Reads an address with or without `/length`; nil when the text is neither.
    ///
    /// An address with bits set behind its length (`10.1.2.3/16`) is refused: it is more often a slip than a wish.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first, let (high, low, isV4) = Self.address(String(address)) else { return nil }
        var length: UInt8 = 128
        if parts.count == 2 {
            let digits = parts[1]
            guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }), let bits = UInt8(digits),
                bits <= (isV4 ? 32 : 128)
            else { return nil }
            length = isV4 ? bits + 96 : bits
        }
        self.init(high: high, low: low, length: length)
        guard self.high == high, self.low == low else { return nil }
    }

    /// Whether the address with these halves lies in the range.
    public func contains(high: UInt64, low: UInt64) -> Bool {
        let (highMask, lowMask) = Self.masks(length)
        return high & highMask == self.high && low & lowMask == self.low
    }

    private static func masks(_ length: UInt8) -> (UInt64, UInt64) {
        let bits = Int(length)
        return (
            bits == 0 ? 0 : UInt64.max << UInt64(64 - min(bits, 64)),
            bits <= 64 ? 0 : UInt64.max << UInt64(128 - bits)
        )
    }

    private static func address(_ text: String) -> (high: UInt64, low: UInt64, isV4: Bool)? {
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            return (0, 0x0000_ffff_0000_0000 | UInt64(UInt32(bigEndian: v4.s_addr)), true)
        }
        var bytes = [UInt8](repeating: 0, count: 16)
        guard inet_pton(AF_INET6, text, &bytes) == 1 else { return nil }
        func half(_ range: Range<Int>) -> UInt64 { bytes[range].reduce(0) { $0 << 8 | UInt64($1) } }
        return (half(0..<8), half(8..<16), false)
    }
}

extension NetworkPrefix: CustomStringConvertible {
    public var description: String {
        let isV4 = high == 0 && low >> 32 == 0xffff && length >= 96
        let bits = isV4 ? Int(length) - 96 : Int(length)
        let address = isV4 ? v4Text : v6Text
        return bits == (isV4 ? 32 : 128) ? address : "\(address)/\(bits)"
    }

    private var v4Text: String {
        [24, 16, 8, 0].map { String(low >> UInt64($0) & 0xff) }.joined(separator: ".")
    }

    private var v6Text: String {
        var bytes = (0..<8).map { UInt8(truncatingIfNeeded: high >> UInt64(56 - 8 * $0)) }
        bytes += (0..<8).map { UInt8(truncatingIfNeeded: low >> UInt64(56 - 8 * $0)) }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, bytes, &text, socklen_t(INET6_ADDRSTRLEN)) != nil else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
