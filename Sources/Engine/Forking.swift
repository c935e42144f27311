import HeapModule
import LinkProfiles
import MessageStore
import SIPCore
import SIPTransaction

/// Forwarding one request to its targets and choosing the answer (RFC 3261 sections 16.6 to 16.8), for relays and for
/// deliveries from the Message Store alike.
extension Engine {
    // MARK: Starting branches

    /// Tries the next group of targets; false when there is none left.
    @discardableResult
    func startNextGroup(_ context: ForkContext) -> Bool {
        guard !context.isCancelled, let group = context.groups.popLast() else { return false }
        for target in group { start(target, in: context) }
        finishIfQuiet(context)
        return true
    }

    func start(_ target: ForwardTarget, in context: ForkContext) {
        var branch = ClientBranch(
            state: .resolving, target: target, alternatives: [], client: TransactionID(high: 0, low: 0))
        let position = context.branches.count
        if let flow = target.flow {
            branch.alternatives = [.flow(flow)]
        } else if let address = IPAddress(parsing: target.host) {
            branch.alternatives = [.target(numericTarget(address, target))]
        } else {
            context.branches.append(branch)
            lastResolution += 1
            resolving[lastResolution] = (context.slot, contexts.generation(of: context.slot), position)
            output.resolutions.append(
                Resolution(
                    id: lastResolution, host: target.host, port: target.port, transport: target.transport,
                    isSecure: target.isSecure))
            return
        }
        context.branches.append(branch)
        sendNext(position, in: context)
    }

    private func numericTarget(_ address: IPAddress, _ target: ForwardTarget) -> Target {
        let transport = target.transport ?? (target.isSecure ? .tls : .udp)
        return Target(
            transport: transport,
            address: TransportAddress(ip: address, port: target.port == 0 ? transport.defaultPort : target.port),
            domain: target.host)
    }

    func resolutionFinished(_ id: UInt64, targets: [Target]) {
        guard let question = resolving.removeValue(forKey: id),
            let context = contexts.context(at: question.slot, generation: question.generation),
            question.branch < context.branches.count, context.branches[question.branch].state == .resolving
        else { return }
        context.branches[question.branch].alternatives = targets.map { .target($0) }
        sendNext(question.branch, in: context)
        finishIfQuiet(context)
    }

    /// Sends the branch's request to the next hop not tried yet; without one the branch has failed.
    private func sendNext(_ position: Int, in context: ForkContext) {
        while !context.branches[position].alternatives.isEmpty {
            let destination = context.branches[position].alternatives.removeFirst()
            if send(position, in: context, to: destination) { return }
        }
        context.branches[position].state = .completed
        if context.branches[position].status == 0 { offer(nil, status: 0, cause: .flowGone, to: context) }
    }

    private func send(_ position: Int, in context: ForkContext, to wanted: Destination) -> Bool {
        let isFirst = context.branches[position].client.low == 0
        return send(position, in: context, to: wanted, isRepeated: !isFirst)
            || (isFirst && send(position, in: context, to: wanted, isRepeated: true))
    }

    /// False when there is no way to that destination, or the branch is one that is in use already.
    private func send(_ position: Int, in context: ForkContext, to wanted: Destination, isRepeated: Bool) -> Bool {
        var destination = wanted
        let target = context.branches[position].target
        guard var point = localPoint(for: destination) else { return false }
        let branch = branchText(context, target, isRepeated: isRepeated)
        let client = clientID(branch: branch[...], method: context.method)
        var bytes = forwardedRequest(context, target, branch: branch, point: point)
        let profile = profiles[target.profile]
        let stream = bytes.count > profile.datagramLimit && !target.skipsSizeCheck ? congestionControlled(destination) : nil
        if let stream, let streamPoint = localPoint(for: stream) {
            destination = stream
            point = streamPoint
            bytes = forwardedRequest(context, target, branch: branch, point: point)
        }
        if profile.compactHeaders { bytes = HeaderCompaction.compact(bytes) }
        guard
            transactions.openClient(
                client, isInvite: context.isInvite, isReliable: point.transport.isReliable,
                timers: timers[target.profile], request: bytes, destination: destination, user: context.slot + 1, at: now)
        else { return false }
        if stream != nil {
            context.branches[position].alternatives.insert(wanted, at: 0)
            context.branches[position].target.skipsSizeCheck = true
        }
        context.branches[position].client = client
        context.branches[position].state = .calling
        context.branches[position].destination = destination
        if context.isInvite { startTimerC(position, in: context, request: bytes, profile: profile) }
        tally.requestsSent += 1
        let token = transmissionToken(context.slot, position)
        if case .flow(let flow) = destination, flow.connection != 0 { inFlight.add(token, on: flow.connection) }
        output.transmissions.append(Transmission(bytes: bytes, destination: destination, token: token))
        return true
    }

    private func startTimerC(_ position: Int, in context: ForkContext, request: [UInt8], profile: LinkProfile) {
        context.branches[position].sent = request
        let limit = now + profile.timerC
        context.branches[position].expiresAt = limit
        deadlines.insert(
            Deadline(at: limit, kind: .timerC(slot: context.slot, generation: contexts.generation(of: context.slot))))
    }

    /// The same next hop over TCP, for a request too large for one datagram (RFC 3261 section 18.1.1, RFC 3428
    /// section 8).
    private func congestionControlled(_ destination: Destination) -> Destination? {
        let address: TransportAddress
        switch destination {
        case .flow(let flow):
            guard flow.transport == .udp else { return nil }
            address = flow.remote
        case .target(let target):
            guard target.transport == .udp else { return nil }
            address = target.address
        }
        return .target(Target(transport: .tcp, address: address))
    }

    // MARK: Transport failures

    private func transmissionToken(_ slot: UInt32, _ position: Int) -> UInt64 {
        UInt64(slot + 1) << 32 | UInt64(contexts.generation(of: slot) & 0xff_ffff) << 8 | UInt64(position & 0xff)
    }

    func transportFailed(token: UInt64) {
        let slot = UInt32(truncatingIfNeeded: token >> 32) &- 1
        let generation = UInt32(truncatingIfNeeded: token >> 8) & 0xff_ffff
        let position = Int(token & 0xff)
        guard let context = contexts[slot], contexts.generation(of: slot) & 0xff_ffff == generation,
            position < context.branches.count
        else { return }
        let branch = context.branches[position]
        guard branch.state == .calling || branch.state == .proceeding else { return }
        if branch.state == .calling {
            _ = transactions.transportFailed(branch.client)
        } else {
            transactions.abandon(branch.client, at: now)
        }
        failBranch(position, in: context, cause: .flowGone)
        finishIfQuiet(context)
    }

    /// The flow of a branch is dead, or nothing came back: the next hop in the list is tried (RFC 3263 section 4.3).
    private func failBranch(_ position: Int, in context: ForkContext, cause: DeliveryCause) {
        if !context.branches[position].alternatives.isEmpty, !context.isCancelled {
            return sendNext(position, in: context)
        }
        context.branches[position].state = .completed
        offer(nil, status: 0, cause: cause, to: context)
    }

    // MARK: Responses

    func responseReceived(_ message: SIPMessage, on flow: Flow) {
        tally.responsesReceived += 1
        guard !message.topVia.branch.isEmpty, message.viaCount > 0 else {
            tally.strayResponses += 1
            return
        }
        let client = clientID(branch: message[message.topVia.branch], method: message.method)
        switch transactions.responseArrived(client, status: message.statusCode, at: now) {
        case .unknown:
            tally.strayResponses += 1
        case .absorbed:
            tally.retransmissionsReceived += 1
        case .pass(let user):
            guard user > 0, let context = contexts[user - 1] else { return }
            take(message, client: client, in: context)
        case .passAndAcknowledge(let user, let destination):
            if user > 0, let context = contexts[user - 1], let position = context.branchIndex(of: client) {
                let ack = acknowledgement(of: context.branches[position].sent, for: message)
                transactions.acknowledged(client, ack: ack)
                output.transmissions.append(Transmission(bytes: ack, destination: destination))
                take(message, client: client, in: context)
            }
        case .acknowledgeAgain(let ack, let destination):
            output.transmissions.append(Transmission(bytes: ack, destination: destination))
        }
    }

    private func take(_ message: SIPMessage, client: TransactionID, in context: ForkContext) {
        guard let position = context.branchIndex(of: client) else { return }
        let status = message.statusCode
        if status < 200 {
            context.branches[position].state = .proceeding
            if status > 100 {
                if context.isInvite {
                    let limit = now + profiles[context.branches[position].target.profile].timerC
                    context.branches[position].expiresAt = limit
                }
                forward(message, status: status, of: context)
            }
            return
        }
        if status == 503, !context.branches[position].alternatives.isEmpty {
            return failBranch(position, in: context, cause: DeliveryCause(code: 503))
        }
        context.branches[position].state = .completed
        context.branches[position].status = status
        if status < 300 {
            accept(message, status: status, of: context)
        } else {
            offer(message, status: status, cause: DeliveryCause(code: status), to: context)
            if status >= 600 { context.groups.removeAll(); cancelBranches(of: context) }
        }
        finishIfQuiet(context)
    }

    /// A 2xx: goes upstream at once; the other branches are not needed any more.
    private func accept(_ message: SIPMessage, status: UInt16, of context: ForkContext) {
        context.groups.removeAll()
        if context.best.map({ !(200..<300 ~= $0.status) }) ?? true {
            context.best = BestResponse(status: status, message: nil, cause: DeliveryCause(code: status))
        }
        if context.held != nil, !context.isAnswered || context.isInvite {
            forward(message, status: status, of: context)
            context.isAnswered = true
            answerFollowers(of: context, status: status)
        }
        cancelBranches(of: context)
    }

    /// Keeps the better of two final responses (RFC 3261 section 16.7 step 6): 6xx before all, then the lowest class;
    /// within 4xx those that let the client act; a branch that never answered counts as 408.
    private func offer(_ message: SIPMessage?, status: UInt16, cause: DeliveryCause, to context: ForkContext) {
        func rank(_ status: UInt16) -> Int {
            switch status {
            case 200..<300: 0
            case 600..<700: 1
            case 401, 407, 415, 420, 484: 2
            case 300..<400: 3
            case 0, 408: 5
            case 400..<500: 4
            default: 6
            }
        }
        if let best = context.best, rank(best.status) <= rank(status) { return }
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
            let retryAfter = best.message.flatMap { self.retryDelay(in: $0) }
            deliveryFinished(context, status: best.status, cause: best.cause, retryAfter: retryAfter)
        } else if let held = context.held, !context.isAnswered {
            context.isAnswered = true
            if context.user >= 0, context.method == .message, DeliveryOutcome.isDeferrable(status: best.status) {
                deferMessage(held, user: context.user, attemptsMade: context.attempts)
                answerFollowers(of: context, status: nil)
            } else if let message = best.message {
                forward(message, status: best.status, of: context)
                answerFollowers(of: context, status: best.status)
            } else if context.isInvite {
                answer(held, context.isCancelled ? 487 : 408)
            } else if best.cause == .flowGone {
                answer(held, context.isOutside ? 502 : 480)
            } else {
                _ = transactions.respond(held.server, status: 408, tail: Self.noTail, at: now)
            }
        }
        if context.isLive { liveRelayEnded(context) }
    }

    private func retryDelay(in message: SIPMessage) -> TimeSpan? {
        guard let field = message.first(.retryAfter) else { return nil }
        var seconds: Int64 = 0
        for byte in message[field.value] {
            guard (0x30...0x39).contains(byte), seconds < 86_400 else { break }
            seconds = seconds * 10 + Int64(byte - 0x30)
        }
        return seconds > 0 ? .seconds(min(seconds, 86_400)) : nil
    }

    // MARK: Timeouts and cancellation

    func transactionFired(_ event: TransactionEvent) {
        switch event {
        case .retransmit(_, let bytes, let destination):
            tally.retransmissionsSent += 1
            output.transmissions.append(Transmission(bytes: bytes, destination: destination))
        case .resendResponse(let server, _, let status, let tail):
            resendInviteResponse(server, status: status, tail: tail)
        case .timedOut(let client, let user):
            guard user > 0, let context = contexts[user - 1], let position = context.branchIndex(of: client),
                context.branches[position].state != .completed
            else { return }
            failBranch(position, in: context, cause: .timeout)
            finishIfQuiet(context)
        case .tryingDue(let server, let user):
            sendTrying(server, user: user)
        case .ackTimeout(let server, _), .unanswered(let server, _), .ended(let server, _):
            heldInvites[server] = nil
        case .clientEnded:
            break
        }
    }

    /// Cancels what has not answered: INVITEs by CANCEL, others by no longer listening (RFC 3261 section 16.7 step 10).
    func cancelBranches(of context: ForkContext) {
        for position in context.branches.indices where context.branches[position].state != .completed {
            let branch = context.branches[position]
            if context.isInvite, branch.state == .proceeding, let destination = branch.destination {
                sendCancel(of: branch, to: destination)
            } else if !context.isInvite {
                if branch.state == .calling || branch.state == .proceeding { transactions.abandon(branch.client, at: now) }
                context.branches[position].state = .completed
            }
        }
    }

    private func sendCancel(of branch: ClientBranch, to destination: Destination) {
        guard let cancel = cancellation(of: branch.sent) else { return }
        let client = clientID(branch: topBranch(of: branch.sent), method: .cancel)
        transactions.openClient(
            client, isInvite: false, isReliable: localPoint(for: destination)?.transport.isReliable ?? false,
            timers: timers[branch.target.profile], request: cancel, destination: destination, user: 0, at: now)
        output.transmissions.append(Transmission(bytes: cancel, destination: destination))
    }

    func timerCFired(_ context: ForkContext) {
        for position in context.branches.indices {
            guard let limit = context.branches[position].expiresAt, limit <= now,
                context.branches[position].state == .calling || context.branches[position].state == .proceeding
            else { continue }
            if context.branches[position].state == .proceeding, let destination = context.branches[position].destination {
                sendCancel(of: context.branches[position], to: destination)
            }
            transactions.abandon(context.branches[position].client, at: now)
            context.branches[position].state = .completed
            offer(nil, status: 0, cause: .timeout, to: context)
        }
        if let next = context.branches.compactMap({ $0.state == .completed ? nil : $0.expiresAt }).min(), next > now {
            deadlines.insert(
                Deadline(
                    at: next, kind: .timerC(slot: context.slot, generation: contexts.generation(of: context.slot))))
        }
        finishIfQuiet(context)
    }
}
