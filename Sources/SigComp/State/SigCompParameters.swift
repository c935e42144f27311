/// What an endpoint offers for decompression (RFC 3320, section 3.3).
public struct SigCompParameters: Equatable, Sendable {
    /// 16, 32, 64 or 128.
    public var cyclesPerBit: Int
    /// Bytes: 2048 to 131072, a power of two.
    public var decompressionMemorySize: Int
    /// Bytes for each compartment: 0, or 2048 to 131072, a power of two.
    public var stateMemorySize: Int
    /// 1, or 2 where NACKs are sent and understood (RFC 4077).
    public var version: UInt8

    /// Rounds down to what can be told to a peer.
    public init(cyclesPerBit: Int, decompressionMemorySize: Int, stateMemorySize: Int, version: UInt8 = 2) {
        self.cyclesPerBit = Self.cycles.last { $0 <= cyclesPerBit } ?? 16
        self.decompressionMemorySize = max(2_048, Self.memorySizes.last { $0 <= decompressionMemorySize } ?? 0)
        self.stateMemorySize = Self.memorySizes.last { $0 <= stateMemorySize } ?? 0
        self.version = version
    }

    /// What RFC 3320 makes the least of every endpoint.
    public static let minimum = SigCompParameters(
        cyclesPerBit: 16, decompressionMemorySize: 2_048, stateMemorySize: 0, version: 1)
    /// What RFC 5049, section 4 makes the least of SIP.
    public static let minimumForSIP = SigCompParameters(
        cyclesPerBit: 16, decompressionMemorySize: 8_192, stateMemorySize: 2_048)

    private static let cycles = [16, 32, 64, 128]
    private static let memorySizes = [0, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536, 131_072]

    /// The byte of RFC 3320, figure 13.
    public var encoded: UInt8 {
        let cycles = Self.cycles.firstIndex(of: cyclesPerBit) ?? 0
        let memory = Self.memorySizes.firstIndex(of: decompressionMemorySize) ?? 1
        let state = Self.memorySizes.firstIndex(of: stateMemorySize) ?? 0
        return UInt8(cycles << 6 | memory << 3 | state)
    }

    /// Reads that byte; nil where it says nothing about the sizes.
    public init?(encoded: UInt8, version: UInt8) {
        let memory = Self.memorySizes[Int(encoded >> 3 & 7)]
        guard memory > 0 else { return nil }
        self.init(
            cyclesPerBit: Self.cycles[Int(encoded >> 6)], decompressionMemorySize: memory,
            stateMemorySize: Self.memorySizes[Int(encoded & 7)], version: version)
    }
}
