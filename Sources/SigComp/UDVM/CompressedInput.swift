/// The part of a SigComp message that the bytecode has not asked for yet (RFC 3320, section 8.2).
struct CompressedInput: ~Copyable {
    /// A place in the input.
    struct Place {
        /// The next byte; while a fraction is held, the byte that it belongs to.
        var byte = 0
        /// How many bits of that byte are used up, 0 to 7.
        var usedBits = 0

        @inline(__always)
        mutating func advance(bits: Int) {
            usedBits &+= bits
            byte &+= usedBits >> 3
            usedBits &= 7
        }
    }

    /// Behind the message, so that a few bits can be read as part of a word.
    private static let padding = 4

    private(set) var place = Place()
    /// The P-bit with which the held fraction was begun.
    private var isLeastSignificantFirst = false
    private var bytes: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private var count = 0

    init(capacity: Int = 65_536) {
        self.capacity = max(0, capacity)
        bytes = .allocate(capacity: self.capacity + Self.padding)
        bytes.initialize(repeating: 0, count: self.capacity + Self.padding)
    }

    deinit {
        bytes.deallocate()
    }

    /// Takes over a copy of a message.
    mutating func reset(message: [UInt8], from start: Int) {
        if message.count > capacity {
            bytes.deallocate()
            capacity = message.count
            bytes = .allocate(capacity: capacity + Self.padding)
        }
        count = message.count
        message.withUnsafeBufferPointer { source in
            if let start = source.baseAddress { bytes.update(from: start, count: source.count) }
        }
        (bytes + count).update(repeating: 0, count: Self.padding)
        place = Place(byte: min(max(start, 0), count))
        isLeastSignificantFirst = false
    }

    @inline(__always)
    private func remainingBits(from place: Place) -> Int { (count &- place.byte) &* 8 &- place.usedBits }

    /// Drops the rest of a byte that was used in part.
    @inline(__always)
    mutating func discardFraction() {
        guard place.usedBits > 0 else { return }
        place = Place(byte: place.byte &+ 1)
    }

    /// Takes whole bytes: where they begin; nil, with nothing taken, when there are not as many.
    @inline(__always)
    mutating func takeBytes(_ length: Int) -> Int? {
        discardFraction()
        guard length >= 0, length <= count &- place.byte else { return nil }
        defer { place.byte &+= length }
        return place.byte
    }

    /// A piece of the message, for reading while `body` runs.
    @inline(__always)
    func withBytes(
        at start: Int, count length: Int,
        _ body: (UnsafeBufferPointer<UInt8>) throws(DecompressionFailureReason) -> Void
    ) throws(DecompressionFailureReason) {
        guard start >= 0, length >= 0, length <= count &- start else { throw .internalError }
        try body(UnsafeBufferPointer(start: bytes + start, count: length))
    }

    /// Notes the P-bit of the coming instruction: a change drops the fraction of a byte that is held.
    @inline(__always)
    mutating func setBitOrder(isLeastSignificantFirst: Bool) {
        if isLeastSignificantFirst != self.isLeastSignificantFirst {
            discardFraction()
            self.isLeastSignificantFirst = isLeastSignificantFirst
        }
    }

    /// Reads 0 to 16 bits at a place as an integer; nil when there are not as many.
    ///
    /// - Parameter reversed: whether the first bit to arrive is the least significant of the integer.
    @inline(__always)
    func bits(_ length: Int, at place: Place, leastSignificantFirst reversed: Bool) -> Int? {
        guard length <= remainingBits(from: place), length <= 16, length >= 0 else { return nil }
        // At most 7 + 16 bits from a byte inside the message or right behind it: 3 bytes, which the padding provides.
        let word = UnsafeRawPointer(bytes + place.byte).loadUnaligned(as: UInt32.self)
        let mask = (1 << length) &- 1
        let value: Int
        if isLeastSignificantFirst {
            value = Int(UInt32(littleEndian: word)) >> place.usedBits & mask
        } else {
            value = Int(UInt32(bigEndian: word)) >> (32 &- place.usedBits &- length) & mask
        }
        return reversed == isLeastSignificantFirst ? value : Self.reversing(value, length)
    }

    /// Goes on to a place that was reached by reading.
    @inline(__always)
    mutating func advance(to place: Place) { self.place = place }

    private static func reversing(_ value: Int, _ length: Int) -> Int {
        var value = UInt16(truncatingIfNeeded: value)
        value = (value & 0x5555) << 1 | (value >> 1) & 0x5555
        value = (value & 0x3333) << 2 | (value >> 2) & 0x3333
        value = (value & 0x0F0F) << 4 | (value >> 4) & 0x0F0F
        return Int(value.byteSwapped) >> (16 &- length)
    }
}
