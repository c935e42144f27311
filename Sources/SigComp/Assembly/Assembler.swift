/// Translates the assembly language of RFC 4464, section 3 into bytecode.
///
/// Operands get their shortest encoding. As an operand may depend on addresses further on, the source is translated again and
/// again with the addresses of the pass before; encodings only ever grow from pass to pass, so this comes to an end.
public struct Assembler {
    private static let passLimit = 64
    /// Below, the UDVM puts values of its own.
    private static let usefulValuesEnd = 32
    private let statements: [AssemblyStatement]
    private var program = AssembledProgram()
    /// The bytes of each operand in the passes so far, in the order of the source.
    private var widths: [Int] = []
    private var operandIndex = 0
    private var known: [String: Int] = [:]
    private var previousImage: [UInt8] = []
    /// Where "!" may point: the changes made by `readonly`, ascending.
    private var readonlyChanges: [(address: Int, isReadonly: Bool)] = []
    private var previousReadonlyChanges: [(address: Int, isReadonly: Bool)] = []
    private var hasStart = false
    /// Whether every name was known in this pass.
    private var isComplete = true
    private var isFinal = false

    public static func assemble(_ source: String) throws(AssemblyFailure) -> AssembledProgram {
        var assembler = Assembler(statements: try AssemblyParser.statements(source))
        return try assembler.translate()
    }

    private init(statements: [AssemblyStatement]) {
        self.statements = statements
    }

    private mutating func translate() throws(AssemblyFailure) -> AssembledProgram {
        for _ in 0..<Self.passLimit {
            let before = program
            let widthsBefore = widths
            try pass()
            if isComplete, before == program, widthsBefore == widths {
                isFinal = true
                try pass()
                return program
            }
        }
        isFinal = true
        try pass()
        throw AssemblyFailure(line: statements.last?.line ?? 1, "the addresses do not settle")
    }

    private mutating func pass() throws(AssemblyFailure) {
        known = program.symbols
        previousImage = program.image
        previousReadonlyChanges = readonlyChanges
        program = AssembledProgram()
        readonlyChanges = []
        operandIndex = 0
        hasStart = false
        isComplete = true
        for statement in statements { try translate(statement) }
    }

    private var location: Int { program.image.count }

    private mutating func translate(_ statement: AssemblyStatement) throws(AssemblyFailure) {
        let line = statement.line
        switch statement.kind {
        case .label(let name): program.symbols[name] = location
        case .set(let name, let expression):
            if let value = try value(expression, line) { program.symbols[name] = value }
        case .pad(let expression): try pad(to: location + (try value(expression, line) ?? 0), line)
        case .at(let expression): try pad(to: try value(expression, line) ?? location, line)
        case .align(let expression):
            let unit = try value(expression, line) ?? 1
            guard unit > 0 else { throw AssemblyFailure(line: line, "align takes a positive number") }
            try pad(to: (location + unit - 1) / unit * unit, line)
        case .bytes(let expressions):
            for value in try values(expressions, line) { try emit(value, through: 0xFF, line) }
        case .words(let expressions):
            for value in try values(expressions, line) { try emit(value, through: 0xFFFF, line) }
        case .readonly(let expression):
            readonlyChanges.append((location, try value(expression, line) ?? 1 != 0))
        case .instruction(let opcode, let operands): try translate(opcode, operands, line)
        }
        guard location <= UDVMMemory.capacity else { throw AssemblyFailure(line: line, "beyond the UDVM's memory") }
    }

    private mutating func pad(to address: Int, _ line: Int) throws(AssemblyFailure) {
        guard address >= location || !isFinal else { throw AssemblyFailure(line: line, "this place is passed already") }
        guard address <= UDVMMemory.capacity else { throw AssemblyFailure(line: line, "beyond the UDVM's memory") }
        if address > location { program.image += [UInt8](repeating: 0, count: address - location) }
    }

    private mutating func emit(_ value: Int, through limit: Int, _ line: Int) throws(AssemblyFailure) {
        guard (0...limit).contains(value) || !isFinal else {
            throw AssemblyFailure(line: line, "\(value) is not from 0 to \(limit)")
        }
        if limit > 0xFF { program.image.append(UInt8(truncatingIfNeeded: value >> 8)) }
        program.image.append(UInt8(truncatingIfNeeded: value))
    }

    private mutating func translate(_ opcode: Opcode, _ operands: [AssemblyOperand], _ line: Int)
        throws(AssemblyFailure)
    {
        let address = location
        if !hasStart {
            hasStart = true
            program.start = address
        }
        program.lines.append((address, line))
        program.image.append(opcode.rawValue)
        let repeated = opcode.repeatedOperands
        var kinds = opcode.operands
        guard operands.count >= kinds.count, operands.count == kinds.count || !repeated.isEmpty else {
            throw AssemblyFailure(line: line, "\(opcode.mnemonic) takes \(kinds.count) operands")
        }
        let extra = operands.count - kinds.count
        let sets = repeated.isEmpty ? 0 : extra / repeated.count
        guard repeated.isEmpty || extra % repeated.count == 0 else {
            throw AssemblyFailure(line: line, "\(opcode.mnemonic) takes sets of \(repeated.count) operands at its end")
        }
        for _ in 0..<sets { kinds += repeated }
        for (operand, kind) in zip(operands, kinds) {
            try translate(operand, kind, sets: sets, instruction: address, line)
        }
    }

    private mutating func translate(
        _ operand: AssemblyOperand, _ kind: OperandKind, sets: Int, instruction: Int, _ line: Int
    ) throws(AssemblyFailure) {
        guard operand.isReference == (kind == .reference) || kind == .multitype || kind == .address else {
            throw AssemblyFailure(line: line, kind == .literal ? "a literal takes no \"$\"" : "a reference needs \"$\"")
        }
        var number = 0
        if let expression = operand.expression {
            number = try value(expression, line, at: instruction) ?? (kind == .address ? instruction : 0)
            if kind == .literal, isFinal, number != sets {
                throw AssemblyFailure(line: line, "\(number) is said, \(sets) are there")
            }
        } else {
            guard kind == .literal else { throw AssemblyFailure(line: line, "an operand is missing") }
            number = sets
        }
        guard (-65_536...65_535).contains(number) || !isFinal else {
            throw AssemblyFailure(line: line, "\(number) does not fit into an operand")
        }
        if kind == .address, !operand.isReference { number -= instruction }
        if widths.count == operandIndex { widths.append(1) }
        let bytes = OperandEncoding.bytes(
            number, isReference: operand.isReference, kind: kind, atLeast: widths[operandIndex])
        widths[operandIndex] = bytes.count
        operandIndex += 1
        program.image += bytes
    }

    /// The values of a directive; "." is the place of the directive itself.
    private mutating func values(_ expressions: [AssemblyExpression], _ line: Int) throws(AssemblyFailure) -> [Int] {
        var values: [Int] = []
        for expression in expressions { values.append(try value(expression, line) ?? 0) }
        return values
    }

    /// The value of an expression; nil while it has a name that is not known yet.
    private mutating func value(_ expression: AssemblyExpression, _ line: Int, at place: Int? = nil)
        throws(AssemblyFailure) -> Int?
    {
        switch expression {
        case .number(let number): return number
        case .location: return place ?? location
        case .closestZero: return closestZero(to: place ?? location)
        case .name(let name):
            if let value = program.symbols[name] ?? known[name] { return value }
            if isFinal { throw AssemblyFailure(line: line, "\(name) is not defined") }
            isComplete = false
            return nil
        case .operation(let left, let symbol, let right):
            guard let left = try value(left, line, at: place), let right = try value(right, line, at: place) else {
                return nil
            }
            return try Self.apply(symbol, left, right, line)
        }
    }

    private static func apply(_ symbol: String, _ left: Int, _ right: Int, _ line: Int) throws(AssemblyFailure) -> Int {
        let result: (partialValue: Int, overflow: Bool)
        switch symbol {
        case "+": result = left.addingReportingOverflow(right)
        case "-": result = left.subtractingReportingOverflow(right)
        case "*": result = left.multipliedReportingOverflow(by: right)
        case "/": result = left.dividedReportingOverflow(by: right)
        case "%": result = left.remainderReportingOverflow(dividingBy: right)
        case "&": result = (left & right, false)
        case "|": result = (left | right, false)
        case "^": result = (left ^ right, false)
        case "~": result = (~(left ^ right) & 0xFFFF, false)
        case "<<": result = (left << right, !(0...32).contains(right) || abs(left) > 0xFFFF_FFFF)
        default: result = (left >> right, right < 0)
        }
        guard !result.overflow else { throw AssemblyFailure(line: line, "\(left) \(symbol) \(right) has no value") }
        return result.partialValue
    }

    /// The nearest place before an instruction that holds, and will hold, a zero, which is DECOMPRESSION-FAILURE; the nearest
    /// behind it when there is none. (RFC 4464 says "closest"; the bytecode that it prints has the one before.)
    private func closestZero(to address: Int) -> Int {
        let before = stride(from: address - 1, through: Self.usefulValuesEnd, by: -1).first(where: isZero)
        return before ?? (address..<UDVMMemory.capacity).first(where: isZero) ?? address
    }

    private func isZero(_ address: Int) -> Bool {
        guard address >= 0, address < UDVMMemory.capacity else { return false }
        let isReadonly = previousReadonlyChanges.last { $0.address <= address }?.isReadonly ?? true
        return isReadonly && (address >= previousImage.count || previousImage[address] == 0)
    }
}
