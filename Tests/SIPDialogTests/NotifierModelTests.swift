import LinkProfiles
import SIPCore
import SIPDialog
import Testing

/// A notifier, a watcher and what lies between them, as a simulation drawn from a seed. It checks after every step what must
/// always hold.
private struct NotifierWorld {
    var random: SeededGenerator
    var subscription: NotifierSubscription
    let policy: NotifierPolicy
    var now: Instant
    /// The resource's newest state, and what the watcher knows of it.
    var version: UInt64 = 1
    var known: UInt64 = 0
    /// What the NOTIFY under way carries: a version, or nil for no body.
    var carried: UInt64??
    var isLastUnderWay = false
    var isGone = false
    var notifications = 0
    /// The last moment at which a NOTIFY left, and whether the next one need not keep the rate.
    var lastSent: Instant?
    var isExempt = true
    var mayWatch = true
    /// Whether the watcher asked for no bodies whatever happens.
    var isDormant = false
    var failures: [String] = []

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        now = Instant(microseconds: 1_790_000_000_000_000)
        policy = NotifierPolicy(
            rates: RatePolicy(maximum: seed % 3 == 0 ? 500_000 : 0, highestMinimum: 100_000))
        mayWatch = seed % 4 != 1
        subscription = NotifierSubscription(
            expires: 600, isDecided: mayWatch,
            rates: EventRates(maximum: seed % 2 == 0 ? 200_000 : 0, minimum: seed % 5 == 0 ? 10_000 : 0),
            policy: policy, at: now)
    }

    mutating func check(_ isTrue: Bool, _ what: String) {
        if !isTrue { failures.append("\(what) at \(now.microseconds - 1_790_000_000_000_000)") }
    }

    mutating func step() {
        now = now + .milliseconds(Int64.random(in: 0...3_000, using: &random))
        switch Int.random(in: 0..<40, using: &random) {
        case 0..<14:
            version += 1
            subscription.changed()
        case 14..<16: refresh()
        case 16:
            mayWatch.toggle()
            subscription.decided(mayWatch)
            isExempt = true
        case 17..<32: endOne()
        case 32 where Int.random(in: 0..<20, using: &random) == 0:
            subscription.terminate(.deactivated)
            isExempt = true
        default: break
        }
        notify()
    }

    mutating func refresh() {
        let condition: NotificationCondition
        switch Int.random(in: 0..<4, using: &random) {
        case 0: condition = .any
        case 1: condition = .tag(known)
        default: condition = .none
        }
        isDormant = condition == .any
        let answer = subscription.refreshed(
            expires: 600, rates: EventRates(maximum: Bool.random(using: &random) ? 200_000 : 0), condition: condition,
            entityTag: mayWatch ? version : nil, policy: policy, at: now)
        if answer == .ok { isExempt = true }
        if answer == .noNotification, condition != .any { check(known == version, "204 for a watcher that is behind") }
    }

    mutating func notify() {
        guard !isGone else { return }
        let wasTerminated = subscription.state == .terminated
        guard let notification = subscription.begin(at: now, entityTag: mayWatch ? version : nil) else { return }
        notifications += 1
        check(carried == nil, "two NOTIFYs at a time")
        check(!isLastUnderWay, "a NOTIFY behind the last one")
        let maximum = subscription.pacer.rates.maximum
        if let lastSent, maximum > 0, !isExempt, !wasTerminated, !notification.isLast {
            check(
                (now - lastSent).microseconds * Int64(maximum) >= 1_000_000_000_000,
                "faster than max-rate")
        }
        check(notification.isLast == (notification.header.substate == .terminated), "last without saying so")
        check(notification.header.expires == nil || now < subscription.expiresAt, "no time left, and not ended")
        if notification.header.substate == .pending { check(notification.content == .none, "a body while pending") }
        isLastUnderWay = notification.isLast
        carried = .some(notification.content == .none ? nil : version)
        lastSent = now
        isExempt = false
    }

    mutating func endOne() {
        guard let body = carried else { return }
        carried = nil
        let outcome: NotifyOutcome
        switch Int.random(in: 0..<12, using: &random) {
        case 0: outcome = .refused(status: 503, retryAfter: 2)
        case 1: outcome = .refused(status: 500, retryAfter: nil)
        case 2: outcome = .unreachable
        default:
            outcome = .delivered(rates: nil)
            if let body { known = body }
        }
        if case .delivered = outcome {} else { isExempt = true }
        let consequence = subscription.ended(outcome, policy: policy, at: now)
        check((consequence == .remove) == isLastUnderWay, "removed at the wrong time")
        isGone = consequence == .remove
    }

    mutating func checkThatItConverged() {
        guard !isGone, !isDormant, mayWatch, subscription.state == .active else { return }
        check(known == version, "the watcher is behind")
    }

    /// Lets everything under way arrive, without new changes.
    mutating func settle() {
        for _ in 0..<60 where !isGone {
            if let body = carried {
                carried = nil
                if let body { known = body }
                isGone = subscription.ended(.delivered(rates: nil), policy: policy, at: now) == .remove
            }
            guard let moment = subscription.nextMoment, moment < subscription.expiresAt else { continue }
            now = max(now, moment)
            isExempt = true
            notify()
        }
    }
}

@Suite("A notifier's subscription against a simulated watcher")
struct NotifierModelTests {
    @Test(
        "what must hold holds, and the watcher ends up with the newest state", arguments: 1...60 as ClosedRange<UInt64>)
    func model(_ seed: UInt64) {
        var world = NotifierWorld(seed: seed)
        for step in 0..<2_000 where !world.isGone {
            world.step()
            guard step % 7 == 0 else { continue }
            world.settle()
            world.checkThatItConverged()
        }
        if !world.isGone, world.isDormant, world.subscription.state != .terminated {
            _ = world.subscription.refreshed(
                expires: 600, entityTag: world.version, policy: world.policy, at: world.now)
        }
        world.settle()
        #expect(world.failures == [])
        #expect(world.notifications > 0)
        if !world.isGone, world.mayWatch {
            #expect(world.known == world.version)
            #expect(world.subscription.state == .active)
        }
    }
}
