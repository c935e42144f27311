import ArgumentParser
import Foundation
import SigComp

struct SigCompDecompress: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decompress", abstract: "Decompress SigComp messages of one peer, in order.",
        discussion: """
            States that a message creates are there for the next; all messages count as one
            peer's. Shows what came out, the cycles it took, the states and the feedback it
            asked for, or why it failed and with which NACK a server would answer.

            Without options the endpoint is the least that SIP allows (RFC 5049): 8192
            bytes of decompression memory, 2048 of state memory, 16 cycles per bit.

            Exit codes: 0 all messages were decompressed, 1 at least one was not, 64 wrong
            usage, 65 the input is no SigComp, 66 no such file, 74 input failed.
            """)

    @OptionGroup var input: MessageOptions
    @OptionGroup var endpoint: DecompressionOptions
    @Flag(help: "Print nothing but what came out, byte for byte; failures go to standard error.") var raw = false
    @Flag(help: "One JSON object for each message, with the output in base64.") var json = false

    func validate() throws {
        guard !raw || !json else { throw ValidationError("--raw and --json exclude each other.") }
    }

    func run() throws {
        let messages = try input.messages()
        let run = DecompressionRun(dispatcher: try endpoint.dispatcher(), transport: input.transport)
        var hasFailed = false
        for message in messages {
            let report = run.take(message.name, message.bytes)
            if report.result == "failed" { hasFailed = true }
            try show(report)
        }
        if hasFailed { throw ExitStatus.failed }
    }

    private func show(_ report: MessageReport) throws {
        if json { return print(JSONLine.text(report)) }
        if raw {
            if let output = report.output { try writeBytes(output) }
            if report.result != "decompressed" { printError("godwit: \(report.lines.joined(separator: "\n"))") }
            return
        }
        for line in report.lines { print(line) }
        guard let output = report.output, !output.isEmpty else { return }
        print("")
        print(Self.printable(output))
    }

    /// Text with line ends of the terminal; what is not text, or would steer the terminal, in hexadecimal.
    private static func printable(_ output: Data) -> String {
        guard let text = String(validating: output, as: UTF8.self),
            text.unicodeScalars.allSatisfy({
                $0.value >= 0x20 && $0.value != 0x7F || "\r\n\t".unicodeScalars.contains($0)
            })
        else { return output.hexadecimal }
        let lines = text.replacing("\r\n", with: "\n")
        return lines.hasSuffix("\n") ? lines : lines + "\n"
    }
}
