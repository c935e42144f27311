import LinkProfiles
import SIPCore
import SIPDialog
import Testing

@Suite("A subscription at its notifier (RFC 6665 section 4.2)")
struct NotifierSubscriptionTests {
    private let policy = NotifierPolicy()
    private let start = Instant(microseconds: 1_790_000_000_000_000)

    private func at(_ seconds: Int64) -> Instant { start + .seconds(seconds) }

    private func made(
        expires: UInt32 = 3_600, isDecided: Bool = true, rates: EventRates = .none,
        condition: NotificationCondition = .none
    ) -> NotifierSubscription {
        NotifierSubscription(
            expires: expires, isDecided: isDecided, rates: rates, condition: condition, policy: policy, at: start)
    }

    /// Past its first NOTIFY, which was delivered.
    private func settled(
        expires: UInt32 = 3_600, isDecided: Bool = true, rates: EventRates = .none, tag: UInt64 = 1
    ) throws -> NotifierSubscription {
        var subscription = made(expires: expires, isDecided: isDecided, rates: rates)
        _ = try required(subscription.begin(at: start, entityTag: tag))
        #expect(subscription.ended(.delivered(rates: nil), policy: policy, at: start) == .goesOn)
        return subscription
    }

    @Test("it is small")
    func size() {
        #expect(MemoryLayout<NotifierSubscription>.stride <= 72)
        #expect(MemoryLayout<NotificationPacer>.stride <= 32)
    }

    @Test("a SUBSCRIBE is followed by a NOTIFY at once, with the whole state and the time left")
    func first() throws {
        var subscription = made(rates: EventRates(maximum: 50_000))
        #expect(try #require(subscription.nextMoment) <= start)
        let notification = try required(subscription.begin(at: start, entityTag: 1))
        #expect(
            notification.header
                == SubscriptionStateHeader(.active, expires: 3_600, rates: EventRates(maximum: 50_000)))
        #expect(notification.content == .fullState)
        #expect(!notification.isLast)
    }

    @Test("a pending one says so and has no state; granting it tells all at once")
    func pending() throws {
        var subscription = made(isDecided: false, rates: EventRates(maximum: 1_000))
        let notification = try required(subscription.begin(at: at(1), entityTag: nil))
        #expect(notification.header.substate == .pending)
        #expect(notification.header.expires == 3_599)
        #expect(notification.content == .none)
        _ = subscription.ended(.delivered(rates: nil), policy: policy, at: at(1))
        subscription.changed()
        #expect(subscription.nextMoment == at(3_600))

        subscription.decided(true)
        #expect(subscription.state == .active)
        let granted = try required(subscription.begin(at: at(2), entityTag: 1))
        #expect(granted.header.substate == .active)
        #expect(granted.content == .fullState)
    }

    @Test("asking for confirmation again takes the state away")
    func pendingAgain() throws {
        var subscription = try settled()
        subscription.changed()
        subscription.decided(false)
        let notification = try required(subscription.begin(at: at(1), entityTag: 2))
        #expect(notification.header.substate == .pending)
        #expect(notification.content == .none)
    }

    @Test("a fetch gets the state in its only NOTIFY (section 4.4.3)", arguments: [true, false])
    func fetch(_ isDecided: Bool) throws {
        var subscription = made(expires: 0, isDecided: isDecided)
        let notification = try required(subscription.begin(at: start, entityTag: 1))
        #expect(notification.header == SubscriptionStateHeader(.terminated, reason: .timeout))
        #expect(notification.content == (isDecided ? .fullState : .none))
        #expect(notification.isLast)
        #expect(subscription.nextMoment == nil)
        #expect(subscription.ended(.delivered(rates: nil), policy: policy, at: start) == .remove)
    }

    @Test("one NOTIFY at a time: what changes meanwhile is told once, when it has ended")
    func oneAtATime() throws {
        var subscription = try settled()
        subscription.changed()
        #expect(subscription.begin(at: at(1), entityTag: 2)?.content == .state)
        subscription.changed()
        subscription.changed()
        #expect(subscription.nextMoment == nil)
        #expect(subscription.begin(at: at(2), entityTag: 3) == nil)
        _ = subscription.ended(.delivered(rates: nil), policy: policy, at: at(2))
        #expect(subscription.begin(at: at(2), entityTag: 3)?.content == .state)
        _ = subscription.ended(.delivered(rates: nil), policy: policy, at: at(2))
        #expect(subscription.begin(at: at(2), entityTag: 3) == nil)
    }

    @Test("it ends when it is not refreshed, and says why (section 4.2.1.4)")
    func expiry() throws {
        var subscription = try settled(expires: 60)
        #expect(subscription.nextMoment == at(60))
        #expect(subscription.begin(at: at(59), entityTag: 1) == nil)
        let notification = try required(subscription.begin(at: at(60), entityTag: 1))
        #expect(notification.header == SubscriptionStateHeader(.terminated, reason: .timeout))
        #expect(notification.content == .none)
        #expect(notification.isLast)
        #expect(subscription.ended(.timedOut, policy: policy, at: at(92)) == .remove)
    }

    @Test("a refresh extends it and is followed by a NOTIFY with everything")
    func refresh() throws {
        var subscription = try settled(expires: 60)
        let answer = subscription.refreshed(expires: 120, entityTag: 1, policy: policy, at: at(50))
        #expect(answer == .ok)
        #expect(answer.statusCode == 200)
        #expect(subscription.expiresAt == at(170))
        let notification = try required(subscription.begin(at: at(50), entityTag: 1))
        #expect(notification.header == SubscriptionStateHeader(.active, expires: 120))
        #expect(notification.content == .fullState)
    }

    @Test("unsubscribing is answered by a last NOTIFY without state, also while another is under way")
    func unsubscribe() throws {
        for isBusy in [false, true] {
            var subscription = try settled()
            subscription.changed()
            if isBusy { #expect(subscription.begin(at: at(1), entityTag: 2) != nil) }
            #expect(subscription.refreshed(expires: 0, entityTag: 2, policy: policy, at: at(2)) == .ok)
            if isBusy {
                #expect(subscription.begin(at: at(2), entityTag: 2) == nil)
                #expect(subscription.ended(.delivered(rates: nil), policy: policy, at: at(3)) == .goesOn)
            }
            let notification = try required(subscription.begin(at: at(3), entityTag: 2))
            #expect(notification.header == SubscriptionStateHeader(.terminated, reason: .timeout))
            #expect(notification.content == .none && notification.isLast)
            #expect(subscription.refreshed(expires: 60, entityTag: 2, policy: policy, at: at(3)).statusCode == 481)
            #expect(subscription.ended(.delivered(rates: nil), policy: policy, at: at(4)) == .remove)
        }
    }

    @Test("ending it from here gives the reason", arguments: SubscriptionEndReason.allCases)
    func termination(_ reason: SubscriptionEndReason) throws {
        var subscription = try settled(rates: EventRates(maximum: 1))
        subscription.terminate(reason, retryAfter: reason == .probation ? 300 : 0)
        subscription.terminate(.timeout)
        let notification = try required(subscription.begin(at: at(1), entityTag: 1))
        #expect(notification.header.substate == .terminated)
        #expect(notification.header.reason == reason)
        #expect(notification.header.retryAfter == (reason == .probation ? 300 : nil))
    }

    @Test(
        "these failures of a NOTIFY end the subscription (section 4.2.2)",
        arguments: [404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604] as [UInt16])
    func endingFailures(_ status: UInt16) throws {
        var subscription = try settled()
        subscription.changed()
        _ = subscription.begin(at: at(1), entityTag: 2)
        #expect(
            subscription.ended(.refused(status: status, retryAfter: nil), policy: policy, at: at(1)) == .remove)
        #expect(subscription.nextMoment == nil)
    }

    @Test(
        "these do not; the watcher is told everything after a wait that doubles",
        arguments: [300, 400, 401, 403, 406, 407, 413, 415, 423, 486, 488, 491, 500, 503, 600, 603, 606] as [UInt16])
    func passingFailures(_ status: UInt16) throws {
        var subscription = try settled()
        subscription.changed()
        var now = at(1)
        for wait in [4, 8, 16] as [Int64] {
            #expect(subscription.begin(at: now, entityTag: 2) != nil)
            #expect(
                subscription.ended(.refused(status: status, retryAfter: nil), policy: policy, at: now) == .goesOn)
            #expect(subscription.nextMoment == now + .seconds(wait))
            now = now + .seconds(wait)
        }
        #expect(subscription.begin(at: now, entityTag: 2)?.content == .fullState)
        _ = subscription.ended(.delivered(rates: nil), policy: policy, at: now)
        subscription.changed()
        #expect(try #require(subscription.nextMoment) <= now)
    }

    @Test("Retry-After is waited for, longest waits are bounded, an open way ends the wait")
    func waits() throws {
        var subscription = try settled(expires: 100_000)
        subscription.changed()
        _ = subscription.begin(at: at(1), entityTag: 2)
        _ = subscription.ended(.refused(status: 503, retryAfter: 1_000), policy: policy, at: at(1))
        #expect(subscription.nextMoment == at(1_001))
        var now = at(1_001)
        for _ in 0..<12 {
            _ = subscription.begin(at: now, entityTag: 2)
            _ = subscription.ended(.unreachable, policy: policy, at: now)
            now = try #require(subscription.nextMoment)
        }
        _ = subscription.begin(at: now, entityTag: 2)
        _ = subscription.ended(.unreachable, policy: policy, at: now)
        #expect(subscription.nextMoment == now + .seconds(300 as Int64))
        subscription.reachable()
        #expect(subscription.begin(at: now, entityTag: 2)?.content == .fullState)
    }

    @Test("a watcher that does not answer has its subscription removed")
    func timeout() throws {
        var subscription = try settled()
        subscription.changed()
        _ = subscription.begin(at: at(1), entityTag: 2)
        #expect(subscription.ended(.timedOut, policy: policy, at: at(33)) == .remove)
    }

    @Test("max-rate holds back changes but neither refreshes nor the end (RFC 6446 section 5.2)")
    func maximumRate() throws {
        var subscription = try settled(rates: EventRates(maximum: 50_000))
        subscription.changed()
        #expect(subscription.nextMoment == at(20))
        #expect(subscription.begin(at: at(19), entityTag: 2) == nil)
        _ = subscription.refreshed(
            expires: 3_600, rates: EventRates(maximum: 50_000), entityTag: 2, policy: policy, at: at(5))
        #expect(subscription.begin(at: at(5), entityTag: 2)?.content == .fullState)
        _ = subscription.ended(.delivered(rates: nil), policy: policy, at: at(5))
        subscription.changed()
        #expect(subscription.nextMoment == at(25))
        subscription.terminate(.noResource)
        #expect(subscription.begin(at: at(6), entityTag: 3)?.isLast == true)
    }

    @Test("rates change with the response to a NOTIFY (RFC 6446 section 9.3)")
    func ratesInResponse() throws {
        var subscription = try settled(rates: EventRates(maximum: 50_000))
        subscription.changed()
        _ = subscription.begin(at: at(20), entityTag: 2)
        _ = subscription.ended(
            .delivered(rates: EventRates(maximum: 1_000_000, minimum: 10_000)), policy: policy, at: at(20))
        #expect(subscription.nextMoment == at(120))
        subscription.changed()
        #expect(subscription.nextMoment == at(21))
        #expect(
            subscription.begin(at: at(21), entityTag: 3)?.header.rates
                == EventRates(maximum: 1_000_000, minimum: 10_000))
    }

    @Test("rates are read from a response of the same event alone")
    func ratesOfResponse() throws {
        func rates(_ lines: String) throws -> EventRates? {
            let response = try parsed(
                wire(
                    """
                    SIP/2.0 200 OK
                    Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKn
                    From: <sip:bob@example.com>;tag=1
                    To: <sip:alice@example.org>;tag=a1
                    Call-ID: c
                    CSeq: 1 NOTIFY
                    \(lines)


                    """))
            return EventRates(answeredIn: response, type: Array("presence".utf8))
        }
        #expect(try rates("Event: presence;max-rate=0.1") == EventRates(maximum: 100_000))
        #expect(try rates("Event: presence;id=7") == EventRates.none)
        #expect(try rates("Event: presence.winfo;max-rate=0.1") == nil)
        #expect(try rates("Event: presence;max-rate=fast") == nil)
        #expect(try rates("Server: x") == nil)
    }

    @Test("min-rate has the state told again although nothing changed")
    func minimumRate() throws {
        var subscription = try settled(rates: EventRates(minimum: 10_000))
        #expect(subscription.nextMoment == at(100))
        let notification = try required(subscription.begin(at: at(100), entityTag: 1))
        #expect(notification.content == .state)
        _ = subscription.ended(.delivered(rates: nil), policy: policy, at: at(100))
        #expect(subscription.nextMoment == at(200))
    }

    @Test("a failed NOTIFY is not repeated faster than max-rate allows")
    func failureAndRate() throws {
        var subscription = try settled(rates: EventRates(maximum: 10_000))
        subscription.changed()
        _ = subscription.begin(at: at(100), entityTag: 2)
        _ = subscription.ended(.refused(status: 500, retryAfter: nil), policy: policy, at: at(100))
        #expect(subscription.nextMoment == at(200))
    }

    @Test("a NOTIFY that is taken back holds up nothing")
    func withdrawn() throws {
        var subscription = try settled(rates: EventRates(maximum: 50_000))
        subscription.changed()
        let notification = try required(subscription.begin(at: at(25), entityTag: 1))
        subscription.withdraw(notification, at: at(25))
        #expect(subscription.nextMoment == at(3_600))
        subscription.changed()
        #expect(subscription.begin(at: at(26), entityTag: 2)?.content == .state)
        _ = subscription.ended(.delivered(rates: nil), policy: policy, at: at(26))
        subscription.changed()
        #expect(subscription.nextMoment == at(46))
    }

    @Test("a NOTIFY that a minimum rate wanted is not wanted again at once when it is taken back")
    func withdrawnWhileForced() throws {
        var subscription = try settled(rates: EventRates(minimum: 10_000))
        let notification = try required(subscription.begin(at: at(100), entityTag: 1))
        subscription.withdraw(notification, at: at(100))
        #expect(subscription.nextMoment == at(200))
    }

    @Test("out of the store it goes on: an active one is told everything, a pending one waits")
    func restored() throws {
        var active = NotifierSubscription(
            restoring: .active, expiresAt: at(60), rates: EventRates(maximum: 200_000), notBefore: at(7), at: start)
        #expect(active.nextMoment == at(7))
        #expect(active.begin(at: at(7), entityTag: 1)?.content == .fullState)
        let pending = NotifierSubscription(
            restoring: .pending, expiresAt: at(60), rates: .none, notBefore: at(7), at: start)
        #expect(pending.nextMoment == at(60))
        var expired = NotifierSubscription(
            restoring: .active, expiresAt: at(-5), rates: .none, notBefore: start, at: start)
        #expect(expired.begin(at: start, entityTag: 1)?.header.reason == .timeout)
    }
}
