import LinkProfiles
import MessageStore
import Presence
import SIPCore
import SIPDialog

/// SUBSCRIBE within a dialog (RFC 6665 sections 4.2.1.4 and 4.4.3).
extension Engine {
    func refreshReceived(_ held: HeldRequest) {
        let request = held.request
        guard let slot = subscription(named: request), let subscription = presence.subscriptions[slot],
            !subscription.isEnding, !subscription.isUnanswered
        else { return refuseSubscription(held, 481) }
        guard let event = EventHeader(of: request), EventPackage(event, of: request) == subscription.package else {
            return refuseSubscription(held, 489, headers: EventPackage.allowEvents)
        }
        // Another id asks for a second subscription in the dialog (RFC 6665 section 4.5.2).
        guard request[event.id].elementsEqual(subscription.eventID) else { return refuseSubscription(held, 403) }
        let unknown = unknownExtensions(request)
        guard unknown.isEmpty else { return refuseSubscription(held, 420, headers: unknown) }
        guard let requester = requester(of: held) else { return countRefusedSubscription() }
        guard KeyedHash.hash(requester.uri, key: key) == subscription.identity else {
            return refuseSubscription(held, 403)
        }
        if let status = subscription.remoteSequence.check(request.cseqNumber).statusCode {
            return refuseSubscription(held, status)
        }
        guard let wanted = subscriptionRequest(of: held, subscription.package, event) else {
            return countRefusedSubscription()
        }
        guard admitsStoreCommands(held) else { return countRefusedSubscription() }
        refresh(slot, held, wanted, requester)
    }

    /// The subscription of the dialog a request names (RFC 3261 section 12.2).
    func subscription(named request: SIPMessage) -> UInt32? {
        guard let tag = TagText.value(of: request[request.to.tag]),
            let slot = presence.subscriptions.slot(tagged: tag), let subscription = presence.subscriptions[slot],
            subscription.dialog.matches(request)
        else { return nil }
        return slot
    }

    private func refresh(_ slot: UInt32, _ held: HeldRequest, _ wanted: SubscriptionRequest, _ requester: Requester) {
        let hasMoved: Bool
        do throws(DialogFailure) {
            hasMoved = try follow(slot, to: held)
        } catch {
            return refuseSubscription(held, error.statusCode)
        }
        if let watcher = presence.subscriptions[slot]?.watcher, wanted.life > 0 {
            do throws(WatchRefusal) {
                take(try presence.agent.rewatch(watcher, watchRequest(held, slot, wanted, requester), at: now))
            } catch {
                return refuseSubscription(held, error)
            }
        }
        presence.subscriptions[slot]?.remoteSequence.accept(held.request.cseqNumber)
        presence.subscriptions[slot]?.isUnreachable = false
        guard let changed = presence.subscriptions[slot] else { return }
        if wanted.life == 0 {
            store(.presence(.unsubscribe(changed.number)))
        } else if hasMoved || wanted.filter != nil || wanted.rates != changed.notifier.pacer.rates {
            store(.presence(.subscribe(stored(changed, requester, wanted))))
        } else {
            store(.presence(.renew(changed.number, progress(of: changed, expiresAt: now + .seconds(wanted.life)))))
        }
        let mark = presence.subscriptions.mark(of: slot)
        pending.hold(.subscribed(SubscribeUnderWay(held: held, mark: mark, wanted: wanted, isRefresh: true)))
    }

    /// Takes over the watcher's new address, and the flow it came by; true when the dialog changed.
    private func follow(_ slot: UInt32, to held: HeldRequest) throws(DialogFailure) -> Bool {
        guard var dialog = presence.subscriptions[slot]?.dialog else { return false }
        var hasMoved = try dialog.refreshTarget(from: held.request)
        if hasMoved { presence.subscriptions[slot]?.dialog = dialog }
        let isDirect =
            dialog.routeSet.isEmpty && held.request.viaCount == 1 && held.request.isSender(atContactOf: held.flow)
        let flow = isDirect ? held.flow : nil
        if flow != presence.subscriptions[slot]?.flow {
            hasMoved = true
            presence.subscriptions[slot]?.flow = flow
            presence.subscriptions[slot]?.profile = UInt8(clamping: profileNumber(of: held.flow))
        }
        return hasMoved
    }

    // MARK: Commits

    /// The subscription, or what was asked of it, is durable: it is answered, and told the state.
    func subscribed(_ request: SubscribeUnderWay) {
        guard let slot = presence.subscriptions.slot(at: request.mark) else {
            return refuseSubscription(request.held, 481)
        }
        guard request.isRefresh else {
            presence.counters.subscriptionsMade += 1
            return acceptSubscription(request.held, slot)
        }
        if request.wanted.life == 0 {
            presence.subscriptions[slot]?.number = SubscriptionNumber(0)
            presence.subscriptions[slot]?.sequence.useFreely()
        }
        let tag = entityTag(of: slot)
        let answer = presence.subscriptions[slot]?.notifier.refreshed(
            expires: request.wanted.expires, rates: request.wanted.rates, condition: request.wanted.condition,
            entityTag: tag, policy: presence.policy, at: now)
        presence.counters.subscriptionsRefreshed += 1
        switch answer {
        case .ok:
            acceptSubscription(request.held, slot)
        case .noNotification:
            presence.counters.notificationsSuppressed += 1
            acceptSubscription(request.held, slot, status: 204)
        case .noNotificationAndEnd:
            presence.counters.notificationsSuppressed += 1
            acceptSubscription(request.held, slot, status: 204)
            remove(slot, because: .timeout)
        case .gone, nil:
            refuseSubscription(request.held, 481)
        }
    }

    /// The store did not take it: a new subscription is not made, an old one stays as it was.
    func subscribeFailed(_ request: SubscribeUnderWay) {
        tally.refusedByStore += 1
        refuseSubscription(request.held, 503, headers: Self.retrySoon)
        guard !request.isRefresh, let slot = presence.subscriptions.slot(at: request.mark) else { return }
        presence.subscriptions[slot]?.number = SubscriptionNumber(0)
        remove(slot, because: .timeout)
    }

    /// That of what the watcher would be shown now (RFC 5839).
    func entityTag(of slot: UInt32) -> UInt64? {
        presence.subscriptions[slot]?.watcher.flatMap { presence.agent.entityTag(for: $0) }?.rawValue
    }

    // MARK: Stored form

    /// - Parameters:
    ///   - raised: a ceiling of CSeq numbers that is new.
    ///   - expiresAt: an end that is new.
    func progress(
        of subscription: Subscription, raised: UInt32? = nil, expiresAt: Instant? = nil
    ) -> SubscriptionProgress {
        var sequence = subscription.sequence
        return SubscriptionProgress(
            state: subscription.notifier.state == .pending ? .pending : .active,
            remoteSequence: subscription.remoteSequence.number, sequenceCeiling: raised ?? sequence.raise(block: 0),
            version: 0, expiresAt: expiresAt ?? subscription.notifier.expiresAt)
    }

    func stored(
        _ subscription: Subscription, _ requester: Requester, _ wanted: SubscriptionRequest
    ) -> StoredSubscription {
        StoredSubscription(
            number: subscription.number, resource: nameInStore(subscription.user), event: subscription.eventText,
            watcher: requester.isAnonymous ? "" : String(decoding: requester.uri, as: UTF8.self), createdAt: now,
            accept: UInt32(wanted.formats.rawValue),
            rates: StoredRates(
                maximum: wanted.rates.maximum, minimum: wanted.rates.minimum,
                adaptiveMinimum: wanted.rates.adaptiveMinimum), flow: flowText(subscription.flow),
            dialog: subscription.dialog.bytes, filter: wanted.filter ?? [],
            progress: progress(of: subscription, expiresAt: now + .seconds(wanted.life)))
    }

    private func flowText(_ flow: Flow?) -> String {
        flow.map { BindingFlowText.text(of: .flow($0), listeners: configuration.localPoints) } ?? ""
    }
}
