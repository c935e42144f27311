/// Finds users by the keyed hash of their address: linear probing, deletion by backward shift. Eight bytes a place: the hash
/// above, the user's index plus one below.
struct AddressTable {
    private var slots: [UInt64] = []
    private(set) var count = 0
    private let key: (UInt64, UInt64)

    init(key: (UInt64, UInt64)) { self.key = (Self.spread(key.0), Self.spread(key.1) | 1) }

    /// A word whose bits all depend on all bits of another, so that a poor key makes no poor table.
    private static func spread(_ word: UInt64) -> UInt64 {
        var word = word &+ 0x9E37_79B9_7F4A_7C15
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }

    /// Mixes eight bytes at a time by a folded 64 x 64 multiplication with a secret.
    @inline(__always)
    func hash(of name: UnsafeBufferPointer<UInt8>, domain: UInt16) -> UInt32 {
        var state = key.0 ^ (UInt64(domain) << 32 | UInt64(truncatingIfNeeded: name.count))
        let raw = UnsafeRawBufferPointer(name)
        var at = 0
        while at + 8 <= raw.count {
            state = fold(state ^ raw.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            at += 8
        }
        var tail: UInt64 = 0
        while at < raw.count {
            tail = tail << 8 | UInt64(raw[at])
            at += 1
        }
        state = fold(fold(state ^ tail) ^ 0x9E37_79B9_7F4A_7C15)
        return UInt32(truncatingIfNeeded: state >> 32)
    }

    @inline(__always)
    private func fold(_ word: UInt64) -> UInt64 {
        let product = word.multipliedFullWidth(by: key.1)
        return product.high ^ product.low
    }

    @inline(__always)
    func find(_ hash: UInt32, where isIt: (UserIndex) -> Bool) -> UserIndex? {
        guard !slots.isEmpty else { return nil }
        let mask = slots.count - 1
        var at = Int(hash) & mask
        while true {
            let slot = slots[at]
            if slot == 0 { return nil }
            if UInt32(truncatingIfNeeded: slot >> 32) == hash {
                let index = UserIndex(truncatingIfNeeded: (slot & 0xFFFF_FFFF) - 1)
                if isIt(index) { return index }
            }
            at = (at + 1) & mask
        }
    }

    mutating func insert(_ index: UserIndex, hash: UInt32) {
        if (count + 1) * 5 > slots.count * 4 { resize(to: max(64, slots.count * 2)) }
        place(UInt64(hash) << 32 | UInt64(UInt32(bitPattern: index)) + 1)
        count += 1
    }

    mutating func remove(_ index: UserIndex, hash: UInt32) {
        guard !slots.isEmpty else { return }
        let mask = slots.count - 1
        let wanted = UInt64(hash) << 32 | UInt64(UInt32(bitPattern: index)) + 1
        var hole = Int(hash) & mask
        while slots[hole] != wanted {
            if slots[hole] == 0 { return }
            hole = (hole + 1) & mask
        }
        count -= 1
        var next = (hole + 1) & mask
        while slots[next] != 0 {
            let home = Int(slots[next] >> 32) & mask
            if (next - home) & mask >= (next - hole) & mask {
                slots[hole] = slots[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        slots[hole] = 0
        if count == 0 {
            slots = []
        } else if slots.count > 64, count * 8 < slots.count {
            resize(to: slots.count / 4)
        }
    }

    private mutating func place(_ slot: UInt64) {
        let mask = slots.count - 1
        var at = Int(slot >> 32) & mask
        while slots[at] != 0 { at = (at + 1) & mask }
        slots[at] = slot
    }

    private mutating func resize(to size: Int) {
        let old = slots
        slots = [UInt64](repeating: 0, count: size)
        for slot in old where slot != 0 { place(slot) }
    }
}

/// When to look at which user for expired bindings: a binary min-heap of one word an entry, the second above and the user below.
struct ExpiryCalendar {
    private var heap: [UInt64] = []

    var count: Int { heap.count }
    /// The earliest second at which somebody is to be looked at.
    var first: UInt32? { heap.first.map { UInt32(truncatingIfNeeded: $0 >> 32) } }

    mutating func insert(_ user: UserIndex, at second: UInt32) {
        heap.append(UInt64(second) << 32 | UInt64(UInt32(bitPattern: user)))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if heap[parent] <= heap[child] { break }
            heap.swapAt(parent, child)
            child = parent
        }
    }

    /// Takes the earliest entry out if it is due at `second`.
    mutating func popDue(at second: UInt32) -> (user: UserIndex, second: UInt32)? {
        guard let top = heap.first, UInt32(truncatingIfNeeded: top >> 32) <= second else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty { sink(last) }
        if heap.capacity > 1_024, heap.count * 4 < heap.capacity { shrink() }
        return (UserIndex(truncatingIfNeeded: top & 0xFFFF_FFFF), UInt32(truncatingIfNeeded: top >> 32))
    }

    mutating func removeAll() { heap = [] }

    /// Gives half of the memory or more back.
    private mutating func shrink() {
        var smaller: [UInt64] = []
        smaller.reserveCapacity(heap.count * 2)
        smaller.append(contentsOf: heap)
        heap = smaller
    }

    private mutating func sink(_ word: UInt64) {
        var hole = 0
        while true {
            var child = 2 * hole + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            if heap[child] >= word { break }
            heap[hole] = heap[child]
            hole = child
        }
        heap[hole] = word
    }
}

/// Which users have bindings that depend on a connection. Nearly every connection carries one user, so the first has no list.
struct ConnectionIndex {
    private var first: [UInt64: UserIndex] = [:]
    private var more: [UInt64: [UserIndex]] = [:]

    var isEmpty: Bool { first.isEmpty }

    mutating func insert(_ user: UserIndex, connection: UInt64) {
        guard let known = first[connection] else {
            first[connection] = user
            return
        }
        if known != user, more[connection]?.contains(user) != true { more[connection, default: []].append(user) }
    }

    mutating func remove(_ user: UserIndex, connection: UInt64) {
        if first[connection] == user {
            if let successor = more[connection]?.popLast() {
                first[connection] = successor
                if more[connection]?.isEmpty == true { more[connection] = nil }
            } else {
                first[connection] = nil
                if first.isEmpty { first = [:] }
            }
        } else if var others = more[connection] {
            others.removeAll { $0 == user }
            more[connection] = others.isEmpty ? nil : others
        }
    }

    /// The users of a connection that is gone; it is forgotten.
    mutating func removeAll(of connection: UInt64) -> [UserIndex] {
        guard let user = first.removeValue(forKey: connection) else { return [] }
        return [user] + (more.removeValue(forKey: connection) ?? [])
    }
}
