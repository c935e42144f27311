/// From timers and an occasion to the queue of a ``TimerTable``: one row of numbers for each ``TimersIndex``.
final class TimerSchedules {
    /// What a transaction's own timer is started for. J, L and M take `lifetime`; I and K take `t4`.
    enum Occasion: Int {
        /// 200 ms: when an INVITE is due a 100 (RFC 3261 section 17.2.1).
        case inviteTrying
        /// When a client's timer E reaches T2: a 100 is due to another request (RFC 4320 section 4.1).
        case trying
        /// From then to the end of the lifetime.
        case expiry
        case lifetime
        case t2
        case t4
        /// The lifetime, but 32 s at least (RFC 6026 section 8.4).
        case timerD
    }

    static let inviteTryingDelay: Int64 = 200_000
    static let timerDMinimum: Int64 = 32_000_000
    /// Intervals kept in a row; the last is used for all further ones. 2^23 T1 is longer than any transaction.
    private static let steps = 24
    private static let firstDoubling = 8
    private static let firstCapped = firstDoubling + steps
    private static let rowLength = firstCapped + steps

    private(set) var registered: [TransactionTimers] = []
    private let rows: UnsafeMutablePointer<UInt16>
    private var lifetimes: [UInt16] = []

    init() {
        rows = .allocate(capacity: 256 * Self.rowLength)
    }

    deinit { rows.deallocate() }

    /// The row of `timers`, whose queues are made by `records` and, for the lifetime, by `pending` too. Nil when full.
    func register(
        _ timers: TransactionTimers, records: TimerTable<TransactionRecord>, pending: TimerTable<PendingMessage>
    ) -> TimersIndex? {
        if let number = registered.firstIndex(of: timers) { return TimersIndex(number: UInt8(number)) }
        guard registered.count < 255 else { return nil }
        let number = registered.count
        registered.append(timers)
        let row = rows + number * Self.rowLength
        row.initialize(repeating: 0, count: Self.rowLength)
        let trying = Self.tryingDelay(timers)
        row[Occasion.inviteTrying.rawValue] = records.queue(of: Self.inviteTryingDelay)
        row[Occasion.trying.rawValue] = records.queue(of: trying)
        row[Occasion.expiry.rawValue] = records.queue(of: timers.lifetime - trying)
        row[Occasion.lifetime.rawValue] = records.queue(of: timers.lifetime)
        row[Occasion.t2.rawValue] = records.queue(of: timers.t2)
        row[Occasion.t4.rawValue] = records.queue(of: timers.t4)
        row[Occasion.timerD.rawValue] = records.queue(of: max(timers.lifetime, Self.timerDMinimum))
        var interval = timers.t1
        for step in 0..<Self.steps {
            row[Self.firstDoubling + step] = records.queue(of: interval)
            row[Self.firstCapped + step] = records.queue(of: step == 0 ? timers.t1 : min(interval, timers.t2))
            if interval < timers.lifetime { interval *= 2 }
        }
        lifetimes.append(pending.queue(of: timers.lifetime))
        return TimersIndex(number: UInt8(number))
    }

    /// The queue for timers B, F and H among the pending messages.
    @inline(__always)
    func lifetime(_ timers: TimersIndex) -> UInt16 { lifetimes[Int(timers.number)] }

    @inline(__always)
    func queue(_ timers: TimersIndex, _ occasion: Occasion) -> UInt16 {
        rows[Int(timers.number) * Self.rowLength + occasion.rawValue]
    }

    /// The queue for timer A after `step` of its starts: T1 * 2^step.
    func doubling(_ timers: TimersIndex, step: UInt8) -> UInt16 {
        rows[Int(timers.number) * Self.rowLength + Self.firstDoubling + min(Int(step), Self.steps - 1)]
    }

    /// The queue for timers E and G after `step` of their starts: T1 * 2^step, at most T2.
    func capped(_ timers: TimersIndex, step: UInt8) -> UInt16 {
        rows[Int(timers.number) * Self.rowLength + Self.firstCapped + min(Int(step), Self.steps - 1)]
    }

    /// How long after the request a client's timer E is set to T2: the sum of the shorter intervals, at least T1.
    static func tryingDelay(_ timers: TransactionTimers) -> Int64 {
        var sum: Int64 = 0
        var interval = timers.t1
        repeat {
            sum += interval
            interval *= 2
        } while interval < timers.t2 && sum < timers.lifetime
        return min(sum, timers.lifetime)
    }
}
