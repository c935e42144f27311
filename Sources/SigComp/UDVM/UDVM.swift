/// The Universal Decompressor Virtual Machine (RFC 3320, sections 8 and 9, as corrected by RFC 4896).
///
/// A machine is started for one message, runs until the message ends or fails, and may then be started for the next; the
/// memory is cleared between. It stores nothing: what the bytecode asks to be stored is found in ``requests``.
public struct UDVM: ~Copyable {
    /// The addresses of the registers (RFC 3320, figure 7).
    enum Register {
        static let byteCopyLeft = 64
        static let byteCopyRight = 66
        static let inputBitOrder = 68
        static let stackLocation = 70
    }

    /// What limits one run.
    public struct Limits: Sendable {
        /// The bytes of memory, at most 65536.
        public var memorySize: Int
        /// 16, 32, 64 or 128.
        public var cyclesPerBit: Int
        public var version: UInt8
        /// The bytes that a message may decompress to; RFC 3320 allows 65536.
        public var outputLimit: Int

        public init(memorySize: Int, cyclesPerBit: Int, version: UInt8 = 2, outputLimit: Int = 65_536) {
            self.memorySize = memorySize
            self.cyclesPerBit = cyclesPerBit
            self.version = version
            self.outputLimit = outputLimit
        }
    }

    var memory = UDVMMemory()
    /// Where the next byte of bytecode is read; between two instructions, the program counter.
    var cursor = 0
    /// The address of the instruction that is being executed.
    var instructionAddress = 0
    /// The instruction that is being executed; 0 before the first.
    var currentOpcode = 0
    var remainingCycles = 0
    var grantedCycles = 0
    var cyclesPerBit = 16
    var outputLimit = 65_536
    var input = CompressedInput()
    var gathered = DecompressedOutput()
    var huffmanCache = HuffmanCache()
    /// The identifier of the state that could not be accessed, for the NACK.
    var failedIdentifier: PartialStateIdentifier?
    let states: StateStore

    /// What OUTPUT has given so far.
    public var output: [UInt8] { gathered.array }
    /// The bytes of ``output``.
    public var outputCount: Int { gathered.count }
    /// Whether OUTPUT was executed at all: an empty message is not the same as none (RFC 3320, section 9.4.8).
    public internal(set) var hasOutput = false
    /// Whether END-MESSAGE was executed.
    public internal(set) var hasEnded = false
    /// What STATE-CREATE and STATE-FREE asked for, as operands; END-MESSAGE turns them into ``requests``.
    var pendingRequests: [PendingStateRequest] = []
    /// The states to create and free, in the order in which they were asked for. Complete after END-MESSAGE.
    public internal(set) var requests: [StateRequest] = []
    public internal(set) var requestedFeedback: RequestedFeedback?
    public internal(set) var returnedParameters: ReturnedParameters?

    /// A machine whose STATE-ACCESS finds what is in `states`.
    public init(states: StateStore) {
        self.states = states
    }

    /// The cycles that the instructions executed so far have cost.
    public var usedCycles: Int { grantedCycles - remainingCycles }
    /// The cycles that may still be used.
    public var availableCycles: Int { remainingCycles }
    /// The address of the next instruction.
    public var programCounter: Int { cursor }

    /// Prepares the machine for a message that uploads its bytecode (RFC 3320, section 7.3).
    ///
    /// - Parameters:
    ///   - message: the whole SigComp message.
    ///   - code: where the bytecode lies in it; what follows is the compressed input.
    ///   - destination: the address at which the bytecode is placed and begun.
    public mutating func start(message: [UInt8], code: Range<Int>, destination: Int, limits: Limits)
        throws(DecompressionFailureReason)
    {
        prepare(message: message, headerBytes: code.upperBound, limits: limits)
        guard destination + code.count <= memory.size else { throw .bytecodesTooLarge }
        try write(message[code], at: destination)
        try writeUsefulValues(limits, identifierLength: 0, stateLength: 0)
        cursor = destination
    }

    /// Prepares the machine for a message that begins with a stored state (RFC 3320, section 7.2).
    ///
    /// - Parameters:
    ///   - headerBytes: where the compressed input begins in the message.
    ///   - identifierLength: the bytes of the partial state identifier in the header.
    public mutating func start(
        message: [UInt8], headerBytes: Int, state: StateItem, identifierLength: Int, limits: Limits
    ) throws(DecompressionFailureReason) {
        prepare(message: message, headerBytes: headerBytes, limits: limits)
        try write(state.value[...], at: Int(state.address))
        try writeUsefulValues(limits, identifierLength: identifierLength, stateLength: state.value.count)
        cursor = Int(state.instruction)
    }

    /// Notes the state that a header names, before it is looked up: a NACK tells it when that fails.
    mutating func refer(to identifier: PartialStateIdentifier) {
        instructionAddress = 0
        currentOpcode = 0
        failedIdentifier = identifier
    }

    private mutating func prepare(message: [UInt8], headerBytes: Int, limits: Limits) {
        memory.reset(size: limits.memorySize)
        input.reset(message: message, from: headerBytes)
        cyclesPerBit = limits.cyclesPerBit
        outputLimit = min(limits.outputLimit, DecompressedOutput.capacity)
        remainingCycles = (1_000 + 8 * headerBytes) * cyclesPerBit
        grantedCycles = remainingCycles
        instructionAddress = 0
        currentOpcode = 0
        failedIdentifier = nil
        gathered.reset()
        hasOutput = false
        hasEnded = false
        pendingRequests.removeAll(keepingCapacity: true)
        requests = []
        requestedFeedback = nil
        returnedParameters = nil
    }

    /// The first 32 bytes (RFC 3320, figure 5); they overwrite what a state has put there.
    private mutating func writeUsefulValues(_ limits: Limits, identifierLength: Int, stateLength: Int)
        throws(DecompressionFailureReason)
    {
        let values = [memory.size & 0xFFFF, limits.cyclesPerBit, Int(limits.version), identifierLength, stateLength]
        for index in 0..<16 {
            try memory.setWord(index < values.count ? values[index] : 0, at: 2 * index)
        }
    }

    /// Executes instructions until the message has ended.
    public mutating func run() throws(DecompressionFailureReason) {
        while !hasEnded { try step() }
    }

    /// Takes cycles for an instruction, before it has any effect.
    @inline(__always)
    mutating func charge(_ cycles: Int) throws(DecompressionFailureReason) {
        guard cycles <= remainingCycles else { throw .cyclesExhausted }
        remainingCycles &-= cycles
    }

    /// Grants cycles for input that an instruction has received (RFC 3320, section 8.6).
    @inline(__always)
    mutating func grant(bits: Int) {
        remainingCycles &+= bits &* cyclesPerBit
        grantedCycles &+= bits &* cyclesPerBit
    }

    @inline(__always)
    mutating func continueExecution(at address: Int) throws(DecompressionFailureReason) {
        guard address < memory.size else { throw .segfault }
        cursor = address
    }

    /// What a NACK tells about a failure of this run.
    func failure(_ reason: DecompressionFailureReason) -> DecompressionFailure {
        var details: [UInt8] = []
        switch reason {
        case .stateNotFound, .idNotUnique, .stateTooShort: details = failedIdentifier?.bytes ?? []
        case .cyclesExhausted: details = [UInt8(truncatingIfNeeded: cyclesPerBit)]
        default: break
        }
        return DecompressionFailure(
            reason, opcode: UInt8(truncatingIfNeeded: currentOpcode),
            programCounter: UInt16(truncatingIfNeeded: instructionAddress), details: details)
    }

    /// The memory, as far as the present message may use it.
    public func memoryContents() -> [UInt8] {
        var contents: [UInt8] = []
        try? memory.withBytes(at: 0, count: memory.size) { contents.append(contentsOf: $0) }
        return contents
    }
}
