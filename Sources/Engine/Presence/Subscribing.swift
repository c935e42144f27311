import LinkProfiles
import MessageStore
import Presence
import SIPCore
import SIPDialog

/// What a SUBSCRIBE asks for, once it is known to be well formed.
struct SubscriptionRequest {
    var package: EventPackage
    /// Seconds; 0 asks once, or ends.
    var life: Int64
    var formats: AcceptedFormats
    /// A filter document (RFC 4661); nil for none.
    var filter: [UInt8]?
    /// Rates of RFC 6446.
    var rates: EventRates
    /// What the watcher wants to be spared (RFC 5839).
    var condition: NotificationCondition

    var expires: UInt32 { UInt32(clamping: life) }
}

/// A SUBSCRIBE whose outcome is being committed.
final class SubscribeUnderWay {
    let held: HeldRequest
    let mark: SubscriptionMark
    let wanted: SubscriptionRequest
    let isRefresh: Bool

    init(held: HeldRequest, mark: SubscriptionMark, wanted: SubscriptionRequest, isRefresh: Bool) {
        self.held = held
        self.mark = mark
        self.wanted = wanted
        self.isRefresh = isRefresh
    }
}

/// SUBSCRIBE outside a dialog (RFC 6665 section 4.2.1, RFC 3856 section 6.6).
extension Engine {
    func subscribeReceived(
        _ held: HeldRequest, _ uri: AddressOfRecordKey, _ package: EventPackage, _ event: EventHeader
    ) {
        let request = held.request
        if let known = presence.subscriptions.slot(tagged: localTagValue(held.server)) {
            return answerAgain(held, known)
        }
        guard let subject = subject(of: held, uri) else { return countRefusedSubscription() }
        let unknown = unknownExtensions(request)
        guard unknown.isEmpty else { return refuseSubscription(held, 420, headers: unknown) }
        guard let requester = requester(of: held) else { return countRefusedSubscription() }
        guard mayAsk(requester, package, about: subject.addressOfRecord) else { return refuseSubscription(held, 403) }
        guard let wanted = subscriptionRequest(of: held, package, event) else { return countRefusedSubscription() }
        let dialog: Dialog
        do throws(DialogFailure) {
            dialog = try Dialog(
                accepting: request, localTag: localTag(held.server),
                isSecure: uri.isSecure && held.flow.transport == .tls)
        } catch {
            return refuseSubscription(held, error.statusCode)
        }
        let identity = KeyedHash.hash(requester.uri, key: key)
        guard hasRoom(for: identity) else { return refuseSubscription(held, 503, headers: Self.retrySoon) }
        guard admitsStoreCommands(held) else { return countRefusedSubscription() }
        var subscription = Subscription(
            dialog: dialog, localTag: localTagValue(held.server), identity: identity, user: subject.user,
            package: package, eventID: Array(request[event.id]),
            sequence: SequenceReservation(block: Subscription.block),
            remoteSequence: RemoteSequence(request.cseqNumber),
            notifier: NotifierSubscription(expires: 0, isDecided: true, policy: presence.policy, at: now))
        if dialog.routeSet.isEmpty, request.viaCount == 1, request.isSender(atContactOf: held.flow) {
            subscription.flow = held.flow
        }
        subscription.profile = UInt8(clamping: profileNumber(of: held.flow))
        admit(subscription, held, wanted, requester, subject)
    }

    /// The same request again after a restart, or while its commit is under way: it makes no second subscription.
    private func answerAgain(_ held: HeldRequest, _ slot: UInt32) {
        guard let subscription = presence.subscriptions[slot], !subscription.isUnanswered else { return }
        acceptSubscription(held, slot)
    }

    /// Decides what the watcher may see, and makes the subscription durable before it is accepted.
    private func admit(
        _ wished: Subscription, _ held: HeldRequest, _ wanted: SubscriptionRequest, _ requester: Requester,
        _ subject: (user: UserIndex, addressOfRecord: [UInt8])
    ) {
        var subscription = wished
        var isDecided = true
        var changes = PresenceChanges()
        let slot = presence.subscriptions.next
        switch subscription.package {
        case .presence:
            do throws(WatchRefusal) {
                let admission = try presence.agent.watch(
                    watchRequest(held, slot, wanted, requester),
                    of: presentity(of: subject.user, subject.addressOfRecord), at: now)
                guard let watcher = admission.watcher else { return refuseSubscription(held, 403) }
                subscription.watcher = watcher
                isDecided = admission.handling != .confirm
                changes = admission.changes
            } catch {
                return refuseSubscription(held, error)
            }
        case .watchers:
            presence.watcherReports[subject.user, default: []].append(slot)
        case .registration:
            presence.registrationReports[subject.user, default: []].append(slot)
        }
        subscription.notifier = NotifierSubscription(
            expires: wanted.expires, isDecided: isDecided, rates: wanted.rates, condition: wanted.condition,
            policy: presence.policy, at: now)
        if wanted.life > 0 { subscription.number = presence.nextSubscriptionNumber() }
        _ = presence.subscriptions.insert(subscription)
        presence.perWatcher[subscription.identity, default: 0] += 1
        accept(held, slot, wanted, requester)
        take(changes)
    }

    func watchRequest(
        _ held: HeldRequest, _ slot: UInt32, _ wanted: SubscriptionRequest, _ requester: Requester
    ) -> WatchRequest {
        WatchRequest(
            subscription: slot, identity: requester.identity, formats: wanted.formats, filter: wanted.filter,
            displayName: Array(held.request[held.request.from.displayName]), expires: now + .seconds(wanted.life))
    }

    /// A mere question is answered at once.
    private func accept(
        _ held: HeldRequest, _ slot: UInt32, _ wanted: SubscriptionRequest, _ requester: Requester
    ) {
        guard wanted.life > 0, let subscription = presence.subscriptions[slot] else {
            return acceptSubscription(held, slot)
        }
        presence.subscriptions[slot]?.isUnanswered = true
        store(.presence(.subscribe(stored(subscription, requester, wanted))))
        pending.hold(
            .subscribed(
                SubscribeUnderWay(
                    held: held, mark: presence.subscriptions.mark(of: slot), wanted: wanted, isRefresh: false)))
    }

    private func hasRoom(for identity: UInt64) -> Bool {
        let limits = configuration.presence
        return presence.subscriptions.count < limits.subscriptionsInAll
            && Int(presence.perWatcher[identity] ?? 0) < limits.subscriptionsPerWatcher
    }

    /// Watchers and registrations are shown to their owner, and to those the configuration names (RFC 3857 section 4.6, RFC 3680
    /// section 4.6); who may see presence is for ``PresenceAgent`` to say.
    private func mayAsk(_ requester: Requester, _ package: EventPackage, about addressOfRecord: [UInt8]) -> Bool {
        switch package {
        case .presence: true
        case .watchers, .registration:
            requester.uri == addressOfRecord || isListed(requester, in: configuration.presence.observers)
        }
    }

    // MARK: Answering

    func countRefusedSubscription() { presence.counters.subscriptionsRefused += 1 }

    func refuseSubscription(_ held: HeldRequest, _ status: UInt16, headers: [UInt8] = Engine.noTail) {
        countRefusedSubscription()
        answer(held, status, headers: headers)
    }

    func refuseSubscription(_ held: HeldRequest, _ refusal: WatchRefusal) {
        guard case .filter(let reason) = refusal else {
            return refuseSubscription(held, refusal.statusCode, headers: Self.retrySoon)
        }
        var lines = MessageWriter(capacity: 96)
        lines.appendHeader(.warning, "399 godwit \(QuotedString.quoted("\(reason)"))")
        refuseSubscription(held, refusal.statusCode, headers: lines.bytes)
    }

    /// The 200 and, behind it, the NOTIFY that always follows (RFC 6665 section 4.2.1.2); or the 204 that none follows.
    func acceptSubscription(_ held: HeldRequest, _ slot: UInt32, status: UInt16 = 200) {
        guard let subscription = presence.subscriptions[slot] else { return }
        let left = subscription.isEnding ? 0 : max(0, (subscription.notifier.expiresAt - now).microseconds / 1_000_000)
        let lines = acceptance(life: UInt32(clamping: left), on: held.flow, isSecure: subscription.dialog.isSecure)
        let routes = held.request.recordRouteLines
        answer(held, status, headers: routes.isEmpty ? lines : routes + lines)
        presence.subscriptions[slot]?.isUnanswered = false
        tellLater(slot)
    }

    /// Header lines of a 200 to SUBSCRIBE. Those of equal lives are one array.
    private func acceptance(life: UInt32, on flow: Flow, isSecure: Bool) -> [UInt8] {
        let name = UInt64(life) << 17 | UInt64(flow.listener) << 1 | (isSecure ? 1 : 0)
        if let known = presence.acceptances[name] { return known }
        var lines = MessageWriter(capacity: 80)
        lines.appendHeader(.expires, decimal: life)
        if let point = localPoint(for: .flow(flow)) {
            lines.appendHeader(.contact, contact(at: point, isSecure: isSecure)[...])
        }
        if presence.acceptances.count >= 1_024 { presence.acceptances.removeAll(keepingCapacity: true) }
        presence.acceptances[name] = lines.bytes
        return lines.bytes
    }

    /// Where requests within a dialog reach us: one URI for all of them, for the dialog says which.
    func contact(at point: LocalPoint, isSecure: Bool) -> [UInt8] {
        var value = MessageWriter(capacity: 48)
        value.append(isSecure ? "<sips:" : "<sip:")
        value.append(point.advertisedHost)
        value.append(byte: UInt8(ascii: ":"))
        value.append(decimal: point.advertisedPort)
        if point.transport != .udp, !isSecure {
            value.append(";transport=")
            value.append(point.transport.uriToken)
        }
        value.append(byte: UInt8(ascii: ">"))
        return value.bytes
    }
}
