import SigComp

/// Sources of assembly whose instructions are valid and whose operands are random, with addresses that lead back and forth.
enum RandomProgram {
    static func source(_ generator: inout SeededGenerator) -> String {
        let count = Int.random(in: 2...25, using: &generator)
        var lines = ["at (128)", "MULTILOAD (64, 4, 512, 1024, \(Int.random(in: 0...8, using: &generator)), 1100)"]
        for index in 0..<count {
            let opcode = Opcode.allCases.randomElement(using: &generator) ?? .add
            var kinds = opcode.operands
            let sets = opcode.repeatedOperands.isEmpty ? 0 : Int.random(in: 0...4, using: &generator)
            for _ in 0..<sets { kinds += opcode.repeatedOperands }
            let operands = kinds.map { operand($0, sets: sets, labels: count, &generator) }
            lines.append(":l\(index)")
            lines.append(
                operands.isEmpty ? opcode.mnemonic : "\(opcode.mnemonic) (\(operands.joined(separator: ", ")))")
        }
        lines.append(":l\(count) END-MESSAGE (\(Int.random(in: 0...40, using: &generator)), 0, 20, 64, 0, 6, 0)")
        return lines.joined(separator: "\n")
    }

    private static func operand(_ kind: OperandKind, sets: Int, labels: Int, _ generator: inout SeededGenerator)
        -> String
    {
        switch kind {
        case .literal: return "\(sets)"
        case .reference: return "$\(number(&generator))"
        case .multitype:
            return (Int.random(in: 0..<4, using: &generator) == 0 ? "$" : "") + "\(number(&generator))"
        case .address: return "l\(Int.random(in: 0...labels, using: &generator))"
        }
    }

    private static func number(_ generator: inout SeededGenerator) -> Int {
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: Int.random(in: 0...65_535, using: &generator)
        case 1: [64, 66, 68, 70, 512, 1_023, 1_024, 8_000].randomElement(using: &generator) ?? 64
        case 2...4: Int.random(in: 0...700, using: &generator)
        default: Int.random(in: 0...40, using: &generator)
        }
    }
}
