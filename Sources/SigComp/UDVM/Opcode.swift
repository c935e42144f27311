/// The instructions of the UDVM; the raw value is the byte that encodes each (RFC 3320, figure 11).
public enum Opcode: UInt8, CaseIterable, Sendable {
    case decompressionFailure, and, or, not, lshift, rshift, add, subtract, multiply, divide, remainder
    case sortAscending, sortDescending, sha1, load, multiload, push, pop, copy, copyLiteral, copyOffset, memset
    case jump, compare, call, `return`, `switch`, crc, inputBytes, inputBits, inputHuffman
    case stateAccess, stateCreate, stateFree, output, endMessage

    /// The name in the assembly language of RFC 4464.
    public var mnemonic: String {
        switch self {
        case .decompressionFailure: "DECOMPRESSION-FAILURE"
        case .and: "AND"
        case .or: "OR"
        case .not: "NOT"
        case .lshift: "LSHIFT"
        case .rshift: "RSHIFT"
        case .add: "ADD"
        case .subtract: "SUBTRACT"
        case .multiply: "MULTIPLY"
        case .divide: "DIVIDE"
        case .remainder: "REMAINDER"
        case .sortAscending: "SORT-ASCENDING"
        case .sortDescending: "SORT-DESCENDING"
        case .sha1: "SHA-1"
        case .load: "LOAD"
        case .multiload: "MULTILOAD"
        case .push: "PUSH"
        case .pop: "POP"
        case .copy: "COPY"
        case .copyLiteral: "COPY-LITERAL"
        case .copyOffset: "COPY-OFFSET"
        case .memset: "MEMSET"
        case .jump: "JUMP"
        case .compare: "COMPARE"
        case .call: "CALL"
        case .return: "RETURN"
        case .switch: "SWITCH"
        case .crc: "CRC"
        case .inputBytes: "INPUT-BYTES"
        case .inputBits: "INPUT-BITS"
        case .inputHuffman: "INPUT-HUFFMAN"
        case .stateAccess: "STATE-ACCESS"
        case .stateCreate: "STATE-CREATE"
        case .stateFree: "STATE-FREE"
        case .output: "OUTPUT"
        case .endMessage: "END-MESSAGE"
        }
    }

    /// The operands that always follow the instruction.
    public var operands: [OperandKind] {
        switch self {
        case .decompressionFailure, .return: []
        case .not: [.reference]
        case .and, .or, .lshift, .rshift, .add, .subtract, .multiply, .divide, .remainder: [.reference, .multitype]
        case .sortAscending, .sortDescending, .sha1, .copy: [.multitype, .multitype, .multitype]
        case .load, .stateFree, .output: [.multitype, .multitype]
        case .multiload: [.multitype, .literal]
        case .push, .pop: [.multitype]
        case .copyLiteral, .copyOffset: [.multitype, .multitype, .reference]
        case .memset: [.multitype, .multitype, .multitype, .multitype]
        case .jump, .call: [.address]
        case .compare: [.multitype, .multitype, .address, .address, .address]
        case .switch: [.literal, .multitype]
        case .crc: [.multitype, .multitype, .multitype, .address]
        case .inputBytes, .inputBits: [.multitype, .multitype, .address]
        case .inputHuffman: [.multitype, .address, .literal]
        case .stateAccess: Array(repeating: .multitype, count: 6)
        case .stateCreate: Array(repeating: .multitype, count: 5)
        case .endMessage: Array(repeating: .multitype, count: 7)
        }
    }

    /// The operands that follow as often as the instruction's literal says; empty for most instructions.
    public var repeatedOperands: [OperandKind] {
        switch self {
        case .multiload: [.multitype]
        case .switch: [.address]
        case .inputHuffman: [.multitype, .multitype, .multitype, .multitype]
        default: []
        }
    }
}

/// The four types of operand (RFC 3320, section 8.5).
public enum OperandKind: Sendable {
    /// `#`: the number itself.
    case literal
    /// `$`: the address of a 2-byte value.
    case reference
    /// `%`: a number or the address of one.
    case multitype
    /// `@`: a multitype, counted from the instruction's own address.
    case address
}
