/// Coding one binary decision after the other, in 16-bit arithmetic: the same steps for whoever writes and whoever reads.
protocol BitCoding {
    /// Codes a decision with an adaptive model, the probability of 0 in 65536ths, and adapts it.
    ///
    /// - Parameter bit: what to write; without meaning when reading.
    /// - Returns: the decision.
    mutating func code(_ bit: Int, _ model: UnsafeMutablePointer<UInt16>) -> Int
    /// How many bits have moved into the value since its first 16.
    var shifts: Int { get }
}

/// The arithmetic that both directions share.
enum RangeArithmetic {
    static let initialRange: UInt32 = 65_535
    static let least: UInt32 = 32_768

    @inline(__always)
    static func bound(_ range: UInt32, _ model: UInt16) -> UInt32 { (range >> 8) &* UInt32(model >> 8) &+ 64 }

    @inline(__always)
    static func adapted(_ model: UInt16, _ bit: Int) -> UInt16 {
        let smaller = model &- model >> 4
        return bit == 0 ? smaller &+ 4_095 : smaller
    }
}

/// Writes decisions.
struct RangeEncoder: BitCoding {
    /// Complete bytes, into which a carry may still run.
    private var bytes: [UInt8] = []
    /// The lower end: bits not yet in ``bytes``, and 16 behind the point.
    private var lower: UInt64 = 0
    private var pending = 0
    private var range = RangeArithmetic.initialRange
    private(set) var shifts = 0

    init() {
        bytes.reserveCapacity(512)
    }

    @inline(__always)
    mutating func code(_ bit: Int, _ model: UnsafeMutablePointer<UInt16>) -> Int {
        let bound = RangeArithmetic.bound(range, model.pointee)
        model.pointee = RangeArithmetic.adapted(model.pointee, bit)
        if bit == 0 {
            range = bound
        } else {
            lower &+= UInt64(bound)
            range &-= bound
        }
        let count = 16 &- (32 &- range.leadingZeroBitCount)
        guard count > 0 else { return bit }
        range <<= UInt32(count)
        lower <<= UInt64(count)
        pending &+= count
        shifts &+= count
        if pending >= 32 { moveBytes() }
        return bit
    }

    /// Moves complete bytes out, carries first.
    private mutating func moveBytes() {
        // `pending` bits stand above the 16 of the interval; a carry stands above them.
        let carry = lower >> UInt64(16 + pending)
        if carry != 0 {
            propagateCarry()
            lower &= 1 << UInt64(16 + pending) - 1
        }
        while pending >= 8 {
            pending -= 8
            bytes.append(UInt8(truncatingIfNeeded: lower >> UInt64(16 + pending)))
            lower &= 1 << UInt64(16 + pending) - 1
        }
    }

    private mutating func propagateCarry() {
        var index = bytes.count - 1
        while index >= 0 {
            bytes[index] &+= 1
            if bytes[index] != 0 { return }
            index -= 1
        }
    }

    /// The bytes that say what was coded, as few as possible: zeros at the end are not sent, the reader takes missing bits for zeros.
    func finished() -> [UInt8] {
        var rest = self
        rest.moveBytes()
        // The value in lower ..< lower + range with most zeros at its end.
        let first = rest.lower
        let last = rest.lower + UInt64(range) - 1
        var zeros = 0
        while zeros < 16 + rest.pending, (last >> UInt64(zeros + 1)) << UInt64(zeros + 1) >= first { zeros += 1 }
        var value = (last >> UInt64(zeros)) << UInt64(zeros)
        if value >> UInt64(16 + rest.pending) != 0 {
            rest.propagateCarry()
            value &= 1 << UInt64(16 + rest.pending) - 1
        }
        var bits = 16 + rest.pending
        let padding = (8 - bits % 8) % 8
        value <<= UInt64(padding)
        bits += padding
        while bits > 0 {
            bits -= 8
            rest.bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(bits)))
        }
        while rest.bytes.count > Self.leastLength, rest.bytes.last == 0 { rest.bytes.removeLast() }
        return rest.bytes
    }

    /// The reader begins with 16 bits.
    private static let leastLength = 2
}

/// Reads decisions. Behind the end of the input it reads zeros.
struct RangeDecoder: BitCoding {
    private let input: UnsafeBufferPointer<UInt8>
    private var next = 2
    /// The 16 bits of the value, and `held` bits of input behind them.
    private var window: UInt64
    private var held = 0
    private var range = RangeArithmetic.initialRange
    private(set) var shifts = 0

    /// nil when the input is shorter than the value.
    init?(_ input: UnsafeBufferPointer<UInt8>) {
        guard input.count >= 2 else { return nil }
        self.input = input
        window = UInt64(input[0]) << 8 | UInt64(input[1])
    }

    /// The bits of the input that were received so far.
    var receivedBits: Int { min(16 + shifts, 8 * input.count) }
    /// How many of the shifts had no input left.
    var emptyShifts: Int { 16 + shifts - receivedBits }

    @inline(__always)
    mutating func code(_ bit: Int, _ model: UnsafeMutablePointer<UInt16>) -> Int {
        let bound = RangeArithmetic.bound(range, model.pointee)
        let value = UInt32(truncatingIfNeeded: window >> UInt64(held))
        let decision: Int
        if value < bound {
            range = bound
            decision = 0
        } else {
            window &-= UInt64(bound) << UInt64(held)
            range &-= bound
            decision = 1
        }
        model.pointee = RangeArithmetic.adapted(model.pointee, decision)
        let count = 16 &- (32 &- range.leadingZeroBitCount)
        guard count > 0 else { return decision }
        range <<= UInt32(count)
        shifts &+= count
        if held < count { refill() }
        held &-= count
        return decision
    }

    private mutating func refill() {
        while held <= 32 {
            window = window << 8 | (next < input.count ? UInt64(input[next]) : 0)
            next += 1
            held += 8
        }
    }
}
