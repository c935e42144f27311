import LinkProfiles
import SIPCore
import Testing

@testable import SIPTransaction

@Suite("Random operations against the naive transactions")
struct ModelTests {
    /// SplitMix64: the same numbers for the same seed.
    struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
    }

    static let profiles: [NaiveTransactions.Timers] = [
        .init(t1: 500_000, t2: 4_000_000, t4: 5_000_000, lifetime: 32_000_000),
        .init(t1: 15_000_000, t2: 60_000_000, t4: 90_000_000, lifetime: 960_000_000),
        .init(t1: 100_000, t2: 100_000, t4: 1_000_000, lifetime: 1_600_000),
    ]

    @Test(arguments: 1...16 as ClosedRange<UInt64>)
    func sameAnswers(seed: UInt64) throws {
        var pair = try Pair(seed: seed)
        for _ in 0..<3_000 where pair.differences.isEmpty { pair.step() }
        pair.finish()
        #expect(pair.differences.isEmpty)
        #expect(pair.layer.clientCount + pair.layer.serverCount == pair.model.all.count)
    }

    /// The layer and the model, given the same.
    struct Pair {
        let layer = TransactionLayer()
        var model = NaiveTransactions()
        var numbers: Numbers
        var now: Int64 = 1_000_000
        var timers: [TimersIndex] = []
        var differences: [String] = []
        /// Few ids make much happen to each; many fill the tables.
        let ids: UInt64

        init(seed: UInt64) throws {
            numbers = Numbers(state: seed)
            ids = seed % 4 == 0 ? 2_000 : 30
            for profile in ModelTests.profiles {
                let known = TransactionTimers(
                    t1: profile.t1, t2: profile.t2, t4: profile.t4, lifetime: profile.lifetime)
                timers.append(try #require(layer.register(known)))
            }
        }

        var at: Instant { Instant(microseconds: now) }

        mutating func step() {
            let n = numbers.next() % ids
            switch Int.random(in: 0..<20, using: &numbers) {
            case 0...2: openServer(n)
            case 3...4: openClient(n)
            case 5...6: request(n, isAck: false)
            case 7: request(n, isAck: true)
            case 8...10: respond(n)
            case 11...13: response(n)
            case 14: abandonOrFail(n)
            default: pass()
            }
            if layer.clientCount + layer.serverCount != model.all.count {
                differences.append("\(layer.clientCount + layer.serverCount) transactions, not \(model.all.count)")
            }
        }

        mutating func finish() {
            for _ in 0..<200 {
                guard let due = model.earliest else { return }
                advance(to: max(now, due))
            }
        }

        private mutating func compare(_ got: some Equatable, _ expected: some Equatable, _ what: String) {
            if "\(got)" != "\(expected)" { differences.append("\(what): \(got), not \(expected)") }
        }

        private mutating func openServer(_ n: UInt64) {
            let (isInvite, isReliable) = (Bool.random(using: &numbers), Int.random(in: 0..<4, using: &numbers) == 0)
            let (p, user) = (Int.random(in: 0..<3, using: &numbers), UInt32.random(in: 1...9, using: &numbers))
            let ends = Bool.random(using: &numbers)
            let got = layer.openServer(
                Bench.id(n), isInvite: isInvite, isReliable: isReliable, timers: timers[p], user: user,
                reportsEnd: ends, at: at)
            let expected = model.openServer(
                n, isInvite: isInvite, isReliable: isReliable, timers: ModelTests.profiles[p], user: user,
                reportsEnd: ends, now: now)
            compare(got, expected, "openServer \(n)")
        }

        private mutating func openClient(_ n: UInt64) {
            let (isInvite, isReliable) = (Bool.random(using: &numbers), Int.random(in: 0..<4, using: &numbers) == 0)
            let (p, user) = (Int.random(in: 0..<3, using: &numbers), UInt32.random(in: 1...9, using: &numbers))
            let ends = Bool.random(using: &numbers)
            let got = layer.openClient(
                Bench.id(n), isInvite: isInvite, isReliable: isReliable, timers: timers[p], request: [UInt8(n % 251)],
                destination: Bench.destination, user: user, reportsEnd: ends, at: at)
            let expected = model.openClient(
                n, isInvite: isInvite, isReliable: isReliable, timers: ModelTests.profiles[p], user: user,
                reportsEnd: ends, now: now)
            compare(got, expected, "openClient \(n)")
        }

        private mutating func request(_ n: UInt64, isAck: Bool) {
            let got =
                switch layer.requestArrived(Bench.id(n), isAck: isAck, at: at) {
                case .new: "new"
                case .absorbed: "absorbed"
                case .resend(let status, let tail): "resend \(status) \(tail)"
                case .confirmed(let user): "confirmed \(user)"
                case .passAck: "passAck"
                }
            compare(got, model.request(n, isAck: isAck, now: now), "request \(n), ACK \(isAck)")
            let user = model.all[.init(n: n, isClient: false)]?.user
            compare(layer.user(ofServer: Bench.id(n)), user, "user of \(n)")
        }

        private mutating func respond(_ n: UInt64) {
            let status: UInt16 = [100, 100, 180, 200, 202, 302, 408, 486, 503].randomElement(using: &numbers) ?? 200
            let tail = (0..<UInt8.random(in: 0..<3, using: &numbers)).map { $0 }
            let got = layer.respond(Bench.id(n), status: status, tail: tail, at: at)
            compare(got, model.respond(n, status, tail, now: now), "respond \(n) \(status)")
        }

        private mutating func response(_ n: UInt64) {
            let status: UInt16 = [100, 180, 200, 202, 408, 486].randomElement(using: &numbers) ?? 200
            let answer = layer.responseArrived(Bench.id(n), status: status, at: at)
            let got =
                switch answer {
                case .unknown: "unknown"
                case .absorbed: "absorbed"
                case .pass(let user): "pass \(user)"
                case .passAndAcknowledge(let user, _): "pass and acknowledge \(user)"
                case .acknowledgeAgain(let ack, _): "acknowledge again \(ack)"
                }
            compare(got, model.response(n, status, now: now), "response \(n) \(status)")
            if case .passAndAcknowledge = answer, Bool.random(using: &numbers) {
                let ack = [UInt8.random(in: 0...255, using: &numbers)]
                layer.acknowledged(Bench.id(n), ack: ack)
                model.acknowledged(n, ack)
            }
        }

        private mutating func abandonOrFail(_ n: UInt64) {
            if Bool.random(using: &numbers) {
                layer.abandon(Bench.id(n), at: at)
                model.abandon(n, now: now)
            } else {
                compare(layer.transportFailed(Bench.id(n)), model.transportFailed(n), "transport failed \(n)")
            }
        }

        /// Lets time pass: to the next wake-up, a little, or a lot; sometimes what is due is only seen later.
        private mutating func pass() {
            switch Int.random(in: 0..<10, using: &numbers) {
            case 0...3: advance(to: max(now, layer.nextDeadline?.microseconds ?? now))
            case 4...7: advance(to: now + Int64.random(in: 0...2_000_000, using: &numbers))
            case 8: now += Int64.random(in: 0...1_000_000, using: &numbers)
            default: advance(to: now + Int64.random(in: 0...100_000_000, using: &numbers))
            }
        }

        private mutating func advance(to time: Int64) {
            now = time
            if let due = model.earliest, (layer.nextDeadline?.microseconds ?? .max) > due {
                differences.append("wakes up too late for \(due)")
            }
            var events: [TransactionEvent] = []
            layer.advance(to: at, into: &events)
            compare(events.map(Self.text).sorted(), model.advance(to: now).sorted(), "advance to \(now)")
        }

        private static let numbersOfIDs = Dictionary(uniqueKeysWithValues: (0..<2_000).map { (Bench.id($0), $0) })

        private static func text(_ event: TransactionEvent) -> String {
            func n(_ id: TransactionID) -> String { numbersOfIDs[id].map(String.init) ?? "?" }
            switch event {
            case .retransmit(let id, let bytes, let destination):
                let isRight =
                    bytes == [UInt8((numbersOfIDs[id] ?? 0) % 251)] && destination == Bench.destination
                return "retransmit \(n(id))" + (isRight ? "" : " something else")
            case .resendResponse(let id, let user, let status, let tail):
                return "resend \(n(id)) \(user) \(status) \(tail)"
            case .timedOut(let id, let user): return "timed out \(n(id)) \(user)"
            case .ackTimeout(let id, let user): return "no ACK \(n(id)) \(user)"
            case .tryingDue(let id, let user): return "trying due \(n(id)) \(user)"
            case .unanswered(let id, let user): return "unanswered \(n(id)) \(user)"
            case .ended(let id, let user): return "ended \(n(id)) \(user)"
            case .clientEnded(let id, let user): return "client ended \(n(id)) \(user)"
            }
        }
    }
}
