/// Non-INVITE client transactions over UDP (RFC 3261 section 17.1.2): timer E doubles from T1 to T2, timer F gives up.
struct ClientTransactions {
    struct Transaction {
        var request = Request.register(user: 0, cseq: 0)
        var socket = 0
        /// When the request was to be sent first.
        var due: UInt64 = 0
        var began: UInt64 = 0
        var generation: UInt32 = 0
        var sent = 0
        var isOpen = false
        var isProceeding = false
    }

    private static let capacity = 1 << 20
    private static let intervals = [second / 2, second, 2 * second, 4 * second]

    private var table = [Transaction](repeating: Transaction(), count: capacity)
    private var free = Array((0..<capacity).reversed())
    private var alarms = intervals.map { _ in AlarmRing() }
    private let timerF: UInt64
    private(set) var open = 0
    private(set) var retransmissions = 0

    init(timerF: Double) { self.timerF = seconds(timerF) }

    var hasRoom: Bool { free.count > 16 }
    subscript(slot: Int) -> Transaction { table[slot] }

    mutating func begin(_ request: Request, socket: Int, due: UInt64, at time: UInt64) -> Int {
        guard let slot = free.popLast() else { fail("too many open transactions") }
        table[slot].request = request
        table[slot].socket = socket
        table[slot].due = due
        table[slot].began = time
        table[slot].generation &+= 1
        table[slot].sent = 1
        table[slot].isOpen = true
        table[slot].isProceeding = false
        open += 1
        arm(slot, at: time)
        return slot
    }

    /// The open transaction that a response's branch names.
    func find(slot: Int, generation: UInt32) -> Bool {
        slot < table.count && table[slot].isOpen && table[slot].generation == generation
    }

    mutating func proceed(_ slot: Int) { table[slot].isProceeding = true }

    mutating func end(_ slot: Int) {
        table[slot].isOpen = false
        free.append(slot)
        open -= 1
    }

    enum Due {
        case retransmit(Int)
        case giveUp(Int)
    }

    /// What is due next, if anything is.
    mutating func next(at time: UInt64) -> Due? {
        for ring in alarms.indices {
            while let alarm = alarms[ring].first {
                guard find(slot: Int(alarm.slot), generation: alarm.generation) else {
                    alarms[ring].removeFirst()
                    continue
                }
                guard alarm.time <= time else { break }
                alarms[ring].removeFirst()
                let slot = Int(alarm.slot)
                if time >= table[slot].began + timerF { return .giveUp(slot) }
                table[slot].sent += 1
                retransmissions += 1
                arm(slot, at: time)
                return .retransmit(slot)
            }
        }
        return nil
    }

    /// When ``next(at:)`` has something to do again.
    var deadline: UInt64 { alarms.compactMap { $0.first?.time }.min() ?? .max }

    private mutating func arm(_ slot: Int, at time: UInt64) {
        let ring = table[slot].isProceeding ? 3 : min(table[slot].sent - 1, 3)
        alarms[ring].append(
            Alarm(slot: UInt32(slot), generation: table[slot].generation, time: time + Self.intervals[ring]))
    }
}

struct Alarm {
    var slot: UInt32
    var generation: UInt32
    var time: UInt64
}

/// Alarms of one interval, which fall due in the order they were set.
struct AlarmRing {
    private var items: [Alarm] = []
    private var head = 0

    var first: Alarm? { head < items.count ? items[head] : nil }

    mutating func append(_ alarm: Alarm) { items.append(alarm) }

    mutating func removeFirst() {
        head += 1
        if head == items.count {
            items.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 65_536, head * 2 >= items.count {
            items.removeFirst(head)
            head = 0
        }
    }
}
