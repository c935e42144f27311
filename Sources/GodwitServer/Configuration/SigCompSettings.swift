public import LinkProfiles
public import SigComp
public import Transport

/// How the server uses SigComp; `sigcomp` in the configuration.
public struct SigCompSettings: Hashable, Sendable {
    public var isEnabled = true
    /// The server's SIP/SigComp identifier, a URN; nil for one that follows from the installation's secret.
    public var identifier: String?
    public var cyclesPerBit = 64
    /// Decompression memory offered, in bytes.
    public var memory = 65_536
    /// State memory offered to each peer, in bytes.
    public var stateMemory = 65_536
    public var isSharing = true
    public var algorithms = CompressionAlgorithm.allCases
    /// Next hops that get SigComp without having asked for it.
    public var peers: [CompressedPeer] = []
    public var compartments = 10_000
    /// Bytes of states of all compartments together.
    public var compartmentBytes = 256 * 1_048_576
    public var compartmentLifetime: TimeSpan = .seconds(7 * 86_400 as Int64)
    /// NACKs a second to one address, and to all.
    public var nacksPerSource = 5
    public var nacks = 1_000

    public init() {}

    /// What the transport is told.
    ///
    /// - Parameter ownIdentifier: used where none is configured.
    func transportSettings(ownIdentifier: String) -> CompressionSettings {
        let endpoint = SigCompConfiguration(
            parameters: SigCompParameters(
                cyclesPerBit: cyclesPerBit, decompressionMemorySize: memory, stateMemorySize: stateMemory),
            limits: StateHandler.Limits(compartments: compartments, bytes: compartmentBytes), algorithms: algorithms,
            isSharing: isSharing)
        var settings = CompressionSettings(identifier: identifier ?? ownIdentifier, endpoint: endpoint)
        settings.peers = peers
        settings.compartmentLifetime = compartmentLifetime
        settings.negativeAcknowledgementsPerSource = nacksPerSource
        settings.negativeAcknowledgementsInAll = nacks
        return settings
    }
}
