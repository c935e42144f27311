import LinkProfiles

/// A non-INVITE server transaction of a scripted endpoint (RFC 3261 section 17.2.2).
struct ServerTransaction {
    /// Nil while the endpoint has not answered.
    var response: [UInt8]?
    /// From tag, Call-ID and CSeq.
    var mergeKey: String
    var isStream: Bool
    var startedAt: Instant
    /// Whether it was answered with a failure, or so late that the node had given up.
    var isDeclined = false
}

extension ScriptedEndpoint {
    /// Something arrived. `sentAt` is when the node sent it, for the checks.
    func received(_ bytes: [UInt8], connection: UInt64?, sentAt: Instant) {
        guard let message = PlainMessage(bytes) else {
            world.ledger.violated(.malformed, at: world.now, "\(name) received \(bytes.count) bytes it cannot read")
            return
        }
        if message.isResponse {
            received(response: message)
            return
        }
        world.trace(name, "< \(message.startLine) \(message.callID)")
        switch message.method {
        case "MESSAGE": received(request: message, connection: connection, sentAt: sentAt)
        case "OPTIONS": reply(message.response(200, "OK", toTag: "o\(device)"), to: message, connection: connection)
        case "ACK": break
        default:
            reply(message.response(501, "Not Implemented", toTag: "n\(device)"), to: message, connection: connection)
        }
    }

    private func received(request: PlainMessage, connection: UInt64?, sentAt: Instant) {
        let key = Self.key(of: request)
        if let known = servers[key] {
            world.ledger.totals.retransmissionsAbsorbed += 1
            if let response = known.response { send(response, on: connection) }
            return
        }
        guard answers != .silence else { return }
        guard let token = Ledger.token(ofCallID: request.callID), world.scenario.messages.indices.contains(token) else {
            world.ledger.violated(
                .malformed, at: world.now, "\(name) received a message nobody sent: \(request.callID)")
            return
        }
        let plan = world.scenario.messages[token]
        let identity = plan.messageID ?? Self.identity(of: request)
        let mergeKey = Self.mergeKey(of: request)
        let isMerged = servers.values.contains {
            $0.mergeKey == mergeKey && !$0.isDeclined && $0.isStream == (connection != nil)
        }
        servers[key] = ServerTransaction(
            response: nil, mergeKey: mergeKey, isStream: connection != nil, startedAt: world.now)
        if let shownAt = remembered[identity] {
            world.ledger.totals.redeliveriesAbsorbed += 1
            let isRepeatedAfterCrash = world.observer.isRedelivery(of: token, branch: request.branch, since: shownAt)
            // One too large for a datagram may go by either transport, each with a branch of its own.
            let limit = world.scenario.profiles[self.plan.profile]?.datagramLimit ?? 1_300
            if isMerged, isRepeatedAfterCrash, request.body.count + 600 < limit, shownAt > movedAt,
                world.ledger.messages[token].isDurable,
                world.ledger.messages[token].tries == 1, !self.plan.honoursIdentity || self.plan.refusesMergedRequests
            {
                world.ledger.violated(
                    .branchChanged, token: token, at: world.now,
                    "\(name) showed it \((world.now - shownAt).inSeconds) s ago and gets it with another branch")
            }
        }
        if isMerged && self.plan.refusesMergedRequests {
            answer(482, "Loop Detected", request, key, connection)
            return
        }
        if remembered[identity] != nil && self.plan.honoursIdentity && !self.plan.forgetsIdentity {
            answer(200, "OK", request, key, connection)
            return
        }
        decide(request, key, token, identity, connection, sentAt)
    }

    private func decide(
        _ request: PlainMessage, _ key: String, _ token: Int, _ identity: String, _ connection: UInt64?,
        _ sentAt: Instant
    ) {
        switch answers {
        case .accept, .silence:
            show(request, token, identity, sentAt)
            answer(200, "OK", request, key, connection)
        case .acceptLate(let span):
            after(span) { endpoint in
                let isKnown = endpoint.remembered[identity] != nil && !endpoint.plan.forgetsIdentity
                if !isKnown || !endpoint.plan.honoursIdentity { endpoint.show(request, token, identity, sentAt) }
                endpoint.answer(200, "OK", request, key, connection)
            }
        case .decline(let status):
            decline(status, request, key, token, connection)
        case .moody(let share):
            if random.chance(share) {
                if random.chance(0.25) {
                    servers[key] = nil
                    return
                }
                decline(random.pick([480, 486, 503]) ?? 480, request, key, token, connection)
            } else {
                show(request, token, identity, sentAt)
                answer(200, "OK", request, key, connection)
            }
        }
    }

    private func decline(_ status: Int, _ request: PlainMessage, _ key: String, _ token: Int, _ connection: UInt64?) {
        world.ledger.messages[token].refusals.append(status)
        answer(status, "Declined by Script", request, key, connection)
    }

    /// Shows the message to the user, and lets the checks see what was shown.
    private func show(_ request: PlainMessage, _ token: Int, _ identity: String, _ sentAt: Instant) {
        let plan = world.scenario.messages[token]
        remembered[identity] = world.now
        world.trace(name, "SHOWS m\(token)")
        if plan.recipient != self.plan.user {
            world.ledger.violated(.misrouted, token: token, at: world.now, "for \(plan.recipient), shown by \(name)")
        }
        if request.body != plan.body || request["content-type"] != plan.contentType {
            world.ledger.violated(
                .bodyAltered, token: token, at: world.now,
                "\(plan.body.count) bytes of \(plan.contentType) sent, \(request.body.count) bytes of "
                    + "\(request["content-type"] ?? "no type") shown by \(name)")
        }
        world.ledger.show(token: token, device: device, sentAt: sentAt, at: world.now)
    }

    private func answer(_ status: Int, _ reason: String, _ request: PlainMessage, _ key: String, _ connection: UInt64?)
    {
        let bytes = request.response(status, reason, toTag: "d\(device)").bytes
        servers[key]?.response = bytes
        if let began = servers[key]?.startedAt {
            servers[key]?.isDeclined = status >= 300 || world.now - began > plan.t1 * 20
        }
        send(bytes, on: connection)
        // Timer J; over a stream it is zero.
        let span = connection == nil ? plan.t1 * 64 : .milliseconds(1)
        after(span) { $0.servers[key] = nil }
    }

    private func reply(_ response: PlainMessage, to request: PlainMessage, connection: UInt64?) {
        send(response.bytes, on: connection)
    }

    private static func key(of request: PlainMessage) -> String {
        let via = request.topVia
        let sentBy = via.split(separator: " ").dropFirst().first.map { $0.prefix { $0 != ";" } } ?? ""
        return "\(request.branch)|\(sentBy)|\(request.method)"
    }

    /// Call-ID and CSeq: what makes a message the same one (draft-houri-simple-arch-01 section 7.2, RFC 3428).
    private static func identity(of request: PlainMessage) -> String { "\(request.callID)|\(request["cseq"] ?? "")" }

    /// From tag, Call-ID and CSeq (RFC 3261 section 8.2.2.2).
    private static func mergeKey(of request: PlainMessage) -> String {
        let tag = request["from"].flatMap { PlainMessage.parameter("tag", of: $0) } ?? ""
        return "\(identity(of: request))|\(tag)"
    }
}
