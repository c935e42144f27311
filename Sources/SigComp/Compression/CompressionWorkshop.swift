/// What the compressors of all peers of one endpoint have in common.
final class CompressionWorkshop {
    let configuration: SigCompConfiguration
    let states: StateHandler
    /// In the order in which they are tried.
    let schemes: [any CompressionScheme]
    /// The identifiers by which peers announce dictionaries.
    private let dictionaries: [(StaticDictionary, StateIdentifier)]
    private let sharedPrograms: [StateIdentifier]
    /// What peers are told of this endpoint; nil when it is what they take for true anyhow.
    private let announcement: [UInt8]?
    private let announcementWithoutStates: [UInt8]?

    init(configuration: SigCompConfiguration, states: StateHandler) {
        self.configuration = configuration
        self.states = states
        let hash = states.store.hash
        schemes = configuration.algorithms.map {
            $0.makeScheme(hash: hash, configuration: configuration)
        }
        dictionaries = StaticDictionary.allCases.compactMap { dictionary in
            dictionary.item(hash: hash).map { (dictionary, $0.identifier) }
        }
        let shared = configuration.isSharing ? schemes.compactMap(\.sharedProgram) : []
        sharedPrograms = shared.map(\.identifier)
        // RFC 3485's dictionary need not be announced (RFC 5049, section 4.5).
        let own = dictionaries.filter { $0.0 != .session && configuration.dictionaries.contains($0.0) }.map(\.1)
        let isMinimal = configuration.parameters == .minimumForSIP
        let resources = [configuration.parameters.encoded, configuration.parameters.version]
        announcementWithoutStates = isMinimal ? nil : resources
        let announced = (sharedPrograms + own).prefix(Self.announcedStates)
        announcement =
            isMinimal && announced.isEmpty
            ? nil : announced.reduce(resources) { $0 + [6] + $1.bytes.prefix(6) }
    }

    /// An announcement has at most 30 bytes.
    private static let announcedStates = 4

    /// The dictionary that an identifier names.
    func dictionary(_ identifier: PartialStateIdentifier) -> StaticDictionary? {
        dictionaries.first { identifier.matches($0.1) }?.0
    }

    /// What to tell a peer, in the form of RFC 3320, figure 13.
    func announcement(to compartment: Compartment) -> [UInt8]? {
        compartment.isLocalStateDeclined ? announcementWithoutStates : announcement
    }

    /// What a compartment's peer has told, on top of what was assumed of it.
    func knowledge(of compartment: Compartment, assuming assumption: PeerKnowledge) -> PeerKnowledge {
        var peer = assumption
        if let parameters = compartment.peerParameters {
            peer.parameters = parameters
            peer.hasAnnounced = true
        }
        for (dictionary, identifier) in dictionaries where compartment.announces(identifier) {
            peer.dictionaries.insert(dictionary)
        }
        peer.isSharing =
            configuration.isSharing && !sharedPrograms.isEmpty
            && (peer.isSharing || sharedPrograms.contains(where: compartment.announces))
        return peer
    }
}

extension Compartment {
    /// Whether the peer announced a state last.
    fileprivate func announces(_ identifier: StateIdentifier) -> Bool {
        peerStates.contains { $0.matches(identifier) }
    }
}

extension CompressionAlgorithm {
    fileprivate func makeScheme(hash: StateHash, configuration: SigCompConfiguration) -> any CompressionScheme {
        switch self {
        case .alignedRange: AlignedRangeScheme(hash: hash, configuration: configuration)
        case .deflate: DeflateScheme(hash: hash)
        case .compact: CompactScheme(hash: hash)
        }
    }
}
