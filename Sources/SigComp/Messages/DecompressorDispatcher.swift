/// Takes SigComp messages from the transport and gives decompressed ones to the application (RFC 3320, section 4.2).
///
/// Use from one thread at a time.
public final class DecompressorDispatcher {
    /// How a message arrived; it decides how much memory the UDVM has (RFC 3320, section 7).
    public enum Transport: Sendable {
        /// In a datagram: the message itself counts against the decompression memory.
        case message
        /// From a stream, record marking removed: half of the decompression memory.
        case stream
    }

    public let parameters: SigCompParameters
    public let states: StateHandler
    /// The bytes that a message may decompress to.
    public let outputLimit: Int
    /// Programs that are run without the UDVM when a message starts them, tried in this order.
    public var nativePrograms: [any NativeProgram] = [PassThroughProgram()]
    private var machine: UDVM

    public init(parameters: SigCompParameters, limits: StateHandler.Limits = .init(), outputLimit: Int = 65_536) {
        self.parameters = parameters
        self.outputLimit = min(outputLimit, 65_536)
        states = StateHandler(stateMemorySize: parameters.stateMemorySize, limits: limits)
        machine = UDVM(states: states.store)
    }

    /// Decompresses one message, or reads the NACK that it is.
    ///
    /// - Parameter message: from the first byte, 11111xxx, to the end; without record marking.
    public func receive(_ message: [UInt8], over transport: Transport = .message) throws(DecompressionFailure)
        -> ReceivedSigComp
    {
        if SigCompHeader.isEmptyUpload(message) {
            guard let header = try? SigCompHeader(reading: message),
                case .bytecode(_, let destination) = header.program,
                destination == (Int(NegativeAcknowledgement.version) + 1) * 64,
                let nack = NegativeAcknowledgement(body: message[header.length...])
            else { throw failureOfEmptyUpload(message) }
            return .negativeAcknowledgement(nack)
        }
        return .message(try decompress(message, over: transport))
    }

    /// An upload of nothing executes a zero, DECOMPRESSION-FAILURE; it may be a NACK of another version, so it gets no answer.
    private func failureOfEmptyUpload(_ message: [UInt8]) -> DecompressionFailure {
        do throws(DecompressionFailureReason) {
            _ = try SigCompHeader(reading: message)
            return DecompressionFailure(.userRequested, isAnswerable: false)
        } catch {
            return DecompressionFailure(error, isAnswerable: false)
        }
    }

    /// Decompresses one message. Changes no state.
    ///
    /// - Parameter observe: for tools: is shown every instruction, which makes the run slow.
    public func decompress(
        _ message: [UInt8], over transport: Transport = .message, observing observe: ((ExecutionStep) -> Void)? = nil
    ) throws(DecompressionFailure) -> DecompressedMessage {
        let header: SigCompHeader
        do throws(DecompressionFailureReason) { header = try SigCompHeader(reading: message) } catch {
            let isSigComp = message.first.map(SigCompHeader.isSigComp) ?? false
            throw DecompressionFailure(error, isAnswerable: isSigComp)
        }
        let limits = try limits(for: message, over: transport)
        let program: ProgramResult
        do throws(DecompressionFailureReason) {
            let start = ProgramStart(
                message: message, header: header, state: try namedState(header), limits: limits, states: states.store)
            if observe == nil, let native = runNatively(start) {
                program = native
            } else {
                try run(start, observing: observe)
                program = ProgramResult(
                    output: machine.hasOutput ? machine.output : nil, cycles: machine.usedCycles,
                    requests: machine.requests, requestedFeedback: machine.requestedFeedback,
                    returnedParameters: machine.returnedParameters)
            }
        } catch {
            throw detailed(error)
        }
        var result = DecompressedMessage(
            output: program.output, cycles: program.cycles, compressedLength: message.count, requests: program.requests,
            requestedFeedback: program.requestedFeedback, returnedParameters: program.returnedParameters)
        if let item = header.returnedFeedbackItem { result.returnedFeedbackItem = Array(message[item]) }
        if case .state(let identifier) = header.program { result.programState = identifier }
        return result
    }

    /// Does what a message asks, once the application knows whose it is (RFC 3320, section 4.3), and tells which states were
    /// created or renewed.
    ///
    /// - Parameter instant: the time, in any unit that does not go back; for closing idle compartments.
    @discardableResult
    public func accept(_ message: DecompressedMessage, for identifier: CompartmentIdentifier, at instant: UInt64 = 0)
        -> [StateItem]
    {
        let compartment = states.openCompartment(identifier, at: instant)
        if let item = message.returnedFeedbackItem { compartment.returnedItem = item }
        if let requested = message.requestedFeedback {
            compartment.itemToReturn = requested.item
            compartment.isLocalStateDeclined = requested.declinesLocalState
            if requested.declinesState != compartment.isStateDeclined {
                compartment.isStateDeclined = requested.declinesState
                if requested.declinesState { states.freeAll(compartment) }
                compartment.stateMemorySize = requested.declinesState ? 0 : states.stateMemorySize
            }
        }
        if let returned = message.returnedParameters { note(returned, in: compartment) }
        return states.perform(message.requests, in: compartment)
    }

    private func note(_ returned: ReturnedParameters, in compartment: Compartment) {
        if returned.version != 0 { compartment.peerVersion = returned.version }
        let resources = UInt8(truncatingIfNeeded: returned.resources)
        let version = compartment.peerVersion ?? 1
        if let parameters = SigCompParameters(encoded: resources, version: version) {
            compartment.peerParameters = parameters
        } else if returned.version != 0 {
            compartment.peerParameters?.version = version
        }
        compartment.peerStates = returned.stateIdentifiers
    }

    /// The answer to a message that failed; nil when none may be sent.
    public func negativeAcknowledgement(of failure: DecompressionFailure, to message: [UInt8])
        -> NegativeAcknowledgement?
    {
        guard failure.isAnswerable, parameters.version >= 2 else { return nil }
        let zeros = [UInt8](repeating: 0, count: StateIdentifier.length)
        let hash = failure.reason == .framingError ? StateIdentifier(zeros) : states.store.hash.identifier(of: message)
        return hash.map { NegativeAcknowledgement(failure: failure, messageHash: $0) }
    }

    private func limits(for message: [UInt8], over transport: Transport) throws(DecompressionFailure) -> UDVM.Limits {
        let memory: Int
        switch transport {
        case .message: memory = parameters.decompressionMemorySize - message.count
        case .stream: memory = parameters.decompressionMemorySize / 2
        }
        guard memory > 0 else { throw DecompressionFailure(.bytecodesTooLarge, details: memoryDetails) }
        return UDVM.Limits(
            memorySize: memory, cyclesPerBit: parameters.cyclesPerBit, version: parameters.version,
            outputLimit: outputLimit)
    }

    /// The state that a header names; nil when it uploads bytecode.
    private func namedState(_ header: SigCompHeader) throws(DecompressionFailureReason) -> StateItem? {
        guard case .state(let identifier) = header.program else { return nil }
        machine.refer(to: identifier)
        return try states.store.access(identifier)
    }

    private func runNatively(_ start: ProgramStart) -> ProgramResult? {
        for program in nativePrograms {
            if let result = program.run(start) { return result }
        }
        return nil
    }

    private func run(_ start: ProgramStart, observing observe: ((ExecutionStep) -> Void)?)
        throws(DecompressionFailureReason)
    {
        switch (start.header.program, start.state) {
        case (.bytecode(let code, let destination), _):
            try machine.start(message: start.message, code: code, destination: destination, limits: start.limits)
        case (.state(let identifier), let state?):
            try machine.start(
                message: start.message, headerBytes: start.header.length, state: state,
                identifierLength: identifier.length, limits: start.limits)
        case (.state, nil): throw .stateNotFound
        }
        if let observe { try machine.run(observing: observe) } else { try machine.run() }
    }

    private func detailed(_ reason: DecompressionFailureReason) -> DecompressionFailure {
        var failure = machine.failure(reason)
        if reason == .bytecodesTooLarge { failure.details = memoryDetails }
        return failure
    }

    private var memoryDetails: [UInt8] {
        let size = UInt16(clamping: parameters.decompressionMemorySize)
        return [UInt8(size >> 8), UInt8(size & 0xFF)]
    }
}
