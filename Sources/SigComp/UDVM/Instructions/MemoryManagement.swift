/// LOAD, MULTILOAD, the COPY family and MEMSET (RFC 3320, section 9.2).
extension UDVM {
    mutating func load() throws(DecompressionFailureReason) {
        let address = try multitype()
        let value = try multitype()
        try charge(1)
        try memory.setWord(value, at: address)
    }

    /// Operands are resolved one after the other, each after the words before it are written (RFC 4896, section 3.2).
    mutating func multiload() throws(DecompressionFailureReason) {
        let address = try multitype()
        let count = try literal()
        try charge(1 + count)
        let values = cursor
        for _ in 0..<count { try skipMultitype() }
        let end = cursor
        guard count == 0 || address >= end || address + 2 * count <= instructionAddress else {
            throw .multiloadOverwritten
        }
        cursor = values
        for index in 0..<count { try memory.setWord(try multitype(), at: address &+ 2 &* index) }
    }

    mutating func copy() throws(DecompressionFailureReason) {
        let position = try multitype()
        let length = try multitype()
        let destination = try multitype()
        try charge(1 + length)
        _ = try byteCopy(from: position, to: destination, count: length)
    }

    mutating func copyLiteral() throws(DecompressionFailureReason) {
        let position = try multitype()
        let length = try multitype()
        let reference = try reference()
        let destination = try memory.word(at: reference)
        try charge(1 + length)
        try memory.setWord(try byteCopy(from: position, to: destination, count: length), at: reference)
    }

    mutating func copyOffset() throws(DecompressionFailureReason) {
        let offset = try multitype()
        let length = try multitype()
        let reference = try reference()
        let destination = try memory.word(at: reference)
        try charge(1 + length)
        let position = try byteCopyBounds().address(before: destination, offset: offset)
        try memory.setWord(try byteCopy(from: position, to: destination, count: length), at: reference)
    }

    mutating func memset() throws(DecompressionFailureReason) {
        var address = try multitype()
        let length = try multitype()
        var value = try multitype()
        let offset = try multitype()
        try charge(1 + length)
        let bounds = try byteCopyBounds()
        for _ in 0..<length {
            try memory.setByte(value, at: address)
            address = bounds.address(after: address, count: 1)
            value &+= offset
        }
    }
}
