import LinkProfiles
import Policy
import SIPCore
import SIPTransaction

/// The Home Serving Proxy (draft-houri-simple-arch-01 section 6): who may send what, and where it goes (RFC 3261 sections 16.3
/// to 16.5).
extension Engine {
    // MARK: Intake

    func malformed(_ message: SIPMessage, _ failure: SyntaxFailure, on flow: Flow) {
        guard message.isRequest else {
            tally.malformedResponses += 1
            return
        }
        tally.malformedRequests += 1
        guard admits(flow, message) else { return }
        answerStateless(message, on: flow, failure.statusCode, reason: failure.reason)
    }

    func requestReceived(_ message: SIPMessage, on flow: Flow) {
        tally.requestsReceived += 1
        guard admits(flow, message) else { return }
        let server = serverID(of: message)
        switch transactions.requestArrived(server, isAck: message.method == .ack, at: now) {
        case .new:
            break
        case .absorbed:
            tally.retransmissionsReceived += 1
            standing = .known(user: 0)
            return
        case .resend(let status, let tail):
            tally.retransmissionsReceived += 1
            if status != 401, status != 407 { standing = .known(user: 0) }
            return resend(message, on: flow, server: server, status: status, tail: tail)
        case .confirmed:
            heldInvites[server] = nil
            return
        case .passAck:
            return forwardAck(message, on: flow)
        }
        let profile = profileNumber(of: flow)
        if message.bytes.count > profiles[profile].messageLimit {
            return answerStateless(message, on: flow, 513, reason: nil)
        }
        if isOverloaded(by: message) {
            return answerStateless(message, on: flow, 503, reason: nil, headers: Self.retrySoon)
        }
        let isInvite = message.method == .invite
        if isInvite, isCallWithoutCredentials(message, on: flow) {
            return challengeStateless(message, on: flow)
        }
        let held = HeldRequest(request: message, flow: flow, server: server)
        transactions.openServer(
            server, isInvite: isInvite, isReliable: flow.transport.isReliable, timers: timers[profile], user: 0,
            reportsEnd: isInvite, at: now)
        if isInvite { heldInvites[server] = held }
        if message.method == .cancel { return cancelReceived(held) }
        route(held)
    }

    /// What ends something is served to the last.
    private func isOverloaded(by message: SIPMessage) -> Bool {
        switch message.method {
        case .cancel: false
        case .bye: contexts.count >= configuration.limits.openContexts
        default: isDraining || contexts.count >= configuration.limits.openContexts
        }
    }

    private func admits(_ flow: Flow, _ message: SIPMessage) -> Bool {
        switch floodGuard.receive(from: flow.remote.ip, at: now) {
        case .admit:
            return true
        case .answer(let status, let retryAfter):
            tally.refusedByFloodGuard += 1
            answerStateless(
                message, on: flow, status, reason: nil, headers: Array("Retry-After: \(retryAfter)\r\n".utf8))
            return false
        case .drop:
            tally.droppedByFloodGuard += 1
            return false
        }
    }

    // MARK: Routing

    private func route(_ held: HeldRequest) {
        let request = held.request
        guard let uri = request.addressOfRecord(of: request.requestURI) else { return answer(held, 416) }
        let path = routePath(of: request)
        let isOurs = path.next == nil && isServed(uri, in: request)
        if request.method == .register, isOurs { return registerReceived(held) }
        if isOurs, presenceReceived(held, uri) { return }
        if isOurs, uri.user.isEmpty { return addressedToUs(held) }
        guard request.maxForwards != 0 else { return answer(held, 483) }
        if isLooping(request) {
            tally.loopsDetected += 1
            return answer(held, 482)
        }
        if request.contains(.proxyRequire) {
            return answer(held, 420, headers: unsupported(request, .proxyRequire))
        }
        let context = ForkContext(
            method: request.method, held: held,
            seed: request.method == .message ? deliverySeed(request: request) : 0)
        context.maxForwards = request.maxForwards < 0 ? 70 : Int(request.maxForwards) - 1
        context.removedRoutes = path.removed
        let wayBack = path.next == nil && !isServedDomain(uri, in: request) ? path.token : nil
        guard authorize(context, along: wayBack) else { return }
        if let wayBack { return forward(context, along: wayBack) }
        if isOurs { return serve(context, uri) }
        forwardOutside(context, uri, next: path.next)
    }

    private func isServed(_ uri: AddressOfRecordKey, in request: SIPMessage) -> Bool {
        location.serves(uri.host, in: request.bytes) || isLocal(host: uri.host, port: uri.port, in: request)
    }

    private func isServedDomain(_ uri: AddressOfRecordKey, in request: SIPMessage) -> Bool {
        location.serves(uri.host, in: request.bytes)
    }

    /// A request for the server itself.
    private func addressedToUs(_ held: HeldRequest) {
        if let refusal = registrar.refusal(of: held.request) {
            return answer(held, refusal.status, headers: refusal.tail)
        }
        if held.request.method == .options {
            return answer(held, 200, headers: Self.abilities + compressedContact(for: held.flow))
        }
        answer(
            held, held.request.method == .other ? 501 : 404,
            headers: held.request.method == .other ? Self.abilities : [])
    }

    private static let abilities =
        Array("Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE, REGISTER, PUBLISH, SUBSCRIBE, NOTIFY\r\n".utf8)
        + EventPackage.allowEvents + Array("Accept: */*\r\nSupported: path, outbound\r\n".utf8)

    private func unsupported(_ request: SIPMessage, _ name: HeaderName) -> [UInt8] {
        Array("Unsupported: \(request.tokens(name).joined(separator: ", "))\r\n".utf8)
    }

    /// What the Route header says: values at the top that are ours come off (RFC 3261 section 16.4), and the last of them may
    /// carry the flow towards the far side.
    private func routePath(of request: SIPMessage) -> (removed: Int, next: ByteRange?, token: Flow?) {
        guard request.contains(.route) else { return (0, nil, nil) }
        var removed = 0
        var token: Flow?
        for value in request.values(.route) {
            guard let address = request.address(in: value), let key = request.addressOfRecord(of: address.uri) else {
                return (removed, value, nil)
            }
            guard isServed(key, in: request) else { return (removed, address.uri, nil) }
            removed += 1
            token = FlowToken.flow(from: request[key.user], key: self.key)
        }
        return (removed, nil, token)
    }

    // MARK: Destinations

    /// A request to a user of ours.
    private func serve(_ context: ForkContext, _ uri: AddressOfRecordKey) {
        guard let held = context.held else { return }
        let request = held.request
        var user = location.user(uri.user, host: uri.host, in: request.bytes)
        if user == nil {
            let isKnown =
                !configuration.authentication.isRequired
                || accounts.contains(
                    username: String(decoding: request[uri.user], as: UTF8.self),
                    domain: String(decoding: request[uri.host], as: UTF8.self).lowercased())
            guard isKnown, location.serves(uri.host, in: request.bytes) else { return answer(held, 404) }
            guard request.method == .message else { return answer(held, 480) }
            user = location.addUser(uri.user, host: uri.host, in: request.bytes)
        }
        guard let user else { return answer(held, 404) }
        context.removedHeaders += hiddenHeaders(of: held, toTrusted: false)
        if request.method == .message { return instantMessage(context, user: user) }
        context.groups = targetGroups(of: user)
        guard !context.groups.isEmpty else { return answer(held, 480) }
        begin(context)
    }

    /// A request inside a dialog that came back over our Record-Route: it leaves by the flow written there.
    private func forward(_ context: ForkContext, along flow: Flow) {
        guard let held = context.held else { return }
        context.removedHeaders += hiddenHeaders(of: held, toTrusted: isTrusted(flow))
        let target = ForwardTarget(
            uri: Array(held.request[held.request.requestURI]), flow: flow, profile: profileNumber(of: flow))
        context.groups = [[target]]
        begin(context)
    }

    /// A request for another domain, or for the next hop its Route names.
    private func forwardOutside(_ context: ForkContext, _ uri: AddressOfRecordKey, next: ByteRange?) {
        guard let held = context.held else { return }
        let request = held.request
        var hop = uri
        if let next {
            guard let key = request.addressOfRecord(of: next) else { return answer(held, 400) }
            hop = key
        }
        var target = ForwardTarget(uri: Array(request[request.requestURI]))
        target.profile = defaultProfile
        target.isSecure = hop.isSecure
        context.isOutside = true
        let host = String(decoding: request[hop.host], as: UTF8.self).lowercased()
        if next == nil, let route = configuration.routes.first(where: { $0.domain == host }) {
            target.host = route.host
            target.port = route.port
            target.transport = route.transport
        } else {
            target.host = host
            target.port = hop.port
            target.transport = transport(named: request.parameter("transport", in: hop.parameters), in: request)
        }
        assertIdentity(in: context, towards: target)
        context.groups = [[target]]
        begin(context)
    }

    func transport(named value: ByteRange?, in request: SIPMessage) -> SIPTransport? {
        value.flatMap { SIPTransport(uriToken: request.text($0)) }
    }

    private func begin(_ context: ForkContext) {
        if let held = context.held {
            let method = held.request.method
            context.recordsRoute =
                held.request.to.tag.isEmpty && (method == .invite || method == .subscribe || method == .refer)
            guard limitBreadth(context, held.request) else { return answer(held, 440) }
        }
        context.slot = contexts.insert(context)
        if let held = context.held { transactions.setUser(context.slot + 1, ofServer: held.server) }
        startNextGroup(context)
    }

    /// Max-Breadth (RFC 5393 section 5.3.3): what may still be forked is shared among the branches that are open at the same time;
    /// targets beyond it are tried after the others. False when nothing may be forked any more (440).
    func limitBreadth(_ context: ForkContext, _ request: SIPMessage) -> Bool {
        var breadth = configuration.limits.maxBreadth
        let isGiven = request.contains(.maxBreadth)
        if isGiven, let field = request.first(.maxBreadth), let value = request.decimal(field.value) {
            breadth = min(breadth, Int(value))
        }
        guard breadth > 0 else { return false }
        var widest = context.groups.lazy.map(\.count).max() ?? 1
        guard widest > 1 || isGiven else { return true }
        if widest > breadth {
            context.groups = context.groups.flatMap { group in
                stride(from: 0, to: group.count, by: breadth).reversed().map {
                    Array(group[$0..<min($0 + breadth, group.count)])
                }
            }
            widest = breadth
        }
        context.maxBreadth = max(1, breadth / max(1, widest))
        context.removedHeaders.append(.maxBreadth)
        return true
    }

    /// The ACK for a 2xx is a request of its own, forwarded without a transaction (RFC 3261 section 16.11).
    private func forwardAck(_ message: SIPMessage, on flow: Flow) {
        guard message.maxForwards != 0, let uri = message.addressOfRecord(of: message.requestURI) else { return }
        let path = routePath(of: message)
        // The ACK of a dialog made here has our Record-Route; that of a challenge without a transaction ends here.
        guard path.removed > 0, !isAckOfChallenge(message) else { return }
        let held = HeldRequest(request: message, flow: flow, server: TransactionID(high: 0, low: 0))
        let context = ForkContext(method: .ack, held: held, seed: 0)
        context.maxForwards = message.maxForwards < 0 ? 70 : Int(message.maxForwards) - 1
        context.removedRoutes = path.removed
        var target = ForwardTarget(uri: Array(message[message.requestURI]))
        target.profile = defaultProfile
        let destination: Destination
        if let token = path.token, path.next == nil {
            destination = .flow(token)
        } else {
            let hop = path.next.flatMap { message.addressOfRecord(of: $0) } ?? uri
            let transport = transport(named: message.parameter("transport", in: hop.parameters), in: message) ?? .udp
            guard let ip = IPAddress(parsing: message[hop.host]), !isLocal(host: hop.host, port: hop.port, in: message)
            else { return }
            destination = .target(
                Target(
                    transport: transport,
                    address: TransportAddress(ip: ip, port: hop.port == 0 ? transport.defaultPort : hop.port)))
        }
        guard let point = localPoint(for: destination) else { return }
        let branch = branchText(context, target, isRepeated: true)
        let bytes = forwardedRequest(context, target, branch: branch, point: point)
        tally.requestsSent += 1
        sendAgain(bytes, to: destination, of: clientID(branch: branch[...], method: .ack), isAnswer: true)
    }

    /// Bytes of the branch in the top Via of a request of ours.
    func topBranch(of request: [UInt8]) -> ArraySlice<UInt8> {
        guard case .message(let message) = SIPMessage.parse(request) else { return [] }
        return message[message.topVia.branch]
    }
}
