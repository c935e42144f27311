import HeapModule
import LinkProfiles
import MessageStore
import Policy
import SIPCore
import SIPTransaction

/// The deferred-message queue: who is tried when (draft-houri-simple-arch-01 sections 7.2.3 and 7.2.4).
extension Engine {
    // MARK: Queue state of a user

    func queueSlot(of user: Int32) -> Int? {
        let slot = location.attachment(of: user)
        return slot >= 0 ? Int(slot) : nil
    }

    func ensureQueue(of user: Int32) -> Int {
        if let slot = queueSlot(of: user) { return slot }
        let slot: Int32
        if let reused = freeQueues.popLast() {
            slot = reused
        } else {
            slot = Int32(queues.count)
            queues.append(RecipientQueue())
        }
        queues[Int(slot)].user = user
        location.attach(slot, to: user)
        return Int(slot)
    }

    /// Gives the queue state back once it holds nothing.
    func releaseQueueIfIdle(_ slot: Int) {
        guard queues[slot].isIdle else { return }
        let user = queues[slot].user
        guard user >= 0 else { return }
        queues[slot] = RecipientQueue()
        freeQueues.append(Int32(slot))
        unwatchOutside(user)
        location.attach(-1, to: user)
        location.removeIfIdle(user)
    }

    // MARK: Flush

    /// The recipient is there: failures are forgotten and its queue begins to flow.
    func wake(_ user: Int32) {
        guard let slot = queueSlot(of: user), !queues[slot].isEmpty else { return }
        queues[slot].notBefore = now
        queues[slot].failures = 0
        pump(slot)
    }

    /// The user can be reached at a new place: attempts under way go there too (RFC 3261 section 16.5 lets targets be added while
    /// a request is being processed), so that nobody waits for a device that is gone.
    func joinForks(of user: Int32) {
        guard let slot = queueSlot(of: user), !queues[slot].forks.isEmpty else { return }
        let targets = targetGroups(of: user).flatMap { $0 }
        for fork in queues[slot].forks {
            guard let context = contexts.context(at: fork.slot, generation: fork.generation) else { continue }
            for target in targets where !context.reaches(target) && context.branches.count < Self.mostBranches {
                start(target, in: context)
            }
        }
    }

    /// Branches a request may have over all the places its user was seen at meanwhile.
    private static let mostBranches = 128

    /// Begins as many attempts as the link's window and byte rate allow.
    func pump(_ slot: Int) {
        guard !isDraining, !queues[slot].isEmpty else { return releaseQueueIfIdle(slot) }
        let user = queues[slot].user
        guard let first = location.bindings(of: user).first(where: { $0.route != .lost && $0.expiresAt > now }) else {
            return
        }
        if now < queues[slot].notBefore { return arm(slot, at: queues[slot].notBefore) }
        let opens = downlinkOpens(to: user, .normal)
        if opens > now {
            arm(slot, at: opens)
            guard downlinkOpens(to: user, .urgent) <= now else { return }
        }
        let urgentOnly = opens > now || takesUrgentOnly(user)
        let profile = profiles[profileNumber(of: first, user: user)]
        let isOrderedByLink = first.flow?.transport.isReliable ?? false
        if !isOrderedByLink, queues[slot].live > 0 { return }
        let window = profile.flushOrder == .sender || isOrderedByLink ? max(1, profile.flushWindow) : 1
        refill(slot, profile)
        var expired: [MessageNumber] = []
        repeat {
            expired.removeAll(keepingCapacity: true)
            claimNext(in: slot, profile, window: window, urgentOnly: urgentOnly, expired: &expired)
            for number in expired { expire(number, in: slot, cause: .none) }
        } while !expired.isEmpty && !queues[slot].isEmpty && queues[slot].outstanding < window
        releaseQueueIfIdle(slot)
    }

    /// Claims what may go of the oldest entries; those whose time is up are only named.
    private func claimNext(
        in slot: Int, _ profile: LinkProfile, window: Int, urgentOnly: Bool, expired: inout [MessageNumber]
    ) {
        var blocked: [UInt32] = []
        let reach = urgentOnly ? queues[slot].remaining.count : 64
        for position in queues[slot].remaining.prefix(reach).indices where queues[slot].outstanding < window {
            let entry = queues[slot].entries[position]
            switch entry.state {
            case .ended:
                continue
            case .claimed:
                if profile.flushOrder == .sender { blocked.append(entry.sender) }
                continue
            case .queued, .waiting:
                break
            }
            if Int64(entry.expires) <= now.unixSeconds {
                expired.append(entry.number)
                continue
            }
            if urgentOnly, !entry.isUrgent { continue }
            if profile.flushOrder == .sender, blocked.contains(entry.sender) { continue }
            if profile.flushByteRate > 0, queues[slot].budget <= 0 {
                let wait = -queues[slot].budget / Double(profile.flushByteRate) + 0.001
                queues[slot].notBefore = now + .seconds(wait)
                return arm(slot, at: queues[slot].notBefore)
            }
            if profile.flushByteRate > 0 { queues[slot].budget -= Double(entry.size) + 400 }
            claim(position, in: slot)
            if profile.flushOrder == .sender { blocked.append(entry.sender) }
        }
    }

    private func refill(_ slot: Int, _ profile: LinkProfile) {
        guard profile.flushByteRate > 0 else { return }
        let elapsed = (now - queues[slot].budgetAt).inSeconds
        let earned = queues[slot].budget + elapsed * Double(profile.flushByteRate)
        queues[slot].budget = min(Double(max(1, profile.flushBurst)), earned)
        queues[slot].budgetAt = now
    }

    private func claim(_ position: Int, in slot: Int) {
        let entry = queues[slot].entries[position]
        queues[slot].move(position, to: .claimed)
        store(.claim(entry.number, attempts: UInt32(entry.attempts), at: now))
        pending.hold(.claimed(user: queues[slot].user, number: entry.number))
    }

    /// Wakes the queue at that moment, once; where it is far, before, to look again: a deadline that has become idle stays in
    /// the heap until it is due.
    func arm(_ slot: Int, at time: Instant) {
        let time = min(time, now + ExpirySweep.farthestWake)
        if let armed = queues[slot].armed, armed <= time { return }
        queues[slot].armed = time
        deadlines.insert(Deadline(at: time, kind: .queue(Int32(slot))))
    }

    // MARK: One attempt

    /// The claim is durable and the payload is here: send it to every device.
    func beginDelivery(_ number: MessageNumber, user: Int32, payload: [UInt8]) {
        guard let slot = queueSlot(of: user) else { return }
        guard let position = queues[slot].index(of: number), queues[slot].entries[position].state == .claimed else {
            return pump(slot)
        }
        let entry = queues[slot].entries[position]
        if Int64(entry.expires) <= now.unixSeconds {
            expire(number, in: slot, cause: .none)
            return pump(slot)
        }
        let groups = targetGroups(of: user)
        if groups.isEmpty {
            queues[slot].move(position, to: .queued)
            store(.release(number, cause: .flowGone))
            return
        }
        let context = ForkContext(method: .message, held: nil, seed: deliverySeed(payload: payload))
        context.payload = payload
        context.user = user
        context.number = number
        context.attempts = entry.attempts
        context.urgency = entry.isUrgent ? .urgent : .normal
        context.groups = groups
        context.slot = contexts.insert(context)
        queues[slot].forks.append((context.slot, contexts.generation(of: context.slot)))
        tally.deliveriesBegun += 1
        watchExpiry(of: context, expires: entry.expires)
        startNextGroup(context)
    }

    /// An attempt does not outlive the message: one that could is ended at the message's expiry. The deadline is set no farther than
    /// most attempts take and then set again, so that what ended before leaves it behind for a short time only.
    func watchExpiry(of context: ForkContext, expires: UInt32) {
        context.expires = expires
        let end = Instant(microseconds: Int64(expires) * 1_000_000)
        // An attempt takes no longer than some next hops of the slowest link one after the other.
        guard end - now < longestLifetime * 8 else { return }
        let lifetime = profiles[context.branches.first?.target.profile ?? defaultProfile].transactionLifetime
        deadlines.insert(
            Deadline(
                at: min(end, now + max(lifetime, .seconds(1 as Int64))),
                kind: .messageExpiry(slot: context.slot, generation: contexts.generation(of: context.slot))))
    }

    private func expireAttempt(_ context: ForkContext) {
        guard let number = context.number else { return }
        guard Int64(context.expires) <= now.unixSeconds else {
            return watchExpiry(of: context, expires: context.expires)
        }
        cancelBranches(of: context)
        contexts.remove(context.slot)
        guard let slot = queueSlot(of: context.user) else { return }
        queues[slot].forks.removeAll { $0.slot == context.slot }
        expire(number, in: slot, cause: .none)
        pump(slot)
    }

    /// The fork of a deferred message has its outcome.
    func deliveryFinished(_ context: ForkContext, status: UInt16, cause: DeliveryCause, retryAfter: TimeSpan?) {
        guard let number = context.number, let slot = queueSlot(of: context.user) else { return }
        guard let position = queues[slot].index(of: number), queues[slot].entries[position].state == .claimed else {
            return pump(slot)
        }
        if 200..<300 ~= status {
            tally.messagesDelivered += 1
            settle(.deliver(number, at: now))
            end(position, in: slot)
            queues[slot].failures = 0
        } else if DeliveryOutcome.isPassing(status: status, cause: cause) {
            tally.deliveriesFailed += 1
            let profile = profiles[context.branches.first?.target.profile ?? defaultProfile]
            let due = countFailure(slot, profile: profile, atLeast: retryAfter ?? .zero)
            queues[slot].move(position, to: .waiting)
            queues[slot].countAttempt(position)
            queues[slot].notBefore = due
            settle(.retry(number, due: due, cause: cause), user: context.user)
            arm(slot, at: due)
        } else {
            tally.messagesRefused += 1
            output.notices.append(
                Notice(
                    .info, "deferred message refused by its recipient",
                    [
                        ("number", String(number.rawValue)), ("status", String(status)),
                    ]))
            settle(.refuse(number, at: now, cause: cause))
            end(position, in: slot)
        }
        pump(slot)
    }

    /// One more failure in a row: when the recipient is tried again.
    func countFailure(_ slot: Int, profile: LinkProfile, atLeast least: TimeSpan) -> Instant {
        queues[slot].failures += 1
        let schedule = RetrySchedule(
            initial: profile.retryInitial, maximum: profile.retryMaximum, jitter: profile.retryJitter)
        return now + max(least, schedule.delay(afterFailures: queues[slot].failures, random: random.unit()))
    }

    /// Writes an outcome; if the store fails it is written again, since memory knows it already.
    func settle(_ command: StoreCommand, user: Int32 = -1) {
        store(command)
        pending.hold(.settled(command, user: user))
    }

    /// Outcomes the store refused are written again a little later.
    func repeatSettlements() {
        let commands = unsettled
        unsettled = []
        for (command, user) in commands where isStillTrue(command, user: user) { settle(command, user: user) }
    }

    /// A failed attempt is no news any more once the next has begun or the message has ended.
    private func isStillTrue(_ command: StoreCommand, user: Int32) -> Bool {
        guard case .retry(let number, _, _) = command else { return true }
        guard user >= 0, let slot = queueSlot(of: user), let position = queues[slot].index(of: number) else {
            return false
        }
        return queues[slot].entries[position].state == .waiting
    }

    func expire(_ number: MessageNumber, in slot: Int, cause: DeliveryCause) {
        guard let position = queues[slot].index(of: number) else { return }
        tally.messagesExpired += 1
        settle(.expire(number, at: now, cause: cause))
        end(position, in: slot)
    }

    /// Takes an entry out of the counts.
    @discardableResult
    func end(_ position: Int, in slot: Int) -> QueueEntry {
        let entry = queues[slot].end(at: position)
        tally.messagesQueued -= 1
        tally.bytesQueued -= Int(entry.size)
        sweep.endedSince += 1
        senders.remove(Int(entry.size), of: entry.sender)
        return entry
    }

    // MARK: Deadlines

    /// Deadlines that wait, those included that have become idle.
    var deadlineCount: Int { deadlines.count }

    func fireDeadlines() {
        while let first = deadlines.min, first.at <= now {
            deadlines.removeMin()
            switch first.kind {
            case .settlement:
                repeatSettlements()
            case .queue(let slot):
                guard Int(slot) < queues.count, queues[Int(slot)].armed == first.at else { continue }
                queues[Int(slot)].armed = nil
                pump(Int(slot))
            case .timerC(let slot, let generation):
                guard let context = contexts.context(at: slot, generation: generation) else { continue }
                timerCFired(context)
            case .downlink(let number):
                downlinkDue(number, at: first.at)
            case .messageExpiry(let slot, let generation):
                guard let context = contexts.context(at: slot, generation: generation) else { continue }
                expireAttempt(context)
            case .subscription(let mark):
                subscriptionDue(mark, at: first.at)
            case .external(let number):
                externalDue(number)
            }
        }
    }

    func sweepExpired() {
        guard now >= sweep.next else { return }
        sweep.next = now + ExpirySweep.interval
        downlinks.sweep(at: now)
        let visits = queues.isEmpty ? 0 : min(queues.count, queues.count / ExpirySweep.stepsPerRound + 1)
        for _ in 0..<visits {
            if sweep.cursor >= queues.count { sweep.cursor = 0 }
            expireEntries(of: sweep.cursor)
            sweep.cursor += 1
        }
        forgetHistory()
    }

    private func expireEntries(of slot: Int) {
        guard !queues[slot].isEmpty else { return }
        let seconds = now.unixSeconds
        let dead = queues[slot].remaining.filter {
            ($0.state == .queued || $0.state == .waiting) && Int64($0.expires) <= seconds
        }
        for entry in dead { expire(entry.number, in: slot, cause: .none) }
        releaseQueueIfIdle(slot)
    }

    private func forgetHistory() {
        let retention = configuration.limits.historyRetention
        if sweep.endedSince > 0 { extendHistory(by: sweep.endedSince) }
        guard now < sweep.historyUntil, now >= sweep.nextForget, storeHealth.failure == nil else { return }
        let limit = max(ExpirySweep.forgetLimit, sweep.endedSince * 2)
        sweep.nextForget = sweep.endedSince > 1_000 ? now : now + ExpirySweep.forgetInterval
        sweep.endedSince = 0
        store(.forget(before: now - retention, limit: limit))
    }

    /// Rows of that many messages will be old enough after the retention, and gone some rounds of forgetting later.
    func extendHistory(by count: Int) {
        let rounds = Int64(count / ExpirySweep.forgetLimit + 2)
        let until = now + configuration.limits.historyRetention + ExpirySweep.forgetInterval * rounds
        sweep.historyUntil = max(sweep.historyUntil, until)
    }

    func turnIdentities() {
        guard now >= identitiesTurnAt else { return }
        identities.turn()
        identitiesTurnAt = now + TimeSpan(microseconds: configuration.limits.duplicateWindow.microseconds / 2)
    }
}

/// What a final response, or its absence, means for a message the store holds.
enum DeliveryOutcome {
    /// Whether another attempt may succeed. The sender was told 202, so everything that is not the recipient's clear and
    /// lasting refusal is tried again until the message expires.
    static func isPassing(status: UInt16, cause: DeliveryCause) -> Bool {
        switch status {
        case 0: true
        case 408, 430, 480, 482, 486, 491, 600: true
        case 501, 505, 513: false
        case 500..<600: true
        default: false
        }
    }

    /// Whether a relay that failed so is turned into a deferred message (draft section 7.2.2; the sender still waits).
    static func isDeferrable(status: UInt16) -> Bool {
        switch status {
        case 0, 408, 430, 480, 503: true
        default: false
        }
    }
}
