/// Aligned copies and range coding for all peers of an endpoint: the program for each size of memory, and the working memory.
final class AlignedRangeScheme: CompressionScheme {
    let algorithm = CompressionAlgorithm.alignedRange
    let hash: StateHash
    /// Whether heads of messages that were sent are made here too, for the peer to refer to.
    let isSharing: Bool
    let sharedProgram: StateItem?
    private let native: AlignedRangeNativeProgram?
    private var encoders: [AlignedRangeLayout: AlignedRangeEncoder] = [:]

    init(hash: StateHash, isSharing: Bool) {
        self.hash = hash
        self.isSharing = isSharing
        let layout = AlignedRangeLayout.large
        guard let layout, let program = AlignedRangeProgram(layout: layout) else {
            sharedProgram = nil
            native = nil
            return
        }
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
        guard let layout = AlignedRangeLayout.fitting(peer), let encoder = encoder(for: layout) else { return nil }
        return AlignedRangeCompressor(scheme: self, encoder: encoder)
    }

    private func encoder(for layout: AlignedRangeLayout) -> AlignedRangeEncoder? {
        if let encoder = encoders[layout] { return encoder }
        guard let program = AlignedRangeProgram(layout: layout) else { return nil }
        let encoder = AlignedRangeEncoder(machine: AlignedRangeMachine(program: program))
        encoders[layout] = encoder
        return encoder
    }
}
