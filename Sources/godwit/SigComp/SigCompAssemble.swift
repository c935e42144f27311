import ArgumentParser
import Foundation
import SigComp

struct SigCompAssemble: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "assemble", abstract: "Translate a UDVM program into bytecode, or into a SigComp message.",
        discussion: """
            The source is in the language of RFC 4464, section 3. The bytecode begins with
            the first instruction and ends with the last byte that is not 0.

            --message puts the header of a SigComp message before it, which needs a program
            that begins at a multiple of 64 from 128 to 1024 and has at most 4095 bytes;
            --data appends what the program is to decompress.

            Exit codes: 0 done, 64 wrong usage, 65 an error in the source or a program that
            does not fit into a message, 66 no such file, 73 the file cannot be made, 74
            input failed.
            """)

    @Argument(help: "The source; `-`: standard input.", completion: .file()) var source: String
    @Flag(help: "Make a SigComp message that uploads the program.") var message = false
    @Option(help: ArgumentHelp("Append this file's bytes to the message.", valueName: "file"), completion: .file())
    var data: String?
    @Option(help: ArgumentHelp("The message's returned feedback item, its length byte included.", valueName: "hex"))
    var feedback: HexadecimalBytes?
    @Option(help: "hex, one line, or binary.") var format = ByteForm.hex
    @Option(name: [.short, .long], help: ArgumentHelp("Write to this file.", valueName: "file"), completion: .file())
    var output: String?
    @Flag(help: "Print the values of labels and of what `set` defines, as comments.") var symbols = false
    @Flag(help: "One JSON object.") var json = false

    private struct Line: Encodable {
        var start: Int
        var length: Int
        var bytecode: String
        var message: String?
        var symbols: [String: Int]
    }

    func validate() throws {
        guard message || (data == nil && feedback == nil) else {
            throw ValidationError("--data and --feedback belong to a --message.")
        }
        guard !symbols || format == .hex || output != nil else {
            throw ValidationError("--symbols cannot be printed between binary bytes; give a file with --output.")
        }
        guard !json || output == nil && format == .hex && !symbols else {
            throw ValidationError("--json prints everything; it takes no --output, --format and --symbols.")
        }
        if let item = feedback?.bytes {
            guard let first = item.first, item.count == 1 + (first & 0x80 == 0 ? 0 : Int(first & 0x7F)) else {
                throw ValidationError(
                    "A feedback item is one byte up to 7f, or 80 and the number of bytes that follow (RFC 3320, 7.1).")
            }
        }
    }

    func run() throws {
        let input = try ByteInput.read(source)
        let program: AssembledProgram
        do throws(AssemblyFailure) {
            program = try Assembler.assemble(String(decoding: input.bytes, as: UTF8.self))
        } catch {
            throw failing(ExitStatus.dataDamaged, "\(input.name):\(error.line): \(error.message)")
        }
        let built = message ? try build(program, input.name) : nil
        if json {
            print(
                JSONLine.text(
                    Line(
                        start: program.start, length: program.bytecode.count, bytecode: program.bytecode.hexadecimal,
                        message: built?.hexadecimal, symbols: program.symbols)))
            return
        }
        try write(built ?? program.bytecode)
        if symbols {
            for (name, value) in program.symbols.sorted(by: { ($0.value, $0.key) < ($1.value, $1.key) }) {
                print("; \(name) \(value)")
            }
        }
    }

    private func build(_ program: AssembledProgram, _ name: String) throws -> [UInt8] {
        guard var builder = program.message(feedback: feedback?.bytes) else {
            throw failing(
                ExitStatus.dataDamaged,
                "\(name): no header can carry this program: it begins at \(program.start) (allowed: 128, 192, ... 1024)"
                    + " and has \(program.bytecode.count) bytes (at most 4095); nothing may lie before its first instruction"
            )
        }
        if let data { builder.append(try ByteInput.read(data).bytes) }
        return builder.bytes
    }

    private func write(_ bytes: [UInt8]) throws {
        let content = format == .binary ? Data(bytes) : Data((bytes.hexadecimal + "\n").utf8)
        guard let output else { return try writeBytes(content) }
        do {
            try content.write(to: URL(filePath: output))
        } catch {
            throw failing(ExitStatus.cannotCreate, "\(output): cannot be written")
        }
    }
}
