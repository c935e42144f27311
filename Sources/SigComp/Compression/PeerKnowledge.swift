/// What is known of a peer's decompressor when a message is compressed for it.
public struct PeerKnowledge: Equatable, Sendable {
    /// What it offers, as it has announced, or as is assumed until it does.
    public var parameters: SigCompParameters
    /// The dictionaries that it has. Every SIP endpoint has that of RFC 3485 (RFC 5049, section 4.5).
    public var dictionaries: Set<StaticDictionary>
    /// Whether its messages and ours may be compressed against each other's states: it has announced our algorithm's shared
    /// program, and so have we.
    public var isSharing: Bool
    /// Whether the peer itself has told what it offers.
    var hasAnnounced = false
    /// How many bytes of state identifiers it is given: 6, or more after ID_NOT_UNIQUE (RFC 4896, section 7).
    public var identifierLength = 6

    /// What RFC 5049 makes the least of a SIP endpoint.
    public static let minimumForSIP = PeerKnowledge(parameters: .minimumForSIP)

    public init(
        parameters: SigCompParameters, dictionaries: Set<StaticDictionary> = [.session], isSharing: Bool = false
    ) {
        self.parameters = parameters
        self.dictionaries = dictionaries
        self.isSharing = isSharing
    }
}
