/// A state that a message asks to be created (RFC 3320, section 9.4.6).
public struct StateCreation: Equatable, Sendable {
    public var address: UInt16
    public var instruction: UInt16
    public var minimumAccessLength: UInt8
    public var priority: UInt16
    public var value: [UInt8]

    public init(address: UInt16, instruction: UInt16, minimumAccessLength: UInt8, priority: UInt16, value: [UInt8]) {
        self.address = address
        self.instruction = instruction
        self.minimumAccessLength = minimumAccessLength
        self.priority = priority
        self.value = value
    }
}

/// What a decompressed message asks of the state handler; nothing is done before the application names a compartment.
public enum StateRequest: Equatable, Sendable {
    case create(StateCreation)
    case free(PartialStateIdentifier)
}

/// The order in which a compartment's states are given up: 65535 first, then 0, 1, ... 65534 (RFC 4896, section 5.1).
public struct StateRetentionPriority: Comparable, Sendable {
    /// Reserved for states that this endpoint, not its peer, put into the compartment.
    public static let locallyAvailable: UInt16 = 65_535

    public let value: UInt16

    public init(_ value: UInt16) {
        self.value = value
    }

    public static func < (left: StateRetentionPriority, right: StateRetentionPriority) -> Bool {
        left.value &+ 1 < right.value &+ 1
    }
}
