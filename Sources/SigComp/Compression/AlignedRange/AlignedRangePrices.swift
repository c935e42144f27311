/// What decisions cost with the models as they are, in 64ths of a bit.
struct AlignedRangePrices {
    static let bit = 64
    /// By the upper byte of a model, for 0 and for 1 (index 256 more).
    private static let table: [UInt16] = {
        var prices = [UInt16](repeating: 0, count: 512)
        for index in 0..<256 {
            // The mean range is 49152; see RangeArithmetic.bound.
            let zero = min((Double(index) + 256.0 * 64 / 49_152) / 256, 0.9995)
            prices[index] = UInt16((-64 * log2(zero)).rounded())
            prices[256 + index] = UInt16((-64 * log2(1 - zero)).rounded())
        }
        return prices
    }()

    private static func log2(_ value: Double) -> Double {
        // Newton's method on a bracketed start; this room has no floating-point library.
        var mantissa = value
        var exponent = 0.0
        while mantissa < 1 {
            mantissa *= 2
            exponent -= 1
        }
        var result = 0.0
        var step = 0.5
        for _ in 0..<24 {
            mantissa *= mantissa
            if mantissa >= 2 {
                mantissa /= 2
                result += step
            }
            step /= 2
        }
        return exponent + result
    }

    private let prices: UnsafeMutablePointer<UInt16>
    private let models: UnsafeMutablePointer<UInt16>
    private let program: AlignedRangeProgram
    /// For the five kinds of numbers (distance, recent, and lengths by source 0 to 3): what the size costs.
    private var sizes = [Int32](repeating: 0, count: 6 * 16)
    /// For distance, recent and length: what the leading digits cost, by size and digits.
    private var leading = [Int32](repeating: 0, count: 3 * 16 * 8)

    init(program: AlignedRangeProgram, models: UnsafeMutablePointer<UInt16>) {
        self.program = program
        self.models = models
        prices = .allocate(capacity: 512)
        Self.table.withUnsafeBufferPointer { table in
            if let start = table.baseAddress { prices.initialize(from: start, count: 512) }
        }
    }

    func free() { prices.deallocate() }

    @inline(__always)
    func price(_ bit: Int, _ model: Int) -> Int32 { Int32(prices[bit << 8 | Int(models[model] >> 8)]) }

    @inline(__always)
    func tree(_ value: Int, bits: Int, at model: Int) -> Int32 {
        var node = 1
        var price: Int32 = 0
        var left = bits
        while left > 0 {
            left &-= 1
            let bit = value >> left & 1
            price &+= self.price(bit, model &+ node)
            node = node << 1 | bit
        }
        return price
    }

    /// Takes the models as they are now.
    mutating func update() {
        let sizeModels =
            [program.distance, program.recentNumber] + (0..<4).map { program.length + 16 * $0 }
        for (kind, model) in sizeModels.enumerated() {
            for size in 0..<16 { sizes[16 * kind + size] = tree(size, bits: 4, at: model) }
        }
        let lowModels = [program.distance + 16, program.recentNumber + 16, program.lengthLow]
        for (kind, model) in lowModels.enumerated() {
            for size in 1..<16 {
                let digits = min(size, 3)
                for value in 0..<1 << digits {
                    leading[128 * kind + 8 * size + value] = tree(value, bits: digits, at: model + 8 * size)
                }
            }
        }
    }

    enum Number {
        static let distance = 0
        static let recent = 1
        static let length = 2
    }

    /// - Parameter kind: one of ``Number``, for lengths with the source added.
    @inline(__always)
    func number(_ value: Int, kind: Int) -> Int32 {
        let size = Int.bitWidth &- 1 &- value.leadingZeroBitCount
        guard size > 0 else { return sizes[16 &* kind] }
        let low = min(kind, 2)
        var price = sizes[16 &* kind &+ size]
        if size <= 3 { return price &+ leading[128 &* low &+ 8 &* size &+ value &- 1 << size] }
        let rest = size &- 3
        price &+= leading[128 &* low &+ 8 &* size &+ (value >> rest & 7)]
        let base = low == 0 ? program.distance &+ 16 : low == 1 ? program.recentNumber &+ 16 : program.lengthLow
        let ones = (value & (1 << rest &- 1)).nonzeroBitCount
        let model = base &+ 8 &* size
        return price &+ Int32(ones) &* self.price(1, model) &+ Int32(rest &- ones) &* self.price(0, model)
    }
}
