/// Writing operands as bytecode (RFC 3320, figures 8 to 10).
enum OperandEncoding {
    /// The shortest encoding of at least `atLeast` bytes. Every value from 0 to 65535 has one of 3 bytes.
    static func bytes(_ value: Int, isReference: Bool, kind: OperandKind, atLeast: Int) -> [UInt8] {
        let value = value & 0xFFFF
        let encodings =
            switch kind {
            case .literal: literal(value)
            case .reference: reference(value)
            case .multitype, .address: isReference ? indirectMultitype(value) : multitype(value)
            }
        return encodings.first { $0.count >= atLeast } ?? encodings[encodings.count - 1]
    }

    private static func literal(_ value: Int) -> [[UInt8]] {
        var encodings: [[UInt8]] = []
        if value < 0x80 { encodings.append([UInt8(value)]) }
        if value < 0x4000 { encodings.append(pair(0x8000 | value)) }
        return encodings + [[0xC0] + pair(value)]
    }

    private static func reference(_ address: Int) -> [[UInt8]] {
        var encodings: [[UInt8]] = []
        if address % 2 == 0 {
            if address < 0x100 { encodings.append([UInt8(address / 2)]) }
            if address < 0x8000 { encodings.append(pair(0x8000 | address / 2)) }
        }
        return encodings + [[0xC0] + pair(address)]
    }

    private static func indirectMultitype(_ address: Int) -> [[UInt8]] {
        var encodings: [[UInt8]] = []
        if address % 2 == 0, address < 0x80 { encodings.append([UInt8(0x40 | address / 2)]) }
        if address < 0x2000 { encodings.append(pair(0xC000 | address)) }
        return encodings + [[0x81] + pair(address)]
    }

    private static func multitype(_ value: Int) -> [[UInt8]] {
        var encodings: [[UInt8]] = []
        switch value {
        case 0..<64: encodings.append([UInt8(value)])
        case 64, 128: encodings.append([value == 64 ? 0x86 : 0x87])
        case 65_504...: encodings.append([UInt8(0xE0 + value - 65_504)])
        case _ where value & (value - 1) == 0: encodings.append([UInt8(0x88 + value.trailingZeroBitCount - 8)])
        default: break
        }
        if value < 0x2000 { encodings.append(pair(0xA000 | value)) }
        if value >= 61_440 { encodings.append(pair(0x9000 | (value - 61_440))) }
        return encodings + [[0x80] + pair(value)]
    }

    private static func pair(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF)] }
}
