import ArgumentParser
import SigComp

struct SigCompTrace: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace", abstract: "Show every instruction that SigComp messages execute, with its cycles.",
        discussion: """
            The columns: cycles used before the instruction, what it costs, cycles left
            after it, bytes of output after it, its address, the instruction. An operand
            with `$` stands for what is stored at that address. Cycles that input grants
            are in the third column at once. Messages are taken as `sigcomp decompress`
            takes them.

            Exit codes: 0 all messages were decompressed, 1 at least one was not, 64 wrong
            usage, 65 the input is no SigComp, 66 no such file, 74 input failed.
            """)

    @OptionGroup var input: MessageOptions
    @OptionGroup var endpoint: DecompressionOptions
    @Option(
        help: ArgumentHelp("Show only the message of this number; those before are still executed.", valueName: "n"))
    var only: Int?
    @Option(help: ArgumentHelp("Show at most this many instructions of a message.", valueName: "n")) var steps: Int?
    @Flag(help: "One JSON object for each instruction and one for each message.") var json = false

    private struct Line: Encodable {
        var address: Int
        var instruction: String?
        var cyclesBefore: Int
        var cycles: Int
        var cyclesLeft: Int
        var outputLength: Int
    }

    func validate() throws {
        guard only ?? 1 > 0, steps ?? 0 >= 0 else {
            throw ValidationError("Messages are counted from 1, steps from 0.")
        }
    }

    func run() throws {
        let messages = try input.messages()
        if let only, only > messages.count {
            throw failing(ExitStatus.usage, "there is no message \(only): there are \(messages.count)")
        }
        let run = DecompressionRun(dispatcher: try endpoint.dispatcher(), transport: input.transport)
        var hasFailed = false
        for (index, message) in messages.enumerated() {
            let isShown = only ?? index + 1 == index + 1
            var count = 0
            let report = run.take(message.name, message.bytes) { step in
                count += 1
                guard isShown, count <= steps ?? .max else { return }
                if count == 1, !json { print("   before   cost     left output address  instruction") }
                show(step)
            }
            if report.result == "failed" { hasFailed = true }
            guard isShown else { continue }
            if json { print(JSONLine.text(report)) } else { for line in report.lines { print(line) } }
            if index + 1 == only { break }
        }
        if hasFailed { throw ExitStatus.failed }
    }

    private func show(_ step: ExecutionStep) {
        let cycles = step.cyclesAfter - step.cyclesBefore
        if json {
            return print(
                JSONLine.text(
                    Line(
                        address: step.address, instruction: step.instruction?.description,
                        cyclesBefore: step.cyclesBefore, cycles: cycles, cyclesLeft: step.cyclesLeft,
                        outputLength: step.outputCount)))
        }
        let columns = [step.cyclesBefore, cycles, step.cyclesLeft, step.outputCount, step.address]
        let numbers = zip(columns, [9, 7, 9, 7, 8]).map { value, width in
            let text = String(value)
            return String(repeating: " ", count: max(1, width - text.count)) + text
        }
        print(numbers.joined() + "  " + (step.instruction?.description ?? "no instruction"))
    }
}
