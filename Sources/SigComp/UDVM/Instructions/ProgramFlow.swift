/// JUMP, COMPARE, SWITCH and DECOMPRESSION-FAILURE (RFC 3320, sections 9.3 and 9.4.1).
extension UDVM {
    mutating func decompressionFailure() throws(DecompressionFailureReason) {
        try charge(1)
        throw .userRequested
    }

    mutating func jump() throws(DecompressionFailureReason) {
        let target = try address()
        try charge(1)
        try continueExecution(at: target)
    }

    mutating func compare() throws(DecompressionFailureReason) {
        let first = try multitype()
        let second = try multitype()
        let less = try address()
        let equal = try address()
        let greater = try address()
        try charge(1)
        try continueExecution(at: first < second ? less : first == second ? equal : greater)
    }

    mutating func switchBranch() throws(DecompressionFailureReason) {
        let count = try literal()
        let chosen = try multitype()
        try charge(1 + count)
        guard chosen < count else { throw .switchValueTooHigh }
        for _ in 0..<chosen { try skipMultitype() }
        try continueExecution(at: try address())
    }
}
