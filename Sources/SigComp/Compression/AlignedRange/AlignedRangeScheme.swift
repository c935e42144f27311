/// Aligned copies and range coding for all peers of an endpoint: the program for each size of memory, and the working memory.
final class AlignedRangeScheme: CompressionScheme {
    let algorithm = CompressionAlgorithm.alignedRange
    let hash: StateHash
    /// For messages to those of whom it is not known yet whether they share.
    private let compact: CompactScheme
    let sharedProgram: StateItem?
    private let native: AlignedRangeNativeProgram?
    private var encoders: [AlignedRangeLayout: AlignedRangeEncoder] = [:]
    /// That of the program which this endpoint announces, and which a peer must announce too to share.
    private let ownLayout: AlignedRangeLayout?

    init(hash: StateHash, configuration: SigCompConfiguration) {
        self.hash = hash
        compact = CompactScheme(hash: hash)
        guard configuration.isSharing, let layout = AlignedRangeLayout.fitting(configuration.parameters),
            let program = AlignedRangeProgram(layout: layout)
        else {
            sharedProgram = nil
            native = nil
            ownLayout = nil
            return
        }
        ownLayout = layout
        let machine = AlignedRangeMachine(program: program)
        native = AlignedRangeNativeProgram(machine: machine)
        encoders[layout] = AlignedRangeEncoder(machine: machine)
        let value = program.program.bytecode
        sharedProgram = hash.identifier(address: 0, instruction: 0, minimumAccessLength: 6, value: value[...]).map {
            StateItem(identifier: $0, address: 0, instruction: 0, minimumAccessLength: 6, value: value)
        }
    }

    var nativeProgram: (any NativeProgram)? { native }

    func makeCompressor(for peer: PeerKnowledge) -> (any MessageCompressor)? {
        // Should the peer turn out to share, then by the program of this endpoint: the first messages are introduced for that one,
        // however little the peer must be taken to have until it announces more.
        let wanted = peer.isSharing ? AlignedRangeLayout.fitting(peer.parameters) : ownLayout
        guard sharedProgram != nil, peer.isSharing || !peer.hasAnnounced, let layout = wanted,
            let encoder = encoder(for: layout)
        else { return nil }
        let starter = compact.makeCompressor(for: peer)
        guard peer.isSharing || starter != nil else { return nil }
        var stateless = peer
        stateless.parameters.stateMemorySize = 0
        return AlignedRangeCompressor(
            encoder: encoder, starter: starter, for: peer.parameters,
            substitute: compact.makeCompressor(for: stateless))
    }

    private func encoder(for layout: AlignedRangeLayout) -> AlignedRangeEncoder? {
        if let encoder = encoders[layout] { return encoder }
        guard let program = AlignedRangeProgram(layout: layout) else { return nil }
        let encoder = AlignedRangeEncoder(machine: AlignedRangeMachine(program: program))
        encoders[layout] = encoder
        return encoder
    }
}
