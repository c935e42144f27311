/// What a message starts, for a program that may run in place of its bytecode.
public struct ProgramStart {
    /// The whole SigComp message.
    public let message: [UInt8]
    public let header: SigCompHeader
    /// The state that the header names; nil when the message uploads bytecode.
    public let state: StateItem?
    public let limits: UDVM.Limits
    /// For further states that the program accesses.
    public let states: StateStore

    /// The compressed data behind the header.
    public var input: ArraySlice<UInt8> { message[header.length...] }
    /// The uploaded bytecode; empty when a state is named.
    public var bytecode: ArraySlice<UInt8> {
        if case .bytecode(let range, _) = header.program { message[range] } else { [] }
    }
}

/// What a program has come to, exactly as the UDVM would have with its bytecode.
public struct ProgramResult: Equatable, Sendable {
    public var output: [UInt8]?
    public var cycles: Int
    public var requests: [StateRequest]
    public var requestedFeedback: RequestedFeedback?
    public var returnedParameters: ReturnedParameters?

    public init(
        output: [UInt8]?, cycles: Int, requests: [StateRequest] = [], requestedFeedback: RequestedFeedback? = nil,
        returnedParameters: ReturnedParameters? = nil
    ) {
        self.output = output
        self.cycles = cycles
        self.requests = requests
        self.requestedFeedback = requestedFeedback
        self.returnedParameters = returnedParameters
    }
}

/// A well-known program in native code. It must give what its bytecode gives: output, cycles, states and feedback.
public protocol NativeProgram {
    /// Runs the program in place of the bytecode; nil when the message starts another program, or when it would fail or come
    /// near a limit. The UDVM then runs the bytecode, so that failures are always the UDVM's own.
    func run(_ start: ProgramStart) -> ProgramResult?
}

/// The bytecode that passes a message on as it is (RFC 4896, section 11), for plain messages on a connection with SigComp.
public struct PassThroughProgram: NativeProgram {
    /// The header, without feedback, and the bytecode; the plain message follows.
    public static let prefix: [UInt8] = [
        0xF8, 0x00, 0xA1, 0x1C, 0x01, 0x86, 0x09, 0x22, 0x86, 0x01, 0x16, 0xF9, 0x23,
    ]
    private static let bytecode = prefix[3...]
    private static let destination = 128

    public init() {}

    public func run(_ start: ProgramStart) -> ProgramResult? {
        guard start.header.program == .bytecode(start.bytecode.indices, destination: Self.destination),
            start.bytecode.elementsEqual(Self.bytecode), start.input.count <= start.limits.outputLimit,
            // Behind the code, END-MESSAGE reads its operands from memory that is 0.
            start.limits.memorySize >= Self.destination + Self.bytecode.count + 7
        else { return nil }
        // INPUT-BYTES 2, OUTPUT 2, JUMP 1 for every byte; then INPUT-BYTES 2 and END-MESSAGE 1.
        return ProgramResult(
            output: start.input.isEmpty ? nil : Array(start.input), cycles: 5 * start.input.count + 3)
    }
}
