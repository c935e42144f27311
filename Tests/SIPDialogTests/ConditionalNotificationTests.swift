import LinkProfiles
import SIPCore
import SIPDialog
import Testing

@Suite("Conditional notification (RFC 5839)")
struct ConditionalNotificationTests {
    private let policy = NotifierPolicy()
    private let start = Instant(microseconds: 1_790_000_000_000_000)

    private func at(_ seconds: Int64) -> Instant { start + .seconds(seconds) }

    private func made(
        expires: UInt32 = 3_600, isDecided: Bool = true, rates: EventRates = .none,
        condition: NotificationCondition = .none
    ) throws -> (NotifierSubscription, NotifierSubscription.Notification) {
        var subscription = NotifierSubscription(
            expires: expires, isDecided: isDecided, rates: rates, condition: condition, policy: policy, at: start)
        let notification = try required(subscription.begin(at: start, entityTag: 7))
        _ = subscription.ended(.delivered(rates: nil), policy: policy, at: start)
        return (subscription, notification)
    }

    @Test(
        "what holds", arguments: [(NotificationCondition.none, false), (.any, true), (.tag(7), true), (.tag(8), false)])
    func holds(_ condition: NotificationCondition, _ expected: Bool) {
        #expect(condition.holds(for: 7) == expected)
        #expect(condition.holds(for: nil) == (condition == .any))
    }

    @Test(
        "outside a dialog the NOTIFY comes, without a body (sections 5.4, 5.5, 6.2)", arguments: [3_600, 0] as [UInt32])
    func resuming(_ expires: UInt32) throws {
        #expect(try made(expires: expires, condition: .tag(7)).1.content == .none)
        #expect(try made(expires: expires, condition: .any).1.content == .none)
        #expect(try made(expires: expires, condition: .tag(8)).1.content == .fullState)
    }

    @Test("in a dialog 204 is the answer and no NOTIFY follows until the state changes (sections 5.6, 6.3)")
    func refreshing() throws {
        var (subscription, _) = try made()
        let answer = subscription.refreshed(
            expires: 7_200, condition: .tag(7), entityTag: 7, policy: policy, at: at(10))
        #expect(answer.statusCode == 204)
        #expect(subscription.expiresAt == at(7_210))
        #expect(subscription.nextMoment == at(7_210))
        subscription.changed()
        #expect(subscription.begin(at: at(20), entityTag: 7) == nil, "changed, but not for this watcher")
        #expect(subscription.nextMoment == at(7_210))
        subscription.changed()
        #expect(subscription.begin(at: at(30), entityTag: 9)?.content == .state)
    }

    @Test("a stale tag is answered 200 and everything is told")
    func stale() throws {
        var (subscription, _) = try made()
        let answer = subscription.refreshed(
            expires: 7_200, condition: .tag(6), entityTag: 7, policy: policy, at: at(10))
        #expect(answer.statusCode == 200)
        #expect(subscription.begin(at: at(10), entityTag: 7)?.content == .fullState)
    }

    @Test("once the condition has failed it is gone, also if the old state comes back")
    func goneForGood() throws {
        var (subscription, _) = try made()
        _ = subscription.refreshed(expires: 60, condition: .tag(7), entityTag: 7, policy: policy, at: at(1))
        subscription.changed()
        _ = subscription.begin(at: at(2), entityTag: 8)
        _ = subscription.ended(.delivered(rates: nil), policy: policy, at: at(2))
        subscription.changed()
        #expect(subscription.begin(at: at(3), entityTag: 7)?.content == .state)
    }

    @Test("unsubscribing with a condition that holds needs no NOTIFY (section 5.7)")
    func ending() throws {
        var (subscription, _) = try made()
        let answer = subscription.refreshed(expires: 0, condition: .tag(7), entityTag: 7, policy: policy, at: at(1))
        #expect(answer == .noNotificationAndEnd)
        #expect(answer.statusCode == 204)
        #expect(subscription.nextMoment == nil)
        #expect(subscription.begin(at: at(2), entityTag: 7) == nil)
    }

    @Test("a wildcard quiets a subscription until a SUBSCRIBE without it; its end is still told (section 5.2)")
    func dormant() throws {
        var (subscription, _) = try made(expires: 600)
        _ = subscription.refreshed(expires: 600, condition: .any, entityTag: 7, policy: policy, at: at(1))
        for second in 2...50 as ClosedRange<Int64> {
            subscription.changed()
            #expect(subscription.begin(at: at(second), entityTag: UInt64(second)) == nil)
        }
        var resumed = subscription
        let last = try required(subscription.begin(at: at(601), entityTag: 99))
        #expect(last.isLast && last.content == .none)
        #expect(resumed.refreshed(expires: 600, entityTag: 50, policy: policy, at: at(60)) == .ok)
        #expect(resumed.begin(at: at(60), entityTag: 50)?.content == .fullState)
    }

    @Test("what Subscription-State has to tell is told, without a body")
    func reportableChanges() throws {
        var (pending, _) = try made(isDecided: false)
        pending.decided(true)
        let answer = pending.refreshed(expires: 60, condition: .any, entityTag: 7, policy: policy, at: at(1))
        #expect(answer.statusCode == 200)
        let granted = try required(pending.begin(at: at(1), entityTag: 7))
        #expect(granted.header.substate == .active)
        #expect(granted.content == .none)

        var (paced, _) = try made()
        let other = paced.refreshed(
            expires: 60, rates: EventRates(maximum: 100_000), condition: .tag(7), entityTag: 7, policy: policy,
            at: at(1))
        #expect(other.statusCode == 200)
        let rates = try required(paced.begin(at: at(1), entityTag: 7))
        #expect(rates.header.rates == EventRates(maximum: 100_000))
        #expect(rates.content == .none)
    }

    @Test("min-rate sends nothing that the condition spares (RFC 6446 section 6.2)")
    func minimumRate() throws {
        var (subscription, _) = try made(rates: EventRates(minimum: 10_000))
        _ = subscription.refreshed(
            expires: 3_600, rates: EventRates(minimum: 10_000), condition: .tag(7), entityTag: 7, policy: policy,
            at: at(50))
        #expect(subscription.nextMoment == at(100))
        #expect(subscription.begin(at: at(100), entityTag: 7) == nil)
        #expect(subscription.nextMoment == at(200))
        #expect(subscription.begin(at: at(200), entityTag: 8)?.content == .state)
    }
}
