import ArgumentParser
import SigComp

/// What the endpoint that decompresses offers.
struct DecompressionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Decompression memory: 2048, 4096, ... 131072.", valueName: "bytes"))
    var memory = SigCompParameters.minimumForSIP.decompressionMemorySize
    @Option(help: ArgumentHelp("State memory: 0, or as the decompression memory.", valueName: "bytes"))
    var stateMemory = SigCompParameters.minimumForSIP.stateMemorySize
    @Option(help: ArgumentHelp("16, 32, 64 or 128.", valueName: "cycles"))
    var cyclesPerBit = SigCompParameters.minimumForSIP.cyclesPerBit
    @Option(help: ArgumentHelp("1, or 2 for an endpoint with NACKs (RFC 4077).", valueName: "version"))
    var sigcompVersion = SigCompParameters.minimumForSIP.version
    @Option(
        help: ArgumentHelp(
            "Static dictionaries it has: session (RFC 3485), presence (RFC 5112), both with a comma, or none.",
            valueName: "names"))
    var dictionaries = DictionaryChoice.all

    private var parameters: SigCompParameters {
        SigCompParameters(
            cyclesPerBit: cyclesPerBit, decompressionMemorySize: memory, stateMemorySize: stateMemory,
            version: sigcompVersion)
    }

    func validate() throws {
        let parameters = parameters
        guard parameters.decompressionMemorySize == memory else {
            throw ValidationError("The decompression memory is 2048, 4096, 8192, 16384, 32768, 65536 or 131072.")
        }
        guard parameters.stateMemorySize == stateMemory else {
            throw ValidationError("The state memory is 0, 2048, 4096, 8192, 16384, 32768, 65536 or 131072.")
        }
        guard parameters.cyclesPerBit == cyclesPerBit else {
            throw ValidationError("The cycles per bit are 16, 32, 64 or 128.")
        }
        guard (1...2).contains(sigcompVersion) else { throw ValidationError("The version is 1 or 2.") }
    }

    /// - Throws: the exit code, with the reason printed, when a dictionary cannot be had.
    func dispatcher() throws -> DecompressorDispatcher {
        let dispatcher = DecompressorDispatcher(parameters: parameters)
        for dictionary in dictionaries.chosen where !dispatcher.states.add(dictionary) {
            throw failing(ExitStatus.unavailable, "this machine's libcrypto has no SHA-1, which SigComp needs")
        }
        return dispatcher
    }
}

/// Static dictionaries on the command line.
struct DictionaryChoice: ExpressibleByArgument, CustomStringConvertible {
    let chosen: [StaticDictionary]

    static let all = DictionaryChoice(chosen: StaticDictionary.allCases)

    var description: String { chosen.map(Self.name).joined(separator: ",") }
    var defaultValueDescription: String { description }

    private static func name(_ dictionary: StaticDictionary) -> String {
        switch dictionary {
        case .session: "session"
        case .presence: "presence"
        }
    }
}

extension DictionaryChoice {
    init?(argument: String) {
        var chosen: [StaticDictionary] = []
        for word in argument.split(separator: ",", omittingEmptySubsequences: false) where argument != "none" {
            guard let found = StaticDictionary.allCases.first(where: { Self.name($0) == word }),
                !chosen.contains(found)
            else { return nil }
            chosen.append(found)
        }
        self.chosen = chosen
    }
}

/// The messages to decompress, and how they are written.
struct MessageOptions: ParsableArguments {
    @Argument(
        help: "Files with SigComp messages, in the order of their arrival; none, or `-`: standard input.",
        completion: .file())
    var files: [String] = []
    @Option(help: "How the input is written, hex or binary; else it is found out.") var input: ByteForm?
    @Flag(help: "Each file is what came over a stream such as TCP: messages with record marking (RFC 3320, 4.2.2).")
    var stream = false

    var transport: DecompressorDispatcher.Transport { stream ? .stream : .message }

    /// All messages, each with a name to show.
    ///
    /// - Throws: the exit code, with the reason printed.
    func messages() throws -> [(name: String, bytes: [UInt8])] {
        var messages: [(name: String, bytes: [UInt8])] = []
        for path in files.isEmpty ? ["-"] : files {
            let file = try ByteInput.read(path)
            let found = stream ? try records(in: file) : try pieces(of: file)
            guard !found.isEmpty else {
                throw failing(ExitStatus.dataDamaged, "\(file.name): there is no message in it")
            }
            messages += found
        }
        for message in messages {
            guard let first = message.bytes.first, SigCompHeader.isSigComp(firstByte: first) else {
                throw failing(
                    ExitStatus.dataDamaged, "\(message.name): not a SigComp message, which begins with f8 to ff")
            }
        }
        return messages
    }

    private func pieces(of file: ByteInput) throws -> [(name: String, bytes: [UInt8])] {
        try file.pieces(input).filter { !$0.bytes.isEmpty }.map { line, bytes in
            (line.map { "\(file.name):\($0)" } ?? file.name, bytes)
        }
    }

    private func records(in file: ByteInput) throws -> [(name: String, bytes: [UInt8])] {
        var deframer = RecordDeframer()
        deframer.append(try file.content(input))
        var messages: [(name: String, bytes: [UInt8])] = []
        do throws(RecordDeframer.Failure) {
            while let message = try deframer.next() {
                messages.append(("\(file.name)#\(messages.count + 1)", message))
            }
        } catch {
            let reason =
                switch error {
                case .framingError: "the record marking is broken (FRAMING_ERROR)"
                case .messageTooLong: "this is longer than any message"
                }
            throw failing(ExitStatus.dataDamaged, "\(file.name)#\(messages.count + 1): \(reason)")
        }
        guard deframer.bufferedCount == 0 else {
            throw failing(
                ExitStatus.dataDamaged, "\(file.name)#\(messages.count + 1): the last message has no end (ffff)")
        }
        return messages
    }
}
