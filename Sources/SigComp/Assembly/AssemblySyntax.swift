/// The syntactic level of the assembly language (RFC 4464, section 3.2).
indirect enum AssemblyExpression: Equatable {
    case number(Int)
    case name(String)
    /// `.`
    case location
    /// `!`
    case closestZero
    case operation(AssemblyExpression, String, AssemblyExpression)
}

struct AssemblyOperand: Equatable {
    /// Whether `$` stands before it.
    let isReference: Bool
    /// nil when it is left for the assembler to infer.
    let expression: AssemblyExpression?
}

struct AssemblyStatement: Equatable {
    enum Kind: Equatable {
        case label(String)
        case set(String, AssemblyExpression)
        case pad(AssemblyExpression)
        case align(AssemblyExpression)
        case at(AssemblyExpression)
        case bytes([AssemblyExpression])
        case words([AssemblyExpression])
        case readonly(AssemblyExpression)
        case instruction(Opcode, [AssemblyOperand])
    }

    let kind: Kind
    let line: Int
}

struct AssemblyParser {
    private let tokens: [AssemblyToken]
    private var index = 0
    private static let depthLimit = 64
    private static let opcodes = Dictionary(uniqueKeysWithValues: Opcode.allCases.map { ($0.mnemonic, $0) })

    static func statements(_ source: String) throws(AssemblyFailure) -> [AssemblyStatement] {
        var parser = AssemblyParser(tokens: try AssemblyTokenizer.tokens(source))
        var statements: [AssemblyStatement] = []
        while let statement = try parser.statement() { statements.append(statement) }
        return statements
    }

    private init(tokens: [AssemblyToken]) {
        self.tokens = tokens
    }

    private var line: Int { index < tokens.count ? tokens[index].line : tokens.last?.line ?? 1 }

    private mutating func take() throws(AssemblyFailure) -> AssemblyToken.Kind {
        guard index < tokens.count else { throw AssemblyFailure(line: line, "the source ends too early") }
        defer { index += 1 }
        return tokens[index].kind
    }

    private func next(is symbol: String) -> Bool { index < tokens.count && tokens[index].kind == .symbol(symbol) }

    private mutating func expect(_ symbol: String) throws(AssemblyFailure) {
        guard next(is: symbol) else { throw AssemblyFailure(line: line, "expected \"\(symbol)\"") }
        index += 1
    }

    /// nil at the end of the source. Directives that are not known are passed over.
    private mutating func statement() throws(AssemblyFailure) -> AssemblyStatement? {
        while index < tokens.count {
            let line = line
            let kind: AssemblyStatement.Kind?
            switch try take() {
            case .symbol(":"):
                guard case .name(let name) = try take() else { throw AssemblyFailure(line: line, "expected a name") }
                kind = .label(name)
            case .mnemonic(let mnemonic):
                guard let opcode = Self.opcodes[mnemonic] else {
                    throw AssemblyFailure(line: line, "unknown instruction \(mnemonic)")
                }
                kind = .instruction(opcode, try operands())
            case .name(let directive):
                kind = try self.directive(directive, line)
            default:
                throw AssemblyFailure(line: line, "expected an instruction, a directive or a label")
            }
            if let kind { return AssemblyStatement(kind: kind, line: line) }
        }
        return nil
    }

    private mutating func directive(_ name: String, _ line: Int) throws(AssemblyFailure) -> AssemblyStatement.Kind? {
        if name == "set" {
            try expect("(")
            guard case .name(let symbol) = try take() else { throw AssemblyFailure(line: line, "expected a name") }
            try expect(",")
            let value = try expression(0)
            try expect(")")
            return .set(symbol, value)
        }
        let arguments = try arguments()
        switch name {
        case "byte": return .bytes(arguments)
        case "word": return .words(arguments)
        case "pad", "align", "at", "readonly":
            guard arguments.count == 1, let argument = arguments.first else {
                throw AssemblyFailure(line: line, "\(name) takes one argument")
            }
            switch name {
            case "pad": return .pad(argument)
            case "align": return .align(argument)
            case "at": return .at(argument)
            default: return .readonly(argument)
            }
        default: return nil
        }
    }

    private mutating func arguments() throws(AssemblyFailure) -> [AssemblyExpression] {
        guard next(is: "(") else { return [] }
        index += 1
        var arguments = [try expression(0)]
        while next(is: ",") {
            index += 1
            arguments.append(try expression(0))
        }
        try expect(")")
        return arguments
    }

    private mutating func operands() throws(AssemblyFailure) -> [AssemblyOperand] {
        guard next(is: "(") else { return [] }
        index += 1
        var operands: [AssemblyOperand] = []
        while true {
            if next(is: ",") || next(is: ")") {
                operands.append(AssemblyOperand(isReference: false, expression: nil))
            } else {
                let isReference = next(is: "$")
                if isReference { index += 1 }
                operands.append(AssemblyOperand(isReference: isReference, expression: try expression(0)))
            }
            guard next(is: ",") else { break }
            index += 1
        }
        try expect(")")
        return operands
    }

    private mutating func expression(_ depth: Int) throws(AssemblyFailure) -> AssemblyExpression {
        guard depth < Self.depthLimit else { throw AssemblyFailure(line: line, "the expression is nested too deeply") }
        let line = line
        switch try take() {
        case .number(let number): return .number(number)
        case .name(let name): return .name(name)
        case .symbol("."): return .location
        case .symbol("!"): return .closestZero
        case .symbol("("):
            let left = try expression(depth + 1)
            if next(is: ")") {
                index += 1
                return left
            }
            guard case .symbol(let symbol) = try take(), "+-*/%&|^~<<>>".contains(symbol) else {
                throw AssemblyFailure(line: line, "expected an operator")
            }
            let right = try expression(depth + 1)
            try expect(")")
            return .operation(left, symbol, right)
        default:
            throw AssemblyFailure(line: line, "expected an expression")
        }
    }
}
