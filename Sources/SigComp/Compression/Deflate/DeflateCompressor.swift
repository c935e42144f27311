/// DEFLATE for all peers: the programs, one for each size of window, and zlib's working memory.
final class DeflateScheme: CompressionScheme {
    let algorithm = CompressionAlgorithm.deflate
    let hash: StateHash
    let deflate = RawDeflate()
    private var programs: [Layout: DeflateProgram] = [:]

    private struct Layout: Hashable {
        let windowEnd: Int
        let hasDictionary: Bool
    }

    init(hash: StateHash) {
        self.hash = hash
    }

    /// The states that must find room in the peer's memory together: the one that is referred to, and two under way.
    private static let statesAtOnce = 3
    /// Saving a state costs a cycle a byte; this share of what the shortest message may cost is left to it.
    private static let savingCycles = 500

    /// With a smaller window the tables take up too much of it.
    private static let leastWindowEnd = 8_192
    /// With a larger one a compartment of 65536 bytes of state memory has more than 100 KB in all.
    private static let greatestWindowEnd = 18_432

    func makeCompressor(for peer: PeerKnowledge) -> (any MessageCompressor)? {
        let parameters = peer.parameters
        let state = min(
            parameters.stateMemorySize / Self.statesAtOnce - StateItem.overhead,
            Self.savingCycles * parameters.cyclesPerBit)
        // A window that fits a stream, which has half of the memory, serves datagrams as well.
        let windowEnd = min(
            DeflateProgram.stateStart + state, parameters.decompressionMemorySize / 2, Self.greatestWindowEnd)
        guard windowEnd >= Self.leastWindowEnd else { return nil }
        let layout = Layout(windowEnd: windowEnd, hasDictionary: peer.dictionaries.contains(.session))
        guard
            let program = programs[layout] ?? DeflateProgram(windowEnd: windowEnd, hasDictionary: layout.hasDictionary)
        else { return nil }
        programs[layout] = program
        return DeflateCompressor(scheme: self, program: program, stateMemory: parameters.stateMemorySize)
    }
}

/// Dynamic compression (RFC 3321, section 4.1) by DEFLATE: every message makes a state of the window with the message in it,
/// and refers to the latest that the peer is known to have.
final class DeflateCompressor: MessageCompressor {
    private let scheme: DeflateScheme
    private let program: DeflateProgram
    /// The window of the state that is referred to; before there is one, that of an upload.
    private var window: DeflateWindow
    private var ledger: StateLedger
    /// What was sent upon the present window and is not confirmed.
    private var pending: [(sequence: UInt64, message: [UInt8])] = []

    init(scheme: DeflateScheme, program: DeflateProgram, stateMemory: Int) {
        self.scheme = scheme
        self.program = program
        window = DeflateWindow(size: program.windowSize, preset: program.preset)
        ledger = StateLedger(capacity: stateMemory)
    }

    var memoryUse: Int {
        window.bytes.count + pending.reduce(0) { $0 + $1.message.count }
            + ledger.entries.count * MemoryLayout<StateLedger.Entry>.stride
    }

    func compress(_ message: [UInt8], for request: CompressionRequest) -> EncodedMessage? {
        guard let data = deflated(message), let cost = DeflateCost(data),
            var encoded = ledger.reference.map({ request.header(state: $0) })
                ?? program.program.message(feedback: request.returnedFeedback)
        else { return nil }
        let headerLength = encoded.bytes.count
        let presetLength = ledger.hasReference ? nil : program.preset.count
        let announcement = request.announcement
        func fits(_ stateLength: Int) -> Bool {
            cost.fits(
                cyclesPerBit: request.peer.parameters.cyclesPerBit, headerLength: headerLength,
                presetLength: presetLength,
                announcementLength: announcement?.count ?? 0, stateLength: stateLength)
        }
        var state = stateAfter(message)
        if let made = state, !ledger.hasRoom(for: made.count + StateItem.overhead) || !fits(made.count) { state = nil }
        guard state != nil || fits(0) else { return nil }
        encoded.append([(state == nil ? 0 : request.feedbackNumber) | (announcement == nil ? 0 : 0x80)])
        if let announcement { encoded.append([UInt8(announcement.count)] + announcement) }
        encoded.append(data[..<cost.length])
        guard request.memorySize(messageLength: encoded.bytes.count) >= program.windowStart + program.windowSize else {
            return nil
        }
        if let state { note(state, of: message, request.sequence) }
        return EncodedMessage(bytes: encoded.bytes, announces: announcement != nil, requestsFeedback: state != nil)
    }

    /// What zlib makes of a message after the window, no distance longer than the peer's window.
    private func deflated(_ message: [UInt8]) -> [UInt8]? {
        if 2 * message.count <= program.windowSize {
            let reach = program.windowSize - message.count
            return scheme.deflate.compress(message, after: window.latest(reach), windowBits: 15)
        }
        let bits = Int32(Int.bitWidth - 1 - program.windowSize.leadingZeroBitCount)
        return scheme.deflate.compress(message, after: window.latest(program.windowSize), windowBits: bits)
    }

    /// The value of the state that the peer makes with a message; nil when none can be made.
    private func stateAfter(_ message: [UInt8]) -> [UInt8]? {
        guard !message.isEmpty, message.count <= program.windowSize / Self.messageShare else { return nil }
        var window = window
        window.append(message)
        let start = program.windowStart
        return program.prefix(pointer: start + window.end, filledEnd: start + window.bytes.count) + window.bytes
    }

    /// Larger messages are kept out of the window: they would push out all else, and must be kept until they are confirmed.
    private static let messageShare = 4

    private func note(_ state: [UInt8], of message: [UInt8], _ sequence: UInt64) {
        let identifier = scheme.hash.identifier(
            address: UInt16(DeflateProgram.stateStart), instruction: UInt16(program.instruction),
            minimumAccessLength: 6,
            value: state[...])
        guard let identifier else { return }
        ledger.append(.init(sequence: sequence, identifier: identifier, cost: state.count + StateItem.overhead))
        pending.append((sequence, message))
    }

    func confirmed(_ sequence: UInt64) {
        guard let made = pending.first(where: { $0.sequence == sequence }) else { return }
        window.append(made.message)
        ledger.refer(to: sequence)
        // The others rest on the window before: they take up memory at the peer, but are of no use.
        pending = []
    }

    func presumedLost(_ sequence: UInt64) {
        pending.removeAll { $0.sequence == sequence }
        ledger.drop(sequence)
    }

    func refused(_ sequence: UInt64, missing: PartialStateIdentifier?) {
        let isDoubtful = missing.map { ledger.isDoubtful(afterRefusing: sequence, missing: $0) } ?? false
        presumedLost(sequence)
        guard isDoubtful else { return }
        ledger.clear()
        pending = []
        window = DeflateWindow(size: program.windowSize, preset: program.preset)
    }
}
