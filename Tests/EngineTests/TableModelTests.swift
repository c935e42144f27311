import LinkProfiles
import MessageStore
import SIPCore
import Testing

@testable import Engine

/// The engine's tables against models that are too simple to be wrong.
@Suite("Tables against models")
struct TableModelTests {
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func aQueueIsAListOfWhatHasNotEnded(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        var queue = RecipientQueue()
        var model: [QueueEntry] = []
        var next: Int64 = 0
        for step in 0..<2_500 {
            // Long runs of one kind, so that the queue grows and drains.
            let isGrowing = Int.random(in: 0..<10, using: &random) < (model.count < 300 ? 5 : 2)
            if isGrowing || model.isEmpty {
                next += Int64.random(in: 1...3, using: &random)
                let entry = QueueEntry(
                    number: MessageNumber(next), expires: 1, sender: UInt32.random(in: 0..<4, using: &random),
                    size: UInt32.random(in: 0..<5_000, using: &random), attempts: .max - 1,
                    state: [.queued, .claimed].randomElement(using: &random) ?? .queued, isUrgent: false)
                queue.append(entry)
                model.append(entry)
            } else {
                let at = Int.random(in: 0..<model.count, using: &random)
                let position = try #require(queue.index(of: model[at].number))
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    let state: QueueEntry.State =
                        [.queued, .claimed, .waiting].randomElement(using: &random) ?? .queued
                    queue.move(position, to: state)
                    model[at].state = state
                case 1:
                    queue.countAttempt(position)
                    model[at].attempts = .max
                default:
                    #expect(queue.end(at: position).number == model[at].number)
                    model.remove(at: at)
                }
            }
            guard step % 25 == 0 else { continue }
            check(queue, model)
            #expect(queue.index(of: MessageNumber(next + 1)) == nil)
            #expect(queue.remaining.count <= 3 * model.count + 65, "places of ended messages are not reclaimed")
        }
    }

    private func check(_ queue: RecipientQueue, _ model: [QueueEntry]) {
        #expect(queue.count == model.count)
        #expect(queue.isEmpty == model.isEmpty)
        #expect(queue.bytes == model.reduce(0) { $0 + Int($1.size) })
        #expect(queue.outstanding == model.count { $0.state == .claimed })
        let live = queue.remaining.filter { $0.state != .ended }
        #expect(live.map(\.number) == model.map(\.number))
        #expect(live.map(\.state) == model.map(\.state))
        #expect(live.map(\.attempts) == model.map(\.attempts))
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func identitiesAreRememberedForTwoTurns(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var memory = IdentityMemory()
        var model: [Set<UInt64>] = [[], []]
        // Few homes and long collisions: low bits are what the table goes by.
        func identity() -> MessageIdentity {
            let low = UInt64.random(in: 0..<40, using: &random) << 32 | UInt64.random(in: 0..<24, using: &random) * 64
            return MessageIdentity(high: 0, low: low == 0 ? 1 : low)
        }
        for step in 0..<6_000 {
            let subject = identity()
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                memory.insert(subject)
                model[0].insert(subject.low)
            case 5..<8:
                memory.remove(subject)
                model[0].remove(subject.low)
                model[1].remove(subject.low)
            default:
                #expect(memory.contains(subject) == (model[0].contains(subject.low) || model[1].contains(subject.low)))
            }
            if step % 1_500 == 1_499 {
                memory.turn()
                model = [[], model[0]]
            }
        }
        for low in model[0].union(model[1]) { #expect(memory.contains(MessageIdentity(high: 7, low: low))) }
        #expect(memory.count == model[0].count + model[1].count)
        memory.turn()
        memory.turn()
        #expect(memory.count == 0)
    }

    private final class Occupant {}

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func aSlotIsItsOccupantsForOneGeneration(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        var table = ContextTable<Occupant>()
        var model: [UInt32: (occupant: Occupant, generation: UInt32)] = [:]
        var past: [(slot: UInt32, generation: UInt32)] = []
        for step in 0..<2_500 {
            if step % 1_000 == 999 {
                for (slot, mark) in model {
                    table.remove(slot)
                    past.append((slot, mark.generation))
                }
                model = [:]
            } else if model.isEmpty || Int.random(in: 0..<9, using: &random) < 5 {
                let occupant = Occupant()
                let slot = table.insert(occupant)
                #expect(model[slot] == nil)
                model[slot] = (occupant, table.generation(of: slot))
            } else if let slot = model.keys.sorted().randomElement(using: &random),
                let mark = model.removeValue(forKey: slot)
            {
                table.remove(slot)
                table.remove(slot)
                past.append((slot, mark.generation))
            }
            #expect(table.count == model.count)
            if let old = past.randomElement(using: &random) {
                #expect(table.context(at: old.slot, generation: old.generation) == nil)
            }
            if let slot = model.keys.sorted().randomElement(using: &random), let mark = model[slot] {
                #expect(table[slot] === mark.occupant)
                #expect(table.context(at: slot, generation: mark.generation) === mark.occupant)
            }
        }
        #expect(table[UInt32.max] == nil)
        #expect(table.context(at: .max, generation: 0) == nil)
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func continuationsComeBackInOrderAndOnce(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var pending = PendingCommits()
        var model: [(sequence: UInt64, user: Int32)] = []
        var issued: UInt64 = 0
        var finished: UInt64 = 0
        for user in 0..<2_000 as Range<Int32> {
            switch Int.random(in: 0..<3, using: &random) {
            case 0:
                pending.issue()
                issued += 1
            case 1:
                pending.hold(.named(user: user))
                model.append((issued, user))
            default:
                // A report may also repeat an earlier one, or go beyond what was issued: neither is a step back or a trap.
                let report = UInt64.random(in: finished / 2...issued + 2, using: &random)
                pending.finish(through: report)
                finished = max(finished, min(report, issued))
                var users: [Int32] = []
                while let continuation = pending.next(through: report) {
                    if case .named(let user) = continuation { users.append(user) }
                }
                #expect(users == model.prefix { $0.sequence <= report }.map(\.user))
                model.removeAll { $0.sequence <= report }
            }
            #expect(pending.depth == Int(issued - finished))
        }
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func whatIsInFlightFailsWithItsConnection(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var inFlight = InFlightRequests()
        var model: [UInt64: [UInt64]] = [:]
        for token in 1...800 as ClosedRange<UInt64> {
            let connection = UInt64.random(in: 1...8, using: &random)
            switch Int.random(in: 0..<12, using: &random) {
            case 0: #expect(inFlight.take(connection) == model.removeValue(forKey: connection) ?? [])
            case 1...3:
                guard let old = model[connection]?.randomElement(using: &random) else { continue }
                inFlight.forget(old, on: connection)
                model[connection]?.removeAll { $0 == old }
            default:
                inFlight.add(token, on: connection)
                model[connection, default: []].append(token)
                if let count = model[connection]?.count, count > 64 { model[connection]?.removeFirst(32) }
            }
        }
    }

    @Test func patienceEndsInTheOrderOfTimeForEveryPairOfLinks() throws {
        var random = RandomSource(seed: 3)
        var profiles = [LinkProfile(), LinkProfile(), LinkProfile()]
        profiles[1].relayPatience = .seconds(100 as Int64)
        profiles[2].t1 = .seconds(20 as Int64)
        var lines = PatienceLines(profiles)
        var now = Instant(microseconds: 0)
        var model: [UInt32: Instant] = [:]
        for slot in 0..<600 as Range<UInt32> {
            let recipient = Int.random(in: 0..<3, using: &random)
            let sender = Int.random(in: 0..<3, using: &random)
            lines.add(slot: slot, generation: 0, recipient: recipient, sender: sender, now: now)
            let half = TimeSpan(microseconds: profiles[sender].transactionLifetime.microseconds / 2)
            model[slot] = now + min(profiles[recipient].relayPatience, half)
            #expect(lines.next == model.values.min())
            now = now + .milliseconds(Int64.random(in: 0..<250, using: &random))
            while let mark = lines.popDue(at: now) {
                #expect(model.removeValue(forKey: mark.slot) == mark.at)
                #expect(mark.at <= now)
            }
            #expect(model.values.allSatisfy { $0 > now })
        }
    }
}
