/// ``CompressionAlgorithm/compact`` for all peers: the programs, one for each layout, and the index of the dictionary.
final class CompactScheme: CompressionScheme {
    let algorithm = CompressionAlgorithm.compact
    let hash: StateHash
    let parser = CompactParser()
    private var programs: [Layout: CompactProgram] = [:]

    private struct Layout: Hashable {
        let ringEnd: Int
        let textLength: Int
    }

    init(hash: StateHash) {
        self.hash = hash
    }

    /// The distances have no codes for more.
    private static let ringEndLimit = 5_120
    /// The program and its loader have fewer bytes.
    private static let codeReserve = 280
    /// What the ring must have besides the text, for a message to find most of itself there.
    private static let messageRoom = 1_400

    func program(ringEnd: Int, textLength: Int) -> CompactProgram? {
        let layout = Layout(ringEnd: ringEnd, textLength: textLength)
        let program = programs[layout] ?? CompactProgram(ringEnd: ringEnd, textLength: textLength, hash: hash)
        programs[layout] = program
        return program
    }

    func makeCompressor(for peer: PeerKnowledge) -> (any MessageCompressor)? {
        guard peer.dictionaries.contains(.session) else { return nil }
        // A ring that fits a stream, which has half of the memory, serves datagrams as well.
        let ringEnd = min(peer.parameters.decompressionMemorySize / 2, Self.ringEndLimit)
        let memory = peer.parameters.stateMemorySize
        // The program, the text that is referred to, and one under way.
        let texts =
            (memory - Self.codeReserve - StateItem.overhead) / 2 - StateItem.overhead - CompactProgram.loaderLength
        let room = ringEnd - CompactProgram.codeAddress - Self.codeReserve - Self.messageRoom
        let textLength = max(0, min(texts, room))
        guard let program = program(ringEnd: ringEnd, textLength: textLength) else { return nil }
        return CompactCompressor(scheme: self, program: program, stateMemory: memory)
    }
}

/// Dynamic compression (RFC 3321, section 4.1) for small peers: a message that makes a state makes one of the last bytes worth
/// keeping, and messages refer to the latest such text that the peer is known to have.
final class CompactCompressor: MessageCompressor {
    private let scheme: CompactScheme
    private let program: CompactProgram
    /// The text that is referred to; empty before there is one.
    private var text: [UInt8] = []
    private var pending: [(sequence: UInt64, text: [UInt8])] = []
    /// The texts only; the program is made with each of them, and its memory set apart.
    private var ledger: StateLedger

    init(scheme: CompactScheme, program: CompactProgram, stateMemory: Int) {
        self.scheme = scheme
        self.program = program
        ledger = StateLedger(capacity: stateMemory - program.code.count - StateItem.overhead)
    }

    var memoryUse: Int {
        text.count + pending.reduce(0) { $0 + $1.text.count }
            + ledger.entries.count * MemoryLayout<StateLedger.Entry>.stride
    }

    func compress(_ message: [UInt8], for request: CompressionRequest) -> EncodedMessage? {
        var draft = CompactDraft(program: program, request: request, reference: ledger.reference)
        draft?.write(scheme.parser.tokens(of: message, after: history, reach: program.ringSize - 1))
        guard let draft, draft.fits else { return compressAlone(message, for: request) }
        guard program.textLength > 0, isWorthKeeping(message, as: draft), ledger.hasRoom(for: textCost), draft.fitsState
        else { return draft.message(nil) }
        let next = nextText(after: message)
        note(next.text, request.sequence)
        return draft.message(next.start)
    }

    /// Room for a state under way is scarce. What compresses well is known already: the room is left to the next message.
    private func isWorthKeeping(_ message: [UInt8], as draft: CompactDraft) -> Bool {
        !ledger.hasReference || Self.noveltyDivisor * draft.payload > message.count
    }

    private static let noveltyDivisor = 3

    /// A message so large that it leaves the peer too little memory for the ring: with a small ring, without state.
    private func compressAlone(_ message: [UInt8], for request: CompressionRequest) -> EncodedMessage? {
        guard program.ringEnd > Self.smallRingEnd,
            let program = scheme.program(ringEnd: Self.smallRingEnd, textLength: 0)
        else { return nil }
        var draft = CompactDraft(program: program, request: request, reference: nil)
        draft?.write(scheme.parser.tokens(of: message, after: [], reach: program.ringSize - 1))
        return draft.flatMap { $0.fits ? $0.message(nil) : nil }
    }

    private static let smallRingEnd = 2_560

    /// What stands in the ring before the message: a text always has its full length.
    private var history: [UInt8] {
        text.isEmpty ? [UInt8](repeating: 0, count: program.textLength) : text
    }

    private var textCost: Int { program.loader.count + program.textLength + StateItem.overhead }
    /// The bytes to keep, and the address at which they lie after the message. Of a message that is longer than a text, its
    /// beginning: that has the most that the next one may repeat.
    private func nextText(after message: [UInt8]) -> (start: Int, text: [UInt8]) {
        let length = program.textLength
        var ring = history + [UInt8](repeating: 0, count: program.ringSize - length)
        let first = max(0, message.count - program.ringSize)
        for (index, byte) in message[first...].enumerated() {
            ring[(length + first + index) % program.ringSize] = byte
        }
        let end = (length + message.count) % program.ringSize
        let offset: Int
        if length + message.count <= program.ringSize {
            offset = min(length, message.count)
        } else {
            offset = end >= length ? end - length : program.ringSize - length
        }
        return (program.ringStart + offset, Array(ring[offset..<offset + length]))
    }

    private func note(_ text: [UInt8], _ sequence: UInt64) {
        let value = program.loader + text
        let address = UInt16(program.loaderAddress)
        let identifier = scheme.hash.identifier(
            address: address, instruction: address, minimumAccessLength: 6, value: value[...])
        guard let identifier else { return }
        ledger.append(.init(sequence: sequence, identifier: identifier, cost: value.count + StateItem.overhead))
        pending.append((sequence, text))
    }

    func confirmed(_ sequence: UInt64) {
        guard let index = pending.firstIndex(where: { $0.sequence == sequence }) else { return }
        text = pending[index].text
        pending.removeSubrange(...index)
        ledger.refer(to: sequence)
    }

    func presumedLost(_ sequence: UInt64) {
        pending.removeAll { $0.sequence == sequence }
        ledger.drop(sequence)
    }

    func refused(_ sequence: UInt64, missing: PartialStateIdentifier?) {
        let isDoubtful = missing.map {
            $0.matches(program.identifier) || ledger.isDoubtful(afterRefusing: sequence, missing: $0)
        }
        presumedLost(sequence)
        guard isDoubtful == true else { return }
        ledger.clear()
        pending = []
        text = []
    }
}
