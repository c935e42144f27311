public import LinkProfiles
public import SIPCore

/// A subscription that Godwit itself keeps at another server (RFC 6665 section 4.1): it subscribes, refreshes, and subscribes
/// again after a failure, until it is told to stop or the other side says that there is no point.
///
/// After every call ``nextMoment`` says when to call ``begin(at:random:)``. Dialog, Call-ID and tags are the caller's.
public struct OutgoingSubscription: Hashable, Sendable {
    /// The figure of section 4.1.2.
    public enum State: UInt8, Hashable, Sendable, CaseIterable {
        /// "init": an attempt is due, at once or after a wait.
        /// Can transition to: notifyWait, ended.
        case idle
        /// A SUBSCRIBE is out and no NOTIFY has come yet.
        /// Can transition to: pending, active, idle, ended.
        case notifyWait
        /// Can transition to: active, idle, ended.
        case pending
        /// Can transition to: pending, idle, ended.
        case active
        /// "terminated" for good: stopped, or not to be tried again.
        /// Can transition to: nothing.
        case ended
    }

    /// A SUBSCRIBE to be sent now.
    public struct Attempt: Hashable, Sendable {
        /// Whether it goes outside a dialog, with a new Call-ID and From tag; else it is a refresh in the dialog.
        public var isInitial: Bool
        /// Seconds to ask for; 0 takes the subscription back.
        public var expires: UInt32

        public init(isInitial: Bool, expires: UInt32) {
            self.isInitial = isInitial
            self.expires = expires
        }
    }

    /// What a NOTIFY of the subscription means to the caller.
    public enum Notice: Hashable, Sendable {
        /// The body, if there is one, is the resource's state.
        case state
        /// The same, and nothing more will come in this dialog.
        case lastState
    }

    public private(set) var state = State.idle
    private var policy: SubscriberPolicy
    /// Seconds to ask for: the policy's, or what a 423 wants at least.
    private var expires: UInt32
    /// When the subscription ends unless it is refreshed.
    private var expiresAt = Instant(microseconds: 0)
    /// In ``State/idle`` the next attempt; else the refresh.
    private var dueAt: Instant
    /// Timer N, while a SUBSCRIBE has not been followed by its NOTIFY.
    private var timerN: Instant?
    /// When the last SUBSCRIBE outside a dialog was sent.
    private var begunAt = Instant(microseconds: .min / 4)
    private var isTransactionOpen = false
    private var isStopping = false
    /// Whether the SUBSCRIBE that takes the subscription back has been sent.
    private var hasUnsubscribed = false
    /// Attempts in a row that brought no notification of an accepted subscription.
    private var failures: UInt8 = 0

    /// Begins with an attempt at once, or when `notBefore` says.
    public init(policy: SubscriberPolicy, notBefore: Instant) {
        self.policy = policy
        expires = max(1, policy.expires)
        dueAt = notBefore
    }

    /// When ``begin(at:random:)`` is to be called; nil when only a message can change anything.
    public var nextMoment: Instant? {
        switch state {
        case .ended: return nil
        case .idle: return isTransactionOpen ? nil : dueAt
        case .notifyWait: return timerN
        case .pending, .active:
            let end = min(timerN ?? expiresAt, expiresAt)
            return isTransactionOpen ? end : min(end, dueAt)
        }
    }

    // MARK: Subscribing

    /// Lets timers fire and returns the SUBSCRIBE that is due, whose transaction is open from now on.
    ///
    /// - Parameter random: uniform in `0 ..< 1`: spreads refreshes, so that subscriptions made together do not stay together.
    public mutating func begin(at now: Instant, random: Double) -> Attempt? {
        fireTimers(at: now)
        guard !isTransactionOpen, dueAt <= now else { return nil }
        switch state {
        case .notifyWait, .ended:
            return nil
        case .idle:
            guard !isStopping else {
                state = .ended
                return nil
            }
            state = .notifyWait
            return attempt(isInitial: true, expires: expires, at: now, random)
        case .pending, .active:
            return attempt(isInitial: false, expires: isStopping ? 0 : expires, at: now, random)
        }
    }

    private mutating func attempt(isInitial: Bool, expires: UInt32, at now: Instant, _ random: Double) -> Attempt {
        isTransactionOpen = true
        timerN = now + policy.timerN
        if isInitial {
            begunAt = now
            // Should neither the response nor the NOTIFY say how long it lasts.
            expiresAt = now + .seconds(Int64(expires))
        }
        hasUnsubscribed = isStopping
        dueAt = isStopping ? .distantFuture : refreshMoment(lasting: .seconds(Int64(expires)), from: now, random)
        return Attempt(isInitial: isInitial, expires: expires)
    }

    private mutating func fireTimers(at now: Instant) {
        switch state {
        case .idle, .ended: return
        case .notifyWait:
            if let timerN, timerN <= now { attemptFailed(at: now) }
        case .pending, .active:
            // Neither a NOTIFY for the refresh, nor a refresh in time: the subscription is gone.
            if let timerN, timerN <= now { return attemptFailed(at: now) }
            if expiresAt <= now { attemptFailed(at: now) }
        }
    }

    /// The SUBSCRIBE's transaction has ended.
    public mutating func ended(_ outcome: SubscribeOutcome, at now: Instant, random: Double) {
        guard isTransactionOpen else { return }
        isTransactionOpen = false
        // In idle timer N has fired meanwhile.
        guard state != .ended, state != .idle else { return }
        switch outcome {
        case .accepted(let status, let granted):
            accepted(status, granted, at: now, random)
        case .refused(423, _, let minimum?) where minimum > expires:
            tooBrief(minimum, at: now)
        case .refused(_, let retryAfter, _):
            refused(outcome, retryAfter: retryAfter, at: now)
        case .unanswered:
            refused(outcome, retryAfter: nil, at: now)
        }
    }

    private mutating func accepted(_ status: UInt16, _ granted: UInt32?, at now: Instant, _ random: Double) {
        if isStopping, state != .notifyWait {
            // A last NOTIFY is on its way, unless a 204 says that there is none.
            if status == 204 { state = .ended }
            return
        }
        if let granted { lasts(min(granted, expires), from: now, random) }
        if status == 204 { timerN = nil }
    }

    /// What the other side wants at least is asked for at once; whoever goes on wanting more is asked after a wait.
    private mutating func tooBrief(_ minimum: UInt32, at now: Instant) {
        expires = minimum
        timerN = nil
        if state == .notifyWait { state = isStopping ? .ended : .idle }
        dueAt = failures == 0 ? now : now + policy.wait(afterFailures: failures)
        failures = failures == .max ? .max : failures + 1
    }

    private mutating func refused(_ outcome: SubscribeOutcome, retryAfter: UInt32?, at now: Instant) {
        guard !isStopping else {
            state = .ended
            return
        }
        let isRefresh = state != .notifyWait
        timerN = nil
        guard isRefresh, !outcome.endsSubscription else {
            // 481: the other side has lost the dialog; a new one is made at once.
            if isRefresh, case .refused(481, _, _) = outcome { return subscribeAgain(at: now) }
            return attemptFailed(isLasting: outcome.isLasting, retryAfter: retryAfter, at: now)
        }
        // The subscription goes on as long as it lasts, and the refresh is tried again until then.
        failures = failures == .max ? .max : failures + 1
        dueAt = now + max(policy.wait(afterFailures: failures), .seconds(Int64(retryAfter ?? 0)))
    }

    // MARK: Notifications

    /// A NOTIFY came that belongs to the subscription, by Call-ID, tags and event (section 4.1.3). While a SUBSCRIBE is out it
    /// may be the first of its dialog, also before the response.
    ///
    /// - Returns: what it means; nil when the subscription is over, and the NOTIFY is answered 481.
    public mutating func notified(_ header: SubscriptionStateHeader, at now: Instant, random: Double) -> Notice? {
        switch state {
        case .idle, .ended: return nil
        case .notifyWait, .pending, .active: break
        }
        switch header.substate {
        case .active, .pending, .other:
            if !hasUnsubscribed { timerN = nil }
            failures = 0
            if header.substate != .other || state == .notifyWait {
                state = header.substate == .pending ? .pending : .active
            }
            if let seconds = header.expires { lasts(min(seconds, expires), from: now, random) }
            if isStopping { dueAt = hasUnsubscribed ? .distantFuture : now }
            return .state
        case .terminated:
            terminated(header, at: now)
            return .lastState
        }
    }

    /// The reasons of section 4.1.3.
    private mutating func terminated(_ header: SubscriptionStateHeader, at now: Instant) {
        timerN = nil
        guard !isStopping else {
            state = .ended
            return
        }
        switch header.reason {
        case .rejected, .noResource, .invariant:
            state = .ended
        case .deactivated, .timeout:
            subscribeAgain(at: now)
        case .probation, .giveUp, .other, nil:
            attemptFailed(retryAfter: header.retryAfter, at: now)
        }
    }

    // MARK: Stopping

    /// Takes the subscription back (section 4.1.2.3), or gives it up where there is none yet.
    public mutating func stop(at now: Instant) {
        guard state != .ended else { return }
        isStopping = true
        switch state {
        case .idle: if !isTransactionOpen { state = .ended }
        case .notifyWait, .ended: break
        case .pending, .active: if !hasUnsubscribed { dueAt = now }
        }
    }

    // MARK: Steps

    private mutating func lasts(_ seconds: UInt32, from now: Instant, _ random: Double) {
        let span = TimeSpan.seconds(Int64(seconds))
        expiresAt = now + span
        dueAt = refreshMoment(lasting: span, from: now, random)
    }

    /// After 80 to 90 % of the time; always a timer N before the end where there is that much time.
    private func refreshMoment(lasting span: TimeSpan, from now: Instant, _ random: Double) -> Instant {
        let share = 0.8 + 0.1 * min(max(0, random), 1)
        let early = Int64(Double(span.microseconds) * share)
        let latest = span.microseconds - policy.timerN.microseconds
        return now
            + .microseconds(latest > span.microseconds / 2 ? min(early, latest) : min(early, span.microseconds / 2))
    }

    /// A new subscription at once; but when the one before brought nothing, or has only just begun, after a wait.
    private mutating func subscribeAgain(at now: Instant) {
        if failures > 0 { return attemptFailed(at: now) }
        failures = 1
        state = .idle
        timerN = nil
        dueAt = max(now, begunAt + policy.firstRetry)
    }

    private mutating func attemptFailed(isLasting: Bool = false, retryAfter: UInt32? = nil, at now: Instant) {
        guard !isStopping else {
            state = .ended
            return
        }
        failures = failures == .max ? .max : failures + 1
        state = .idle
        timerN = nil
        let wait = isLasting ? policy.longestRetry : policy.wait(afterFailures: failures)
        dueAt = now + max(wait, .seconds(Int64(retryAfter ?? 0)))
    }
}
