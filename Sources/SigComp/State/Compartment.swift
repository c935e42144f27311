/// Names the peer that a compartment belongs to; for SIP, its SIP/SigComp identifier (RFC 5049, section 9.1).
public struct CompartmentIdentifier: Hashable, Sendable, CustomStringConvertible {
    public let name: String

    public init(_ name: String) {
        self.name = name
    }

    public var description: String { name }
}

/// What this endpoint keeps for one peer: the states created at its request, and the feedback in both directions
/// (RFC 3320, sections 6.2 and 6.3).
public final class Compartment {
    /// A state that the compartment holds, with the compartment's own priority for it.
    struct Entry {
        let item: StateItem
        let priority: StateRetentionPriority
    }

    public let identifier: CompartmentIdentifier
    /// The bytes that its states may cost together.
    public internal(set) var stateMemorySize: Int
    /// The bytes that its states cost, each its length and 64.
    public private(set) var usedBytes = 0
    /// From the one created (or created again) first to the latest.
    private(set) var entries: [Entry] = []

    /// The item that the peer asked to have returned; it goes into every message to the peer until the peer replaces it
    /// (RFC 4896, section 9.2).
    public internal(set) var itemToReturn: [UInt8]?
    /// The peer's S-bit: it uses no state here.
    public internal(set) var isStateDeclined = false
    /// The peer's I-bit: locally available states need not be announced to it.
    public internal(set) var isLocalStateDeclined = false
    /// The item that the peer returned last, for the compressor that asked for it.
    public internal(set) var returnedItem: [UInt8]?
    /// What the peer offers for decompression, as far as it has told; nil before.
    public internal(set) var peerParameters: SigCompParameters?
    /// The peer's version; nil before it has told.
    public internal(set) var peerVersion: UInt8?
    /// The states that the peer announced last.
    public internal(set) var peerStates: [PartialStateIdentifier] = []

    /// The compressing half; nil until something is sent to the peer.
    var compressor: PeerCompressor?
    /// What that uses, as last noted.
    var compressorBytes = 0

    /// When the compartment was last used, in the application's own unit.
    public internal(set) var lastUse: UInt64 = 0
    /// Its neighbours in the order of use; the state handler's dictionary keeps them alive.
    unowned var older: Compartment?
    unowned var newer: Compartment?

    init(identifier: CompartmentIdentifier, stateMemorySize: Int) {
        self.identifier = identifier
        self.stateMemorySize = stateMemorySize
    }

    /// A compartment of nobody, which no state handler has.
    static var detached: Compartment { Compartment(identifier: CompartmentIdentifier(""), stateMemorySize: 0) }

    /// The states that it holds, from the oldest to the latest.
    public var states: [StateItem] { entries.map(\.item) }

    public func holds(_ identifier: StateIdentifier) -> Bool { entries.contains { $0.item.identifier == identifier } }

    /// The one state that a partial identifier names among those of the compartment; nil when there is none or several.
    func uniqueState(_ identifier: PartialStateIdentifier) -> StateItem? {
        var found: StateItem?
        for entry in entries where identifier.matches(entry.item.identifier) {
            guard found == nil else { return nil }
            found = entry.item
        }
        return found
    }

    func append(_ item: StateItem, priority: StateRetentionPriority) {
        entries.append(Entry(item: item, priority: priority))
        usedBytes += item.cost
    }

    @discardableResult
    func remove(_ item: StateItem) -> Bool {
        guard let index = entries.firstIndex(where: { $0.item === item }) else { return false }
        removeEntry(at: index)
        return true
    }

    /// Takes out what is to be given up first, among the states of at most this priority; nil when there is none.
    func removeFirst(upTo limit: StateRetentionPriority?) -> StateItem? {
        var chosen: Int?
        for (index, entry) in entries.enumerated() {
            if let limit, entry.priority > limit { continue }
            if let candidate = chosen, entries[candidate].priority <= entry.priority { continue }
            chosen = index
        }
        guard let chosen else { return nil }
        return removeEntry(at: chosen)
    }

    @discardableResult
    private func removeEntry(at index: Int) -> StateItem {
        let entry = entries.remove(at: index)
        usedBytes -= entry.item.cost
        return entry.item
    }
}
