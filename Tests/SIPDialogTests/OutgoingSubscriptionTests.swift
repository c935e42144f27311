import LinkProfiles
import SIPCore
import SIPDialog
import Testing

@Suite("A subscription kept elsewhere (RFC 6665 section 4.1)")
struct OutgoingSubscriptionTests {
    private let start = Instant(microseconds: 1_790_000_000_000_000)
    private let policy = SubscriberPolicy(
        expires: 3_600, timerN: .seconds(32 as Int64), firstRetry: .seconds(20 as Int64),
        longestRetry: .seconds(1_000 as Int64))

    private func at(_ seconds: Int64) -> Instant { start + .seconds(seconds) }

    private func seconds(_ moment: Instant?) -> Double? { moment.map { ($0 - start).inSeconds } }

    private func made() -> OutgoingSubscription { OutgoingSubscription(policy: policy, notBefore: start) }

    /// Subscribed and told once.
    private func active(expires: UInt32 = 3_600) throws -> OutgoingSubscription {
        var subscription = made()
        let attempt = try required(subscription.begin(at: start, random: 0))
        #expect(attempt == .init(isInitial: true, expires: 3_600))
        subscription.ended(.accepted(status: 200, expires: expires), at: start, random: 0)
        let notice = subscription.notified(SubscriptionStateHeader(.active, expires: expires), at: start, random: 0)
        #expect(notice == .state)
        #expect(subscription.state == .active)
        return subscription
    }

    private func refused(_ status: UInt16, retryAfter: UInt32? = nil, minExpires: UInt32? = nil) -> SubscribeOutcome {
        .refused(status: status, retryAfter: retryAfter, minExpires: minExpires)
    }

    @Test("it subscribes, waits for the NOTIFY, and refreshes before the end")
    func life() throws {
        var subscription = made()
        #expect(seconds(subscription.nextMoment) == 0)
        #expect(subscription.begin(at: start, random: 0)?.isInitial == true)
        #expect(subscription.state == .notifyWait)
        #expect(subscription.begin(at: start, random: 0) == nil)
        subscription.ended(.accepted(status: 200, expires: 1_000), at: start, random: 0)
        #expect(seconds(subscription.nextMoment) == 32)
        #expect(
            subscription.notified(SubscriptionStateHeader(.pending, expires: 1_000), at: at(1), random: 0) == .state)
        #expect(subscription.state == .pending)
        #expect(seconds(subscription.nextMoment) == 801)
        #expect(subscription.notified(SubscriptionStateHeader(.active, expires: 990), at: at(11), random: 1) == .state)
        #expect(subscription.state == .active)
        #expect(seconds(subscription.nextMoment) == 902)
        #expect(subscription.begin(at: at(902), random: 0) == .init(isInitial: false, expires: 3_600))
        subscription.ended(.accepted(status: 200, expires: 1_000), at: at(902), random: 0)
        #expect(seconds(subscription.nextMoment) == 934)
        #expect(subscription.notified(SubscriptionStateHeader(.active), at: at(903), random: 0) == .state)
        #expect(seconds(subscription.nextMoment) == 1_702)
    }

    @Test("the NOTIFY may come before the response")
    func notifyFirst() throws {
        var subscription = made()
        _ = subscription.begin(at: start, random: 0)
        #expect(subscription.notified(SubscriptionStateHeader(.active, expires: 600), at: start, random: 0) == .state)
        subscription.ended(.accepted(status: 200, expires: 600), at: at(1), random: 0)
        #expect(subscription.state == .active)
        #expect(seconds(subscription.nextMoment) == 481)
    }

    @Test("timer N ends an attempt that no NOTIFY follows, and the next comes after a wait that doubles")
    func timerN() throws {
        var subscription = made()
        _ = subscription.begin(at: start, random: 0)
        subscription.ended(.accepted(status: 200, expires: 3_600), at: start, random: 0)
        #expect(subscription.begin(at: at(32), random: 0) == nil)
        #expect(subscription.state == .idle)
        #expect(subscription.notified(SubscriptionStateHeader(.active), at: at(33), random: 0) == nil)
        #expect(seconds(subscription.nextMoment) == 52)
        #expect(subscription.begin(at: at(52), random: 0)?.isInitial == true)
        subscription.ended(.unanswered, at: at(84), random: 0)
        #expect(seconds(subscription.nextMoment) == 124)
    }

    @Test("a refresh that no NOTIFY follows ends the subscription, a 204 does not (RFC 5839)")
    func refreshWithoutNotify() throws {
        for status in [200, 204] as [UInt16] {
            var subscription = try active()
            _ = subscription.begin(at: at(2_880), random: 0)
            subscription.ended(.accepted(status: status, expires: 3_600), at: at(2_880), random: 0)
            _ = subscription.begin(at: at(2_912), random: 0)
            #expect(subscription.state == (status == 204 ? .active : .idle))
        }
    }

    @Test(
        "these responses to a refresh end the subscription (section 4.1.2.2)",
        arguments: [404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604] as [UInt16])
    func endingRefreshes(_ status: UInt16) throws {
        var subscription = try active()
        _ = subscription.begin(at: at(2_880), random: 0)
        subscription.ended(refused(status), at: at(2_880), random: 0)
        #expect(subscription.state == .idle)
        let wait = try #require(seconds(subscription.nextMoment)) - 2_880
        switch status {
        case 481: #expect(wait == 0)
        case 480, 482, 483: #expect(wait == 20)
        default: #expect(wait == 1_000)
        }
        #expect(subscription.begin(at: at(3_880), random: 0)?.isInitial == true)
    }

    @Test(
        "with others it goes on until it expires, and the refresh is tried again",
        arguments: [401, 403, 408, 423, 500, 503, 603] as [UInt16])
    func passingRefreshes(_ status: UInt16) throws {
        var subscription = try active()
        _ = subscription.begin(at: at(2_880), random: 0)
        subscription.ended(refused(status, retryAfter: status == 503 ? 300 : nil), at: at(2_880), random: 0)
        #expect(subscription.state == .active)
        #expect(seconds(subscription.nextMoment) == (status == 503 ? 3_180 : 2_900))
        #expect(subscription.begin(at: at(3_200), random: 0) == .init(isInitial: false, expires: 3_600))
        subscription.ended(.unanswered, at: at(3_232), random: 0)
        #expect(subscription.state == .active)
        #expect(subscription.begin(at: at(3_600), random: 0) == nil)
        #expect(subscription.state == .idle)
    }

    @Test(
        "what will not change is asked again after the longest wait, what may after a short one",
        arguments: [
            (489, 1_000), (403, 1_000), (404, 1_000), (603, 1_000), (488, 1_000), (480, 20), (500, 20), (503, 20),
            (408, 20), (481, 20),
        ] as [(UInt16, Double)])
    func failures(_ status: UInt16, _ wait: Double) throws {
        var subscription = made()
        _ = subscription.begin(at: start, random: 0)
        subscription.ended(refused(status), at: start, random: 0)
        #expect(subscription.state == .idle)
        #expect(seconds(subscription.nextMoment) == wait)
    }

    @Test("Retry-After is waited for")
    func retryAfter() throws {
        var subscription = made()
        _ = subscription.begin(at: start, random: 0)
        subscription.ended(refused(503, retryAfter: 5_000), at: start, random: 0)
        #expect(seconds(subscription.nextMoment) == 5_000)
    }

    @Test("a 423 has it ask for more at once, but one that goes on raising does not make a storm")
    func tooBrief() throws {
        var subscription = made()
        _ = subscription.begin(at: start, random: 0)
        subscription.ended(refused(423, minExpires: 7_200), at: start, random: 0)
        #expect(subscription.begin(at: start, random: 0) == .init(isInitial: true, expires: 7_200))
        subscription.ended(refused(423, minExpires: 7_201), at: start, random: 0)
        #expect(seconds(subscription.nextMoment) == 20)
        _ = subscription.begin(at: at(20), random: 0)
        subscription.ended(refused(423, minExpires: 10), at: at(20), random: 0)
        #expect(try #require(seconds(subscription.nextMoment)) > 40)
    }

    @Test(
        "the reason says whether and when it subscribes again (section 4.1.3)",
        arguments: [
            (SubscriptionEndReason.deactivated, 0), (.timeout, 0), (.probation, 300), (.giveUp, 300), (.other, 300),
            (.rejected, nil), (.noResource, nil), (.invariant, nil),
        ] as [(SubscriptionEndReason, Double?)])
    func reasons(_ reason: SubscriptionEndReason, _ wait: Double?) throws {
        var subscription = try active()
        let header = SubscriptionStateHeader(.terminated, reason: reason, retryAfter: 300)
        #expect(subscription.notified(header, at: at(100), random: 0) == .lastState)
        #expect(subscription.state == (wait == nil ? .ended : .idle))
        #expect(seconds(subscription.nextMoment) == wait.map { $0 + 100 })
    }

    @Test("without a reason it subscribes again after a wait")
    func noReason() throws {
        var subscription = try active()
        #expect(subscription.notified(SubscriptionStateHeader(.terminated), at: at(100), random: 0) == .lastState)
        #expect(seconds(subscription.nextMoment) == 120)
    }

    @Test("a server that ends every subscription at once is not asked at once for ever")
    func noStorm() throws {
        var subscription = made()
        var attempts = 0
        var now = start
        while now < at(3_600) {
            if subscription.begin(at: now, random: 0) != nil {
                attempts += 1
                subscription.ended(.accepted(status: 200, expires: 3_600), at: now, random: 0)
                _ = subscription.notified(SubscriptionStateHeader(.active), at: now, random: 0)
                _ = subscription.notified(
                    SubscriptionStateHeader(.terminated, reason: .deactivated), at: now, random: 0)
            }
            now = max(now, subscription.nextMoment ?? at(3_600))
        }
        #expect(attempts <= 181)
        #expect(attempts > 10)
    }

    @Test("stopping takes the subscription back and waits for the last NOTIFY (section 4.1.2.3)")
    func stopping() throws {
        var subscription = try active()
        subscription.stop(at: at(10))
        #expect(subscription.begin(at: at(10), random: 0) == .init(isInitial: false, expires: 0))
        subscription.ended(.accepted(status: 200, expires: 0), at: at(10), random: 0)
        #expect(subscription.begin(at: at(11), random: 0) == nil)
        #expect(subscription.notified(SubscriptionStateHeader(.active, expires: 60), at: at(11), random: 0) == .state)
        #expect(subscription.begin(at: at(12), random: 0) == nil)
        let last = SubscriptionStateHeader(.terminated, reason: .timeout)
        #expect(subscription.notified(last, at: at(12), random: 0) == .lastState)
        #expect(subscription.state == .ended)
        #expect(subscription.nextMoment == nil)
    }

    @Test("stopping ends by itself where nobody answers")
    func stoppingAlone() throws {
        for outcome in [
            SubscribeOutcome.accepted(status: 200, expires: 0), .accepted(status: 204, expires: nil), .unanswered,
        ] {
            var subscription = try active()
            subscription.stop(at: at(10))
            _ = subscription.begin(at: at(10), random: 0)
            subscription.ended(outcome, at: at(11), random: 0)
            if let moment = subscription.nextMoment { #expect(subscription.begin(at: moment, random: 0) == nil) }
            #expect(subscription.state == .ended)
        }
        var idle = made()
        idle.stop(at: start)
        #expect(idle.state == .ended)
        var waiting = made()
        _ = waiting.begin(at: start, random: 0)
        waiting.stop(at: at(1))
        #expect(waiting.notified(SubscriptionStateHeader(.active, expires: 600), at: at(2), random: 0) == .state)
        waiting.ended(.accepted(status: 200, expires: 600), at: at(2), random: 0)
        #expect(waiting.begin(at: at(2), random: 0) == .init(isInitial: false, expires: 0))
    }

    @Test("whatever happens it neither stops trying nor tries all the time", arguments: 1...40 as ClosedRange<UInt64>)
    func model(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var subscription = made()
        var now = start
        var open = false
        var attempts = 0
        let statuses: [UInt16] = [400, 403, 404, 408, 423, 480, 481, 489, 500, 503, 604]
        let reasons = SubscriptionEndReason.allCases.filter { ![.rejected, .noResource, .invariant].contains($0) }
        for _ in 0..<3_000 {
            let step = Int64.random(in: 0...60_000_000, using: &random)
            now = now + .microseconds(step)
            if subscription.begin(at: now, random: Double.random(in: 0..<1, using: &random)) != nil {
                #expect(!open, "two SUBSCRIBEs at a time")
                open = true
                attempts += 1
            }
            switch Int.random(in: 0..<8, using: &random) {
            case 0..<3 where open:
                open = false
                let status = statuses.randomElement(using: &random) ?? 500
                let outcomes: [SubscribeOutcome] = [
                    .accepted(status: 200, expires: UInt32.random(in: 0...4_000, using: &random)),
                    .accepted(status: 200, expires: nil), .unanswered,
                    refused(status, minExpires: UInt32.random(in: 0...9_000, using: &random)),
                ]
                subscription.ended(outcomes.randomElement(using: &random) ?? .unanswered, at: now, random: 0)
            case 3, 4:
                let expires = UInt32.random(in: 0...4_000, using: &random)
                _ = subscription.notified(
                    SubscriptionStateHeader(Bool.random(using: &random) ? .active : .pending, expires: expires),
                    at: now,
                    random: 0)
            case 5 where Bool.random(using: &random):
                let header = SubscriptionStateHeader(.terminated, reason: reasons.randomElement(using: &random))
                _ = subscription.notified(header, at: now, random: 0)
            default: break
            }
            #expect(subscription.state != .ended)
            #expect(open || subscription.nextMoment != nil, "nothing would ever happen again")
        }
        #expect(attempts > 20)
    }
}
