public import LinkProfiles
public import SIPCore

/// A subscription as its notifier sees it (RFC 6665 section 4.2), with the rates of RFC 6446 and the conditions of RFC 5839.
/// It decides when a NOTIFY leaves and what it says of the subscription; what it says of the resource is not known here.
///
/// One NOTIFY is outstanding at a time, so that they arrive in order, a failure is known before the next, and only the
/// newest state is ever sent. After every call ``nextMoment`` says when to call ``begin(at:entityTag:)``.
public struct NotifierSubscription: Hashable, Sendable {
    /// The figure of section 4.2.2. "resp_wait" is the time before this value is made: here the decision is known, or known to
    /// be missing, when the SUBSCRIBE is accepted.
    public enum State: UInt8, Hashable, Sendable, CaseIterable {
        /// Nobody has decided yet.
        /// Can transition to: active, terminated.
        case pending
        /// Can transition to: pending (the rules ask for confirmation again), terminated.
        case active
        /// Its last NOTIFY is to be sent or under way.
        /// Can transition to: nothing.
        case terminated
    }

    /// What a NOTIFY has as its body.
    public enum Content: Hashable, Sendable {
        case none
        /// What is new, as a difference where the watcher takes one.
        case state
        /// All of it: the watcher has just subscribed, or may have lost what it had.
        case fullState
    }

    /// A NOTIFY to be sent now.
    public struct Notification: Hashable, Sendable {
        public var header: SubscriptionStateHeader
        public var content: Content
        /// Whether the subscription is gone once its transaction ends.
        public var isLast: Bool
        /// The pace before it.
        fileprivate var before: NotificationPacer
    }

    /// What a SUBSCRIBE in the dialog is answered with.
    public enum RefreshAnswer: Hashable, Sendable {
        /// 200; a NOTIFY follows.
        case ok
        /// 204: the condition holds, no NOTIFY follows (RFC 5839 section 6.3).
        case noNotification
        /// 204, and the subscription is over without a NOTIFY (section 5.7).
        case noNotificationAndEnd
        /// 481: it is over, its last NOTIFY is on its way.
        case gone

        public var statusCode: UInt16 {
            switch self {
            case .ok: 200
            case .noNotification, .noNotificationAndEnd: 204
            case .gone: 481
            }
        }
    }

    /// What becomes of the subscription when a NOTIFY has ended.
    public enum Consequence: Hashable, Sendable {
        case goesOn, remove
    }

    public private(set) var expiresAt: Instant
    /// No NOTIFY before, after one that failed.
    private var notBefore = Instant(microseconds: .min / 4)
    /// Rates in force, and when the next notification may and must leave.
    public private(set) var pacer: NotificationPacer
    private var condition: NotificationCondition
    public private(set) var state: State
    private var duties: Duties
    private var endReason = SubscriptionEndReason.timeout
    private var retryAfter: UInt32 = 0
    private var failures: UInt8 = 0

    private struct Duties: OptionSet, Hashable, Sendable {
        var rawValue: UInt8
        /// The state has changed since it was told.
        static let news = Duties(rawValue: 1)
        /// The watcher is to be told all.
        static let fullState = Duties(rawValue: 2)
        /// Subscription-State has changed, or a SUBSCRIBE wants its NOTIFY: at once, and also without a body.
        static let header = Duties(rawValue: 4)
        static let outstanding = Duties(rawValue: 8)
        static let lastOutstanding = Duties(rawValue: 16)
        /// The subscription is a question: its last NOTIFY has the state.
        static let fetch = Duties(rawValue: 32)
        /// The NOTIFY under way answers ``header``.
        static let headerOutstanding = Duties(rawValue: 64)
    }

    /// Accepts a SUBSCRIBE outside a dialog (section 4.2.1.1). With `expires` 0 it is a fetch (section 4.4.3).
    ///
    /// - Parameters:
    ///   - expires: seconds granted.
    ///   - isDecided: false leaves it pending.
    ///   - rates: those the Event header asks for.
    ///   - condition: that of Suppress-If-Match. While it holds the first NOTIFY has no body (RFC 5839 section 6.2).
    public init(
        expires: UInt32, isDecided: Bool, rates: EventRates = .none, condition: NotificationCondition = .none,
        policy: NotifierPolicy, at now: Instant
    ) {
        let remaining = TimeSpan.seconds(Int64(expires))
        expiresAt = now + remaining
        pacer = NotificationPacer(rates: policy.rates.agreed(rates, remaining: remaining), at: now)
        self.condition = condition
        state = isDecided ? .active : .pending
        duties = [.header, .fullState]
        if expires == 0 {
            state = .terminated
            if isDecided { duties.insert(.fetch) }
        }
    }

    /// Takes a subscription over from the store. What its watcher was told last is not known any more, so an active one is told
    /// all.
    ///
    /// - Parameter notBefore: when that may be at the earliest, so that not all watchers are told at once.
    public init(
        restoring state: State, expiresAt: Instant, rates: EventRates, notBefore: Instant, at now: Instant
    ) {
        self.state = state
        self.expiresAt = expiresAt
        pacer = NotificationPacer(rates: rates, at: now)
        condition = .none
        duties = state == .active ? [.news, .fullState] : []
        self.notBefore = notBefore
    }

    /// Whether a NOTIFY is under way.
    public var isOutstanding: Bool { duties.contains(.outstanding) }

    // MARK: Time

    /// When ``begin(at:entityTag:)`` is to be called; nil while a NOTIFY is outstanding. It may lie in the past: at once.
    public var nextMoment: Instant? {
        guard !isOutstanding else { return nil }
        if state == .terminated { return duties.contains(.header) ? notBefore : nil }
        return min(expiresAt, notificationMoment ?? expiresAt)
    }

    /// When a NOTIFY that does not end the subscription is due.
    private var notificationMoment: Instant? {
        if duties.contains(.header) { return notBefore }
        guard state == .active else { return nil }
        let forced = pacer.latest
        guard !duties.isDisjoint(with: [.news, .fullState]) else { return forced.map { max($0, notBefore) } }
        return max(min(pacer.earliest, forced ?? pacer.earliest), notBefore)
    }

    // MARK: What happens

    /// Answers a SUBSCRIBE in the dialog (section 4.2.1.4): extends the subscription, or ends it with `expires` 0.
    ///
    /// - Parameter entityTag: that of what the watcher would be shown now.
    public mutating func refreshed(
        expires: UInt32, rates: EventRates = .none, condition: NotificationCondition = .none, entityTag: UInt64?,
        policy: NotifierPolicy, at now: Instant
    ) -> RefreshAnswer {
        guard state != .terminated else { return .gone }
        notBefore = Instant(microseconds: .min / 4)
        failures = 0
        let isSpared = condition.holds(for: entityTag) && !duties.contains(.header)
        guard expires > 0 else {
            if isSpared {
                state = .terminated
                duties.subtract([.news, .fullState])
                return .noNotificationAndEnd
            }
            terminate(.timeout)
            return .ok
        }
        let remaining = TimeSpan.seconds(Int64(expires))
        expiresAt = now + remaining
        let agreed = policy.rates.agreed(rates, remaining: remaining)
        self.condition = condition
        if isSpared, agreed == pacer.rates {
            duties.subtract([.news, .fullState])
            return .noNotification
        }
        pacer.adopt(agreed, at: now)
        duties.formUnion([.header, .fullState])
        return .ok
    }

    /// What the watcher sees has changed.
    public mutating func changed() {
        guard state == .active else { return }
        duties.insert(.news)
    }

    /// Somebody decided: the watcher may see something, or has to wait for a decision.
    public mutating func decided(_ mayWatch: Bool) {
        switch (state, mayWatch) {
        case (.terminated, _), (.active, true), (.pending, false): return
        case (.pending, true):
            state = .active
            duties.formUnion([.header, .fullState])
        case (.active, false):
            state = .pending
            duties.insert(.header)
            duties.subtract([.news, .fullState])
        }
    }

    /// Ends the subscription from this side: a last NOTIFY says why, and where it helps when to subscribe again.
    public mutating func terminate(_ reason: SubscriptionEndReason, retryAfter: UInt32 = 0) {
        guard state != .terminated else { return }
        state = .terminated
        endReason = reason
        self.retryAfter = retryAfter
        notBefore = Instant(microseconds: .min / 4)
        duties.insert(.header)
        duties.subtract([.news, .fullState])
    }

    // MARK: Notifying

    /// The NOTIFY that is due, which is outstanding from now on; nil when none is, or when the watcher asked to be spared it.
    ///
    /// - Parameter entityTag: that of what the watcher would be shown.
    public mutating func begin(at now: Instant, entityTag: UInt64?) -> Notification? {
        guard let moment = nextMoment, moment <= now else { return nil }
        if now >= expiresAt { terminate(.timeout) }
        let isSpared = condition.holds(for: entityTag)
        if !isSpared, condition != .none { condition = .none }
        if isSpared, !duties.contains(.header), state == .active {
            duties.subtract([.news, .fullState])
            pacer.sent(at: now)
            return nil
        }
        let notification = Notification(
            header: header(at: now), content: isSpared ? .none : content, isLast: state == .terminated,
            before: pacer)
        duties.insert(duties.contains(.header) ? [.outstanding, .headerOutstanding] : .outstanding)
        duties.subtract([.news, .fullState, .header, .fetch])
        if notification.isLast { duties.insert(.lastOutstanding) }
        pacer.sent(at: now)
        return notification
    }

    /// Takes back a NOTIFY that was not sent after all, because what has changed is nothing this watcher sees: the next change is
    /// told as soon as if this one had not been. One that a minimum rate wanted counts as sent.
    public mutating func withdraw(_ notification: Notification, at now: Instant) {
        guard isOutstanding else { return }
        duties.subtract([.outstanding, .lastOutstanding, .headerOutstanding])
        if notification.before.latest.map({ $0 > now }) ?? true { pacer = notification.before }
    }

    private var content: Content {
        switch state {
        case .pending: .none
        case .active: duties.contains(.fullState) ? .fullState : .state
        case .terminated: duties.contains(.fetch) ? .fullState : .none
        }
    }

    private func header(at now: Instant) -> SubscriptionStateHeader {
        let remaining = UInt32(clamping: (expiresAt - now).microseconds / 1_000_000)
        switch state {
        case .pending: return SubscriptionStateHeader(.pending, expires: remaining, rates: pacer.rates)
        case .active: return SubscriptionStateHeader(.active, expires: remaining, rates: pacer.rates)
        case .terminated:
            return SubscriptionStateHeader(
                .terminated, reason: endReason, retryAfter: retryAfter > 0 ? retryAfter : nil)
        }
    }

    /// The outstanding NOTIFY has ended (section 4.2.2). After a failure that does not end the subscription the watcher is
    /// told all once the wait is over.
    public mutating func ended(_ outcome: NotifyOutcome, policy: NotifierPolicy, at now: Instant) -> Consequence {
        guard isOutstanding else { return .goesOn }
        let wasLast = duties.contains(.lastOutstanding)
        let wasHeader = duties.contains(.headerOutstanding)
        duties.subtract([.outstanding, .lastOutstanding, .headerOutstanding])
        guard !wasLast, !outcome.endsSubscription else {
            state = .terminated
            return .remove
        }
        switch outcome {
        case .delivered(let rates):
            failures = 0
            if let rates { pacer.adopt(policy.rates.agreed(rates, remaining: expiresAt - now), at: now) }
        case .refused(_, let retryAfter):
            failed(retryAfter: retryAfter, wasHeader, policy, at: now)
        case .unreachable, .timedOut:
            failed(retryAfter: nil, wasHeader, policy, at: now)
        }
        return .goesOn
    }

    private mutating func failed(retryAfter: UInt32?, _ wasHeader: Bool, _ policy: NotifierPolicy, at now: Instant) {
        failures = failures == .max ? .max : failures + 1
        guard state != .terminated else { return }
        notBefore = now + policy.wait(afterFailures: failures, retryAfter: retryAfter)
        if wasHeader { duties.insert(.header) }
        if state == .active { duties.insert(.fullState) }
    }

    /// The way to the watcher is open again: what waits after a failure need not wait longer.
    public mutating func reachable() { notBefore = Instant(microseconds: .min / 4) }
}
