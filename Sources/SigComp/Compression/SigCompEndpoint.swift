/// One end of SigComp: decompresses what comes, compresses what goes, with both ends of a peer in one ``Compartment``
/// (RFC 3320, section 4; RFC 3321; RFC 4077).
///
/// The application names compartments, by SIP/SigComp identifier for SIP (RFC 5049, section 9.1), and gives the time, in any
/// unit that does not go back. Use from one thread at a time.
///
/// ```
/// switch try endpoint.receive(bytes, over: .message) {
/// case .message(let message):                  // nothing is stored yet
///     ... parse message.output, authenticate, find the sender's compartment
///     endpoint.accept(message, for: compartment, at: now)
/// case .negativeAcknowledgement(let nack):
///     if let outcome = endpoint.received(nack, at: now), let again = outcome.again { send(again.bytes) }
/// }
/// ```
public final class SigCompEndpoint {
    public let configuration: SigCompConfiguration
    public let dispatcher: DecompressorDispatcher
    public private(set) var counters = SigCompCounters()
    let workshop: CompressionWorkshop
    /// The compartments by the hashes of the messages sent to them that are not settled yet.
    private var sent: [StateIdentifier: CompartmentIdentifier] = [:]

    public init(configuration: SigCompConfiguration) {
        self.configuration = configuration
        dispatcher = DecompressorDispatcher(
            parameters: configuration.parameters, limits: configuration.limits, outputLimit: configuration.outputLimit)
        for dictionary in StaticDictionary.allCases where configuration.dictionaries.contains(dictionary) {
            dispatcher.states.add(dictionary)
        }
        workshop = CompressionWorkshop(configuration: configuration, states: dispatcher.states)
        for scheme in workshop.schemes {
            if let program = scheme.nativeProgram { dispatcher.nativePrograms.append(program) }
            if configuration.isSharing, let program = scheme.sharedProgram {
                dispatcher.states.addLocallyAvailable(program)
            }
        }
        dispatcher.states.willClose = { [unowned self] in forget($0) }
    }

    /// Decompresses a message, or reads the NACK that it is. Stores nothing.
    ///
    /// - Parameter bytes: from the first byte, 11111xxx, to the end; without record marking.
    public func receive(_ bytes: [UInt8], over transport: DecompressorDispatcher.Transport = .message)
        throws(DecompressionFailure) -> ReceivedSigComp
    {
        do throws(DecompressionFailure) {
            let received = try dispatcher.receive(bytes, over: transport)
            switch received {
            case .message(let message): counters.received.count(plain: message.output?.count ?? 0, sent: bytes.count)
            case .negativeAcknowledgement(let nack):
                counters.negativeAcknowledgements[nack.failure.reason, default: 0] += 1
            }
            return received
        } catch {
            counters.failures[error.reason, default: 0] += 1
            throw error
        }
    }

    /// The NACK to send back for a message that failed; nil when none may be sent (RFC 4077, section 2.2).
    public func negativeAcknowledgement(of failure: DecompressionFailure, to message: [UInt8]) -> [UInt8]? {
        dispatcher.negativeAcknowledgement(of: failure, to: message)?.bytes
    }

    /// Stores what a message asks to be stored, once it is known and allowed whose it is, and learns from it which of our
    /// messages its sender has decompressed.
    public func accept(
        _ message: DecompressedMessage, for identifier: CompartmentIdentifier, at instant: UInt64 = 0
    ) {
        let compartment = dispatcher.states.openCompartment(identifier, at: instant)
        let created = dispatcher.accept(message, for: identifier, at: instant)
        guard let peer = compartment.compressor ?? sharingCompressor(of: compartment) else { return }
        settle(peer.accepted(message, created: created, in: compartment))
        dispatcher.states.note(compressorBytes: peer.memoryUse, of: compartment)
    }

    /// A peer that shares is followed from its first message, those that do not from ours.
    private func sharingCompressor(of compartment: Compartment) -> PeerCompressor? {
        let assumption = configuration.unknownPeer
        guard workshop.knowledge(of: compartment, assuming: assumption).isSharing else { return nil }
        let peer = compressor(of: compartment)
        peer.chooseCompressor(for: compartment)
        return peer
    }

    /// Says what is known of a peer before it has announced anything, such as the other end of a configured pair
    /// (RFC 5049, section 11).
    public func assume(_ knowledge: PeerKnowledge, of identifier: CompartmentIdentifier, at instant: UInt64 = 0) {
        let compartment = dispatcher.states.openCompartment(identifier, at: instant)
        let peer = compressor(of: compartment)
        peer.assumption = knowledge
        peer.chooseCompressor(for: compartment)
        dispatcher.states.note(compressorBytes: peer.memoryUse, of: compartment)
    }

    /// Compresses a message for a peer. What is sent again is to be compressed again (RFC 5049, section 8).
    ///
    /// - Parameter identifier: nil for somebody who has no compartment, such as one who is not authenticated: no state is used but
    ///   the static dictionaries, none is made, and nothing is kept (RFC 5049, section 9.4).
    public func compress(
        _ message: [UInt8], for identifier: CompartmentIdentifier?,
        over transport: DecompressorDispatcher.Transport = .message, at instant: UInt64 = 0
    ) -> CompressedMessage {
        guard let identifier else { return compressStateless(message, over: transport) }
        let compartment = dispatcher.states.openCompartment(identifier, at: instant)
        return compress(message, in: compartment, over: transport)
    }

    /// A message that is a SigComp message and yet plain, for a stream that must not have others (RFC 5049, section 5).
    public func passThrough(_ message: [UInt8]) -> CompressedMessage {
        let bytes = PassThroughProgram.prefix + message
        counters.passedThrough.count(plain: message.count, sent: bytes.count)
        return CompressedMessage(bytes: bytes, form: .passedThrough, plainLength: message.count)
    }

    private func compressStateless(_ message: [UInt8], over transport: DecompressorDispatcher.Transport)
        -> CompressedMessage
    {
        let stranger = PeerCompressor(workshop: workshop)
        stranger.assumption.parameters.stateMemorySize = 0
        stranger.assumption.isSharing = false
        let result = stranger.compress(message, over: transport, in: Compartment.detached)
        count(result.message)
        return result.message
    }

    private func compress(
        _ message: [UInt8], in compartment: Compartment, over transport: DecompressorDispatcher.Transport,
        refusals: Int = 0,
        isUncompressed: Bool = false
    ) -> CompressedMessage {
        let peer = compressor(of: compartment)
        let result = peer.compress(
            message, over: transport, in: compartment, refusals: refusals, isUncompressed: isUncompressed)
        if let record = result.record { sent[record.hash] = compartment.identifier }
        settle(result.given)
        dispatcher.states.note(compressorBytes: peer.memoryUse, of: compartment)
        count(result.message)
        return result.message
    }

    private func count(_ message: CompressedMessage) {
        let (plain, bytes) = (message.plainLength, message.bytes.count)
        switch message.form {
        case .compressed(let algorithm):
            counters.compressed[algorithm, default: .init()].count(plain: plain, sent: bytes)
        case .passedThrough: counters.passedThrough.count(plain: plain, sent: bytes)
        case .plain: counters.plain.count(plain: plain, sent: bytes)
        }
    }

    /// Learns from a NACK (RFC 4077, section 2.3); nil when it is about no message that is still known.
    ///
    /// - Parameter isRepeating: whether to compress the message again, for ``NegativeAcknowledgementOutcome/again``. Over datagrams
    ///   RFC 4077 leaves that to the application's own retransmission. No message goes out again more than twice.
    public func received(_ nack: NegativeAcknowledgement, at instant: UInt64 = 0, isRepeating: Bool = true)
        -> NegativeAcknowledgementOutcome?
    {
        guard let identifier = sent[nack.messageHash], let compartment = dispatcher.states.compartment(identifier),
            let peer = compartment.compressor, let record = peer.takeSent(hash: nack.messageHash)
        else {
            counters.unknownNegativeAcknowledgements += 1
            return nil
        }
        sent[nack.messageHash] = nil
        var outcome = NegativeAcknowledgementOutcome(
            compartment: identifier, transport: record.transport, plain: record.plain, again: nil)
        let repetition = peer.refused(record, nack)
        if isRepeating, let plain = record.plain, repetition != .none {
            let compartment = dispatcher.states.openCompartment(identifier, at: instant)
            outcome.again = compress(
                plain, in: compartment, over: record.transport, refusals: record.refusals + 1,
                isUncompressed: repetition == .uncompressed)
            counters.sentAgain += 1
        }
        return outcome
    }

    private func compressor(of compartment: Compartment) -> PeerCompressor {
        if let peer = compartment.compressor { return peer }
        let peer = PeerCompressor(workshop: workshop)
        compartment.compressor = peer
        return peer
    }

    private func settle(_ records: [SentMessages.Record]) {
        for record in records { sent[record.hash] = nil }
    }

    private func forget(_ compartment: Compartment) {
        settle(compartment.compressor?.sent.records ?? [])
    }

    // MARK: Memory

    /// The messages, of all compartments, of which it is not known yet whether they were decompressed.
    public var unsettledMessages: Int { sent.count }

    /// The bytes that a compartment uses, both directions: states, what is known of the peer, messages that are kept.
    public func memoryUse(of identifier: CompartmentIdentifier) -> Int? {
        dispatcher.states.compartment(identifier).map { $0.usedBytes + $0.compressorBytes }
    }

    /// Closes every compartment that was not used since `instant`, and tells how many.
    @discardableResult
    public func closeCompartments(unusedSince instant: UInt64) -> Int {
        dispatcher.states.closeCompartments(unusedSince: instant)
    }

    public func hasCompartment(_ identifier: CompartmentIdentifier) -> Bool {
        dispatcher.states.compartment(identifier) != nil
    }

    @discardableResult
    public func close(_ identifier: CompartmentIdentifier) -> Bool { dispatcher.states.close(identifier) }
}
