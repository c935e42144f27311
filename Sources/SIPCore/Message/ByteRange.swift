/// A stretch of a message's bytes: offsets from its first byte, the end exclusive.
///
/// Ranges only mean something together with the ``SIPMessage`` they come from. They are half the size of a
/// `Range<Int>` and building one never traps.
public struct ByteRange: Hashable, Sendable {
    public var start: UInt32
    public var end: UInt32

    @inlinable
    public init(start: UInt32, end: UInt32) {
        self.start = start
        self.end = end
    }

    /// From offsets inside a message; what does not fit 32 bits is cut (messages are far smaller, see ``ParserLimits``).
    @inlinable
    public init(_ start: Int, _ end: Int) {
        self.start = UInt32(truncatingIfNeeded: start)
        self.end = UInt32(truncatingIfNeeded: end)
    }

    /// Number of bytes.
    @inlinable public var count: Int { end > start ? Int(end - start) : 0 }
    @inlinable public var isEmpty: Bool { end <= start }

    /// The range of nothing; stands for "absent" wherever an optional part of a message is indexed.
    @inlinable public static var empty: ByteRange { ByteRange(start: 0, end: 0) }

    var lower: Int { Int(start) }
    var upper: Int { Int(end) }
}
