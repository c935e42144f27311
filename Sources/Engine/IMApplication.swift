import DequeModule
import LinkProfiles
import MessageStore
import Policy
import SIPCore
import SIPTransaction

/// The IM Application (draft-houri-simple-arch-01 section 7.2, RFC 3428): a MESSAGE to a served user goes to the user's devices, or
/// into the Message Store.
extension Engine {
    /// Relays the message live if nothing of the recipient's waits already, else defers it behind what waits.
    func instantMessage(_ context: ForkContext, user: Int32) {
        guard let held = context.held else { return }
        context.user = user
        if identities.count > 0, identities.contains(acceptance(of: held).identity) { return acceptAgain(held) }
        if let slot = queueSlot(of: user), let relay = relayUnderWay(of: context.seed, in: slot) {
            relay.followers.append(held)
            return
        }
        let longestLine = configuration.limits.relaysInLine
        if let slot = queueSlot(of: user), queues[slot].line.count >= longestLine { endPatience(in: slot) }
        if let slot = queueSlot(of: user), !queues[slot].isEmpty || queues[slot].line.count >= longestLine {
            deferMessage(held, user: user, attemptsMade: 0)
            return
        }
        let groups = targetGroups(of: user)
        guard let first = groups.last?.first else {
            deferMessage(held, user: user, attemptsMade: 0)
            return
        }
        context.urgency = urgency(of: held.request)
        guard downlinkOpens(to: user, context.urgency) <= now else {
            // What is under way already goes first, so that order holds.
            if let slot = queueSlot(of: user) { endPatience(in: slot) }
            deferMessage(held, user: user, attemptsMade: 0)
            return
        }
        context.groups = groups
        guard limitBreadth(context, held.request) else { return answer(held, 440) }
        context.slot = contexts.insert(context)
        transactions.setUser(context.slot + 1, ofServer: held.server)
        context.isLive = true
        let slot = ensureQueue(of: user)
        watchPatience(of: context, profile: first.profile)
        queues[slot].relayWindow = relayWindow(towards: first)
        if queues[slot].live >= queues[slot].relayWindow || !queues[slot].line.isEmpty {
            queues[slot].line.append((context.slot, contexts.generation(of: context.slot)))
            if queues[slot].live < queues[slot].relayWindow { advanceLine(slot) }
        } else {
            startRelay(context, queue: slot)
        }
    }

    /// Relays a device may have under way at once: one where datagrams could change their order; over a connection as many as there
    /// are, but on a constrained link no more than a flush has.
    private func relayWindow(towards target: ForwardTarget) -> Int {
        guard target.flow?.transport.isReliable ?? false else { return 1 }
        return isPaced(target.profile) ? max(1, profiles[target.profile].flushWindow) : .max
    }

    /// The relay of the same message (From tag, Call-ID and CSeq) that has no answer yet.
    private func relayUnderWay(of seed: UInt64, in slot: Int) -> ForkContext? {
        func find(_ mark: (slot: UInt32, generation: UInt32)) -> ForkContext? {
            guard let context = contexts.context(at: mark.slot, generation: mark.generation), context.isLive,
                !context.isAnswered, context.seed == seed
            else { return nil }
            return context
        }
        for mark in queues[slot].forks { if let relay = find(mark) { return relay } }
        for mark in queues[slot].line { if let relay = find(mark) { return relay } }
        return nil
    }

    /// Answers those who sent the same message again: with the relay's status, or as what the store now holds when `status` is nil.
    func answerFollowers(of context: ForkContext, status: UInt16?) {
        let followers = context.followers
        context.followers = []
        for held in followers {
            if let status {
                answer(held, status)
            } else {
                acceptAgain(held)
            }
        }
    }

    private func startRelay(_ context: ForkContext, queue slot: Int) {
        queues[slot].live += 1
        queues[slot].forks.append((context.slot, contexts.generation(of: context.slot)))
        context.isStarted = true
        startNextGroup(context)
    }

    /// A relay is over or was taken over by the store: the next in line goes, or all of them are deferred behind it.
    func liveRelayEnded(_ context: ForkContext) {
        context.isLive = false
        guard let slot = queueSlot(of: context.user) else { return }
        if context.isStarted { queues[slot].live = max(0, queues[slot].live - 1) }
        advanceLine(slot)
    }

    private func advanceLine(_ slot: Int) {
        guard !queues[slot].isAdvancing else { return }
        queues[slot].isAdvancing = true
        while queues[slot].live < queues[slot].relayWindow, let next = queues[slot].line.popFirst() {
            guard let waiting = contexts.context(at: next.slot, generation: next.generation), let held = waiting.held,
                waiting.isLive
            else { continue }
            guard !queues[slot].isEmpty else {
                startRelay(waiting, queue: slot)
                continue
            }
            waiting.isLive = false
            contexts.remove(waiting.slot)
            deferMessage(held, user: waiting.user, attemptsMade: 0)
            answerFollowers(of: waiting, status: nil)
        }
        queues[slot].isAdvancing = false
        if queues[slot].live == 0 { pump(slot) }
    }

    // MARK: Accepting

    /// Accepts a message for later: it is answered 202 once it is durable.
    ///
    /// - Parameters:
    ///   - attemptsMade: attempts to relay it that failed; its next one is the following.
    ///   - retryAfter: how long the device asked to be left alone.
    ///   - context: a relay that goes on as the first attempt to deliver the stored message.
    /// - Returns: whether it was, or will be, answered. False only for a relay that the store does not take over: what comes of
    ///   the relay is its answer.
    @discardableResult
    func deferMessage(
        _ held: HeldRequest, user: Int32, attemptsMade: UInt16, retryAfter: TimeSpan? = nil,
        goingOnIn context: ForkContext? = nil
    ) -> Bool {
        let request = held.request
        guard request.expires != 0 else {
            guard context == nil else { return false }
            answer(held, 480)
            location.removeIfIdle(user)
            return true
        }
        let acceptance = acceptance(of: held)
        if identities.contains(acceptance.identity) {
            context?.isAnswered = true
            acceptAgain(held)
            return true
        }
        let slot = ensureQueue(of: user)
        let hash = senderHash(acceptance.sender[...])
        let payload = DeferredPayload.make(
            from: request, removing: hiddenHeaders(of: held, toTrusted: false), at: now)
        if let refusal = configuration.limits.quotas.refusal(
            size: payload.count, recipient: QuotaUsage(messages: queues[slot].count, bytes: queues[slot].bytes),
            sender: senders.usage(of: hash), messagesInAll: tally.messagesQueued)
        {
            guard context == nil else { return false }
            tally.messagesOverQuota += 1
            answer(held, refusal.statusCode, reason: refusal.reason, headers: explanation(of: refusal))
            releaseQueueIfIdle(slot)
            return true
        }
        guard pending.depth < configuration.limits.pendingStoreCommands, storeHealth.admits(at: now) else {
            guard context == nil else { return false }
            tally.refusedByStore += 1
            answer(held, 503, headers: Self.retrySoon)
            releaseQueueIfIdle(slot)
            return true
        }
        let life =
            request.expires > 0
            ? TimeSpan.seconds(min(request.expires, 10 * 366 * 86_400))
            : profiles[profileNumber(of: held.flow)].deferredLifetime
        let expiresAt = now + life
        lastMessage = MessageNumber(lastMessage.rawValue + 1)
        let number = lastMessage
        let attempts = context?.attempts ?? attemptsMade
        let recipient = nameInStore(user)
        store(
            .enqueue(
                DeferredMessage(
                    number: number, recipient: recipient, sender: String(decoding: acceptance.sender, as: UTF8.self),
                    identity: acceptance.identity, acceptedAt: now, expiresAt: expiresAt, isUrgent: isUrgent(request),
                    state: context == nil ? .queued : .claimed, attempts: UInt32(attempts), payload: payload)))
        pending.hold(.accepted(held, user: user, number: number, identity: acceptance.identity))
        identities.insert(acceptance.identity)
        queues[slot].append(
            QueueEntry(
                number: number, expires: UInt32(clamping: expiresAt.unixSeconds), sender: hash,
                size: UInt32(clamping: payload.count), attempts: context?.attempts ?? attemptsMade + 1,
                state: context == nil ? .queued : .claimed, isUrgent: isUrgent(request)))
        senders.add(payload.count, of: hash)
        tally.messagesQueued += 1
        tally.bytesQueued += payload.count
        if let context {
            context.isAnswered = true
            context.number = number
            watchExpiry(of: context, expires: UInt32(clamping: expiresAt.unixSeconds))
            liveRelayEnded(context)
        } else if attemptsMade > 0 {
            backOff(slot, atLeast: retryAfter ?? .zero)
        } else {
            pump(slot)
        }
        return true
    }

    /// A relay failed: the recipient's link says when to try again.
    private func backOff(_ slot: Int, atLeast least: TimeSpan) {
        let user = queues[slot].user
        let profile = profiles[
            location.bindings(of: user).first(where: { _ in true }).map { profileNumber(of: $0, user: user) }
                ?? defaultProfile]
        queues[slot].notBefore = max(queues[slot].notBefore, countFailure(slot, profile: profile, atLeast: least))
        arm(slot, at: queues[slot].notBefore)
    }

    /// Acknowledges a message again that is in the store, or on its way there; one that was refused is refused again.
    private func acceptAgain(_ held: HeldRequest) {
        let identity = acceptance(of: held).identity
        guard identities.contains(identity) else { return answer(held, 480) }
        tally.messagesAcceptedAgain += 1
        if pending.depth == 0 {
            answer(held, 202)
        } else {
            pending.hold(.acceptedAgain(held, identity: identity, lostBefore: pending.lostAcceptances))
        }
    }

    /// The user's number in the store, told to the store first where it is new.
    func nameInStore(_ user: Int32) -> AddressNumber {
        var commands: [StoreCommand] = []
        let number = location.number(of: user, naming: &commands)
        for command in commands {
            store(command)
            pending.hold(.named(user: user))
        }
        return number
    }

    /// Numbers a command and hands it out.
    func store(_ command: StoreCommand) {
        pending.issue()
        output.storeCommands.append(command)
    }

    // MARK: What the request says

    /// Whom the message is from: the From URI as an address-of-record; the whole URI for other schemes.
    func senderIdentity(of request: SIPMessage) -> [UInt8] {
        request.canonicalAddressOfRecord(of: request.from.uri) ?? Array(request[request.from.uri])
    }

    private func isUrgent(_ request: SIPMessage) -> Bool { urgency(of: request) <= .urgent }

    /// How soon a request has to leave, by its Priority (RFC 3261 section 20.26).
    func urgency(of request: SIPMessage) -> DownlinkUrgency {
        guard request.contains(.priority), let field = request.first(.priority) else { return .normal }
        if request.equalsFolded(field.value, "emergency") { return .emergency }
        if request.equalsFolded(field.value, "urgent") { return .urgent }
        return request.equalsFolded(field.value, "non-urgent") ? .nonUrgent : .normal
    }

    static let retrySoon = Array("Retry-After: 5\r\n".utf8)

    private func explanation(of refusal: QuotaRefusal) -> [UInt8] {
        var lines = MessageWriter(capacity: 128)
        if refusal.retryAfter > 0 { lines.appendHeader(.retryAfter, decimal: refusal.retryAfter) }
        lines.append("Warning: 399 godwit \"")
        lines.append(refusal.warning)
        lines.append("\"\r\n")
        return lines.bytes
    }
}
