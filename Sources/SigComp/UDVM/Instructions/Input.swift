/// INPUT-BYTES, INPUT-BITS and INPUT-HUFFMAN (RFC 3320, sections 9.4.2 to 9.4.4; RFC 4896, section 3.1).
extension UDVM {
    mutating func inputBytes() throws(DecompressionFailureReason) {
        let length = try multitype()
        let destination = try multitype()
        let target = try address()
        try charge(1 + length)
        guard let start = input.takeBytes(length) else { return try continueExecution(at: target) }
        try byteCopyInput(from: start, to: destination, count: length)
        grant(bits: 8 &* length)
    }

    mutating func inputBits() throws(DecompressionFailureReason) {
        let length = try multitype()
        let destination = try multitype()
        let target = try address()
        try charge(1)
        let order = try inputBitOrder()
        guard length <= 16 else { throw .tooManyBitsRequested }
        var place = input.place
        guard let value = input.bits(length, at: place, leastSignificantFirst: order & 4 != 0) else {
            return try continueExecution(at: target)
        }
        place.advance(bits: length)
        input.advance(to: place)
        try memory.setWord(value, at: destination)
        grant(bits: length)
    }

    mutating func inputHuffman() throws(DecompressionFailureReason) {
        if let entry = huffmanCache.entry(at: instructionAddress, in: memory) { return try inputHuffman(entry) }
        keepHuffmanInstruction()
        try decodeAndInputHuffman()
    }

    /// The instruction with operands that are known: the same as ``decodeAndInputHuffman()``.
    private mutating func inputHuffman(_ entry: HuffmanCache.Entry) throws(DecompressionFailureReason) {
        cursor = instructionAddress &+ entry.length
        try charge(1 &+ entry.count)
        let isLeastSignificantFirst = try inputBitOrder() & 2 != 0
        var place = input.place
        var code = 0
        var consumed = 0
        for index in 0..<entry.count {
            let set = huffmanCache.code(index, at: entry.address)
            let bits = Int(set.bits)
            guard let value = input.bits(bits, at: place, leastSignificantFirst: isLeastSignificantFirst) else {
                return try continueExecution(at: entry.target)
            }
            place.advance(bits: bits)
            code = code << bits | value
            consumed &+= bits
            if code >= Int(set.lower), code <= Int(set.upper) {
                input.advance(to: place)
                try memory.setWord(code &+ Int(set.uncompressed) &- Int(set.lower), at: entry.destination)
                return grant(bits: consumed)
            }
        }
        throw .huffmanNoMatch
    }

    /// All operands are read before anything is taken or written, as the conceptual model asks; the input is consumed only
    /// when a code matches.
    private mutating func decodeAndInputHuffman() throws(DecompressionFailureReason) {
        let destination = try multitype()
        let target = try address()
        let count = try literal()
        try charge(1 + count)
        guard count > 0 else { return }
        let order = try inputBitOrder()
        let isLeastSignificantFirst = order & 2 != 0
        var place = input.place
        var isExhausted = false
        var match: Int?
        var code = 0
        var total = 0
        var consumed = 0
        for _ in 0..<count {
            let bits = try multitype()
            total &+= bits
            guard total <= 16 else { throw .tooManyBitsRequested }
            if match != nil || isExhausted {
                for _ in 0..<3 { try skipMultitype() }
                continue
            }
            let lower = try multitype()
            let upper = try multitype()
            let uncompressed = try multitype()
            guard let value = input.bits(bits, at: place, leastSignificantFirst: isLeastSignificantFirst) else {
                isExhausted = true
                continue
            }
            place.advance(bits: bits)
            code = code << bits | value
            consumed &+= bits
            if code >= lower, code <= upper { match = code &+ uncompressed &- lower }
        }
        if let match {
            input.advance(to: place)
            try memory.setWord(match, at: destination)
            grant(bits: consumed)
        } else if isExhausted {
            try continueExecution(at: target)
        } else {
            throw .huffmanNoMatch
        }
    }

    /// The register input_bit_order; its P-bit takes effect at once.
    @inline(__always)
    private mutating func inputBitOrder() throws(DecompressionFailureReason) -> Int {
        let order = try memory.word(at: Register.inputBitOrder)
        guard order <= 7 else { throw .badInputBitOrder }
        input.setBitOrder(isLeastSignificantFirst: order & 1 != 0)
        return order
    }
}
