import LinkProfiles
import MessageStore
import Presence
import SIPCore
import SIPDialog
import SIPTransaction

/// What becomes of NOTIFYs, and how subscriptions end (RFC 6665 section 4.2.2).
extension Engine {
    func notifyAnswered(_ message: SIPMessage, user: UInt32) {
        let slot = user & ~Self.subscriptionBit
        guard message.statusCode >= 200, let subscription = presence.subscriptions[slot],
            subscription.notifier.isOutstanding, subscription.sequence.used == message.cseqNumber,
            // A slot that was used before has another tag.
            message[message.from.tag].elementsEqual(subscription.dialog.localTag)
        else { return }
        if 200..<300 ~= message.statusCode {
            if let watcher = subscription.watcher { presence.agent.delivered(watcher) }
            let rates =
                message.contains(.event) ? EventRates(answeredIn: message, type: subscription.package.bytes) : nil
            finish(slot, .delivered(rates: rates))
        } else {
            let wait = retryDelay(in: message).map { UInt32(clamping: $0.microseconds / 1_000_000) }
            finish(slot, .refused(status: message.statusCode, retryAfter: wait))
        }
    }

    /// No answer came: the watcher is gone (timer F), and so is its subscription.
    func notifyTimedOut(_ client: TransactionID, user: UInt32) {
        let slot = user & ~Self.subscriptionBit
        guard let subscription = presence.subscriptions[slot], subscription.notifier.isOutstanding,
            client == notifyClient(of: subscription)
        else { return }
        finish(slot, .timedOut)
    }

    /// The client transaction of the subscription's last NOTIFY.
    private func notifyClient(of subscription: Subscription) -> TransactionID {
        let branch = NotifyRequest.branch(
            of: subscription.localTag, sequence: subscription.sequence.used, key: key)
        return clientID(branch: branch[...], method: .notify)
    }

    /// The NOTIFY could not be sent. A connection that is gone comes back by a refresh only; a watcher that takes no connections
    /// gets what was too large for a datagram by one nevertheless.
    func notificationNotSent(token: UInt64) {
        let slot = UInt32(truncatingIfNeeded: token)
        guard let subscription = presence.subscriptions[slot], subscription.notifier.isOutstanding,
            notificationToken(slot, sequence: subscription.sequence.used) == token
        else { return }
        let client = notifyClient(of: subscription)
        _ = transactions.transportFailed(client)
        downlinkEnded(client)
        let mayTryDatagram = !subscription.skipsSizeCheck && subscription.flow?.transport.isReliable != true
        if mayTryDatagram {
            presence.subscriptions[slot]?.skipsSizeCheck = true
            presence.subscriptions[slot]?.notifier.reachable()
        } else if subscription.flow != nil {
            presence.subscriptions[slot]?.isUnreachable = true
        }
        finish(slot, .unreachable)
        guard mayTryDatagram else { return }
        presence.subscriptions[slot]?.notifier.reachable()
        tellLater(slot)
    }

    private func finish(_ slot: UInt32, _ outcome: NotifyOutcome) {
        if case .delivered = outcome {
        } else {
            presence.counters.notificationsFailed += 1
            if let watcher = presence.subscriptions[slot]?.watcher { presence.agent.undelivered(watcher) }
            presence.subscriptions[slot]?.report.undelivered()
        }
        switch presence.subscriptions[slot]?.notifier.ended(outcome, policy: presence.policy, at: now) {
        case .goesOn: tellLater(slot)
        case .remove: remove(slot, because: .noResource)
        case nil: break
        }
    }

    // MARK: Ending

    /// Forgets a subscription, here and in the store.
    func remove(_ slot: UInt32, because end: SubscriptionEndReason) {
        guard let subscription = presence.subscriptions[slot] else { return }
        if subscription.number.rawValue > 0 { settle(.presence(.unsubscribe(subscription.number))) }
        presence.subscriptions.remove(slot)
        presence.counters.subscriptionsEnded += 1
        let left = (presence.perWatcher[subscription.identity] ?? 1) - 1
        presence.perWatcher[subscription.identity] = left > 0 ? left : nil
        switch subscription.package {
        case .presence:
            if let watcher = subscription.watcher { take(presence.agent.unwatch(watcher, because: end.event, at: now)) }
        case .watchers:
            forget(slot, among: \.watcherReports, of: subscription.user)
        case .registration:
            forget(slot, among: \.registrationReports, of: subscription.user)
        }
        location.removeIfIdle(subscription.user)
    }

    private func forget(
        _ slot: UInt32, among reports: ReferenceWritableKeyPath<PresenceApplication, [UserIndex: [UInt32]]>,
        of user: UserIndex
    ) {
        presence[keyPath: reports][user]?.removeAll { $0 == slot }
        if presence[keyPath: reports][user]?.isEmpty ?? false { presence[keyPath: reports][user] = nil }
    }
}
