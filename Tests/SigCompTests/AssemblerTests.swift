import SigComp
import Testing

/// The assembly language of RFC 4464, section 3.
@Suite("Assembler")
struct AssemblerTests {
    /// The programs of RFC 4464 give the very bytes that its appendix prints.
    @Test(arguments: try SigCompVectors.algorithms().filter { UsersGuidePrograms.sources[$0.algorithm] != nil })
    func usersGuide(_ algorithm: SigCompVectors.Algorithm) throws {
        // The sources of LZW and LZJH have their codebook 3 bytes before the place that the printed bytecode uses.
        let source = try #require(UsersGuidePrograms.sources[algorithm.algorithm]).replacing("4492", with: "4495")
        let program = try Assembler.assemble(source)
        #expect(program.start == algorithm.load_address)
        #expect(SigCompVectors.hex(program.bytecode) == algorithm.bytecode_hex)
    }

    @Test func everyUsersGuideProgramIsTried() throws {
        #expect(Set(UsersGuidePrograms.sources.keys).isSubset(of: try SigCompVectors.algorithms().map(\.algorithm)))
        #expect(UsersGuidePrograms.sources.count == 6)
    }

    /// What the assembler writes, the disassembler reads, and gives the same bytes again.
    @Test(arguments: UsersGuidePrograms.sources.keys.sorted())
    func disassemblesAndAssemblesAgain(_ name: String) throws {
        let program = try Assembler.assemble(try #require(UsersGuidePrograms.sources[name]))
        let listing = Disassembler.listing(program.bytecode, origin: program.start)
        let again = try Assembler.assemble(listing)
        #expect(again.start == program.start)
        #expect(again.bytecode == program.bytecode)
        #expect(!listing.contains("byte ("))
    }

    @Test func expressions() throws {
        let program = try Assembler.assemble(
            """
            set (three, ((1 + (2 * 3)) & (0xabcd - 0b00101010)))
            at (128)
            :start
            byte (three, (7 % 4), (17 / 4), (1 << 3), (256 >> 2), (5 ^ 1), ((5 ~ 1) & 0xff), (8 | 1))
            word (0x1234, (later - start), .)
            :later
            """)
        #expect(program.symbols["three"] == 3)
        #expect(
            SigCompVectors.hex(program.image[128...]) == "0303040840" + "04fb09" + "1234000e0088")
    }

    @Test func directives() throws {
        let program = try Assembler.assemble(
            """
            ; A comment (with, "anything")
            at (64)  :here pad (2) :there
            align (8) :aligned
            align (8) :still
            unknown (1, 2)
            at (128)
            MULTILOAD (64, , 1, 2, 3)
            INPUT-BITS (1, here, !)
            JUMP ($here)
            """)
        #expect(program.symbols["here"] == 64)
        #expect(program.symbols["there"] == 66)
        #expect(program.symbols["aligned"] == 72)
        #expect(program.symbols["still"] == 72)
        #expect(SigCompVectors.hex(program.bytecode) == "0f8603010203" + "1d0186f9" + "1660")
    }

    /// Forward references whose own length moves what they refer to.
    @Test func settlesWhenOperandsGrow() throws {
        for distance in 20...80 {
            let source =
                "at (128) :first " + String(repeating: "JUMP (last) ", count: distance)
                + String(repeating: "JUMP (first) ", count: distance) + ":last END-MESSAGE (0, 0, 0, 0, 0, 0, 0)"
            let program = try Assembler.assemble(source)
            let disassembler = Disassembler(program.image)
            var address = 128
            for index in 0..<2 * distance {
                let jump = try #require(disassembler.instruction(at: address))
                #expect(jump.operands[0].value == program.symbols[index < distance ? "last" : "first"])
                address += jump.length
            }
            #expect(address == program.symbols["last"])
        }
    }

    @Test(arguments: [
        ("NOP", 1), ("ADD (1, 2)", 1), ("LOAD (1)", 1), ("at (4)\nat (2)", 2), ("byte (256)", 1),
        ("\n\nJUMP (nowhere)", 3),
        ("MULTILOAD (64, 3, 1, 2)", 1), ("INPUT-HUFFMAN (1, 2, , 3)", 1), ("PUSH ()", 1), ("byte ((1 / 0))", 1),
        ("'", 1),
        ("at (70000)", 1), ("set (3, 4)", 1), ("word ((1 + )", 1), ("SWITCH ($4, 3)", 1), ("pad (1, 2)", 1),
        ("pad (99999999999999999999)", 1), ("byte ((1 << 999999))", 1), ("PUSH (70000)", 1),
        (String(repeating: "(", count: 100_000), 1), ("pad " + String(repeating: "(", count: 100_000), 1),
    ])
    func refuses(_ source: String, _ line: Int) throws {
        let failure = #expect(throws: AssemblyFailure.self) { try Assembler.assemble(source) }
        #expect(failure?.line == line)
    }

    /// A program that the header of SigComp cannot carry.
    @Test func uploadable() throws {
        #expect(try Assembler.assemble("at (130) PUSH (1)").message() == nil)
        #expect(try Assembler.assemble("at (40) byte (1) at (128) PUSH (1)").message() == nil)
        #expect(try Assembler.assemble("at (2048) PUSH (1)").message() == nil)
        let message = try #require(try Assembler.assemble("at (128) PUSH (1) PUSH (0)").message(feedback: [5]))
        #expect(message.bytes == [0xFC, 5, 0x00, 0x31, 16, 1, 16])
    }
}
