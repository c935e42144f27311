/// The prefix codes of ``CompressionAlgorithm/compact``, as the sets of INPUT-HUFFMAN (RFC 3320, section 9.4.4): in each set all
/// codes have the same number of bits and stand for successive values.
struct CompactCode {
    struct Set {
        let bits: Int
        let firstValue: Int
        let count: Int
        /// The code of the first value.
        fileprivate(set) var firstCode = 0

        init(_ bits: Int, _ firstValue: Int, _ count: Int) {
            self.bits = bits
            self.firstValue = firstValue
            self.count = count
        }
    }

    let sets: [Set]

    /// - Parameter sets: by their bits, ascending; they must leave no code unused and share none.
    private init(_ sets: [Set]) {
        var code = 0
        var bits = 0
        self.sets = sets.map { set in
            code <<= set.bits - bits
            bits = set.bits
            defer { code += set.count }
            var set = set
            set.firstCode = code
            return set
        }
    }

    /// Bytes, and what else comes between them. Identifiers in hexadecimal and numbers are most of what is new in SIP messages.
    static let symbols = CompactCode([
        Set(3, historySymbol, 1), Set(4, dictionarySymbol, 1), Set(5, 0x30, 10), Set(5, 0x61, 6),
        Set(6, escapeSymbol, 1),
        Set(7, 0x67, 20), Set(8, 0x20, 16), Set(8, 0x3A, 7), Set(9, 0x41, 26),
    ])
    /// Bytes that have no code of their own: 8 bits follow.
    static let escapeSymbol = 256
    static let historySymbol = 257
    static let dictionarySymbol = 258

    static let lengths = CompactCode([
        Set(3, 3, 2), Set(4, 5, 4), Set(5, 9, 8), Set(7, 17, 16), Set(9, 33, 32), Set(11, 65, 64), Set(12, 129, 128),
    ])
    static let lengthRange = 3...256

    static let distances = CompactCode([Set(9, 1, 128), Set(10, 129, 256), Set(11, 385, 512), Set(14, 897, 4_096)])
    static let distanceLimit = 4_992

    /// The operands of INPUT-HUFFMAN after the first two.
    var operands: String {
        var before = 0
        let sets = sets.map { set in
            defer { before = set.bits }
            return "\(set.bits - before), \(set.firstCode), \(set.firstCode + set.count - 1), \(set.firstValue)"
        }
        return ([String(sets.count)] + sets).joined(separator: ", ")
    }

    /// The cycles of the instruction.
    var cycles: Int { 1 + sets.count }

    /// The bits and the code of a value; nil when it has none.
    func code(_ value: Int) -> (bits: Int, code: Int)? {
        for set in sets where value >= set.firstValue && value < set.firstValue + set.count {
            return (set.bits, set.firstCode + value - set.firstValue)
        }
        return nil
    }
}
