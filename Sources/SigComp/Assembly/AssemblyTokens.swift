/// The lexical level of the assembly language (RFC 4464, section 3.1).
struct AssemblyToken: Equatable {
    enum Kind: Equatable {
        case name(String)
        case mnemonic(String)
        case number(Int)
        /// A delimiter or an operator.
        case symbol(String)
    }

    let kind: Kind
    let line: Int
}

struct AssemblyTokenizer {
    private let bytes: [UInt8]
    private var index = 0
    private var line = 1

    init(_ source: String) {
        bytes = Array(source.utf8)
    }

    static func tokens(_ source: String) throws(AssemblyFailure) -> [AssemblyToken] {
        var tokenizer = AssemblyTokenizer(source)
        var tokens: [AssemblyToken] = []
        while let token = try tokenizer.next() { tokens.append(token) }
        return tokens
    }

    private mutating func next() throws(AssemblyFailure) -> AssemblyToken? {
        skipSpace()
        guard index < bytes.count else { return nil }
        let byte = bytes[index]
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"):
            return token(.name(word { Self.isLowercase($0) || Self.isDigit($0) || $0 == UInt8(ascii: "_") }))
        case UInt8(ascii: "A")...UInt8(ascii: "Z"):
            return token(.mnemonic(word { Self.isUppercase($0) || Self.isDigit($0) || $0 == UInt8(ascii: "-") }))
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            return token(.number(try number()))
        default:
            return token(.symbol(try symbol(byte)))
        }
    }

    private func token(_ kind: AssemblyToken.Kind) -> AssemblyToken { AssemblyToken(kind: kind, line: line) }

    private mutating func skipSpace() {
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\n"): line += 1
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): break
            case UInt8(ascii: ";"):
                while index < bytes.count, bytes[index] != UInt8(ascii: "\n") { index += 1 }
                continue
            default: return
            }
            index += 1
        }
    }

    private mutating func word(_ belongs: (UInt8) -> Bool) -> String {
        let start = index
        while index < bytes.count, belongs(bytes[index]) { index += 1 }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func number() throws(AssemblyFailure) -> Int {
        var radix = 10
        if bytes[index] == UInt8(ascii: "0"), index + 1 < bytes.count {
            if bytes[index + 1] == UInt8(ascii: "x") { radix = 16 }
            if bytes[index + 1] == UInt8(ascii: "b") { radix = 2 }
            if radix != 10 { index += 2 }
        }
        let digits = word { Self.isDigit($0) || radix == 16 && Self.isHexLetter($0) }
        guard digits.count <= 16, let value = Int(digits, radix: radix) else {
            throw AssemblyFailure(line: line, "not a number: \(digits)")
        }
        return value
    }

    private mutating func symbol(_ byte: UInt8) throws(AssemblyFailure) -> String {
        index += 1
        if byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">"), index < bytes.count, bytes[index] == byte {
            index += 1
            return byte == UInt8(ascii: "<") ? "<<" : ">>"
        }
        guard ".,!$:()+-*/%&|^~".utf8.contains(byte) else {
            throw AssemblyFailure(line: line, "unexpected byte \(byte)")
        }
        return String(UnicodeScalar(byte))
    }

    private static func isLowercase(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isUppercase(_ byte: UInt8) -> Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    private static func isHexLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }
}
