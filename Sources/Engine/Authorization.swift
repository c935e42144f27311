import LinkProfiles
import Policy
import SIPCore
import SIPTransaction

/// Who may use the server, and under which name (RFC 3261 section 22, RFC 3325).
extension Engine {
    func isTrusted(_ flow: Flow) -> Bool {
        configuration.trustedPeers.contains { $0.matches(flow) }
    }

    /// Whether the request may go on; else it has been answered.
    ///
    /// Trusted peers speak for their users. Everybody else proves an account, and the From must be that account's. A request
    /// inside a dialog that leaves along a flow sealed by us was authorized when the dialog was made; a MESSAGE never is, since
    /// whoever was in a dialog once could send it under any name.
    func authorize(_ context: ForkContext, along wayBack: Flow?) -> Bool {
        guard let held = context.held else { return true }
        let request = held.request
        let isTrusted = isTrusted(held.flow)
        guard configuration.authentication.isRequired, !isTrusted else {
            standing = .known(user: 0)
            return admitsIdentity(of: held)
        }
        if wayBack != nil, !request.to.tag.isEmpty, request.method != .message {
            standing = .known(user: 0)
            return true
        }
        guard let user = authenticatedUser(of: held, as: .proxy) else { return false }
        return accept(user, in: context, held)
    }

    /// Whose credentials the request carries; nil when it was challenged or refused for want of good ones.
    func authenticatedUser(of held: HeldRequest, as role: DigestRole) -> AuthenticatedUser? {
        switch authenticator.authenticate(held.request, as: role, accounts: accounts, at: now) {
        case .accepted(let user):
            standing = .known(user: KeyedHash.hash(Array("\(user.username)@\(user.domain)".utf8)[...], key: key))
            return user
        case .challenge(let isStale, let cause):
            if cause != .noCredentials { tally.authenticationFailures += 1 }
            answer(held, role.statusCode, headers: challenges(for: held.request, as: role, isStale: isStale))
        case .malformed:
            tally.authenticationFailures += 1
            answer(held, 400)
        }
        return nil
    }

    private func challenges(for request: SIPMessage, as role: DigestRole, isStale: Bool) -> [UInt8] {
        tally.challenges += 1
        var headers: [UInt8] = []
        authenticator.appendChallenges(
            as: role, isStale: isStale, for: request, accounts: accounts, at: now, to: &headers)
        return headers
    }

    private func accept(_ user: AuthenticatedUser, in context: ForkContext, _ held: HeldRequest) -> Bool {
        context.removedHeaders.append(.proxyAuthorization)
        context.provenIdentity = "sip:\(user.username)@\(user.domain)"
        switch IdentityPolicy.judge(held.request, authenticated: user) {
        case .own, .anonymous:
            break
        case .foreignFrom, .foreignPreferred:
            tally.identityMismatches += 1
            answer(held, 403)
            return false
        }
        return admitsIdentity(of: held)
    }

    func admitsIdentity(of held: HeldRequest) -> Bool {
        guard configuration.limits.perIdentity != .none else { return true }
        let sender = senderIdentity(of: held.request)
        switch floodGuard.receive(identity: KeyedHash.hash(sender, key: key), at: now) {
        case .admit:
            return true
        case .answer(let status, let retryAfter):
            tally.refusedByFloodGuard += 1
            answer(held, status, headers: Array("Retry-After: \(retryAfter)\r\n".utf8))
        case .drop:
            tally.droppedByFloodGuard += 1
            // Its transaction ends by an answer only; that of other methods ends by itself.
            if held.request.method == .invite { answer(held, 503, headers: Self.retrySoon) }
        }
        return false
    }

    // MARK: Challenges without state

    /// Whether an INVITE comes from somebody unknown without any credentials. It is challenged without a transaction
    /// (RFC 3261 section 26.3.2.4): else 407s would be sent again and again to a source that may be made up.
    func isCallWithoutCredentials(_ message: SIPMessage, on flow: Flow) -> Bool {
        configuration.authentication.isRequired && !message.contains(.proxyAuthorization) && message.to.tag.isEmpty
            && !isTrusted(flow)
    }

    func challengeStateless(_ message: SIPMessage, on flow: Flow) {
        let headers = challenges(for: message, as: .proxy, isStale: false)
        answerStateless(message, on: flow, DigestRole.proxy.statusCode, reason: nil, headers: headers)
    }

    /// Whether an ACK names the tag of a response of ours to its INVITE.
    func isAckOfChallenge(_ message: SIPMessage) -> Bool {
        message[message.to.tag].elementsEqual(localTag(serverID(of: message)))
    }

    /// Identity headers that may not go on: an identity asserted by somebody we do not trust, one whose owner wants privacy
    /// from a next hop outside the trust domain, and what the sender would prefer to be called (RFC 3325 sections 6, 7 and 9.2).
    func hiddenHeaders(of held: HeldRequest, toTrusted: Bool) -> [HeaderName] {
        var hidden: [HeaderName] = []
        let request = held.request
        if request.contains(.pAssertedIdentity) {
            let isFromTrusted = isTrusted(held.flow)
            if IdentityPolicy.incoming(request, fromTrusted: isFromTrusted) == .remove
                || IdentityPolicy.outgoing(request, toTrusted: toTrusted) == .remove
            {
                hidden.append(.pAssertedIdentity)
            }
        }
        if request.contains(.pPreferredIdentity) { hidden.append(.pPreferredIdentity) }
        return hidden
    }

    /// Adds the proven identity towards a peer of our trust domain, and to nobody else (RFC 3325 section 5).
    func assertIdentity(in context: ForkContext, towards target: ForwardTarget) {
        guard let held = context.held else { return }
        let port = target.port == 0 ? (target.transport ?? (target.isSecure ? .tls : .udp)).defaultPort : target.port
        let isPeer =
            IPAddress(parsing: target.host).map { ip in
                configuration.trustedPeers.contains {
                    $0.network.contains(high: ip.high, low: ip.low) && ($0.port == 0 || $0.port == port)
                }
            } ?? false
        context.removedHeaders += hiddenHeaders(of: held, toTrusted: isPeer)
        guard isPeer, !context.provenIdentity.isEmpty else { return }
        context.removedHeaders.append(.pAssertedIdentity)
        context.addedLines += Array("P-Asserted-Identity: <\(context.provenIdentity)>\r\n".utf8)
    }
}
