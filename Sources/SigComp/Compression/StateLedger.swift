/// What a compressor's own states take up in the peer's compartment, as far as the sender can know (RFC 3320, section 6.2).
///
/// All states are made with one priority, so the oldest goes first. A state that messages refer to must not be displaced by
/// those sent since, which may all have arrived; ``hasRoom(for:)`` says when one more would endanger it. What was sent before
/// it goes before it and does not count.
struct StateLedger {
    struct Entry {
        let sequence: UInt64
        let identifier: StateIdentifier
        let cost: Int
    }

    /// The state memory of the peer.
    let capacity: Int
    /// The one that is referred to, if there is one, and those sent since, in this order.
    private(set) var entries: [Entry] = []
    /// Whether the first of the entries is known to be there.
    private(set) var hasReference = false

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// The state that messages may refer to.
    var reference: StateIdentifier? { hasReference ? entries.first?.identifier : nil }

    /// Whether the state that is referred to cannot be relied on after a message was refused for want of one: it is the very one, or
    /// it was taken for made (over a stream) as part of that message or a later one.
    func isDoubtful(afterRefusing sequence: UInt64, missing: PartialStateIdentifier) -> Bool {
        guard hasReference, let reference = entries.first else { return false }
        return missing.matches(reference.identifier) || reference.sequence >= sequence
    }

    func hasRoom(for cost: Int) -> Bool { entries.reduce(cost) { $0 + $1.cost } <= capacity }

    mutating func append(_ entry: Entry) { entries.append(entry) }

    func contains(_ sequence: UInt64) -> Bool { entries.contains { $0.sequence == sequence } }

    /// The peer has made this state: refer to it from now on. What was sent before it is not counted any more.
    mutating func refer(to sequence: UInt64) {
        guard let index = entries.firstIndex(where: { $0.sequence == sequence }) else { return }
        entries.removeFirst(index)
        hasReference = true
    }

    /// The state was most likely never made. The one that is referred to was, and stays.
    mutating func drop(_ sequence: UInt64) {
        guard let index = entries.firstIndex(where: { $0.sequence == sequence }), index > 0 || !hasReference else {
            return
        }
        entries.remove(at: index)
    }

    /// The peer has none of the states.
    mutating func clear() {
        entries = []
        hasReference = false
    }
}
