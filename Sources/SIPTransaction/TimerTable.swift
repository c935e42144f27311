/// A value with one timer. The fields belong to ``TimerTable``.
protocol TimerCarrier {
    /// Microseconds; meaningful while `queue` is not ``TimerTable/stopped``.
    var deadline: Int64 { get set }
    var next: UInt32 { get set }
    var previous: UInt32 { get set }
    var queue: UInt16 { get set }
}

/// Values in slots, each with one timer, in a queue for every duration there is.
///
/// A transaction's timers have a handful of durations, known beforehand. Timers of equal duration end in the order in
/// which they started, so starting, stopping and firing each take a constant time, and need sixteen bytes within the
/// value and no memory beside it.
final class TimerTable<Carrier: TimerCarrier> {
    /// The value of `queue` while the timer does not run.
    static var stopped: UInt16 { .max }
    private static var none: UInt32 { SlotPages<Carrier>.none }

    private struct Queue {
        let duration: Int64
        /// Deadline of the first; `Int64.max` while there is none.
        var firstDeadline: Int64 = .max
        var first: UInt32
        var last: UInt32
    }

    let slots: SlotPages<Carrier>
    private var queues: UnsafeMutablePointer<Queue>
    private var queueCount = 0
    private var queueCapacity = 32
    /// No timer fires before this; `Int64.max` while none runs. Early after a timer was stopped.
    private(set) var earliest: Int64 = .max

    init(slotsPerPage: Int) {
        slots = SlotPages(slotsPerPage: slotsPerPage)
        queues = .allocate(capacity: queueCapacity)
    }

    deinit { queues.deallocate() }

    var reservedBytes: Int { slots.reservedBytes + queueCapacity * MemoryLayout<Queue>.stride }

    /// The number of the queue for a duration in microseconds, made if there is none. A duration below 1 counts as 1.
    func queue(of duration: Int64) -> UInt16 {
        let duration = max(1, duration)
        for number in 0..<queueCount where queues[number].duration == duration { return UInt16(number) }
        if queueCount == queueCapacity {
            let grown = UnsafeMutablePointer<Queue>.allocate(capacity: queueCapacity * 2)
            grown.moveInitialize(from: queues, count: queueCount)
            queues.deallocate()
            queues = grown
            queueCapacity *= 2
        }
        (queues + queueCount).initialize(to: Queue(duration: duration, first: Self.none, last: Self.none))
        queueCount += 1
        return UInt16(queueCount - 1)
    }

    /// Starts a slot's timer at `now`, stopping it first if it runs.
    func start(_ slot: UInt32, queue number: UInt16, at now: Int64) {
        let carrier = slots.pointer(slot)
        if carrier.pointee.queue != Self.stopped { unlink(carrier) }
        let queue = queues + Int(number)
        let deadline = now + queue.pointee.duration
        let last = queue.pointee.last
        carrier.pointee.deadline = deadline
        carrier.pointee.queue = number
        carrier.pointee.next = Self.none
        carrier.pointee.previous = last
        queue.pointee.last = slot
        if last == Self.none {
            queue.pointee.first = slot
            queue.pointee.firstDeadline = deadline
            if deadline < earliest { earliest = deadline }
        } else {
            slots.pointer(last).pointee.next = slot
        }
    }

    /// Stops a slot's timer if it runs.
    func stop(_ slot: UInt32) {
        let carrier = slots.pointer(slot)
        guard carrier.pointee.queue != Self.stopped else { return }
        unlink(carrier)
        carrier.pointee.queue = Self.stopped
    }

    /// Fires every timer due at `now`, in order within each duration. `fire` may start and stop timers and remove
    /// slots; what it starts is due later.
    func advance(to now: Int64, _ fire: (UInt32) -> Void) {
        guard earliest <= now else { return }
        var number = 0
        while number < queueCount {
            while queues[number].firstDeadline <= now {
                let slot = queues[number].first
                stop(slot)
                fire(slot)
            }
            number += 1
        }
        var minimum = Int64.max
        for number in 0..<queueCount { minimum = min(minimum, queues[number].firstDeadline) }
        earliest = minimum
    }

    private func unlink(_ carrier: UnsafeMutablePointer<Carrier>) {
        let queue = queues + Int(carrier.pointee.queue)
        let next = carrier.pointee.next
        let previous = carrier.pointee.previous
        if next == Self.none {
            queue.pointee.last = previous
        } else {
            slots.pointer(next).pointee.previous = previous
        }
        if previous == Self.none {
            queue.pointee.first = next
            queue.pointee.firstDeadline = next == Self.none ? .max : slots.pointer(next).pointee.deadline
        } else {
            slots.pointer(previous).pointee.next = next
        }
    }
}
