/// When the next request is to go out: evenly at a rate (open loop), or as soon as an answer makes room (closed loop).
struct Pace {
    private let began: UInt64
    private let rate: Double
    private let window: Int
    private let limit: Int
    private let end: UInt64
    private(set) var fired = 0
    private(set) var stopped: UInt64 = 0

    init(rate: Double, window: Int, count: Int, seconds span: Double, at time: UInt64) {
        began = time
        self.rate = rate
        self.window = window
        limit = count > 0 ? count : .max
        end = span > 0 ? time + seconds(span) : .max
        if count == 0, span <= 0 { fail("give --count or --seconds") }
    }

    var isOver: Bool { stopped > 0 }
    /// An open loop at a high rate looks at its sockets once a tick only, to leave the processor to the server.
    var tick: UInt64 { rate >= 5_000 ? 500_000 : 0 }

    /// The moment the next request was due, when it may go now.
    mutating func due(at time: UInt64, open: Int) -> UInt64? {
        guard !isOver else { return nil }
        if time >= end || fired >= limit {
            stopped = time
            return nil
        }
        if rate > 0 {
            let due = began + UInt64(Double(fired) / rate * 1e9)
            return due <= time ? due : nil
        }
        return open < window ? time : nil
    }

    mutating func fire() { fired += 1 }

    func next(at time: UInt64) -> UInt64 {
        guard !isOver else { return .max }
        guard rate > 0 else { return end }
        return min(end, max(time + 150_000, began + UInt64(Double(fired) / rate * 1e9)))
    }
}
