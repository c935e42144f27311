import LinkProfiles
import SIPCore
import SIPDialog
import Testing

@Suite("Rates that are agreed (RFC 6446)")
struct RatePolicyTests {
    private let hour = TimeSpan.seconds(3_600 as Int64)

    @Test("what is asked for within limits is adopted")
    func plain() {
        let asked = EventRates(maximum: 100_000, minimum: 1_000, adaptiveMinimum: 10_000)
        #expect(RatePolicy().agreed(asked, remaining: hour) == asked)
        #expect(RatePolicy().agreed(.none, remaining: hour) == .none)
    }

    @Test("the operator's limits hold, also for who asks for nothing")
    func limits() {
        let policy = RatePolicy(maximum: 200_000, highestMinimum: 5_000)
        #expect(policy.agreed(.none, remaining: hour) == EventRates(maximum: 200_000))
        #expect(policy.agreed(EventRates(maximum: 900_000), remaining: hour).maximum == 200_000)
        #expect(policy.agreed(EventRates(maximum: 7_000), remaining: hour).maximum == 7_000)
        #expect(policy.agreed(EventRates(minimum: 100_000), remaining: hour).minimum == 5_000)
        #expect(policy.agreed(EventRates(adaptiveMinimum: 6_000), remaining: hour).adaptiveMinimum == 5_000)
        #expect(RatePolicy(highestMinimum: 0).agreed(EventRates(minimum: 1), remaining: hour) == .none)
    }

    @Test("a rate that would let nothing through is raised to the reciprocal of what is left (section 5.3)")
    func quenched() {
        #expect(RatePolicy().agreed(EventRates(maximum: 1), remaining: hour).maximum == 278)
        #expect(RatePolicy().agreed(EventRates(maximum: 278), remaining: hour).maximum == 278)
        #expect(RatePolicy().agreed(EventRates(maximum: 1), remaining: .milliseconds(1)).maximum == 99_999_999)
        #expect(RatePolicy().agreed(EventRates(maximum: 1), remaining: .zero).maximum == 1)
    }

    @Test(
        "minimum rates are at most the maximum, and a min-rate not below the adaptive one is not considered (section 8)"
    )
    func combinations() {
        let policy = RatePolicy(highestMinimum: .max)
        let both = policy.agreed(EventRates(maximum: 1_000, minimum: 2_000), remaining: hour)
        #expect(both == EventRates(maximum: 1_000, minimum: 1_000))
        let adaptive = policy.agreed(EventRates(maximum: 1_000, adaptiveMinimum: 2_000), remaining: hour)
        #expect(adaptive == EventRates(maximum: 1_000, adaptiveMinimum: 1_000))
        #expect(policy.agreed(EventRates(minimum: 5, adaptiveMinimum: 5), remaining: hour).minimum == 0)
        #expect(policy.agreed(EventRates(minimum: 4, adaptiveMinimum: 5), remaining: hour).minimum == 4)
    }
}

@Suite("The pace of notifications (RFC 6446)")
struct NotificationPacerTests {
    private let start = Instant(microseconds: 1_790_000_000_000_000)

    @Test("without rates anything may leave at once and nothing must")
    func free() {
        var pacer = NotificationPacer(rates: .none, at: start)
        pacer.sent(at: start)
        #expect(pacer.earliest <= start)
        #expect(pacer.latest == nil)
    }

    @Test("max-rate keeps its reciprocal between two notifications (section 5.2)")
    func maximum() {
        var pacer = NotificationPacer(rates: EventRates(maximum: 50_000), at: start)
        pacer.sent(at: start)
        #expect(pacer.earliest == start + .seconds(20 as Int64))
        #expect(pacer.latest == nil)
        pacer.adopt(EventRates(maximum: 3), at: start)
        #expect(pacer.earliest == start + .microseconds(333_333_333_334))
    }

    @Test("min-rate has one leave when its reciprocal has passed (section 6.2)")
    func minimum() {
        var pacer = NotificationPacer(rates: EventRates(minimum: 2_000), at: start)
        #expect(pacer.latest == start + .seconds(500 as Int64))
        pacer.sent(at: start + .seconds(100 as Int64))
        #expect(pacer.latest == start + .seconds(600 as Int64))
        pacer.adopt(.none, at: start)
        #expect(pacer.latest == nil)
    }

    /// Lets a subscription run whose resource changes at those moments, and returns when it notified.
    private func run(_ rates: EventRates, changes: [Int64], until end: Int64) -> [Int64] {
        var pacer = NotificationPacer(rates: rates, at: start)
        pacer.sent(at: start)
        var sent: [Int64] = []
        var pending = changes[...]
        var isStale = false
        var clock = start.microseconds
        while true {
            var next = Int64.max
            if isStale { next = max(pacer.earliest.microseconds, clock) }
            if let latest = pacer.latest { next = min(next, latest.microseconds) }
            let change = pending.first.map { start.microseconds + $0 } ?? .max
            let moment = min(next, change)
            guard moment - start.microseconds < end else { return sent }
            clock = moment
            if change <= next {
                pending = pending.dropFirst()
                isStale = true
                continue
            }
            pacer.sent(at: Instant(microseconds: moment))
            sent.append(moment - start.microseconds)
            isStale = false
        }
    }

    @Test(
        "between two notifications there is never less than the maximum rate allows", arguments: [1, 2, 3] as [UInt64])
    func neverFaster(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<20 {
            let rate = UInt32.random(in: 1_000...2_000_000, using: &random)
            let rates = EventRates(
                maximum: rate, minimum: Bool.random(using: &random) ? rate / 10 : 0,
                adaptiveMinimum: Bool.random(using: &random) ? rate / 5 : 0)
            let changes = (0..<300).map { _ in Int64.random(in: 0...600_000_000, using: &random) }.sorted()
            let sent = run(rates, changes: changes, until: 700_000_000)
            #expect(!sent.isEmpty)
            for (earlier, later) in zip([0] + sent, sent) {
                #expect((later - earlier) * Int64(rate) >= 1_000_000_000_000)
            }
        }
    }

    @Test(
        "between two notifications there is never more than the minimum rate allows", arguments: [1, 2, 3] as [UInt64])
    func neverSlower(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let changes = (0..<50).map { _ in Int64.random(in: 0...3_000_000_000, using: &random) }.sorted()
        let sent = run(EventRates(minimum: 20_000, adaptiveMinimum: 21_000), changes: changes, until: 3_600_000_000)
        for (earlier, later) in zip([0] + sent, sent) { #expect(later - earlier <= 50_000_000) }
    }

    @Test(
        "the adaptive rate is kept where nothing changes (section 7.4, equation 1)",
        arguments: [100, 5_000, 16_667, 500_000, 10_000_000] as [UInt32])
    func adaptiveAlone(_ rate: UInt32) {
        let reciprocal = 1_000_000_000_000 / Int64(rate)
        let sent = run(EventRates(adaptiveMinimum: rate), changes: [], until: 1_000 * reciprocal)
        #expect((900...1_100).contains(sent.count))
        for (earlier, later) in zip(sent.dropFirst(20), sent.dropFirst(21)) {
            #expect(later - earlier > reciprocal / 2 && later - earlier < reciprocal * 2)
        }
    }

    @Test("after a burst of changes there are fewer notifications that nobody asked for, and the rate is made up")
    func adaptiveAfterBurst() {
        // One every hundred seconds; ten changes in the first ten seconds of each thousand.
        var changes: [Int64] = []
        for second in 0..<20_000 as Range<Int64> where second % 1_000 < 10 { changes.append(second * 1_000_000 + 1) }
        let sent = run(EventRates(adaptiveMinimum: 10_000), changes: changes, until: 20_000_000_000)
        #expect(sent.filter { $0 % 1_000_000_000 < 11_000_000 }.count >= 200)
        let forced = sent.filter { $0 % 1_000_000_000 >= 11_000_000 }.count
        #expect(forced < 150, "without changes there would be 200")
        #expect(sent.count >= 200)
    }

    @Test("with both, the adaptive timeout is never below the reciprocal of max-rate (equation 2)")
    func adaptiveWithMaximum() {
        let sent = run(EventRates(maximum: 100_000, adaptiveMinimum: 90_000), changes: [], until: 2_000_000_000)
        for (earlier, later) in zip([0] + sent, sent) { #expect(later - earlier >= 10_000_000) }
        #expect(sent.count > 150)
    }

    @Test("any rates and any moments are taken without a trap", arguments: [1, 2] as [UInt64])
    func anything(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            func rate() -> UInt32 {
                UInt32.random(in: 0...99_999_999, using: &random) >> UInt32.random(in: 0...30, using: &random)
            }
            var now = Instant(microseconds: Int64.random(in: 0...4_000_000_000_000_000, using: &random))
            var pacer = NotificationPacer(
                rates: EventRates(maximum: rate(), minimum: rate(), adaptiveMinimum: rate()), at: now)
            for _ in 0..<20 {
                now =
                    now
                    + .microseconds(Int64.random(in: 0...1 << Int64.random(in: 0...45, using: &random), using: &random))
                pacer.sent(at: now)
                if let latest = pacer.latest { #expect(latest > now) }
                if Int.random(in: 0..<5, using: &random) == 0 {
                    pacer.adopt(EventRates(adaptiveMinimum: rate()), at: now)
                }
            }
        }
    }
}
