/// An instruction as it stands in the memory.
public struct DisassembledInstruction: Equatable, Sendable, CustomStringConvertible {
    public struct Operand: Equatable, Sendable {
        /// The number; for an address the place it stands for, unless the operand is a reference.
        public var value: Int
        /// Whether `value` is the address at which the operand's value is found.
        public var isReference: Bool
    }

    public var address: Int
    public var opcode: Opcode
    public var operands: [Operand]
    /// Its bytes in the memory.
    public var length: Int

    /// In the assembly language.
    public var description: String {
        guard !operands.isEmpty else { return opcode.mnemonic }
        let list = operands.map { ($0.isReference ? "$" : "") + String($0.value) }.joined(separator: ", ")
        return "\(opcode.mnemonic) (\(list))"
    }
}

/// Turns bytecode back into the assembly language.
public struct Disassembler {
    private let memory: [UInt8]
    /// The address of the first byte.
    private let origin: Int
    private var index = 0

    /// - Parameter origin: the address at which the bytes lie in the memory.
    public init(_ memory: [UInt8], origin: Int = 0) {
        self.memory = memory
        self.origin = origin
    }

    /// The instruction at an address; nil when the bytes there are none.
    public func instruction(at address: Int) -> DisassembledInstruction? {
        var reader = self
        return reader.read(at: address)
    }

    private mutating func read(at address: Int) -> DisassembledInstruction? {
        index = address - origin
        guard let byte = byte(), let opcode = Opcode(rawValue: UInt8(byte)) else { return nil }
        var operands: [DisassembledInstruction.Operand] = []
        var repetitions = 0
        for kind in opcode.operands {
            guard let operand = operand(kind, address) else { return nil }
            if kind == .literal { repetitions = operand.value }
            operands.append(operand)
        }
        for _ in 0..<repetitions where !opcode.repeatedOperands.isEmpty {
            for kind in opcode.repeatedOperands {
                guard let operand = operand(kind, address) else { return nil }
                operands.append(operand)
            }
        }
        return DisassembledInstruction(
            address: address, opcode: opcode, operands: operands, length: index - (address - origin))
    }

    /// All from an address on, one line each; what is no instruction is given as `byte`. Bytes behind the end are taken as 0,
    /// as the UDVM's memory has them, where an instruction needs them.
    public static func listing(_ bytecode: [UInt8], origin: Int) -> String {
        let disassembler = Disassembler(bytecode + [UInt8](repeating: 0, count: 64), origin: origin)
        var address = origin
        var lines = ["at (\(origin))"]
        while address < origin + bytecode.count {
            if let instruction = disassembler.instruction(at: address) {
                lines.append("\(instruction) ; \(address)")
                address += instruction.length
            } else {
                lines.append("byte (\(bytecode[address - origin])) ; \(address)")
                address += 1
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private mutating func byte() -> Int? {
        guard index >= 0, index < memory.count else { return nil }
        defer { index += 1 }
        return Int(memory[index])
    }

    private mutating func word() -> Int? {
        guard let high = byte(), let low = byte() else { return nil }
        return high << 8 | low
    }

    private mutating func operand(_ kind: OperandKind, _ address: Int) -> DisassembledInstruction.Operand? {
        switch kind {
        case .literal: return short(scale: 1).map { .init(value: $0, isReference: false) }
        case .reference: return short(scale: 2).map { .init(value: $0, isReference: true) }
        case .multitype: return multitype()
        case .address:
            guard let operand = multitype() else { return nil }
            if operand.isReference { return operand }
            return .init(value: (address + operand.value) & 0xFFFF, isReference: false)
        }
    }

    /// A literal (scale 1) or a reference (scale 2).
    private mutating func short(scale: Int) -> Int? {
        guard let first = byte() else { return nil }
        if first < 0x80 { return first * scale }
        if first < 0xC0 { return byte().map { ((first & 0x3F) << 8 | $0) * scale } }
        return first == 0xC0 ? word() : nil
    }

    private mutating func multitype() -> DisassembledInstruction.Operand? {
        guard let first = byte() else { return nil }
        let value: Int?
        var isReference = false
        switch first {
        case 0x00...0x3F: value = first
        case 0x40...0x7F: (value, isReference) = ((first & 0x3F) * 2, true)
        case 0x80: value = word()
        case 0x81: (value, isReference) = (word(), true)
        case 0x86, 0x87: value = 1 << ((first & 1) + 6)
        case 0x88...0x8F: value = 1 << ((first & 7) + 8)
        case 0x90...0x9F: value = byte().map { ((first & 0x0F) << 8 | $0) + 61_440 }
        case 0xA0...0xBF: value = byte().map { (first & 0x1F) << 8 | $0 }
        case 0xC0...0xDF: (value, isReference) = (byte().map { (first & 0x1F) << 8 | $0 }, true)
        case 0xE0...0xFF: value = first - 0xE0 + 65_504
        default: value = nil
        }
        return value.map { .init(value: $0, isReference: isReference) }
    }
}
