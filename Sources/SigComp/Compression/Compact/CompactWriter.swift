/// Writes tokens as bits, the most significant first, and reckons what their decompression costs at the peer.
struct CompactWriter {
    private(set) var bytes: [UInt8] = []
    private var pending: UInt32 = 0
    private var pendingBits = 0
    /// What the tokens so far cost (RFC 3320, section 9).
    private(set) var cycles = 0
    /// The most that the cost was ahead of what the bits read by then grant.
    private(set) var shortage = 0
    private let cyclesPerBit: Int

    private static let symbolCycles = CompactCode.symbols.cycles + 1
    private static let literalCycles = 5
    private static let lengthCycles = CompactCode.lengths.cycles + 1
    private static let distanceCycles = CompactCode.distances.cycles + 4

    init(cyclesPerBit: Int) {
        self.cyclesPerBit = cyclesPerBit
    }

    mutating func append(_ token: CompactParser.Token) {
        cycles += Self.symbolCycles
        switch token {
        case .literal(let byte):
            cycles += Self.literalCycles
            if let code = CompactCode.symbols.code(Int(byte)) { return write(code.bits, code.code) }
            cycles += 1
            write(CompactCode.escapeSymbol, in: .symbols)
            write(8, Int(byte))
        case .history(let distance, let length):
            cycles += Self.lengthCycles + Self.distanceCycles + 2 * length
            write(CompactCode.historySymbol, in: .symbols)
            write(length, in: .lengths)
            write(distance, in: .distances)
        case .dictionary(let offset, let length):
            cycles += Self.lengthCycles + 5 + 3 * length
            write(CompactCode.dictionarySymbol, in: .symbols)
            write(length, in: .lengths)
            write(CompactProgram.dictionaryBits, offset)
        }
        let read = 8 * bytes.count + pendingBits
        shortage = max(shortage, cycles - read * cyclesPerBit)
    }

    /// Fills the last byte with ones, which are the beginning of no symbol short enough.
    mutating func finish() {
        let fill = (8 - pendingBits) % 8
        if fill > 0 { write(fill, (1 << fill) - 1) }
    }

    private mutating func write(_ value: Int, in code: CompactCode) {
        if let code = code.code(value) { write(code.bits, code.code) }
    }

    private mutating func write(_ bits: Int, _ value: Int) {
        pending = pending << UInt32(bits) | UInt32(value)
        pendingBits += bits
        while pendingBits >= 8 {
            pendingBits -= 8
            bytes.append(UInt8(truncatingIfNeeded: pending >> UInt32(pendingBits)))
        }
    }
}
