/// The two registers that make a ring of a part of the memory (RFC 3320, section 8.4; RFC 4896, section 4), as they were
/// when the instruction began.
struct ByteCopyBounds {
    let left: Int
    let right: Int

    /// How many bytes, from this address on, lie one behind the other before the ring or the address space turns.
    @inline(__always)
    func run(from address: Int) -> Int {
        right > address ? right &- address : UDVMMemory.capacity &- address
    }

    /// The address after `count` bytes of such a run.
    @inline(__always)
    func address(after address: Int, count: Int) -> Int {
        let next = (address &+ count) & 0xFFFF
        return next == right && count > 0 ? left : next
    }

    /// The address that lies so many bytes back, passing from `left` to the byte before `right`.
    func address(before address: Int, offset: Int) -> Int {
        let toLeft = (address &- left) & 0xFFFF
        if offset <= toLeft { return (address &- offset) & 0xFFFF }
        let period = right == left ? UDVMMemory.capacity : (right &- left) & 0xFFFF
        return (right &- 1 &- (offset &- toLeft &- 1) % period) & 0xFFFF
    }
}

extension UDVM {
    @inline(__always)
    func byteCopyBounds() throws(DecompressionFailureReason) -> ByteCopyBounds {
        ByteCopyBounds(
            left: try memory.word(at: Register.byteCopyLeft), right: try memory.word(at: Register.byteCopyRight))
    }

    /// Copies inside the memory and gives the address after the last byte written.
    mutating func byteCopy(from source: Int, to destination: Int, count: Int) throws(DecompressionFailureReason) -> Int
    {
        let bounds = try byteCopyBounds()
        if count == 1 {
            try memory.setByte(try memory.byte(at: source), at: destination)
            return bounds.address(after: destination, count: 1)
        }
        var source = source
        var destination = destination
        var left = count
        while left > 0 {
            let piece = min(left, bounds.run(from: source), bounds.run(from: destination))
            try memory.copyAscending(from: source, to: destination, count: piece)
            source = bounds.address(after: source, count: piece)
            destination = bounds.address(after: destination, count: piece)
            left &-= piece
        }
        return destination
    }

    /// Copies bytes from elsewhere into the memory.
    mutating func byteCopy(_ bytes: ArraySlice<UInt8>, to destination: Int) throws(DecompressionFailureReason) {
        let bounds = try byteCopyBounds()
        var destination = destination
        var bytes = bytes
        while !bytes.isEmpty {
            let piece = min(bytes.count, bounds.run(from: destination))
            try write(bytes.prefix(piece), at: destination)
            destination = bounds.address(after: destination, count: piece)
            bytes = bytes.dropFirst(piece)
        }
    }

    /// Copies bytes of the input, from where they begin in the message, into the memory.
    mutating func byteCopyInput(from source: Int, to destination: Int, count: Int) throws(DecompressionFailureReason) {
        let bounds = try byteCopyBounds()
        var source = source
        var destination = destination
        var left = count
        while left > 0 {
            let piece = min(left, bounds.run(from: destination))
            try input.withBytes(at: source, count: piece) { bytes throws(DecompressionFailureReason) in
                try memory.write(bytes, at: destination)
            }
            source &+= piece
            destination = bounds.address(after: destination, count: piece)
            left &-= piece
        }
    }

    /// Copies bytes out of the memory to the end of an array.
    func appendBytes(from source: Int, count: Int, to bytes: inout [UInt8]) throws(DecompressionFailureReason) {
        try memory.append(from: source, count: count, bounds: try byteCopyBounds(), to: &bytes)
    }

    mutating func write(_ bytes: ArraySlice<UInt8>, at address: Int) throws(DecompressionFailureReason) {
        guard bytes.count <= memory.size &- address else { throw .segfault }
        // The array's closure cannot throw a typed error past the check above.
        bytes.withUnsafeBufferPointer { source in try? memory.write(source, at: address) }
    }
}

extension UDVMMemory {
    @inline(__always)
    func append(from source: Int, count: Int, bounds: ByteCopyBounds, to bytes: inout [UInt8])
        throws(DecompressionFailureReason)
    {
        var source = source
        var left = count
        while left > 0 {
            let piece = min(left, bounds.run(from: source))
            try withBytes(at: source, count: piece) { bytes.append(contentsOf: $0) }
            source = bounds.address(after: source, count: piece)
            left &-= piece
        }
    }
}
