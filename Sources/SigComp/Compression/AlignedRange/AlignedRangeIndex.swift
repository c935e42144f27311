/// Where in the history the same bytes stand: chains of positions whose next bytes have the same hash, the latest first.
///
/// Entries outlive what they point to; whoever follows a chain compares the bytes.
final class AlignedRangeIndex {
    static let minimumLength = 4
    private static let hashBits = 14
    private let heads: UnsafeMutablePointer<UInt16>
    private let older: UnsafeMutablePointer<UInt16>

    init() {
        heads = .allocate(capacity: 1 << Self.hashBits)
        heads.initialize(repeating: 0, count: 1 << Self.hashBits)
        older = .allocate(capacity: AlignedRangeMachine.positions)
        older.initialize(repeating: 0, count: AlignedRangeMachine.positions)
    }

    deinit {
        heads.deallocate()
        older.deallocate()
    }

    @inline(__always)
    static func hash(_ bytes: UnsafePointer<UInt8>) -> Int {
        let word = UnsafeRawPointer(bytes).loadUnaligned(as: UInt32.self)
        return Int((word &* 2_654_435_761) >> UInt32(32 - hashBits))
    }

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

    @inline(__always)
    func latest(_ bytes: UnsafePointer<UInt8>) -> Int { Int(heads[Self.hash(bytes)]) }

    @inline(__always)
    func older(than position: Int) -> Int { Int(older[position]) }
}
