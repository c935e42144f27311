import DequeModule
import LinkProfiles
import MessageStore
import Presence
import SIPCore
import SIPDialog

/// What the store holds of presence, gathered while it is read: it can be taken over only once all numbers are known.
struct RecoveredPresence {
    var documents: [StoredDocument] = []
    var publications: [StoredPublication] = []
    var subscriptions: [StoredSubscription] = []
}

/// Taking presence over from the store. To a watcher there is no restart: its dialog goes on under a higher CSeq.
extension Engine {
    func restore(_ recovered: RecoveredPresence) {
        guard configuration.presence.isEnabled else { return }
        for document in recovered.documents { restore(document) }
        for publication in recovered.publications { restore(publication) }
        for subscription in recovered.subscriptions { restore(subscription) }
        for user in location.all where location.bindings(of: user).first != nil { registrationsChanged(of: user) }
        for slot in 0..<presence.subscriptions.capacity {
            guard presence.subscriptions[slot] != nil else { continue }
            presence.resumptions.append(presence.subscriptions.mark(of: slot))
        }
        if !presence.resumptions.isEmpty { presence.resumesAt = now }
    }

    private func restore(_ document: StoredDocument) {
        guard document.name.application == RulesDocument.application else { return }
        if let refusal = setRules(document.body, of: document.name.owner) {
            output.notices.append(
                Notice(
                    .error, "stored presence rules are not understood",
                    [("owner", document.name.owner), ("reason", refusal)]))
        }
    }

    private func restore(_ stored: StoredPublication) {
        guard let user = location.user(numbered: stored.resource) else { return }
        let address = Array(location.addressOfRecord(of: user).utf8)
        let isRestored =
            stored.event == "presence"
            && EntityTag(Array(stored.entityTag.utf8)).map { tag in
                presence.agent.restore(
                    PublicationRecord(
                        number: PublicationID(stored.number.rawValue), addressOfRecord: address, entityTag: tag,
                        stated: stored.modifiedAt, expires: stored.expiresAt, source: Array(stored.source.utf8),
                        document: stored.body), at: now)
            } ?? false
        guard isRestored else { return settle(.presence(.unpublish(stored.number))) }
        guard let presentity = presence.agent.existingPresentity(for: address) else { return }
        receptionChanged(of: presentity, wakes: false)
    }

    private func restore(_ stored: StoredSubscription) {
        let event = stored.event.split(separator: ";", maxSplits: 1)
        guard let user = location.user(numbered: stored.resource), stored.progress.state != .waiting,
            let dialog = Dialog(bytes: stored.dialog), let tag = TagText.value(of: dialog.localTag),
            presence.subscriptions.slot(tagged: tag) == nil,
            let package = EventPackage.allCases.first(where: { event.first == "\($0.token)" })
        else { return settle(.presence(.unsubscribe(stored.number))) }
        let flow = BindingFlowText.flow(stored.flow, listeners: configuration.localPoints)
        var subscription = Subscription(
            dialog: dialog, localTag: tag, identity: KeyedHash.hash(Array(stored.watcher.utf8), key: key), user: user,
            package: package, eventID: event.count > 1 ? Array(event[1].dropFirst(3).utf8) : [],
            sequence: SequenceReservation(above: stored.progress.sequenceCeiling),
            remoteSequence: RemoteSequence(stored.progress.remoteSequence),
            notifier: notifier(stored, isDecided: stored.progress.state == .active))
        subscription.number = stored.number
        subscription.flow = flow
        subscription.profile = UInt8(clamping: flow.map { profileNumber(of: $0) } ?? defaultProfile)
        // Each document has a NOTIFY of its own, so none had a version above the CSeq numbers.
        subscription.report = ReportVersion(next: stored.progress.sequenceCeiling)
        guard watchAgain(&subscription, stored) else { return settle(.presence(.unsubscribe(stored.number))) }
        presence.perWatcher[subscription.identity, default: 0] += 1
        _ = presence.subscriptions.insert(subscription)
    }

    private func notifier(_ stored: StoredSubscription, isDecided: Bool) -> NotifierSubscription {
        let rates = EventRates(
            maximum: stored.rates.maximum, minimum: stored.rates.minimum,
            adaptiveMinimum: stored.rates.adaptiveMinimum)
        return NotifierSubscription(
            restoring: isDecided ? .active : .pending, expiresAt: stored.progress.expiresAt, rates: rates,
            notBefore: now, at: now)
    }

    private func watchAgain(_ subscription: inout Subscription, _ stored: StoredSubscription) -> Bool {
        let slot = presence.subscriptions.next
        switch subscription.package {
        case .presence:
            let watcher = Array(stored.watcher.utf8)
            let watch = WatchRequest(
                subscription: slot, identity: watcher.isEmpty ? .unauthenticated : WatcherIdentity(watcher),
                formats: AcceptedFormats(rawValue: UInt8(truncatingIfNeeded: stored.accept)),
                filter: stored.filter.isEmpty ? nil : stored.filter, expires: stored.progress.expiresAt,
                lastVersion: stored.progress.sequenceCeiling)
            let presentity = presentity(
                of: subscription.user, Array(location.addressOfRecord(of: subscription.user).utf8))
            guard let admission = try? presence.agent.watch(watch, of: presentity, at: now) else { return false }
            subscription.watcher = admission.watcher
            subscription.notifier = notifier(stored, isDecided: admission.handling != .confirm)
            if admission.watcher == nil { subscription.notifier.terminate(.rejected) }
        case .watchers:
            presence.watcherReports[subscription.user, default: []].append(slot)
        case .registration:
            presence.registrationReports[subscription.user, default: []].append(slot)
        }
        return true
    }

    /// The next of those who are told what they missed while the server was away.
    func resumeNotifications() {
        var left = max(1, configuration.presence.resumptionsPerSecond / 100)
        while left > 0, let mark = presence.resumptions.popFirst() {
            guard let slot = presence.subscriptions.slot(at: mark) else { continue }
            tellLater(slot)
            left -= 1
        }
        presence.resumesAt = presence.resumptions.isEmpty ? .distantFuture : now + .milliseconds(10)
    }
}
