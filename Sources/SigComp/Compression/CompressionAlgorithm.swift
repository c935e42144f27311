/// The algorithms that messages can be compressed with; an endpoint tries them in the order of its configuration.
public enum CompressionAlgorithm: String, CaseIterable, Sendable {
    /// Copies that follow earlier ones and an adaptive range coder, over a history that both ends share: the smallest on the air, for
    /// peers with memory and cycles. See `docs/sigcomp-compressor.md`.
    case alignedRange
    /// DEFLATE (RFC 1951) with the fixed codes and the messages before as its window, inflated by bytecode in the manner of
    /// RFC 4464, section 4.1.4. zlib finds the matches.
    case deflate
    /// LZ77 with one fixed prefix code, whose program has fewer than 300 bytes: for peers with the least memory and cycles of
    /// RFC 5049, section 4, and those that keep no state.
    case compact
}

/// An algorithm as it is shared by all peers: its program, tables and working memory.
protocol CompressionScheme: AnyObject {
    var algorithm: CompressionAlgorithm { get }
    /// A state that this endpoint has available for every peer, and whose announcement tells a peer that its messages may be
    /// compressed against states that this endpoint made by sending (RFC 3321, section 5.2); nil when the scheme does not share.
    var sharedProgram: StateItem? { get }
    /// A program that runs in place of the scheme's bytecode.
    var nativeProgram: (any NativeProgram)? { get }
    /// The memory of one peer; nil when the peer offers too little.
    func makeCompressor(for peer: PeerKnowledge) -> (any MessageCompressor)?
}

extension CompressionScheme {
    var sharedProgram: StateItem? { nil }
    var nativeProgram: (any NativeProgram)? { nil }
}
