import LinkProfiles
import MessageStore
import Presence
import SIPCore
import SIPDialog

/// What follows when presence changes.
extension Engine {
    /// - Parameter wakes: whether a user who has become available gets what waits; false where something else sees to it.
    func take(_ changes: PresenceChanges, wakes: Bool = true) {
        let isArrival = changes.reception.contains { presence.agent.reception(of: $0).isAvailable == true }
        for slot in changes.notify { tellChange(slot, isArrival: isArrival) }
        for change in changes.handling { decided(change.subscription, change.handling) }
        for change in changes.durable { settleExpiry(change) }
        if !presence.watcherReports.isEmpty {
            for presentity in changes.watcherInformation {
                user(of: presentity).flatMap { presence.watcherReports[$0] }?.forEach {
                    tellChange($0, isArrival: false)
                }
            }
        }
        for presentity in changes.registration {
            user(of: presentity).flatMap { presence.registrationReports[$0] }?.forEach {
                tellChange($0, isArrival: false)
            }
        }
        for presentity in changes.reception { receptionChanged(of: presentity, wakes: wakes) }
    }

    /// The presentity's rules say something else of a watcher than before (RFC 6665 section 4.2.2).
    private func decided(_ slot: UInt32, _ handling: SubscriptionHandling) {
        guard let before = presence.subscriptions[slot], !before.isEnding else { return }
        switch handling {
        case .block: presence.subscriptions[slot]?.notifier.terminate(.rejected)
        case .confirm: presence.subscriptions[slot]?.notifier.decided(false)
        case .politeBlock, .allow: presence.subscriptions[slot]?.notifier.decided(true)
        }
        if let changed = presence.subscriptions[slot], !changed.isEnding,
            changed.notifier.state != before.notifier.state,
            changed.number.rawValue > 0
        {
            settle(.presence(.renew(changed.number, progress(of: changed))))
        }
        tellLater(slot)
    }

    /// A publication's life is over, in memory already.
    private func settleExpiry(_ change: PublicationChange) {
        guard case .remove(let number) = change else { return }
        settle(.presence(.unpublish(PublicationNumber(number.rawValue))))
    }

    /// What falls due by itself.
    func advancePresence() {
        guard configuration.presence.isEnabled else { return }
        if let due = presence.agent.nextDeadline, due <= now { take(presence.agent.advance(to: now)) }
        if presence.resumesAt <= now { resumeNotifications() }
        tellLine()
    }

    // MARK: Registrations as a source

    /// A user's bindings changed.
    func registrationsChanged(of user: UserIndex) {
        guard configuration.presence.isEnabled,
            presence.agent.presentityCount > 0 || !presence.registrationReports.isEmpty
        else { return }
        let address = Array(location.addressOfRecord(of: user).utf8)
        if let presentity = presence.agent.existingPresentity(for: address) {
            reportRegistrations(of: user, as: presentity)
        } else if presence.registrationReports[user] != nil {
            reportRegistrations(of: user, as: presence.agent.presentity(for: address))
        }
    }

    private func user(of presentity: PresentityID) -> UserIndex? {
        location.user(String(decoding: presence.agent.addressOfRecord(of: presentity), as: UTF8.self))
    }

    /// Tells what the user's bindings are now.
    func reportRegistrations(of user: UserIndex, as presentity: PresentityID) {
        let contacts = location.bindings(of: user).filter { $0.expiresAt > now }.map { BoundContact($0) }
        // A registration wakes the queue by itself.
        take(presence.agent.setRegistration(contacts, for: presentity, at: now), wakes: false)
    }

    // MARK: The deferred queue

    /// The user became available, or unavailable, or wants to be left alone.
    func receptionChanged(of presentity: PresentityID, wakes: Bool) {
        guard let user = user(of: presentity) else { return }
        let reception = presence.agent.reception(of: presentity)
        if reception.willingness == .urgentOnly {
            presence.undisturbed.insert(user)
        } else {
            presence.undisturbed.remove(user)
        }
        guard wakes, reception.isAvailable == true, queueSlot(of: user).map({ !queues[$0].isEmpty }) ?? false else {
            return
        }
        presence.counters.queuesWoken += 1
        wake(user)
    }

    /// What of the user's queue may go now (draft-houri-simple-arch-01 section 7.2.4: a user who does not want to be disturbed
    /// gets what is urgent).
    func takesUrgentOnly(_ user: UserIndex) -> Bool { presence.undisturbed.contains(user) }
}
