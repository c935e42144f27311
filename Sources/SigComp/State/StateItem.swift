/// A stored state (RFC 3320, section 3.3.3). It never changes; how long it lives depends on who holds it.
public final class StateItem {
    public let identifier: StateIdentifier
    /// The address to which the value is copied when the header of a message names this state.
    public let address: UInt16
    /// The address at which execution then begins.
    public let instruction: UInt16
    /// How many bytes of the identifier an access must give, 6 to 20.
    public let minimumAccessLength: UInt8
    public let value: [UInt8]

    /// How many compartments hold it, and the endpoint itself if it is locally available.
    var holders = 0
    /// Another item whose identifier begins with the same 6 bytes.
    var alike: StateItem?

    public init(
        identifier: StateIdentifier, address: UInt16, instruction: UInt16, minimumAccessLength: UInt8, value: [UInt8]
    ) {
        self.identifier = identifier
        self.address = address
        self.instruction = instruction
        self.minimumAccessLength = minimumAccessLength
        self.value = value
    }

    /// What the item costs in a compartment's memory (RFC 3320, section 6.2).
    public var cost: Int { value.count + Self.overhead }
    public static let overhead = 64

    func isIdentical(to other: StateItem) -> Bool {
        identifier == other.identifier && address == other.address && instruction == other.instruction
            && minimumAccessLength == other.minimumAccessLength && value == other.value
    }
}
