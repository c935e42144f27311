/// The simulation's own random numbers: SplitMix64 (Steele, Lea, Flood 2014). The same seed gives the same run on every
/// machine and with every version of the standard library, so nothing here goes through `RandomNumberGenerator`.
public struct SimulationRandom: Hashable, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return Self.mix(state)
    }

    /// A generator of its own for one purpose, so that draws for one purpose do not shift those for another.
    public func stream(_ purpose: UInt64) -> SimulationRandom {
        SimulationRandom(seed: Self.mix(state ^ Self.mix(purpose &+ 0x632b_e59b_d9b4_e019)))
    }

    /// Uniform in `0 ..< bound`; 0 when the bound is not positive.
    public mutating func below(_ bound: Int) -> Int {
        guard bound > 0 else { return 0 }
        return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// Uniform in the closed range.
    public mutating func within(_ range: ClosedRange<Int64>) -> Int64 {
        range.lowerBound + Int64(below(Int(range.upperBound - range.lowerBound) + 1))
    }

    /// Uniform in [0, 1).
    public mutating func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// True with the given probability.
    public mutating func chance(_ probability: Double) -> Bool { probability > 0 && fraction() < probability }

    /// One of the elements, or nil when there are none.
    public mutating func pick<C: RandomAccessCollection>(_ choices: C) -> C.Element? where C.Index == Int {
        choices.isEmpty ? nil : choices[choices.startIndex + below(choices.count)]
    }

    private static func mix(_ word: UInt64) -> UInt64 {
        var z = word
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
