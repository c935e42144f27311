/// One peer's history: which head the next message rests on, and which of ours are under way.
///
/// A message may rest on a head that the peer has named, or has made by sending. As long as a head of ours is not known to have
/// arrived, further messages make none.
final class AlignedRangeCompressor: MessageCompressor {
    private struct Made {
        let sequence: UInt64
        let identifier: StateIdentifier
    }

    private let encoder: AlignedRangeEncoder
    /// Serves as long as it is not known whether the peer shares. What it has made is given up before anything of ours.
    private var starter: (any MessageCompressor)?
    /// What the starter was made for.
    private let starterParameters: SigCompParameters
    /// Serves without states for messages that the program cannot carry.
    private let substitute: (any MessageCompressor)?
    private var reference: StateIdentifier?
    /// The peer's last message before there was a head: a history begun by us begins with it.
    private var introduction: [UInt8]?
    /// States of our messages that may introduce a history of the peer's, the latest last.
    private var introductions: [StateIdentifier] = []
    /// Heads of ours that the peer has not referred to yet, the latest last.
    private var underWay: [Made] = []
    /// Where heads and slots are kept; known from the first message on.
    private weak var compartment: Compartment?
    private weak var states: StateHandler?

    private static let underWayLimit = 2

    init(
        encoder: AlignedRangeEncoder, starter: (any MessageCompressor)?, for parameters: SigCompParameters,
        substitute: (any MessageCompressor)?
    ) {
        self.encoder = encoder
        starterParameters = parameters
        self.starter = starter
        self.substitute = substitute
    }

    var memoryUse: Int { underWay.count * MemoryLayout<Made>.stride + (starter?.memoryUse ?? 0) }

    func suits(_ peer: PeerKnowledge) -> Bool {
        if peer.isSharing { return AlignedRangeLayout.fitting(peer.parameters) == encoder.machine.layout }
        return !peer.hasAnnounced && peer.parameters == starterParameters
    }

    func compress(_ message: [UInt8], for request: CompressionRequest) -> EncodedMessage? {
        compartment = request.compartment
        states = request.states
        guard request.peer.isSharing else {
            let started = starter?.compress(message, for: request)
            if started != nil { introduce(message, request.states, in: request.compartment) }
            return started
        }
        starter = nil
        return encode(message, for: request) ?? substitute?.compress(message, for: request)
    }

    private func encode(_ message: [UInt8], for request: CompressionRequest) -> EncodedMessage? {
        let machine = encoder.machine
        let head = reference.flatMap { request.states.store.item($0) }
        let program = machine.program
        let introduced =
            head == nil
            ? introduction.flatMap {
                introduce($0, request.states, in: request.compartment)
            } : nil
        let upload = program.bytecode(introduction: introduced)
        guard request.memorySize(messageLength: message.count + upload.count) >= program.memorySize,
            let builder = head.map({ request.header(state: $0.identifier) })
                ?? SigCompMessageBuilder(
                    bytecode: upload, destination: program.program.start, feedback: request.returnedFeedback)
        else { return nil }
        let parameters = request.peer.parameters
        let budget = AlignedRangeEncoder.Budget(
            initial: (1_000 + 8 * builder.bytes.count) * parameters.cyclesPerBit, cyclesPerBit: parameters.cyclesPerBit)
        let lacking = StaticDictionary.allCases.filter { !request.peer.dictionaries.contains($0) }.compactMap {
            $0.item(hash: request.states.store.hash).map { Array($0.identifier.bytes.prefix(6)) }
        }
        for leavesHead in [underWay.count < Self.underWayLimit, false] {
            if let head {
                guard machine.load(head) else { return nil }
            } else {
                machine.boot(introduction: upload.suffix(AlignedRangeProgram.identifierLength))
            }
            let result = encoder.encode(
                message, leavesHead: leavesHead, announcement: request.announcement, budget: budget,
                states: request.states.store, lacking: lacking)
            guard let result else {
                if leavesHead { continue }
                return nil
            }
            var encoded = builder
            encoded.append(result.data)
            note(result.requests, isFirst: head == nil, request)
            return EncodedMessage(
                bytes: encoded.bytes, announces: request.announcement != nil,
                advance: head == nil && leavesHead ? upload.count : 0)
        }
        return nil
    }

    /// Makes here what the message makes at the peer, so that the peer can refer to it.
    private func note(_ requests: [StateRequest], isFirst: Bool, _ request: CompressionRequest) {
        guard !requests.isEmpty else { return }
        if isFirst { freeSlots(in: request.compartment, request.states) }
        let created = request.states.perform(requests, in: request.compartment)
        guard let head = created.last, isHead(head) else { return }
        underWay.append(Made(sequence: request.sequence, identifier: head.identifier))
    }

    /// Makes a message a state, as the other end does that has it too (RFC 3321, section 5.2).
    @discardableResult
    private func introduce(_ message: [UInt8], _ states: StateHandler, in compartment: Compartment) -> StateIdentifier?
    {
        let size = encoder.machine.layout.slotSize
        let text = message.prefix(size)
        let creation = StateCreation(
            address: UInt16(encoder.machine.program.tail), instruction: 0, minimumAccessLength: 6,
            priority: UInt16(AlignedRangeLayout.slotPriority),
            value: text + [UInt8](repeating: 0, count: size - text.count))
        guard let item = states.perform([.create(creation)], in: compartment).first else { return nil }
        introductions.removeAll { $0 == item.identifier }
        introductions.append(item.identifier)
        if introductions.count > Self.introductionLimit {
            if let old = states.store.item(introductions.removeFirst()) { states.free(old, in: compartment) }
        }
        return item.identifier
    }

    private static let introductionLimit = 2

    private func isHead(_ item: StateItem) -> Bool {
        Int(item.address) == encoder.machine.program.block
            && Int(item.instruction) == encoder.machine.program.instruction
    }

    /// An upload begins a new history: the slots of the one before would be in the way.
    private func freeSlots(in compartment: Compartment, _ states: StateHandler) {
        let program = encoder.machine.program
        for item in compartment.states
        where Int(item.address) == program.tail && item.value.count == program.layout.slotSize
            && !introductions.contains(item.identifier)
        {
            states.free(item, in: compartment)
        }
    }

    func confirmed(_ sequence: UInt64) {
        starter?.confirmed(sequence)
        guard let index = underWay.firstIndex(where: { $0.sequence == sequence }) else { return }
        reference = underWay[index].identifier
        underWay.removeFirst(index + 1)
    }

    func presumedLost(_ sequence: UInt64) {
        starter?.presumedLost(sequence)
        underWay.removeAll { $0.sequence == sequence }
    }

    func refused(_ sequence: UInt64, missing: PartialStateIdentifier?) {
        starter?.refused(sequence, missing: missing)
        for made in underWay where made.sequence == sequence {
            guard let item = states?.store.item(made.identifier), let compartment else { continue }
            states?.free(item, in: compartment)
        }
        underWay.removeAll { $0.sequence == sequence }
        guard missing != nil else { return }
        // What rests on something that the peer lacks is of no use, and must not be found by whoever comes after.
        reference = nil
        underWay = []
        introduction = nil
        introductions = []
        guard let compartment, let states else { return }
        freeSlots(in: compartment, states)
        for item in compartment.states where isHead(item) { states.free(item, in: compartment) }
    }

    func accepted(_ message: DecompressedMessage, created: [StateItem], in compartment: Compartment) -> [UInt64] {
        var shown: [UInt64] = []
        if let named = message.programState, let made = underWay.last(where: { named.matches($0.identifier) }) {
            shown = [made.sequence]
            confirmed(made.sequence)
        }
        if let head = created.last, isHead(head) {
            if message.programState == nil, let states { freeSlots(in: compartment, states) }
            reference = head.identifier
            underWay.removeAll()
            introduction = nil
        } else if reference == nil {
            introduction = message.output
        }
        return shown
    }
}
