import LinkProfiles
import Presence
import SIPCore
import SIPDialog
import SIPTransaction

/// Sending NOTIFY: the newest state, in one client transaction a subscription.
extension Engine {
    /// Users of client transactions and tokens of transmissions with this bit are subscriptions, not forks.
    static let subscriptionBit: UInt32 = 1 << 31

    /// - Parameter turn: the constrained endpoint's turn it has; nil towards others.
    func sendNotification(_ slot: UInt32, to destination: Destination, turn: DownlinkTurn?) {
        guard let point = localPoint(for: destination), let waiting = presence.subscriptions[slot],
            waiting.sequence.used < waiting.sequence.ceiling
        else { return }
        let isForced = waiting.notifier.pacer.latest.map { $0 <= now } ?? false
        let tag = entityTag(of: slot)
        guard let notification = presence.subscriptions[slot]?.notifier.begin(at: now, entityTag: tag) else {
            presence.counters.notificationsSuppressed += 1
            return tellLater(slot)
        }
        let body = body(for: slot, notification.content, isForced: isForced)
        if body.isNothing, notification.content == .state {
            // What changed is nothing this watcher sees.
            presence.subscriptions[slot]?.notifier.withdraw(notification, at: now)
            return tellLater(slot)
        }
        guard let sequence = presence.subscriptions[slot]?.sequence.next(),
            let subscription = presence.subscriptions[slot]
        else { return }
        presence.subscriptions[slot]?.isArrival = false
        let notify = NotifyRequest(subscription, notification.header, sequence: sequence, tag: tag, key: key)
        transmit(notify, body, to: destination, from: point, slot, isLast: notification.isLast, turn: turn)
        if notification.isLast { remove(slot, because: notification.header.reason ?? .timeout) }
    }

    private func transmit(
        _ notify: NotifyRequest, _ body: NotifyBody, to wanted: Destination, from point: LocalPoint, _ slot: UInt32,
        isLast: Bool, turn: DownlinkTurn?
    ) {
        let subscription = notify.subscription
        let isSecure = subscription.dialog.isSecure
        var destination = wanted
        var bytes = notify.bytes(body, contact: contact(at: point, isSecure: isSecure), point: point)
        let profile = profiles[Int(subscription.profile)]
        if bytes.count > profile.datagramLimit, !subscription.skipsSizeCheck,
            let stream = congestionControlled(destination), let streamPoint = localPoint(for: stream)
        {
            destination = stream
            bytes = notify.bytes(body, contact: contact(at: streamPoint, isSecure: isSecure), point: streamPoint)
        }
        if profile.compactHeaders { bytes = HeaderCompaction.compact(bytes) }
        let client = clientID(branch: notify.branch[...], method: .notify)
        let isReliable =
            switch destination {
            case .flow(let flow): flow.transport.isReliable
            case .target(let target): target.transport.isReliable
            }
        // The last NOTIFY has nobody left to hear of its end.
        transactions.openClient(
            client, isInvite: false, isReliable: isReliable, timers: timers[Int(subscription.profile)], request: bytes,
            destination: destination, user: isLast ? 0 : slot | Self.subscriptionBit, at: now)
        presence.counters.notificationsSent += 1
        presence.counters.notificationBytes += UInt64(body.count)
        tally.requestsSent += 1
        let token = isLast ? 0 : notificationToken(slot, sequence: notify.sequence)
        if token != 0, case .flow(let flow) = destination, flow.connection != 0 {
            inFlight.add(token, on: flow.connection)
        }
        if let turn {
            transmit(
                bytes, to: destination, token: token, transaction: client, lifetime: profile.transactionLifetime,
                turn: turn)
        } else {
            output.transmissions.append(Transmission(bytes: bytes, destination: destination, token: token))
        }
    }

    /// What the watcher is told.
    ///
    /// - Parameter isForced: whether a minimum rate wants the state told although nothing changed (RFC 6446 section 6.2).
    private func body(
        for slot: UInt32, _ content: NotifierSubscription.Content, isForced: Bool
    ) -> NotifyBody {
        guard content != .none, let subscription = presence.subscriptions[slot] else { return .none }
        let full = content == .fullState
        guard let watcher = subscription.watcher else { return report(for: subscription, slot, full: full || isForced) }
        if let body = presence.agent.body(for: watcher, full: full) { return .presence(body) }
        return isForced ? presence.agent.body(for: watcher, full: true).map { .presence($0) } ?? .none : .none
    }

    private func report(for subscription: Subscription, _ slot: UInt32, full: Bool) -> NotifyBody {
        let address = Array(location.addressOfRecord(of: subscription.user).utf8)
        let presentity = presentity(of: subscription.user, address)
        var version = subscription.report
        let document: [UInt8]?
        if subscription.package == .watchers {
            document = presence.agent.watcherInformation(
                of: presentity, for: &version, visible: .all, full: full, at: now)
        } else {
            document = presence.agent.registrationInformation(of: presentity, for: &version, full: full, at: now)
        }
        presence.subscriptions[slot]?.report = version
        return document.map { .report($0, subscription.package.mediaType) } ?? .none
    }

    func notificationToken(_ slot: UInt32, sequence: UInt32) -> UInt64 {
        1 << 63 | UInt64(sequence & 0x7fff_ffff) << 32 | UInt64(slot)
    }
}
