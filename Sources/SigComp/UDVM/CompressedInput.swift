/// The part of a SigComp message that the bytecode has not asked for yet (RFC 3320, section 8.2).
struct CompressedInput {
    private let message: [UInt8]
    /// The next byte; while a fraction is held, the byte that it belongs to.
    private var position: Int
    /// How many bits of that byte are used up, 0 to 7.
    private var usedBits = 0
    /// The P-bit with which the held fraction was begun.
    private var isLeastSignificantFirst = false

    init(message: [UInt8], from position: Int) {
        self.message = message
        self.position = min(max(position, 0), message.count)
    }

    static var empty: CompressedInput { CompressedInput(message: [], from: 0) }

    var remainingBits: Int { (message.count &- position) &* 8 &- usedBits }

    /// Drops the rest of a byte that was used in part.
    @inline(__always)
    mutating func discardFraction() {
        guard usedBits > 0 else { return }
        position &+= 1
        usedBits = 0
    }

    /// Takes whole bytes; nil, with nothing taken, when there are not as many.
    @inline(__always)
    mutating func takeBytes(_ count: Int) -> ArraySlice<UInt8>? {
        discardFraction()
        guard count <= message.count &- position else { return nil }
        defer { position &+= count }
        return message[position..<position &+ count]
    }

    /// Notes the P-bit of the coming instruction: a change drops the fraction of a byte that is held.
    @inline(__always)
    mutating func setBitOrder(isLeastSignificantFirst: Bool) {
        if isLeastSignificantFirst != self.isLeastSignificantFirst {
            discardFraction()
            self.isLeastSignificantFirst = isLeastSignificantFirst
        }
    }

    /// Takes 0 to 16 bits as an integer; nil, with nothing taken, when there are not as many.
    ///
    /// - Parameter reversed: whether the first bit to arrive is the least significant of the integer.
    @inline(__always)
    mutating func takeBits(_ count: Int, leastSignificantFirst reversed: Bool) -> Int? {
        guard count <= remainingBits else { return nil }
        guard count > 0 else { return 0 }
        let end = usedBits &+ count
        var window = Int(message[position])
        var value: Int
        if isLeastSignificantFirst {
            if end > 8 { window |= Int(message[position &+ 1]) << 8 }
            if end > 16 { window |= Int(message[position &+ 2]) << 16 }
            value = (window >> usedBits) & ((1 << count) &- 1)
        } else {
            var width = 8
            if end > 8 {
                window = window << 8 | Int(message[position &+ 1])
                width = 16
            }
            if end > 16 {
                window = window << 8 | Int(message[position &+ 2])
                width = 24
            }
            value = (window >> (width &- end)) & ((1 << count) &- 1)
        }
        if reversed != isLeastSignificantFirst { value = Self.reversing(value, count) }
        position &+= end >> 3
        usedBits = end & 7
        return value
    }

    private static func reversing(_ value: Int, _ count: Int) -> Int {
        var value = UInt16(truncatingIfNeeded: value)
        value = (value & 0x5555) << 1 | (value >> 1) & 0x5555
        value = (value & 0x3333) << 2 | (value >> 2) & 0x3333
        value = (value & 0x0F0F) << 4 | (value >> 4) & 0x0F0F
        return Int(value.byteSwapped) >> (16 &- count)
    }
}
