/// What a peer asks for in the other direction (RFC 3320, figure 12).
public struct RequestedFeedback: Equatable, Sendable {
    /// The item to send back unmodified, its length byte included; nil when none is asked for.
    public var item: [UInt8]?
    /// The S-bit: the peer neither saves nor accesses state here.
    public var declinesState = false
    /// The I-bit: the peer accesses no locally available state.
    public var declinesLocalState = false

    public init(item: [UInt8]? = nil, declinesState: Bool = false, declinesLocalState: Bool = false) {
        self.item = item
        self.declinesState = declinesState
        self.declinesLocalState = declinesLocalState
    }
}

/// What a peer tells about itself (RFC 3320, figure 13).
public struct ReturnedParameters: Equatable, Sendable {
    /// The byte that encodes cycles per bit and both memory sizes; 0 when they are not told.
    public var resources = 0
    /// 0 when it is not told.
    public var version: UInt8 = 0
    /// How many announced states are read; a compartment keeps them, and a message could announce thousands.
    public static let identifierLimit = 64

    /// The locally available states, or the states that the peer confirms; those over the limit are passed over.
    public var stateIdentifiers: [PartialStateIdentifier] = []

    public init(resources: Int = 0, version: UInt8 = 0, stateIdentifiers: [PartialStateIdentifier] = []) {
        self.resources = resources
        self.version = version
        self.stateIdentifiers = stateIdentifiers
    }
}
