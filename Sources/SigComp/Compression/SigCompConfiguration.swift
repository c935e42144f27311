/// How an endpoint decompresses and compresses.
public struct SigCompConfiguration: Sendable {
    /// What this endpoint offers; peers are told in the first messages.
    public var parameters: SigCompParameters
    /// What all compartments may use together.
    public var limits: StateHandler.Limits
    /// The bytes that a message may decompress to, at most 65536.
    public var outputLimit: Int
    /// The static dictionaries that are available to peers' messages.
    public var dictionaries: Set<StaticDictionary>
    /// The algorithms to compress with, the preferred first. The first that a peer can bear is used.
    public var algorithms: [CompressionAlgorithm]
    /// Whether to share states with peers that do so too (RFC 3321, section 5.2).
    public var isSharing: Bool
    /// What is taken for true of a peer that has announced nothing and of which nothing was said.
    public var unknownPeer: PeerKnowledge
    /// How many messages are kept for each peer until it is known to have decompressed them, to send them again after a NACK.
    public var keptMessages: Int
    /// The bytes that these may have together; the latest one sent over a stream is kept whatever it has, as nobody else would
    /// send it again.
    public var keptBytes: Int

    public init(
        parameters: SigCompParameters = .minimumForSIP, limits: StateHandler.Limits = .init(),
        outputLimit: Int = 65_536,
        dictionaries: Set<StaticDictionary> = [.session, .presence],
        algorithms: [CompressionAlgorithm] = CompressionAlgorithm.allCases, isSharing: Bool = true,
        unknownPeer: PeerKnowledge = .minimumForSIP, keptMessages: Int = 8, keptBytes: Int = 4_096
    ) {
        self.parameters = parameters
        self.limits = limits
        self.outputLimit = outputLimit
        self.dictionaries = dictionaries
        self.algorithms = algorithms
        self.isSharing = isSharing
        self.unknownPeer = unknownPeer
        self.keptMessages = max(1, keptMessages)
        self.keptBytes = max(0, keptBytes)
    }
}
