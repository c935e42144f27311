/// Where in the history the same bytes stand: chains of positions whose next bytes have the same hash, the latest first.
///
/// Entries outlive what they point to; whoever follows a chain compares the bytes.
final class AlignedRangeIndex {
    static let minimumLength = 4
    private static let hashBits = 14
    private let heads: UnsafeMutablePointer<UInt16>
    private let older: UnsafeMutablePointer<UInt16>
    /// The same for the message before: one more than a place in it, 0 for none.
    private let recentHeads: UnsafeMutablePointer<UInt16>
    private let recentOlder: UnsafeMutablePointer<UInt16>
    private static let recentBits = 10
    private static let recentLimit = 1_024

    init() {
        heads = .allocate(capacity: 1 << Self.hashBits)
        heads.initialize(repeating: 0, count: 1 << Self.hashBits)
        older = .allocate(capacity: AlignedRangeMachine.positions)
        older.initialize(repeating: 0, count: AlignedRangeMachine.positions)
        recentHeads = .allocate(capacity: 1 << Self.recentBits)
        recentHeads.initialize(repeating: 0, count: 1 << Self.recentBits)
        recentOlder = .allocate(capacity: Self.recentLimit)
        recentOlder.initialize(repeating: 0, count: Self.recentLimit)
    }

    deinit {
        heads.deallocate()
        older.deallocate()
        recentHeads.deallocate()
        recentOlder.deallocate()
    }

    @inline(__always)
    static func hash(_ bytes: UnsafePointer<UInt8>) -> Int {
        let word = UnsafeRawPointer(bytes).loadUnaligned(as: UInt32.self)
        return Int((word &* 2_654_435_761) >> UInt32(32 - hashBits))
    }

    /// Forgets everything but the message before.
    func clear() { heads.update(repeating: 0, count: 1 << Self.hashBits) }

    /// Adds the positions from `start` whose bytes end before `end`; both below 65536.
    func insert(_ history: UnsafeMutablePointer<UInt8>, from start: Int, to end: Int) {
        var position = start
        while position &+ Self.minimumLength <= end {
            let hash = Self.hash(history + position)
            older[position] = heads[hash]
            heads[hash] = UInt16(position)
            position &+= 1
        }
    }

    /// Takes another message for the one before.
    func setRecent(_ bytes: UnsafeMutablePointer<UInt8>, count: Int) {
        recentHeads.update(repeating: 0, count: 1 << Self.recentBits)
        var place = min(count, Self.recentLimit) - Self.minimumLength
        while place >= 0 {
            let hash = Self.hash(bytes + place) >> (Self.hashBits - Self.recentBits)
            recentOlder[place] = recentHeads[hash]
            recentHeads[hash] = UInt16(place + 1)
            place -= 1
        }
    }

    /// The first place in the message before with the hash of these bytes; nil for none.
    @inline(__always)
    func firstRecent(_ bytes: UnsafePointer<UInt8>) -> Int? {
        let place = Int(recentHeads[Self.hash(bytes) >> (Self.hashBits - Self.recentBits)])
        return place > 0 ? place &- 1 : nil
    }

    @inline(__always)
    func nextRecent(after place: Int) -> Int? {
        let next = Int(recentOlder[place])
        return next > 0 ? next &- 1 : nil
    }

    @inline(__always)
    func latest(_ bytes: UnsafePointer<UInt8>) -> Int { Int(heads[Self.hash(bytes)]) }

    @inline(__always)
    func older(than position: Int) -> Int { Int(older[position]) }
}
