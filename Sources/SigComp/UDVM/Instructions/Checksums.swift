/// SHA-1 and CRC (RFC 3320, sections 9.1.4 and 9.3.5).
extension UDVM {
    mutating func sha1() throws(DecompressionFailureReason) {
        let position = try multitype()
        let length = try multitype()
        let destination = try multitype()
        try charge(1 + length)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(length)
        try appendBytes(from: position, count: length, to: &bytes)
        guard let hash = states.hash.identifier(of: bytes) else { throw .internalError }
        try byteCopy(hash.bytes[...], to: destination)
    }

    mutating func crc() throws(DecompressionFailureReason) {
        let value = try multitype()
        let position = try multitype()
        let length = try multitype()
        let target = try address()
        try charge(1 + length)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(length)
        try appendBytes(from: position, count: length, to: &bytes)
        if FrameCheckSequence.value(of: bytes) != value { try continueExecution(at: target) }
    }
}

/// The 16-bit frame check sequence of RFC 1662, without the final complement (as RFC 4465, section 2.9 has it).
enum FrameCheckSequence {
    private static let table: [UInt16] = (0..<256).map { (byte: UInt16) in
        (0..<8).reduce(byte) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x8408 : value >> 1 }
    }

    static func value(of bytes: [UInt8]) -> Int {
        let table = table
        return Int(bytes.reduce(UInt16(0xFFFF)) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] })
    }
}
