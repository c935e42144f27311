import SigComp
import Testing

/// Instructions one by one, where RFC 4465 does not reach.
@Suite("UDVM instructions")
struct InstructionTests {
    /// Runs a source and gives the memory; the run ends at END-MESSAGE.
    static func memory(_ source: String, input: [UInt8] = [], size: Int = 65_536, cyclesPerBit: Int = 128) throws
        -> [UInt8]
    {
        let program = try Assembler.assemble("at (128) \(source)")
        var machine = UDVM(states: StateStore())
        try machine.start(
            message: program.bytecode + input, code: 0..<program.bytecode.count, destination: 128,
            limits: UDVM.Limits(memorySize: size, cyclesPerBit: cyclesPerBit))
        try machine.run()
        return machine.memoryContents()
    }

    static func word(_ memory: [UInt8], _ address: Int) -> Int { Int(memory[address]) << 8 | Int(memory[address + 1]) }

    static let end = " END-MESSAGE (0, 0, 0, 0, 0, 0, 0)"

    @Test(arguments: [
        ("AND ($32, 0x0ff0)", 0x0230), ("OR ($32, 0x8001)", 0x9235), ("NOT ($32)", 0xEDCB), ("LSHIFT ($32, 4)", 0x2340),
        ("LSHIFT ($32, 16)", 0), ("RSHIFT ($32, 4)", 0x0123), ("RSHIFT ($32, 65535)", 0), ("ADD ($32, 0xffff)", 0x1233),
        ("SUBTRACT ($32, 0x1235)", 0xFFFF), ("MULTIPLY ($32, 0x1234)", 0x5A90), ("DIVIDE ($32, 16)", 0x0123),
        ("REMAINDER ($32, 16)", 4), ("REMAINDER ($32, 0xffff)", 0x1234),
    ])
    func arithmetic(_ instruction: String, _ result: Int) throws {
        let memory = try Self.memory("LOAD (32, 0x1234) \(instruction)" + Self.end)
        #expect(Self.word(memory, 32) == result)
    }

    /// RFC 4896, section 3.4: the fill wins where it lies on the pushed value.
    @Test func pushAtTheFullestStack() throws {
        let memory = try Self.memory("LOAD (70, 1000) LOAD (1000, 65535) PUSH (7)" + Self.end)
        #expect(Self.word(memory, 1_000) == 0)
    }

    @Test(arguments: [
        ("POP (32)", DecompressionFailureReason.stackUnderflow), ("RETURN", .stackUnderflow),
        ("DIVIDE ($32, 0)", .divisionByZero),
        ("REMAINDER ($32, 0)", .divisionByZero), ("LOAD (65535, 1)", .segfault),
        ("LOAD (68, 8) INPUT-BITS (1, 32, !)", .badInputBitOrder),
        ("LOAD (68, 8) INPUT-HUFFMAN (32, !, 1, 1, 0, 1, 0)", .badInputBitOrder),
        ("INPUT-BITS (17, 32, !)", .tooManyBitsRequested),
        ("INPUT-HUFFMAN (32, !, 2, 9, 0, 511, 0, 8, 0, 0, 0)", .tooManyBitsRequested),
        ("INPUT-HUFFMAN (32, !, 1, 8, 1, 0, 0)", .huffmanNoMatch), ("SWITCH (2, 2, !, !)", .switchValueTooHigh),
        ("STATE-ACCESS (32, 5, 0, 0, 0, 0)", .invalidStateIDLength),
        ("STATE-ACCESS (32, 21, 0, 0, 0, 0)", .invalidStateIDLength),
        ("STATE-ACCESS (32, 6, 0, 0, 0, 0)", .stateNotFound), ("STATE-CREATE (1, 64, 0, 5, 0)", .invalidStateIDLength),
        ("STATE-CREATE (1, 64, 0, 6, 65535)", .invalidStatePriority), ("STATE-FREE (32, 21)", .invalidStateIDLength),
        ("MULTILOAD (128, 1, 5)", .multiloadOverwritten), ("MULTILOAD (127, 1, 5)", .multiloadOverwritten),
        ("NOT ($32) byte (36)", .invalidOpcode), ("NOT ($32) byte (14, 0x82)", .invalidOperand),
        ("NOT ($32) byte (6, 0xff, 1)", .invalidOperand), ("DECOMPRESSION-FAILURE", .userRequested),
        (String(repeating: "STATE-CREATE (1, 64, 0, 6, 0) ", count: 5), .tooManyStateRequests),
        (String(repeating: "STATE-FREE (32, 6) ", count: 5), .tooManyStateRequests),
        (
            String(repeating: "STATE-CREATE (1, 64, 0, 6, 0) ", count: 4) + "END-MESSAGE (0, 0, 1, 64, 0, 6, 0)",
            .tooManyStateRequests
        ),
        (":again OUTPUT (0, 40000) OUTPUT (0, 40000)", .outputOverflow), (":again JUMP (again)", .cyclesExhausted),
    ])
    func failures(_ source: String, _ reason: DecompressionFailureReason) {
        let error = #expect(throws: (any Error).self) {
            try Self.memory(source + Self.end, input: [0x55, 0x55, 0x55])
        }
        #expect(error as? DecompressionFailureReason == reason)
    }

    /// Where a segment ends: words and bytes at the last address, also of a full 65536 bytes.
    @Test(arguments: [2_048, 8_192, 65_536])
    func theEndOfTheMemory(_ size: Int) throws {
        let memory = try Self.memory("LOAD (\(size - 2), 0x1234) MEMSET (\(size - 1), 1, 9, 0)" + Self.end, size: size)
        #expect(Array(memory.suffix(2)) == [0x12, 9])
        #expect(throws: DecompressionFailureReason.segfault) {
            try Self.memory("LOAD (\(size - 1), 0x1234)" + Self.end, size: size)
        }
        if size < 65_536 {
            #expect(throws: DecompressionFailureReason.segfault) {
                try Self.memory("MEMSET (\(size - 1), 2, 9, 0)" + Self.end, size: size)
            }
            #expect(throws: DecompressionFailureReason.segfault) {
                try Self.memory("JUMP (\(size))" + Self.end, size: size)
            }
        }
    }

    /// The bits of every order, against a reader that takes them one by one.
    @Test(arguments: 0..<8)
    func bitOrders(_ order: Int) throws {
        var generator = SeededGenerator(seed: UInt64(order))
        for _ in 0..<40 {
            let input = (0..<12).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let lengths = (0..<5).map { _ in Int.random(in: 0...16, using: &generator) }
            let reads = lengths.enumerated().map { "INPUT-BITS (\($1), \(32 + 2 * $0), !)" }.joined(separator: " ")
            let memory = try Self.memory("LOAD (68, \(order)) \(reads)" + Self.end, input: input)
            var bits = input.flatMap { byte in
                (0..<8).map { Int(byte >> UInt8(order & 1 == 1 ? $0 : 7 - $0)) & 1 }
            }[...]
            for (index, length) in lengths.enumerated() {
                let taken = Array(bits.prefix(length))
                bits = bits.dropFirst(length)
                let ordered = order & 4 == 0 ? taken : taken.reversed()
                #expect(Self.word(memory, 32 + 2 * index) == ordered.reduce(0) { $0 << 1 | $1 })
            }
        }
    }

    /// The copying instructions with random rings, against a model that goes byte by byte (RFC 4896, section 4).
    @Test(arguments: 0..<30)
    func byteCopying(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        func random(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
        for _ in 0..<12 {
            var model = ByteCopyModel(left: random(600...700), right: random(550...800))
            var source = "MEMSET (512, 512, 3, 7) LOAD (64, \(model.left)) LOAD (66, \(model.right)) "
            model.fill()
            for _ in 0..<4 {
                let (from, to, count) = (random(512...900), random(512...900), random(0...120))
                switch random(0...3) {
                case 0:
                    source += "COPY (\(from), \(count), \(to)) "
                    _ = model.copy(from, count, to)
                case 1:
                    source += "LOAD (32, \(to)) COPY-LITERAL (\(from), \(count), $32) "
                    model.pointer = model.copy(from, count, to)
                case 2:
                    source += "LOAD (32, \(to)) COPY-OFFSET (\(from % 150), \(count), $32) "
                    model.pointer = model.copy(model.back(to, from % 150), count, to)
                default:
                    source += "MEMSET (\(to), \(count), \(from % 256), 5) "
                    model.set(to, count, from, 5)
                }
            }
            let memory = try Self.memory(source + Self.end)
            #expect(Array(memory[512..<1_200]) == Array(model.memory[512..<1_200]))
            #expect(Self.word(memory, 32) == model.pointer)
        }
    }

    /// INPUT-HUFFMAN in a loop, against a model: the first turn decodes the instruction, the others find it decoded.
    @Test(arguments: 0..<24)
    func huffmanCodes(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let order = seed % 8
        let lengths = (0..<Int.random(in: 1...5, using: &generator)).map { _ in Int.random(in: 0...3, using: &generator)
        }
        let codes = lengths.indices.map { index in
            let lower = Int.random(in: 0...(1 << lengths[...index].reduce(0, +)), using: &generator)
            return (lower: lower, upper: lower + Int.random(in: 0...3, using: &generator), value: 1_000 * index)
        }
        let operands = zip(lengths, codes).map { "\($0), \($1.lower), \($1.upper), \($1.value)" }
        let input = (0..<30).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let source = """
            LOAD (68, \(order)) :again INPUT-HUFFMAN (32, end, , \(operands.joined(separator: ", ")))
            LOAD (1024, 1) OUTPUT (32, 2) ADD ($36, 1) COMPARE ($36, 60, again, end, end) :end\(Self.end)
            """
        var bits = input.flatMap { byte in (0..<8).map { Int(byte >> UInt8(order & 1 == 1 ? $0 : 7 - $0)) & 1 } }[...]
        var expected: [UInt8] = []
        var noMatch = false
        turns: for _ in 0..<60 {
            var rest = bits
            var code = 0
            for (length, set) in zip(lengths, codes) {
                guard rest.count >= length else { break turns }
                let taken = Array(rest.prefix(length))
                rest = rest.dropFirst(length)
                code = (order & 2 == 0 ? taken : taken.reversed()).reduce(code) { $0 << 1 | $1 }
                if (set.lower...set.upper).contains(code) {
                    let value = code + set.value - set.lower
                    expected += [UInt8(value >> 8), UInt8(value & 0xFF)]
                    bits = rest
                    continue turns
                }
            }
            noMatch = true
            break
        }
        let program = try Assembler.assemble("at (128) \(source)")
        var machine = UDVM(states: StateStore())
        try machine.start(
            message: program.bytecode + input, code: 0..<program.bytecode.count, destination: 128,
            limits: UDVM.Limits(memorySize: 4_096, cyclesPerBit: 16))
        do throws(DecompressionFailureReason) {
            try machine.run()
            #expect(!noMatch)
        } catch {
            #expect(noMatch && error == .huffmanNoMatch)
        }
        #expect(machine.output == expected)
    }

    /// Bytecode that rewrites an operand of its INPUT-HUFFMAN between two turns gets what stands there then.
    @Test func huffmanCodesThatChange() throws {
        let source = """
            :again INPUT-HUFFMAN (32, !, 1, 8, 0, 255, 8192)
            OUTPUT (32, 2) ADD ($36, 1) COPY (new, 1, (again + 8))
            COMPARE ($36, 3, again, end, end) :end\(Self.end) :new byte (0)
            """
        let program = try Assembler.assemble("at (128) \(source)")
        let listing = try #require(Disassembler(program.image).instruction(at: 128))
        #expect(listing.length == 9)
        var machine = UDVM(states: StateStore())
        try machine.start(
            message: program.bytecode + [1, 2, 3], code: 0..<program.bytecode.count, destination: 128,
            limits: UDVM.Limits(memorySize: 4_096, cyclesPerBit: 16))
        #expect(throws: Never.self) { try Self.run(&machine) }
        #expect(machine.output == [0x20, 1, 0, 2, 0, 3])
    }

    private static func run(_ machine: inout UDVM) throws { try machine.run() }

    @Test func sortingIsStableInBothDirections() throws {
        let data = "word (3, 1, 2, 1, 3, 10, 11, 12, 13, 14)"
        let up = try Self.memory("SORT-ASCENDING (data, 2, 5)" + Self.end + " at (512) :data " + data)
        #expect((0..<10).map { Self.word(up, 512 + 2 * $0) } == [1, 1, 2, 3, 3, 11, 13, 12, 10, 14])
        let down = try Self.memory("SORT-DESCENDING (data, 2, 5)" + Self.end + " at (512) :data " + data)
        #expect((0..<10).map { Self.word(down, 512 + 2 * $0) } == [3, 3, 2, 1, 1, 10, 14, 12, 11, 13])
    }

    /// RFC 4896, section 3.2: each operand sees what those before it have stored.
    @Test func multiloadGoesStepByStep() throws {
        let memory = try Self.memory("MULTILOAD (64, 3, 512, 8192, $64)" + Self.end)
        #expect(Self.word(memory, 68) == 512)
    }
}

/// Copies byte by byte, exactly as RFC 4896, section 4 writes it.
struct ByteCopyModel {
    let left: Int
    let right: Int
    var memory = [UInt8](repeating: 0, count: 65_536)
    var pointer = 0

    init(left: Int, right: Int) {
        self.left = left
        self.right = right
    }

    mutating func fill() {
        for index in 0..<512 { memory[512 + index] = UInt8(truncatingIfNeeded: 3 + 7 * index) }
    }

    func next(_ address: Int) -> Int {
        address == (right - 1) & 0xFFFF ? left : (address + 1) & 0xFFFF
    }

    func back(_ address: Int, _ count: Int) -> Int {
        (0..<count).reduce(address) { current, _ in
            current == left ? (right - 1) & 0xFFFF : (current - 1) & 0xFFFF
        }
    }

    mutating func copy(_ from: Int, _ count: Int, _ to: Int) -> Int {
        var (from, to) = (from, to)
        for _ in 0..<count {
            memory[to] = memory[from]
            from = next(from)
            to = next(to)
        }
        return to
    }

    mutating func set(_ to: Int, _ count: Int, _ start: Int, _ offset: Int) {
        var to = to
        for index in 0..<count {
            memory[to] = UInt8(truncatingIfNeeded: start % 256 + index * offset)
            to = next(to)
        }
    }
}
