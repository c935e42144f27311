/// From a transaction's id to its slot: open addressing with linear probing, eight bytes an entry.
///
/// An entry holds 32 bits of the id, so that other transactions' slots are hardly ever looked at. An entry's place grows
/// with these bits, so that resizing goes through old and new storage in order. The table is split into shards by other
/// bits of the id, and each is resized for itself: no call ever moves more than a sixty-fourth of the entries. A shard
/// is at most three quarters full, and gives memory back when it is less than a quarter full.
final class TransactionIndex {
    private static let shardBits: UInt64 = 6
    private static let shardCount = 1 << Int(shardBits)
    private static let smallest: UInt32 = 16

    private struct Shard {
        var entries: UnsafeMutablePointer<UInt64>
        var capacity: UInt32
        var count: UInt32 = 0

        /// Where an entry belongs: the upper half of the entry, scaled to the capacity.
        @inline(__always)
        func home(_ entry: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: ((entry >> 32) &* UInt64(capacity)) >> 32) }

        @inline(__always)
        func after(_ place: UInt32) -> UInt32 { place &+ 1 == capacity ? 0 : place &+ 1 }
    }

    private let shards: UnsafeMutablePointer<Shard>

    init() {
        shards = .allocate(capacity: Self.shardCount)
        for number in 0..<Self.shardCount {
            let entries = Self.emptyEntries(Self.smallest)
            (shards + number).initialize(to: Shard(entries: entries, capacity: Self.smallest))
        }
    }

    deinit {
        for number in 0..<Self.shardCount { shards[number].entries.deallocate() }
        shards.deallocate()
    }

    var reservedBytes: Int {
        var sum = Self.shardCount * MemoryLayout<Shard>.stride
        for number in 0..<Self.shardCount { sum += Int(shards[number].capacity) * 8 }
        return sum
    }

    func forEachSlot(_ body: (UInt32) -> Void) {
        for number in 0..<Self.shardCount {
            let shard = shards[number]
            for place in 0..<Int(shard.capacity) where shard.entries[place] != 0 {
                body(UInt32(truncatingIfNeeded: shard.entries[place]) &- 1)
            }
        }
    }

    /// The slot of `id` that `matches`; nil if there is none.
    @inline(__always)
    func find(_ id: TransactionID, where matches: (UInt32) -> Bool) -> UInt32? {
        let shard = shard(of: id).pointee
        let tag = id.low >> 32
        var place = shard.home(tag << 32)
        while true {
            let entry = shard.entries[Int(place)]
            if entry == 0 { return nil }
            if entry >> 32 == tag {
                let slot = UInt32(truncatingIfNeeded: entry) &- 1
                if matches(slot) { return slot }
            }
            place = shard.after(place)
        }
    }

    /// Adds a slot under an id. The caller has made sure that it is not there.
    func insert(_ slot: UInt32, for id: TransactionID) {
        let shard = shard(of: id)
        if UInt64(shard.pointee.count + 1) * 4 > UInt64(shard.pointee.capacity) * 3 {
            resize(shard, to: shard.pointee.capacity + shard.pointee.capacity * 3 / 8)
        }
        Self.place(Self.entry(slot, id), in: shard)
        shard.pointee.count += 1
    }

    /// Removes a slot that is there.
    func remove(_ slot: UInt32, for id: TransactionID) {
        let shard = shard(of: id)
        let entry = Self.entry(slot, id)
        let entries = shard.pointee.entries
        var hole = shard.pointee.home(entry)
        while entries[Int(hole)] != entry {
            if entries[Int(hole)] == 0 { return }
            hole = shard.pointee.after(hole)
        }
        closeUp(hole, in: shard)
        shard.pointee.count -= 1
        let capacity = shard.pointee.capacity
        if capacity > Self.smallest && shard.pointee.count * 4 < capacity {
            resize(shard, to: max(Self.smallest, shard.pointee.count * 2))
        }
    }

    @inline(__always)
    private static func entry(_ slot: UInt32, _ id: TransactionID) -> UInt64 {
        id.low & 0xffff_ffff_0000_0000 | UInt64(slot &+ 1)
    }

    /// Moves the entries behind a hole back, each no further than its home, until an empty place follows.
    private func closeUp(_ start: UInt32, in shard: UnsafeMutablePointer<Shard>) {
        let entries = shard.pointee.entries
        let capacity = shard.pointee.capacity
        var hole = start
        var place = shard.pointee.after(hole)
        while entries[Int(place)] != 0 {
            let home = shard.pointee.home(entries[Int(place)])
            let fromHome = place >= home ? place - home : place + capacity - home
            let fromHole = place >= hole ? place - hole : place + capacity - hole
            if fromHome >= fromHole {
                entries[Int(hole)] = entries[Int(place)]
                hole = place
            }
            place = shard.pointee.after(place)
        }
        entries[Int(hole)] = 0
    }

    private func resize(_ shard: UnsafeMutablePointer<Shard>, to capacity: UInt32) {
        let old = shard.pointee
        shard.pointee.entries = Self.emptyEntries(capacity)
        shard.pointee.capacity = capacity
        for place in 0..<Int(old.capacity) where old.entries[place] != 0 { Self.place(old.entries[place], in: shard) }
        old.entries.deallocate()
    }

    @inline(__always)
    private static func place(_ entry: UInt64, in shard: UnsafeMutablePointer<Shard>) {
        let shard = shard.pointee
        var place = shard.home(entry)
        while shard.entries[Int(place)] != 0 { place = shard.after(place) }
        shard.entries[Int(place)] = entry
    }

    @inline(__always)
    private func shard(of id: TransactionID) -> UnsafeMutablePointer<Shard> {
        shards + Int(truncatingIfNeeded: id.low & UInt64(Self.shardCount - 1))
    }

    private static func emptyEntries(_ capacity: UInt32) -> UnsafeMutablePointer<UInt64> {
        let entries = UnsafeMutablePointer<UInt64>.allocate(capacity: Int(capacity))
        entries.initialize(repeating: 0, count: Int(capacity))
        return entries
    }
}
