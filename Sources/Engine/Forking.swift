import HeapModule
import LinkProfiles
import MessageStore
import SIPCore
import SIPTransaction

/// Forwarding one request to its targets (RFC 3261 section 16.6), for relays and for deliveries from the Message Store alike.
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
        if watcherResolved(id, targets: targets) || externalResolved(id, targets: targets) { return }
        guard let question = resolving.removeValue(forKey: id),
            let context = contexts.context(at: question.slot, generation: question.generation),
            question.branch < context.branches.count, context.branches[question.branch].state == .resolving
        else { return }
        context.branches[question.branch].alternatives = targets.map { .target($0) }
        sendNext(question.branch, in: context)
        finishIfQuiet(context)
    }

    /// Sends the branch's request to the next hop not tried yet; without one the branch has failed. Towards a constrained endpoint
    /// it waits for its turn.
    func sendNext(_ position: Int, in context: ForkContext, turn: DownlinkTurn? = nil) {
        var turn = turn
        while let destination = context.branches[position].alternatives.first {
            if hasPacedProfiles, turn == nil, isPaced(position, in: context, towards: destination) {
                return awaitTurn(position, in: context, towards: destination)
            }
            context.branches[position].alternatives.removeFirst()
            if send(position, in: context, to: destination, turn: turn) { return }
            turn = nil
        }
        context.branches[position].state = .completed
        if context.branches[position].status == 0 { offer(nil, status: 0, cause: .flowGone, to: context) }
    }

    private func send(
        _ position: Int, in context: ForkContext, to wanted: Destination, turn: DownlinkTurn?
    ) -> Bool {
        let isFirst = context.branches[position].tries == 0
        return send(position, in: context, to: wanted, isRepeated: !isFirst, turn: turn)
            || (isFirst && send(position, in: context, to: wanted, isRepeated: true, turn: turn))
    }

    /// False when there is no way to that destination, or the branch is one that is in use already.
    private func send(
        _ position: Int, in context: ForkContext, to wanted: Destination, isRepeated: Bool, turn: DownlinkTurn?
    ) -> Bool {
        var destination = wanted
        let target = context.branches[position].target
        guard var point = localPoint(for: destination) else { return false }
        let branch = branchText(context, target, isRepeated: isRepeated)
        let client = clientID(branch: branch[...], method: context.method)
        var bytes = forwardedRequest(context, target, branch: branch, point: point)
        let profile = profiles[target.profile]
        let isLarge = bytes.count > profile.datagramLimit && bytes.count > datagramLimit(profile, towards: target)
        let stream = isLarge && !target.skipsSizeCheck ? congestionControlled(destination) : nil
        if let stream, let streamPoint = localPoint(for: stream) {
            destination = stream
            point = streamPoint
            bytes = forwardedRequest(context, target, branch: branch, point: point)
        }
        if profile.compactHeaders { bytes = HeaderCompaction.compact(bytes) }
        guard
            transactions.openClient(
                client, isInvite: context.isInvite, isReliable: point.transport.isReliable,
                timers: timers[target.profile], request: bytes, destination: destination, user: context.slot + 1,
                reportsEnd: context.isInvite, at: now)
        else { return false }
        if stream != nil {
            context.branches[position].alternatives.insert(wanted, at: 0)
            context.branches[position].target.skipsSizeCheck = true
        }
        context.branches[position].client = client
        context.branches[position].tries &+= 1
        context.branches[position].state = .calling
        context.branches[position].destination = destination
        if context.isInvite { startTimerC(position, in: context, request: bytes, profile: profile) }
        tally.requestsSent += 1
        let token = transmissionToken(context, position)
        if case .flow(let flow) = destination, flow.connection != 0 { inFlight.add(token, on: flow.connection) }
        if let turn {
            transmit(
                bytes, to: destination, token: token, transaction: client, lifetime: profile.transactionLifetime,
                turn: turn)
        } else {
            output.transmissions.append(Transmission(bytes: bytes, destination: destination, token: token))
        }
        return true
    }

    private func startTimerC(_ position: Int, in context: ForkContext, request: [UInt8], profile: LinkProfile) {
        context.branches[position].sent = request
        let limit = now + profile.timerC
        context.branches[position].expiresAt = limit
        wake(context, at: limit)
    }

    /// The same next hop over TCP, for a request too large for one datagram (RFC 3261 section 18.1.1, RFC 3428
    /// section 8).
    func congestionControlled(_ destination: Destination) -> Destination? {
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

    /// Names one transmission of one branch: slot, generation, try and position.
    private func transmissionToken(_ context: ForkContext, _ position: Int) -> UInt64 {
        UInt64(context.slot + 1) << 32 | UInt64(contexts.generation(of: context.slot) & 0xffff) << 16
            | UInt64(context.branches[position].tries) << 8 | UInt64(position & 0xff)
    }

    func transportFailed(token: UInt64) {
        if token >> 63 == 1 { return notificationNotSent(token: token) }
        let slot = UInt32(truncatingIfNeeded: token >> 32) &- 1
        let position = Int(token & 0xff)
        guard let context = contexts[slot], position < context.branches.count,
            transmissionToken(context, position) == token
        else { return }
        let branch = context.branches[position]
        if case .flow(let flow)? = branch.destination { inFlight.forget(token, on: flow.connection) }
        guard branch.state == .calling || branch.state == .proceeding else { return }
        if branch.state == .calling {
            _ = transactions.transportFailed(branch.client)
            downlinkEnded(branch.client)
        } else {
            abandon(branch.client)
        }
        failBranch(position, in: context, cause: .flowGone)
        finishIfQuiet(context)
    }

    /// Nobody waits for the answer of a client transaction any more.
    func abandon(_ client: TransactionID) {
        transactions.abandon(client, at: now)
        downlinkEnded(client)
    }

    /// The flow of a branch is dead, or nothing came back: the next hop in the list is tried (RFC 3263 section 4.3).
    func failBranch(_ position: Int, in context: ForkContext, cause: DeliveryCause) {
        if mayTryNext(position, in: context) { return sendNext(position, in: context) }
        context.branches[position].state = .completed
        offer(nil, status: 0, cause: cause, to: context)
    }

    /// Whether another next hop is left, and the branch still wanted.
    func mayTryNext(_ position: Int, in context: ForkContext) -> Bool {
        !context.branches[position].alternatives.isEmpty && !context.isCancelled
            && !context.branches[position].isCancelled
    }
}
