import MessageStore

/// Remembers which messages were accepted lately, so that a replay is acknowledged again but stored once.
///
/// Two generations of an open-addressing set of 64-bit keyed hashes: an identity is remembered for one to two half windows,
/// at 11 to 23 bytes each, and forgetting costs nothing per entry.
struct IdentityMemory {
    private var current = HashWords()
    private var previous = HashWords()

    var count: Int { current.count + previous.count }

    func contains(_ identity: MessageIdentity) -> Bool {
        let key = Self.key(identity)
        return current.contains(key) || previous.contains(key)
    }

    mutating func insert(_ identity: MessageIdentity) { current.insert(Self.key(identity)) }

    mutating func remove(_ identity: MessageIdentity) {
        let key = Self.key(identity)
        current.remove(key)
        previous.remove(key)
    }

    /// Called once per half window: what was inserted before the last call is forgotten.
    mutating func turn() {
        previous = current
        current = HashWords()
    }

    private static func key(_ identity: MessageIdentity) -> UInt64 { identity.low == 0 ? 1 : identity.low }
}

/// A set of non-zero words that are hashes already: linear probing, deletion by backward shift.
private struct HashWords {
    private var slots: [UInt64] = []
    private(set) var count = 0

    func contains(_ key: UInt64) -> Bool {
        guard !slots.isEmpty else { return false }
        let mask = slots.count - 1
        var at = Int(truncatingIfNeeded: key) & mask
        while slots[at] != 0 {
            if slots[at] == key { return true }
            at = (at + 1) & mask
        }
        return false
    }

    mutating func insert(_ key: UInt64) {
        if (count + 1) * 4 > slots.count * 3 { grow() }
        let mask = slots.count - 1
        var at = Int(truncatingIfNeeded: key) & mask
        while slots[at] != 0 {
            if slots[at] == key { return }
            at = (at + 1) & mask
        }
        slots[at] = key
        count += 1
    }

    mutating func remove(_ key: UInt64) {
        guard !slots.isEmpty else { return }
        let mask = slots.count - 1
        var at = Int(truncatingIfNeeded: key) & mask
        while slots[at] != key {
            if slots[at] == 0 { return }
            at = (at + 1) & mask
        }
        count -= 1
        var hole = at
        var next = (at + 1) & mask
        while slots[next] != 0 {
            let home = Int(truncatingIfNeeded: slots[next]) & mask
            if (next - home) & mask >= (next - hole) & mask {
                slots[hole] = slots[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        slots[hole] = 0
    }

    private mutating func grow() {
        let old = slots
        slots = [UInt64](repeating: 0, count: max(64, old.count * 2))
        count = 0
        for key in old where key != 0 { insert(key) }
    }
}
