import LinkProfiles
import MessageStore
import SIPCore
import SIPTransaction

/// Responses to what was forwarded, and the choice among them (RFC 3261 section 16.7).
extension Engine {
    func responseReceived(_ message: SIPMessage, on flow: Flow) {
        tally.responsesReceived += 1
        guard !message.topVia.branch.isEmpty, message.viaCount > 0 else {
            tally.strayResponses += 1
            return
        }
        let client = clientID(branch: message[message.topVia.branch], method: message.method)
        let downlink = message.statusCode >= 200 ? downlinkEnded(client) : nil
        defer { if let downlink { serve(downlink) } }
        let arrival = transactions.responseArrived(client, status: message.statusCode, at: now)
        // Whoever knows the branch got the request.
        if case .unknown = arrival {} else { standing = .known(user: 0) }
        switch arrival {
        case .unknown:
            tally.strayResponses += 1
        case .absorbed:
            tally.retransmissionsReceived += 1
        case .pass(let user) where Self.isExternal(user):
            externalAnswered(message, user: user)
        case .pass(let user) where user & Self.subscriptionBit != 0:
            notifyAnswered(message, user: user)
        case .pass(let user):
            if user > 0, let context = contexts[user - 1], let position = context.branchIndex(of: client) {
                take(message, at: position, in: context)
            } else if let held = acceptedCalls[client], 200..<300 ~= message.statusCode {
                // The caller has not acknowledged yet: the callee's 2xx again (RFC 6026 section 7.2).
                tally.retransmissionsReceived += 1
                forward(message, status: message.statusCode, to: held)
            }
        case .passAndAcknowledge(let user, let destination):
            guard user > 0, let context = contexts[user - 1], let position = context.branchIndex(of: client) else {
                return
            }
            let ack = acknowledgement(of: context.branches[position].sent, for: message)
            if !ack.isEmpty {
                transactions.acknowledged(client, ack: ack)
                sendAgain(ack, to: destination, of: client, isAnswer: true)
            }
            take(message, at: position, in: context)
        case .acknowledgeAgain(let ack, let destination):
            sendAgain(ack, to: destination, of: client, isAnswer: true)
        }
    }

    private func take(_ message: SIPMessage, at position: Int, in context: ForkContext) {
        let status = message.statusCode
        guard status >= 200 else { return takeProvisional(message, at: position, in: context) }
        if status == 503, mayTryNext(position, in: context) {
            sendNext(position, in: context)
            return finishIfQuiet(context)
        }
        let branch = context.branches[position]
        context.branches[position].state = .completed
        context.branches[position].status = status
        if context.held != nil, message.viaCount < 2 {
            // Nothing is left in it that says where it goes: it cannot be passed on.
            offer(nil, status: 502, cause: DeliveryCause(code: 502), to: context)
        } else if status < 300 {
            accept(message, from: branch.client, in: context)
        } else if branch.isTimedOut {
            offer(nil, status: 0, cause: .timeout, to: context)
        } else {
            offer(message, status: status, cause: DeliveryCause(code: status), to: context)
            if status >= 600 {
                context.groups.removeAll()
                cancelBranches(of: context)
            }
        }
        finishIfQuiet(context)
    }

    private func takeProvisional(_ message: SIPMessage, at position: Int, in context: ForkContext) {
        guard context.branches[position].state != .completed else { return }
        context.branches[position].state = .proceeding
        if context.branches[position].isCancelled { return cancelProceeding(position, in: context) }
        guard message.statusCode > 100, let held = context.held else { return }
        if context.isInvite {
            context.branches[position].expiresAt = now + profiles[context.branches[position].target.profile].timerC
        }
        forward(message, status: message.statusCode, to: held)
    }

    /// A 2xx: goes upstream at once, to an INVITE also the second and third; the other branches are not needed any more.
    private func accept(_ message: SIPMessage, from client: TransactionID, in context: ForkContext) {
        let status = message.statusCode
        context.groups.removeAll()
        if context.best.map({ !(200..<300 ~= $0.status) }) ?? true {
            context.best = BestResponse(status: status, message: nil, cause: DeliveryCause(code: status))
        }
        if let held = context.held, !context.isAnswered || context.isInvite {
            if context.isInvite { acceptedCalls[client] = held }
            if context.user >= 0 { tally.messagesRelayed += 1 }
            forward(message, status: status, to: held)
            context.isAnswered = true
            answerFollowers(of: context, status: status)
        }
        cancelBranches(of: context)
    }

    /// Keeps the better of two final responses (RFC 3261 section 16.7 step 6): 6xx before all, then the lowest class; within 4xx
    /// those that let the client act, and a branch that never answered, as 408, last. A branch that could not be sent counts as
    /// 503 (section 16.9), the last of all.
    func offer(_ message: SIPMessage?, status: UInt16, cause: DeliveryCause, to context: ForkContext) {
        func rank(_ status: UInt16, _ cause: DeliveryCause) -> Int {
            switch status {
            case 200..<300: 0
            case 600..<700: 1
            case 300..<400: 2
            case 401, 407, 415, 420, 484: 3
            case 408: 5
            case 400..<500: 4
            case 0: cause == .flowGone ? 8 : 5
            case 503: 7
            default: 6
            }
        }
        if DeliveryOutcome.isPassing(status: status, cause: cause) { context.passingFailure = cause }
        if let message, status == 401 || status == 407 { context.challenges.append(message) }
        if let best = context.best, rank(best.status, best.cause) <= rank(status, cause) { return }
        context.best = BestResponse(status: status, message: message, cause: cause)
    }

    /// Ends the fork once every branch has answered and no target is left.
    func finishIfQuiet(_ context: ForkContext) {
        guard contexts[context.slot] === context, context.isQuiet else { return }
        if let best = context.best, !(200..<300 ~= best.status), best.status < 600, startNextGroup(context) { return }
        conclude(context)
    }

    /// Every branch has ended: answer upstream, or let the Message Store take over.
    private func conclude(_ context: ForkContext) {
        let best = context.best ?? BestResponse(status: 0, message: nil, cause: .flowGone)
        if context.user >= 0, let slot = queueSlot(of: context.user) {
            queues[slot].forks.removeAll { $0.slot == context.slot }
        }
        contexts.remove(context.slot)
        if context.number != nil {
            finishDelivery(context, best)
        } else if let held = context.held, !context.isAnswered {
            context.isAnswered = true
            if context.user >= 0, context.method == .message, DeliveryOutcome.isDeferrable(status: best.status) {
                let retryAfter = best.message.flatMap { retryDelay(in: $0) }
                deferMessage(held, user: context.user, attemptsMade: context.attempts, retryAfter: retryAfter)
                answerFollowers(of: context, status: nil)
            } else {
                refuse(held, best, of: context)
            }
        }
        if context.isLive { liveRelayEnded(context) }
    }

    /// A deferred message is given up only if no device may take it later.
    private func finishDelivery(_ context: ForkContext, _ best: BestResponse) {
        let retryAfter = best.message.flatMap { self.retryDelay(in: $0) }
        if best.status >= 300, best.status < 600, let passing = context.passingFailure {
            return deliveryFinished(context, status: 0, cause: passing, retryAfter: retryAfter)
        }
        deliveryFinished(context, status: best.status, cause: best.cause, retryAfter: retryAfter)
    }

    /// The answer to a request nobody took. A 503 says that its sender can do nothing for anybody, which is not true of us
    /// because it is of a next hop: it becomes 500 (RFC 3261 section 16.7 step 6).
    private func refuse(_ held: HeldRequest, _ best: BestResponse, of context: ForkContext) {
        let status: UInt16
        if best.status == 503 {
            status = 500
        } else if let message = best.message {
            if context.user >= 0 { tally.messagesRelayed += 1 }
            forward(message, status: best.status, to: held, adding: challenges(besides: message, of: context))
            return answerFollowers(of: context, status: best.status)
        } else if best.status != 0 {
            status = best.status
        } else if context.isCancelled {
            status = 487
        } else if best.cause == .flowGone {
            status = context.isOutside ? 502 : 480
        } else {
            // To anything but an INVITE this stays silent (RFC 4320 section 4.2).
            status = 408
        }
        answer(held, status)
        answerFollowers(of: context, status: status)
    }

    /// Challenges of the other branches, which the client has to answer as well (RFC 3261 section 16.7 step 7).
    private func challenges(besides chosen: SIPMessage, of context: ForkContext) -> [UInt8] {
        guard context.challenges.count > 1, chosen.statusCode == 401 || chosen.statusCode == 407 else { return [] }
        var lines = MessageWriter(capacity: 512)
        for message in context.challenges where message.bytes != chosen.bytes {
            for field in message.fields where field.name == .wwwAuthenticate || field.name == .proxyAuthenticate {
                lines.append(field, of: message)
            }
        }
        return lines.bytes
    }

    func retryDelay(in message: SIPMessage) -> TimeSpan? {
        guard let field = message.first(.retryAfter) else { return nil }
        var seconds: Int64 = 0
        for byte in message[field.value] {
            guard (0x30...0x39).contains(byte), seconds < 86_400 else { break }
            seconds = seconds * 10 + Int64(byte - 0x30)
        }
        return seconds > 0 ? .seconds(min(seconds, 86_400)) : nil
    }
}
