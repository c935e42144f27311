/// Bit manipulation and arithmetic on 2-byte words (RFC 3320, sections 9.1.1 and 9.1.2).
extension UDVM {
    mutating func and() throws(DecompressionFailureReason) { try modify { $0 & $1 } }

    mutating func or() throws(DecompressionFailureReason) { try modify { $0 | $1 } }

    mutating func not() throws(DecompressionFailureReason) {
        let address = try reference()
        try charge(1)
        try memory.setWord(~(try memory.word(at: address)), at: address)
    }

    mutating func lshift() throws(DecompressionFailureReason) { try modify { $1 > 15 ? 0 : $0 << $1 } }

    mutating func rshift() throws(DecompressionFailureReason) { try modify { $1 > 15 ? 0 : $0 >> $1 } }

    mutating func add() throws(DecompressionFailureReason) { try modify { $0 &+ $1 } }

    mutating func subtract() throws(DecompressionFailureReason) { try modify { $0 &- $1 } }

    mutating func multiply() throws(DecompressionFailureReason) { try modify { $0 &* $1 } }

    mutating func divide() throws(DecompressionFailureReason) {
        try modify { (value, divisor) throws(DecompressionFailureReason) in
            guard divisor != 0 else { throw .divisionByZero }
            return value / divisor
        }
    }

    mutating func remainder() throws(DecompressionFailureReason) {
        try modify { (value, divisor) throws(DecompressionFailureReason) in
            guard divisor != 0 else { throw .divisionByZero }
            return value % divisor
        }
    }

    /// Decodes the two operands and puts the result, modulo 2^16, in the place of the first.
    @inline(__always)
    private mutating func modify(_ operation: (Int, Int) throws(DecompressionFailureReason) -> Int)
        throws(DecompressionFailureReason)
    {
        let address = try reference()
        let value = try memory.word(at: address)
        let operand = try multitype()
        try charge(1)
        try memory.setWord(try operation(value, operand), at: address)
    }
}
