/// Decoding operands at the cursor (RFC 3320, section 8.5, figures 8 to 10).
extension UDVM {
    @inline(__always)
    mutating func fetch() throws(DecompressionFailureReason) -> Int {
        let byte = try memory.byte(at: cursor)
        cursor &+= 1
        return byte
    }

    @inline(__always)
    mutating func fetchWord() throws(DecompressionFailureReason) -> Int {
        let word = try memory.word(at: cursor)
        cursor &+= 2
        return word
    }

    /// A literal (#).
    @inline(__always)
    mutating func literal() throws(DecompressionFailureReason) -> Int {
        let first = try fetch()
        if first < 0x80 { return first }
        if first < 0xC0 { return (first & 0x3F) << 8 | (try fetch()) }
        guard first == 0xC0 else { throw .invalidOperand }
        return try fetchWord()
    }

    /// A reference ($): the address of the 2-byte value that it stands for.
    @inline(__always)
    mutating func reference() throws(DecompressionFailureReason) -> Int {
        let first = try fetch()
        if first < 0x80 { return first << 1 }
        if first < 0xC0 { return ((first & 0x3F) << 8 | (try fetch())) << 1 }
        guard first == 0xC0 else { throw .invalidOperand }
        return try fetchWord()
    }

    /// A multitype (%).
    @inline(__always)
    mutating func multitype() throws(DecompressionFailureReason) -> Int {
        let first = try fetch()
        if first < 0x40 { return first }
        if first < 0x80 { return try memory.word(at: (first & 0x3F) << 1) }
        if first >= 0xE0 { return first &+ (65_504 - 0xE0) }
        if first & 0xE0 == 0xA0 { return (first & 0x1F) << 8 | (try fetch()) }
        return try longMultitype(first)
    }

    @inline(never)
    private mutating func longMultitype(_ first: Int) throws(DecompressionFailureReason) -> Int {
        switch first {
        case 0xC0...0xDF: return try memory.word(at: (first & 0x1F) << 8 | (try fetch()))
        case 0x90...0x9F: return ((first & 0x0F) << 8 | (try fetch())) + 61_440
        case 0x88...0x8F: return 1 << ((first & 7) + 8)
        case 0x86, 0x87: return 1 << ((first & 1) + 6)
        case 0x80: return try fetchWord()
        case 0x81: return try memory.word(at: try fetchWord())
        default: throw .invalidOperand
        }
    }

    /// An address (@): a multitype counted from the instruction's own address.
    @inline(__always)
    mutating func address() throws(DecompressionFailureReason) -> Int {
        (instructionAddress &+ (try multitype())) & 0xFFFF
    }

    /// Passes over a multitype or address without reading what it refers to.
    @inline(__always)
    mutating func skipMultitype() throws(DecompressionFailureReason) {
        let first = try fetch()
        if first < 0x80 || first >= 0xE0 { return }
        switch first {
        case 0x90...0xDF: _ = try fetch()
        case 0x86...0x8F: return
        case 0x80, 0x81: _ = try fetchWord()
        default: throw .invalidOperand
        }
    }
}
