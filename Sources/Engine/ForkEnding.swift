import HeapModule
import LinkProfiles
import MessageStore
import SIPCore
import SIPTransaction

/// What ends a branch other than a response: timers, CANCEL, and that nobody waits any more (RFC 3261 sections 9, 16.8, 16.10).
extension Engine {
    func transactionFired(_ event: TransactionEvent) {
        switch event {
        case .retransmit(let client, let bytes, let destination):
            tally.retransmissionsSent += 1
            sendAgain(bytes, to: destination, of: client, isAnswer: false)
        case .resendResponse(let server, _, let status, let tail):
            resendInviteResponse(server, status: status, tail: tail)
        case .timedOut(_, let user) where Self.isExternal(user):
            externalUnanswered(user: user)
        case .timedOut(let client, let user) where user & Self.subscriptionBit != 0:
            downlinkEnded(client)
            notifyTimedOut(client, user: user)
        case .timedOut(let client, let user):
            downlinkEnded(client)
            guard user > 0, let context = contexts[user - 1], let position = context.branchIndex(of: client),
                context.branches[position].state != .completed
            else { return }
            failBranch(position, in: context, cause: .timeout)
            finishIfQuiet(context)
        case .tryingDue(let server, let user):
            sendTrying(server, user: user)
        case .unanswered(let server, let user):
            heldInvites[server] = nil
            abandonUnanswered(server, user: user)
        case .ackTimeout(let server, _), .ended(let server, _):
            heldInvites[server] = nil
        case .clientEnded(let client, _):
            acceptedCalls[client] = nil
        }
    }

    /// The client of a proxied request has given up: what it asked for is not needed. A MESSAGE to a user of ours goes on; the
    /// store may take it over yet.
    private func abandonUnanswered(_ server: TransactionID, user: UInt32) {
        guard user > 0, let context = contexts[user - 1], context.held?.server == server, context.user < 0 else {
            return
        }
        cancelBranches(of: context)
        contexts.remove(context.slot)
    }

    // MARK: CANCEL

    /// CANCEL is answered here and starts CANCELs of its own (RFC 3261 sections 9.2 and 16.10).
    func cancelReceived(_ held: HeldRequest) {
        let invite = inviteID(ofCancel: held.request)
        guard let user = transactions.user(ofServer: invite) else { return answer(held, 481) }
        answer(held, 200)
        guard user > 0, let context = contexts[user - 1], context.held?.server == invite, !context.isAnswered else {
            return
        }
        context.isCancelled = true
        context.groups.removeAll()
        cancelBranches(of: context)
        finishIfQuiet(context)
    }

    /// Ends what has not answered: INVITEs by CANCEL, others by no longer listening (RFC 3261 section 16.7 step 10).
    func cancelBranches(of context: ForkContext) {
        for position in context.branches.indices {
            let branch = context.branches[position]
            switch (branch.state, context.isInvite) {
            case (.completed, _):
                break
            case (.resolving, _):
                context.branches[position].state = .completed
            case (.waiting, _):
                stopWaiting(position, in: context)
            case (.calling, true):
                // A CANCEL must not overtake its INVITE: it waits for a provisional response (RFC 3261 section 9.1).
                context.branches[position].isCancelled = true
            case (.proceeding, true):
                if !branch.isCancelled { cancelProceeding(position, in: context) }
            case (.calling, false), (.proceeding, false):
                abandon(branch.client)
                context.branches[position].state = .completed
            }
        }
    }

    /// Sends the CANCEL of an INVITE that rings, and waits for the final response no longer than 64*T1 (RFC 3261 section 9.1).
    func cancelProceeding(_ position: Int, in context: ForkContext) {
        let branch = context.branches[position]
        context.branches[position].isCancelled = true
        let limit = now + profiles[branch.target.profile].transactionLifetime
        context.branches[position].expiresAt = limit
        wake(context, at: limit)
        guard let destination = branch.destination, let cancel = cancellation(of: branch.sent) else { return }
        let client = clientID(branch: topBranch(of: branch.sent), method: .cancel)
        guard
            transactions.openClient(
                client, isInvite: false, isReliable: localPoint(for: destination)?.transport.isReliable ?? false,
                timers: timers[branch.target.profile], request: cancel, destination: destination, user: 0, at: now)
        else { return }
        sendAgain(cancel, to: destination, of: client, isAnswer: true)
    }

    // MARK: Timer C

    /// Looks at the context's branches again at that moment (``timerCFired(_:)``).
    func wake(_ context: ForkContext, at time: Instant) {
        deadlines.insert(
            Deadline(at: time, kind: .timerC(slot: context.slot, generation: contexts.generation(of: context.slot))))
    }

    /// An INVITE rang for too long: it is cancelled and its final response awaited (RFC 3261 section 16.8). One that was
    /// cancelled and not answered since is given up.
    func timerCFired(_ context: ForkContext) {
        for position in context.branches.indices {
            let branch = context.branches[position]
            guard let limit = branch.expiresAt, limit <= now, branch.state == .calling || branch.state == .proceeding
            else {
                continue
            }
            if branch.state == .proceeding, !branch.isCancelled {
                context.branches[position].isTimedOut = true
                cancelProceeding(position, in: context)
            } else {
                abandon(branch.client)
                context.branches[position].state = .completed
                offer(nil, status: 0, cause: .timeout, to: context)
            }
        }
        if let next = context.branches.compactMap({ $0.state == .completed ? nil : $0.expiresAt }).min(), next > now {
            wake(context, at: next)
        }
        finishIfQuiet(context)
    }
}
