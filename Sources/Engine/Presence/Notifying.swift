import DequeModule
import HeapModule
import LinkProfiles
import MessageStore
import Presence
import SIPCore
import SIPDialog

/// Who is to be notified, and when (RFC 6665 section 4.2.2).
extension Engine {
    /// NOTIFYs sent at most before other work gets its turn.
    private static let notificationsAtOnce = 512

    /// What the subscription shows has changed.
    func tellChange(_ slot: UInt32, isArrival: Bool) {
        presence.subscriptions[slot]?.notifier.changed()
        if isArrival { presence.subscriptions[slot]?.isArrival = true }
        tellLater(slot)
    }

    /// Puts a subscription in the line of those to be told, or has it looked at when its time comes.
    func tellLater(_ slot: UInt32) {
        guard let moment = presence.subscriptions[slot]?.nextMoment else { return }
        guard moment <= now else { return arm(slot, at: moment) }
        guard presence.subscriptions[slot]?.isInLine == false else { return }
        presence.subscriptions[slot]?.isInLine = true
        presence.line.append(slot)
    }

    /// Tells those in the line, the first first.
    func tellLine() {
        var left = Self.notificationsAtOnce
        while left > 0, let slot = presence.line.popFirst() {
            guard presence.subscriptions[slot]?.isInLine == true else { continue }
            presence.subscriptions[slot]?.isInLine = false
            notify(slot)
            left -= 1
        }
    }

    /// Sends what is due of the subscription, or has it wait for its endpoint's turn.
    private func notify(_ slot: UInt32) {
        guard let subscription = presence.subscriptions[slot], let moment = subscription.nextMoment, moment <= now
        else {
            return tellLater(slot)
        }
        guard !subscription.isUnreachable else { return remove(slot, because: .timeout) }
        reserveSequences(slot)
        guard subscription.sequence.used < subscription.sequence.ceiling,
            let destination = destination(of: subscription, slot)
        else { return }
        send(slot, to: destination)
    }

    func send(_ slot: UInt32, to destination: Destination) {
        guard let subscription = presence.subscriptions[slot] else { return }
        guard isPaced(Int(subscription.profile)) else { return sendNotification(slot, to: destination, turn: nil) }
        let mark = presence.subscriptions.mark(of: slot)
        want(
            .notification(subscription: mark.slot, generation: mark.generation),
            subscription.isArrival ? .arrival : .change, towards: destination, profile: Int(subscription.profile))
    }

    /// A constrained endpoint takes the notification now: it tells the newest state.
    func notificationGranted(_ mark: SubscriptionMark, turn: DownlinkTurn) {
        guard let slot = presence.subscriptions.slot(at: mark), let subscription = presence.subscriptions[slot],
            let moment = subscription.nextMoment, moment <= now,
            let destination = destination(of: subscription, slot)
        else { return }
        sendNotification(slot, to: destination, turn: turn)
    }

    // MARK: Sequence numbers

    /// Makes sure that CSeq numbers are left, before the last of those reserved is used.
    private func reserveSequences(_ slot: UInt32) {
        guard presence.subscriptions[slot]?.number.rawValue ?? 0 > 0,
            let ceiling = presence.subscriptions[slot]?.sequence.reserve(block: Subscription.block),
            let subscription = presence.subscriptions[slot]
        else { return }
        store(.presence(.renew(subscription.number, progress(of: subscription, raised: ceiling))))
        pending.hold(.reserved(presence.subscriptions.mark(of: slot), ceiling: ceiling))
    }

    func sequencesReserved(_ mark: SubscriptionMark, ceiling: UInt32) {
        guard let slot = presence.subscriptions.slot(at: mark) else { return }
        presence.subscriptions[slot]?.sequence.stored(ceiling)
        tellLater(slot)
    }

    func sequencesNotReserved(_ mark: SubscriptionMark) {
        guard let slot = presence.subscriptions.slot(at: mark) else { return }
        presence.subscriptions[slot]?.sequence.storingFailed()
        arm(slot, at: now + .seconds(1 as Int64))
    }

    // MARK: Where to

    /// The next hop; nil where its name has to be looked up first, or there is none.
    private func destination(of subscription: Subscription, _ slot: UInt32) -> Destination? {
        if let flow = subscription.flow { return .flow(flow) }
        guard let hop = SIPURI(subscription.dialog.nextHop), hop.isSIP else {
            remove(slot, because: .noResource)
            return nil
        }
        let transport = hop.parameters["transport"].flatMap { SIPTransport(uriToken: $0) }
        let host = hop.parameters["maddr"] ?? hop.host
        guard let address = IPAddress(parsing: host) else {
            lastResolution += 1
            presence.resolving[lastResolution] = presence.subscriptions.mark(of: slot)
            output.resolutions.append(
                Resolution(
                    id: lastResolution, host: host, port: hop.port ?? 0, transport: transport,
                    isSecure: hop.scheme == .sips))
            return nil
        }
        let used = transport ?? (hop.scheme == .sips ? .tls : .udp)
        return .target(
            Target(
                transport: used, address: TransportAddress(ip: address, port: hop.port ?? used.defaultPort),
                domain: host))
    }

    /// The host name of a watcher was looked up. True when it was one of ours.
    func watcherResolved(_ id: UInt64, targets: [Target]) -> Bool {
        guard let mark = presence.resolving.removeValue(forKey: id) else { return false }
        guard let slot = presence.subscriptions.slot(at: mark), presence.subscriptions[slot]?.nextMoment != nil else {
            return true
        }
        if let first = targets.first {
            sendNotification(slot, to: .target(first), turn: nil)
        } else {
            remove(slot, because: .noResource)
        }
        return true
    }

    // MARK: Deadlines

    /// Has the subscription looked at at that moment. A deadline that is set already and comes before does it as well.
    func arm(_ slot: UInt32, at moment: Instant) {
        guard let subscription = presence.subscriptions[slot] else { return }
        if let near = subscription.nearDeadline, near <= moment { return }
        if let far = subscription.farDeadline {
            if far <= moment { return }
            presence.subscriptions[slot]?.nearDeadline = moment
        } else {
            presence.subscriptions[slot]?.farDeadline = moment
        }
        deadlines.insert(Deadline(at: moment, kind: .subscription(presence.subscriptions.mark(of: slot))))
    }

    func subscriptionDue(_ mark: SubscriptionMark, at moment: Instant) {
        guard let slot = presence.subscriptions.slot(at: mark), let subscription = presence.subscriptions[slot] else {
            return
        }
        if subscription.nearDeadline == moment { presence.subscriptions[slot]?.nearDeadline = nil }
        if subscription.farDeadline == moment { presence.subscriptions[slot]?.farDeadline = nil }
        tellLater(slot)
    }
}

extension Subscription {
    /// When there is something to do about it; nil while it has no answer yet, or a NOTIFY is under way.
    var nextMoment: Instant? {
        if isUnanswered { return nil }
        return isUnreachable && !isEnding ? notifier.expiresAt : notifier.nextMoment
    }
}
