/// The compressing half of a compartment: the algorithm chosen for the peer, what is known of the peer, and the messages of
/// which it is not known yet whether they arrived.
final class PeerCompressor {
    /// What is taken for true as long as the peer has not announced anything else.
    var assumption: PeerKnowledge
    private let workshop: CompressionWorkshop
    private var compressor: (any MessageCompressor)?
    private var scheme: Int?
    /// What the compressor was made for.
    private var knowledge: PeerKnowledge?
    /// Counts the compressors: what comes back for an earlier one does not concern the present one.
    private var generation = 0
    private(set) var sent = SentMessages()
    private var lastSequence: UInt64 = 0
    /// Whether the peer has got our parameters.
    private var isAnnounced = false
    /// Whether the peer is known to store what we ask it to; only then is something sent over a stream taken for stored.
    private var hasConfirmed = false
    /// Failures that an algorithm itself must have caused.
    private var failures: [Int: Int] = [:]
    private var identifierLength = PartialStateIdentifier.lengths.lowerBound
    /// Dictionaries that the peer turned out not to have.
    private var lackingDictionaries: Set<StaticDictionary> = []
    /// What NACKs said of the peer's resources.
    private var cyclesPerBitLimit = Int.max
    private var memoryLimit = Int.max

    /// Messages that would have become larger, one after the other.
    private var uncompressedInARow = 0

    /// After so many messages too small to carry the bytecode, one may be larger than plain by this much, for those to come.
    private static let patience = 3
    private static let advance = 384
    /// After so many failures that only the algorithm explains, it is not used for this peer any more.
    private static let failureLimit = 2
    /// How often a message is compressed again after a refusal; after that it goes uncompressed, once.
    private static let refusalLimit = 2

    init(workshop: CompressionWorkshop) {
        self.workshop = workshop
        assumption = workshop.configuration.unknownPeer
    }

    /// What it keeps, in bytes.
    var memoryUse: Int {
        Self.fixedBytes + sent.records.count * Self.recordBytes + sent.plainBytes + (compressor?.memoryUse ?? 0)
    }
    private static let fixedBytes = 320
    private static let recordBytes = MemoryLayout<SentMessages.Record>.stride

    // MARK: Compressing

    /// A message on its way out.
    struct Sending {
        let message: CompressedMessage
        /// How it is found again; nil when nothing can come back about it.
        var record: SentMessages.Record?
        /// The records that were given up for its own.
        var given: [SentMessages.Record] = []
    }

    func compress(
        _ message: [UInt8], over transport: DecompressorDispatcher.Transport, in compartment: Compartment,
        refusals: Int = 0,
        isUncompressed: Bool = false
    ) -> Sending {
        lastSequence += 1
        let peer = chooseCompressor(for: compartment)
        let request = CompressionRequest(
            peer: peer, transport: transport, sequence: lastSequence, feedbackNumber: sent.nextFeedbackNumber(),
            returnedFeedback: compartment.itemToReturn,
            announcement: isAnnounced ? nil : workshop.announcement(to: compartment), states: workshop.states,
            compartment: compartment)
        guard !isUncompressed, message.count <= DecompressedOutput.capacity, let encoded = encode(message, for: request)
        else { return uncompressed(message, over: transport, refusals: refusals) }
        let result = CompressedMessage(
            bytes: encoded.bytes, form: .compressed(workshop.schemes[scheme ?? 0].algorithm), plainLength: message.count
        )
        guard let hash = workshop.states.store.hash.identifier(of: encoded.bytes) else {
            return Sending(message: result)
        }
        let record = SentMessages.Record(
            sequence: lastSequence, hash: hash, plain: message, transport: transport,
            feedbackNumber: encoded.requestsFeedback ? request.feedbackNumber : 0, announces: encoded.announces,
            generation: generation, refusals: refusals)
        if transport == .stream, hasConfirmed { compressor?.confirmed(lastSequence) }
        return Sending(message: result, record: record, given: keep(record))
    }

    private func encode(_ message: [UInt8], for request: CompressionRequest) -> EncodedMessage? {
        guard let compressor, let encoded = compressor.compress(message, for: request) else { return nil }
        let plain = request.transport == .message ? message.count : message.count + PassThroughProgram.prefix.count
        let advance = uncompressedInARow < Self.patience || !encoded.requestsFeedback ? 0 : Self.advance
        guard encoded.bytes.count < plain + max(advance, encoded.advance) else {
            compressor.refused(request.sequence, missing: nil)
            uncompressedInARow += 1
            return nil
        }
        uncompressedInARow = 0
        return encoded
    }

    private func uncompressed(_ message: [UInt8], over transport: DecompressorDispatcher.Transport, refusals: Int)
        -> Sending
    {
        guard transport == .stream, message.count <= DecompressedOutput.capacity else {
            return Sending(message: CompressedMessage(bytes: message, form: .plain, plainLength: message.count))
        }
        let bytes = PassThroughProgram.prefix + message
        let result = CompressedMessage(bytes: bytes, form: .passedThrough, plainLength: message.count)
        guard let hash = workshop.states.store.hash.identifier(of: bytes) else { return Sending(message: result) }
        let record = SentMessages.Record(
            sequence: lastSequence, hash: hash, plain: message, transport: transport, feedbackNumber: 0,
            announces: false,
            generation: nil, refusals: refusals)
        return Sending(message: result, record: record, given: keep(record))
    }

    private func keep(_ record: SentMessages.Record) -> [SentMessages.Record] {
        let configuration = workshop.configuration
        return sent.append(record, keeping: configuration.keptMessages, bytes: configuration.keptBytes)
    }

    // MARK: The choice of the algorithm

    /// Makes another compressor when what is known of the peer has changed, and gives what is known.
    @discardableResult
    func chooseCompressor(for compartment: Compartment) -> PeerKnowledge {
        var peer = workshop.knowledge(of: compartment, assuming: assumption)
        peer.parameters.cyclesPerBit = min(peer.parameters.cyclesPerBit, cyclesPerBitLimit)
        peer.parameters.decompressionMemorySize = min(peer.parameters.decompressionMemorySize, memoryLimit)
        peer.dictionaries.subtract(lackingDictionaries)
        if peer != knowledge { makeCompressor(for: peer) }
        peer.identifierLength = identifierLength
        return peer
    }

    private func makeCompressor(for peer: PeerKnowledge) {
        knowledge = peer
        let present = (compressor, scheme)
        compressor = nil
        scheme = nil
        for (index, candidate) in workshop.schemes.enumerated() where failures[index, default: 0] < Self.failureLimit {
            if index == present.1, let present = present.0, present.suits(peer) {
                (compressor, scheme) = (present, index)
                return
            }
            guard let made = candidate.makeCompressor(for: peer) else { continue }
            compressor = made
            scheme = index
            generation += 1
            return
        }
    }

    // MARK: What comes back

    /// A message of the peer was accepted. Gives the records that need not be kept any more.
    func accepted(_ message: DecompressedMessage, created: [StateItem], in compartment: Compartment)
        -> [SentMessages.Record]
    {
        var settled: [SentMessages.Record] = []
        // What the message has announced may call for another compressor, which is to know what the message has made.
        chooseCompressor(for: compartment)
        if let item = message.returnedFeedbackItem, item.count == 1, let record = sent.returned(item[0]) {
            settled.append(record)
            confirm(record)
        }
        for sequence in compressor?.accepted(message, created: created, in: compartment) ?? [] {
            guard let record = sent.remove(sequence: sequence) else { continue }
            settled.append(record)
            note(record)
        }
        for record in sent.silence() {
            settled.append(record)
            if record.generation == generation { compressor?.presumedLost(record.sequence) }
        }
        return settled
    }

    private func confirm(_ record: SentMessages.Record) {
        note(record)
        if record.generation == generation { compressor?.confirmed(record.sequence) }
    }

    private func note(_ record: SentMessages.Record) {
        hasConfirmed = true
        if record.announces { isAnnounced = true }
    }

    /// How the message that a NACK is about is to go out again.
    enum Repetition {
        case compressed, uncompressed, none
    }

    /// A NACK came for a message: adjusts what is known of the peer (RFC 4077, sections 2.3 and 3.2).
    func refused(_ record: SentMessages.Record, _ failure: NegativeAcknowledgement) -> Repetition {
        let missing = failure.stateIdentifier
        let details = failure.failure.details
        var repetition = record.refusals + 1 < Self.refusalLimit ? Repetition.compressed : .uncompressed
        switch failure.failure.reason {
        case .stateNotFound, .stateTooShort:
            refuse(record, missing: missing)
            isAnnounced = false
            hasConfirmed = false
            if let dictionary = missing.flatMap(workshop.dictionary) { lackingDictionaries.insert(dictionary) }
        case .idNotUnique:
            refuse(record, missing: identifierLength < 12 ? nil : missing)
            identifierLength = min(12, identifierLength + 3)
        case .cyclesExhausted:
            refuse(record, missing: nil)
            let cycles = details.first.map(Int.init) ?? 0
            if cycles >= 16, cycles < knowledge?.parameters.cyclesPerBit ?? 0 {
                cyclesPerBitLimit = min(cyclesPerBitLimit, cycles)
            } else {
                blame(record)
                repetition = .uncompressed
            }
        case .bytecodesTooLarge:
            refuse(record, missing: nil)
            let memory = details.reduce(0) { $0 << 8 | Int($1) }
            if memory >= 2_048, memory < knowledge?.parameters.decompressionMemorySize ?? 0 {
                memoryLimit = min(memoryLimit, memory)
            } else {
                blame(record)
                repetition = .uncompressed
            }
        case .outputOverflow:
            refuse(record, missing: nil)
            repetition = record.transport == .message ? .uncompressed : .none
        case .framingError, .messageTooShort:
            refuse(record, missing: nil)
        case .userRequested, .segfault, .tooManyStateRequests, .invalidStateIDLength, .invalidStatePriority,
            .stackUnderflow, .badInputBitOrder, .divisionByZero, .switchValueTooHigh, .tooManyBitsRequested,
            .invalidOperand, .huffmanNoMatch, .invalidCodeLocation, .invalidOpcode, .invalidStateProbe,
            .multiloadOverwritten, .internalError:
            refuse(record, missing: nil)
            blame(record)
            repetition = .uncompressed
        }
        return record.refusals >= Self.refusalLimit ? .none : repetition
    }

    private func refuse(_ record: SentMessages.Record, missing: PartialStateIdentifier?) {
        if record.generation == generation { compressor?.refused(record.sequence, missing: missing) }
    }

    private func blame(_ record: SentMessages.Record) {
        guard record.generation == generation, let scheme else { return }
        failures[scheme, default: 0] += 1
        // Chosen anew with the next message.
        if failures[scheme, default: 0] >= Self.failureLimit { knowledge = nil }
    }

    /// Takes out the message that a NACK is about.
    func takeSent(hash: StateIdentifier) -> SentMessages.Record? { sent.remove(hash: hash) }

}
