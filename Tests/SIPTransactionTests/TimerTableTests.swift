import Testing

@testable import SIPTransaction

@Suite("Timer table")
struct TimerTableTests {
    struct Alarm: TimerCarrier {
        var deadline: Int64 = 0
        var next: UInt32 = 0
        var previous: UInt32 = 0
        var queue: UInt16 = .max
    }

    @Test func equalDurationsShareAQueue() {
        let table = TimerTable<Alarm>(slotsPerPage: 64)
        let queues = (0..<100).map { table.queue(of: Int64($0 % 40) * 10) }
        #expect(Set(queues).count == 40)
        #expect(table.queue(of: 0) == table.queue(of: 1))
    }

    @Test func randomTimersFireOnceAndInTime() {
        let table = TimerTable<Alarm>(slotsPerPage: 64)
        var numbers = ModelTests.Numbers(state: 3)
        let durations: [Int64] = [5, 50, 500, 5_000]
        let queues = durations.map { table.queue(of: $0) }
        let slots = (0..<200).map { _ in table.slots.insert(Alarm()) }
        var model: [UInt32: Int64] = [:]
        var now: Int64 = 0
        for _ in 0..<5_000 {
            let slot = slots[Int.random(in: 0..<200, using: &numbers)]
            switch Int.random(in: 0..<4, using: &numbers) {
            case 0, 1:
                let which = Int.random(in: 0..<4, using: &numbers)
                table.start(slot, queue: queues[which], at: now)
                model[slot] = now + durations[which]
            case 2:
                table.stop(slot)
                model[slot] = nil
            default:
                now += Int64.random(in: 0..<100, using: &numbers)
                #expect(table.earliest <= model.values.min() ?? .max)
                var fired: [UInt32] = []
                table.advance(to: now) { fired.append($0) }
                #expect(Set(fired).count == fired.count)
                #expect(Set(fired) == Set(model.filter { $0.value <= now }.keys))
                for slot in fired { model[slot] = nil }
            }
        }
        #expect(!model.isEmpty)
    }

    /// Each wake-up is the right one when nothing was stopped.
    @Test func earliestIsExactWithoutStops() {
        let table = TimerTable<Alarm>(slotsPerPage: 64)
        let (short, long) = (table.queue(of: 10), table.queue(of: 100))
        #expect(table.earliest == .max)
        for n in 0..<10 as Range<Int64> {
            table.start(table.slots.insert(Alarm()), queue: n % 2 == 0 ? long : short, at: n)
        }
        var wakeUps: [Int64] = []
        while table.earliest != .max {
            wakeUps.append(table.earliest)
            table.advance(to: table.earliest) { _ in }
        }
        #expect(wakeUps == [11, 13, 15, 17, 19, 100, 102, 104, 106, 108])
    }

    @Test func aTimerStartedWhileFiringIsDueLater() {
        let table = TimerTable<Alarm>(slotsPerPage: 64)
        let queue = table.queue(of: 10)
        let slot = table.slots.insert(Alarm())
        table.start(slot, queue: queue, at: 0)
        var count = 0
        table.advance(to: 1_000) {
            count += 1
            table.start($0, queue: queue, at: 1_000)
        }
        #expect(count == 1)
        #expect(table.earliest == 1_010)
    }
}
