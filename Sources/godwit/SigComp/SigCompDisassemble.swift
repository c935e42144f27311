import ArgumentParser
import SigComp

struct SigCompDisassemble: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disassemble", abstract: "Show bytecode, or what a SigComp message uploads, as a UDVM program.",
        discussion: """
            What begins with a byte from f8 on is taken as a SigComp message, anything else
            as bytecode. The listing can be assembled again; bytes that are no instruction,
            such as tables, may show as instructions nevertheless.

            Exit codes: 0 done, 64 wrong usage, 65 the message uploads nothing or is cut
            short, 66 no such file, 74 input failed.
            """)

    @Argument(help: "The file; `-`: standard input.", completion: .file()) var file: String
    @Option(help: ArgumentHelp("Where bytecode lies in the memory; a message says it itself.", valueName: "address"))
    var origin = 128
    @Option(help: "How the input is written, hex or binary; else it is found out.") var input: ByteForm?
    @Flag(help: "One JSON object for each instruction.") var json = false

    private struct Line: Encodable {
        var address: Int
        var bytes: String
        var instruction: String?
    }

    func validate() throws {
        guard (0...65_535).contains(origin) else { throw ValidationError("An address is from 0 to 65535.") }
    }

    func run() throws {
        let source = try ByteInput.read(file)
        let bytes = try source.content(input)
        guard let first = bytes.first else { throw failing(ExitStatus.dataDamaged, "\(source.name): this is empty") }
        guard SigCompHeader.isSigComp(firstByte: first) else { return show(bytes, at: origin) }
        let header: SigCompHeader
        do throws(DecompressionFailureReason) {
            header = try SigCompHeader(reading: bytes)
        } catch {
            throw failing(ExitStatus.dataDamaged, "\(source.name): \(error.name)")
        }
        switch header.program {
        case .state(let identifier):
            throw failing(
                ExitStatus.dataDamaged,
                "\(source.name): the message uploads no bytecode, it names the state \(identifier)")
        case .bytecode(let code, let destination):
            if !json {
                print(
                    "; \(code.count) bytes of bytecode at \(destination), "
                        + "\(bytes.count - header.length) bytes of compressed data")
            }
            show(Array(bytes[code]), at: destination)
        }
    }

    private func show(_ bytecode: [UInt8], at origin: Int) {
        guard json else { return print(Disassembler.listing(bytecode, origin: origin), terminator: "") }
        // Behind the last byte, the memory has zeros.
        let disassembler = Disassembler(bytecode + [UInt8](repeating: 0, count: 64), origin: origin)
        var index = 0
        while index < bytecode.count {
            let instruction = disassembler.instruction(at: origin + index)
            let length = min(instruction?.length ?? 1, bytecode.count - index)
            print(
                JSONLine.text(
                    Line(
                        address: origin + index, bytes: bytecode[index..<index + length].hexadecimal,
                        instruction: instruction?.description)))
            index += length
        }
    }
}
