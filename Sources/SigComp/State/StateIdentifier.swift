/// The 20-byte name of a state: a SHA-1 hash over the whole item (RFC 3320, section 9.4.9).
public struct StateIdentifier: Hashable, Sendable, CustomStringConvertible {
    let first: UInt64
    let second: UInt64
    let third: UInt32

    public static let length = 20

    /// nil unless there are exactly 20 bytes.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.length else { return nil }
        let words = IdentifierWords(bytes)
        first = words.first
        second = words.second
        third = words.third
    }

    public var bytes: [UInt8] { IdentifierWords(first: first, second: second, third: third).bytes(count: Self.length) }

    /// The first bytes, as they stand in a message; nil unless 6 to 20.
    public func prefix(_ length: Int) -> PartialStateIdentifier? { PartialStateIdentifier(bytes.prefix(length)) }

    public var description: String { IdentifierWords.hexadecimal(bytes) }

    /// What a store sorts by: the 6 bytes that every partial identifier has.
    var bucket: UInt64 { first >> 16 }
}

/// The first 6 to 20 bytes of a state identifier (RFC 3320, section 7.2).
public struct PartialStateIdentifier: Hashable, Sendable, CustomStringConvertible {
    let first: UInt64
    let second: UInt64
    let third: UInt32
    /// 6 to 20.
    public let length: Int

    public static let lengths = 6...20

    /// nil unless there are 6 to 20 bytes.
    public init?(_ bytes: some Collection<UInt8>) {
        guard Self.lengths.contains(bytes.count) else { return nil }
        let words = IdentifierWords(bytes)
        first = words.first
        second = words.second
        third = words.third
        length = bytes.count
    }

    public init(_ identifier: StateIdentifier) {
        first = identifier.first
        second = identifier.second
        third = identifier.third
        length = StateIdentifier.length
    }

    public var bytes: [UInt8] { IdentifierWords(first: first, second: second, third: third).bytes(count: length) }

    public func matches(_ identifier: StateIdentifier) -> Bool {
        let firstMask: UInt64 = length >= 8 ? .max : .max << UInt64(64 - 8 * length)
        let secondMask: UInt64 = length <= 8 ? 0 : length >= 16 ? .max : .max << UInt64(128 - 8 * length)
        let thirdMask: UInt32 = length <= 16 ? 0 : length >= 20 ? .max : .max << UInt32(160 - 8 * length)
        return (first ^ identifier.first) & firstMask == 0 && (second ^ identifier.second) & secondMask == 0
            && (third ^ identifier.third) & thirdMask == 0
    }

    public var description: String { IdentifierWords.hexadecimal(bytes) }

    var bucket: UInt64 { first >> 16 }
}

/// Up to 20 bytes packed into words, the first byte the most significant.
private struct IdentifierWords {
    var first: UInt64 = 0
    var second: UInt64 = 0
    var third: UInt32 = 0

    init(first: UInt64, second: UInt64, third: UInt32) {
        self.first = first
        self.second = second
        self.third = third
    }

    init(_ bytes: some Collection<UInt8>) {
        for (index, byte) in bytes.enumerated() {
            switch index {
            case 0..<8: first |= UInt64(byte) << UInt64(56 - 8 * index)
            case 8..<16: second |= UInt64(byte) << UInt64(120 - 8 * index)
            default: third |= UInt32(byte) << UInt32(152 - 8 * index)
            }
        }
    }

    func bytes(count: Int) -> [UInt8] {
        (0..<count).map { index in
            switch index {
            case 0..<8: UInt8(truncatingIfNeeded: first >> UInt64(56 - 8 * index))
            case 8..<16: UInt8(truncatingIfNeeded: second >> UInt64(120 - 8 * index))
            default: UInt8(truncatingIfNeeded: third >> UInt32(152 - 8 * index))
            }
        }
    }

    static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
