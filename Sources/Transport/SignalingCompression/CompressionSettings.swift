public import LinkProfiles
public import SIPCore
public import SigComp

/// A next hop that gets SigComp without having asked for it: the other half of an edge pair, or a proxy of one's own.
public struct CompressedPeer: Hashable, Sendable {
    public var network: NetworkPrefix
    /// 0 for every port.
    public var port: UInt16
    /// Its SIP/SigComp identifier, when it is known beforehand (RFC 5049 section 9.1).
    public var identifier: String?
    /// Whether it is a Godwit with the same parameters, dictionaries and algorithms, so that nothing has to be found out.
    public var isPair: Bool

    public init(network: NetworkPrefix, port: UInt16 = 0, identifier: String? = nil, isPair: Bool = false) {
        self.network = network
        self.port = port
        self.identifier = identifier
        self.isPair = isPair
    }

    func matches(_ address: TransportAddress) -> Bool {
        (port == 0 || port == address.port) && network.contains(high: address.ip.high, low: address.ip.low)
    }
}

/// How SigComp is used beside plain SIP on the same ports (RFC 5049).
public struct CompressionSettings: Sendable {
    /// This application's SIP/SigComp identifier, a URN that stays the same as long as states are kept anywhere.
    public var identifier: String
    /// What the endpoint offers, and what it may use.
    public var endpoint: SigCompConfiguration
    public var peers: [CompressedPeer] = []
    /// Whether SigComp is used with a far end at all; where it is not, SigComp messages are handed on as they are, like any other
    /// bytes that are no SIP.
    public var isOffered: @Sendable (SIPTransport, TransportAddress) -> Bool = { _, _ in true }
    /// Compartments unused for so long are closed.
    public var compartmentLifetime: TimeSpan = .seconds(7 * 86_400 as Int64)
    /// Answers to messages that cannot be decompressed, a second: to one address, and to all.
    public var negativeAcknowledgementsPerSource = 5
    public var negativeAcknowledgementsInAll = 1_000

    /// UDVM cycles a second spent on messages that fail, and on those of senders who prove nothing: from one address, and in all.
    /// Beyond, such messages are not looked at; those of peers that are known by their flow always are.
    public var strangerCyclesPerSource = 10_000_000
    public var strangerCyclesInAll = 100_000_000

    public init(identifier: String, endpoint: SigCompConfiguration = SigCompConfiguration()) {
        self.identifier = identifier
        self.endpoint = endpoint
    }
}
