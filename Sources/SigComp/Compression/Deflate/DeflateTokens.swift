/// Reads blocks of DEFLATE with the fixed codes (RFC 1951, section 3.2.6), to tell what their decompression costs.
struct DeflateTokens {
    enum Token: Equatable {
        case literal(UInt8)
        case match(length: Int, distance: Int)
        case endOfBlock
    }

    private let bytes: [UInt8]
    /// The bits that were read.
    private(set) var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Reads the beginning of a block, and tells whether it is the last; nil when it has other than the fixed codes.
    mutating func beginBlock() -> Bool? {
        guard let last = bits(1), bits(2) == 1 else { return nil }
        return last == 1
    }

    /// nil when there are no further bits, or no code.
    mutating func next() -> Token? {
        guard var code = code(7) else { return nil }
        if code < 24 { return code == 0 ? .endOfBlock : match(code + 256) }
        guard let eighth = bits(1) else { return nil }
        code = code << 1 | eighth
        if code < 192 { return .literal(UInt8(code - 48)) }
        if code < 200 { return match(code - 192 + 280) }
        guard let ninth = bits(1) else { return nil }
        return .literal(UInt8((code << 1 | ninth) - 400 + 144))
    }

    private mutating func match(_ symbol: Int) -> Token? {
        guard symbol < 286, let more = bits(Self.extraLengthBits(symbol)), let far = code(5), far < 30,
            let further = bits(far < 4 ? 0 : far / 2 - 1)
        else { return nil }
        let distance = far < 4 ? far + 1 : ((2 + far % 2) << (far / 2 - 1)) + 1
        return .match(length: Self.baseLength(symbol) + more, distance: distance + further)
    }

    private static func extraLengthBits(_ symbol: Int) -> Int { symbol < 265 || symbol == 285 ? 0 : (symbol - 261) / 4 }

    private static func baseLength(_ symbol: Int) -> Int {
        if symbol < 265 { return symbol - 254 }
        if symbol == 285 { return 258 }
        let extra = (symbol - 261) / 4
        return ((4 + (symbol - 265) % 4) << extra) + 3
    }

    /// A Huffman code, its most significant bit first.
    private mutating func code(_ count: Int) -> Int? {
        guard let value = bits(count) else { return nil }
        return (0..<count).reduce(0) { $0 << 1 | value >> $1 & 1 }
    }

    /// A number, its least significant bit first.
    private mutating func bits(_ count: Int) -> Int? {
        guard position + count <= 8 * bytes.count else { return nil }
        var value = 0
        for index in 0..<count {
            let place = position + index
            value |= Int(bytes[place >> 3] >> UInt8(place & 7) & 1) << index
        }
        position += count
        return value
    }
}
