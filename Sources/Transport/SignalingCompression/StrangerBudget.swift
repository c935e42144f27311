internal import SIPCore

/// Bounds the work that strangers can cause: UDVM cycles a second spent on messages that came to nothing, or from senders that
/// nobody knows. One address can use up its own share, and all together can slow down strangers alone.
struct StrangerBudget {
    private static let window: UInt64 = 1_000_000

    let cyclesPerSource: Int
    let cyclesInAll: Int
    private var windowEnd: UInt64 = 0
    private var spent = 0
    private var spentBySource: [IPAddress: Int] = [:]

    /// - Parameters: in cycles a second.
    init(cyclesPerSource: Int, cyclesInAll: Int) {
        self.cyclesPerSource = cyclesPerSource
        self.cyclesInAll = cyclesInAll
    }

    /// Whether a stranger's message may be looked at now. `instant` is in microseconds.
    mutating func admits(_ address: IPAddress, at instant: UInt64) -> Bool {
        if instant >= windowEnd {
            windowEnd = instant + Self.window
            spent = 0
            spentBySource.removeAll(keepingCapacity: spentBySource.count < 4_096)
        }
        return spent < cyclesInAll && spentBySource[address, default: 0] < cyclesPerSource
    }

    /// A message has cost so much and its sender is not known. A message costs at least what looking at it does.
    mutating func charge(_ cycles: Int, to address: IPAddress) {
        let cost = max(cycles, Self.leastCost)
        spent += cost
        spentBySource[address, default: 0] += cost
    }

    /// So that the addresses of one window are bounded too.
    private static let leastCost = 1_000
}
