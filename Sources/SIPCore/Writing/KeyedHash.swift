/// SipHash-2-4, a keyed hash for short input (Aumasson and Bernstein 2012): whoever does not know the key can neither
/// foresee nor collide its values. Used for transaction identifiers, branches, tags and identities.
///
/// Input arrives in pieces; where the border between two pieces matters, end each with ``separate()``.
public struct KeyedHash: Sendable {
    private var v0: UInt64
    private var v1: UInt64
    private var v2: UInt64
    private var v3: UInt64
    /// Bytes not yet mixed in, the first in the lowest byte.
    private var tail: UInt64 = 0
    private var count: UInt64 = 0
    private let isWide: Bool

    /// - Parameter wide: whether ``finalize128()`` will be asked for; the two lengths differ in their constants.
    public init(key: (UInt64, UInt64), wide: Bool = false) {
        v0 = key.0 ^ 0x736f_6d65_7073_6575
        v1 = key.1 ^ 0x646f_7261_6e64_6f6d
        v2 = key.0 ^ 0x6c79_6765_6e65_7261
        v3 = key.1 ^ 0x7465_6462_7974_6573
        isWide = wide
        if wide { v1 ^= 0xee }
    }

    /// 64 bits of one piece of input.
    public static func hash(_ bytes: some Collection<UInt8>, key: (UInt64, UInt64)) -> UInt64 {
        var hash = KeyedHash(key: key)
        hash.combine(bytes)
        return hash.finalize()
    }

    public mutating func combine(_ bytes: [UInt8]) {
        combine(bytes.span)
    }

    public mutating func combine(_ bytes: ArraySlice<UInt8>) {
        combine(bytes.span)
    }

    @inlinable
    public mutating func combine(_ bytes: some Collection<UInt8>) {
        let isDone: Void? = bytes.withContiguousStorageIfAvailable { unsafe combine($0.span) }
        guard isDone == nil else { return }
        for byte in bytes { combine(byte: byte) }
    }

    /// Adds a stretch of a message.
    public mutating func combine(_ range: ByteRange, of message: SIPMessage) {
        let span = message.bytes.span
        let end = min(range.upper, span.count)
        combine(span.extracting(min(range.lower, end)..<end))
    }

    /// Adds a stretch of a message with its ASCII letters in lower case.
    public mutating func combineFolded(_ range: ByteRange, of message: SIPMessage) {
        let span = message.bytes.span
        let end = min(range.upper, span.count)
        for index in min(range.lower, end)..<end { combine(byte: span[index].lowercasedASCII) }
    }

    public mutating func combine(_ bytes: Span<UInt8>) {
        var index = 0
        while count & 7 != 0, index < bytes.count {
            combine(byte: bytes[index])
            index += 1
        }
        while bytes.count - index >= 8 {
            compress(bytes.word(at: index))
            index += 8
            count &+= 8
        }
        while index < bytes.count {
            combine(byte: bytes[index])
            index += 1
        }
    }

    public mutating func combine(byte: UInt8) {
        tail |= UInt64(byte) << ((count & 7) * 8)
        count &+= 1
        if count & 7 == 0 {
            compress(tail)
            tail = 0
        }
    }

    /// Adds the eight bytes of a number, the lowest first.
    public mutating func combine(_ value: UInt64) {
        if count & 7 == 0 {
            compress(value)
            count &+= 8
            return
        }
        for shift in stride(from: UInt64(0), to: 64, by: 8) { combine(byte: UInt8(truncatingIfNeeded: value >> shift)) }
    }

    /// Marks the end of a piece, so that "ab" + "c" and "a" + "bc" differ.
    public mutating func separate() { combine(byte: 0xff) }

    /// The 64-bit hash of what was added.
    public func finalize() -> UInt64 {
        var hash = self
        hash.finish(0xff)
        return hash.v0 ^ hash.v1 ^ hash.v2 ^ hash.v3
    }

    /// The 128-bit hash of what was added. Made for hashes begun with `wide`.
    public func finalize128() -> (UInt64, UInt64) {
        var hash = self
        hash.finish(isWide ? 0xee : 0xff)
        let first = hash.v0 ^ hash.v1 ^ hash.v2 ^ hash.v3
        hash.v1 ^= 0xdd
        for _ in 0..<4 { hash.round() }
        return (first, hash.v0 ^ hash.v1 ^ hash.v2 ^ hash.v3)
    }

    private mutating func finish(_ constant: UInt64) {
        compress(tail | count << 56)
        v2 ^= constant
        for _ in 0..<4 { round() }
    }

    @inline(__always)
    private mutating func compress(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    @inline(__always)
    private mutating func round() {
        v0 = v0 &+ v1
        v1 = Self.rotate(v1, 13) ^ v0
        v0 = Self.rotate(v0, 32)
        v2 = v2 &+ v3
        v3 = Self.rotate(v3, 16) ^ v2
        v0 = v0 &+ v3
        v3 = Self.rotate(v3, 21) ^ v0
        v2 = v2 &+ v1
        v1 = Self.rotate(v1, 17) ^ v2
        v2 = Self.rotate(v2, 32)
    }

    @inline(__always)
    private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 { value &<< bits | value &>> (64 - bits) }
}
