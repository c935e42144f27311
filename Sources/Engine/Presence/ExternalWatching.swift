import HeapModule
import LinkProfiles
import Policy
import SIPCore
import SIPDialog
import SIPTransaction

/// Subscribing at external presence servers and registrars on behalf of the IM Application: for users whose messages wait, as long as
/// they wait (draft-houri-simple-arch-01 section 7.2.4 and figure 10).
extension Engine {
    /// Users of client transactions with this bit, and not ``subscriptionBit``, are subscriptions of our own.
    static let externalBit: UInt32 = 1 << 30

    static func isExternal(_ user: UInt32) -> Bool { user & (subscriptionBit | externalBit) == externalBit }

    /// Messages of the user wait: whoever knows when the user is there is asked to say so.
    func watchOutside(_ user: UserIndex) {
        guard !configuration.presence.externalSources.isEmpty, external.of(user).isEmpty,
            queueSlot(of: user).map({ !queues[$0].isEmpty }) ?? false
        else { return }
        let address = location.addressOfRecord(of: user)
        guard let at = address.lastIndex(of: "@") else { return }
        let domain = address[address.index(after: at)...]
        for source in configuration.presence.externalSources where source.domain == domain {
            let subscription = ExternalSubscription(
                number: external.nextNumber(), user: user, source: source,
                policy: SubscriberPolicy(timerN: profiles[defaultProfile].transactionLifetime),
                dialog: newDialog(source), notBefore: now)
            subscription.resource = address
            external.add(subscription)
            externalDue(subscription.number)
        }
    }

    /// Nothing waits any more.
    func unwatchOutside(_ user: UserIndex) {
        guard !external.isEmpty else { return }
        for subscription in external.of(user) {
            subscription.machine.stop(at: now)
            goOn(subscription)
        }
    }

    private func newDialog(_ source: ExternalEventSource) -> SubscriberDialog {
        var callID = MessageWriter(capacity: 40)
        callID.appendHex(random.next())
        callID.appendHex(random.next())
        var tag = MessageWriter(capacity: 16)
        tag.appendHex(random.next())
        return SubscriberDialog(callID: callID.bytes, localTag: tag.bytes, event: Array(source.package.rawValue.utf8))
    }

    // MARK: SUBSCRIBE

    /// Something is due of the subscription.
    func externalDue(_ number: UInt32) {
        guard let subscription = external[number] else { return }
        subscription.armed = nil
        goOn(subscription)
    }

    private func goOn(_ subscription: ExternalSubscription) {
        if let attempt = subscription.machine.begin(at: now, random: random.unit()) {
            if attempt.isInitial { external.renew(subscription, newDialog(subscription.source)) }
            subscription.attempt = attempt
            subscription.hasAnsweredChallenge = false
            look(up: subscription)
        }
        guard subscription.machine.state != .ended else { return external.remove(subscription) }
        guard let moment = subscription.machine.nextMoment else { return }
        let time = max(moment, now + .milliseconds(1))
        if let armed = subscription.armed, armed <= time { return }
        subscription.armed = time
        deadlines.insert(Deadline(at: time, kind: .external(subscription.number)))
    }

    private func look(up subscription: ExternalSubscription) {
        let source = subscription.source
        let transport = source.transport.flatMap { SIPTransport(uriToken: $0) }
        if let address = IPAddress(parsing: source.host) {
            let used = transport ?? .udp
            return subscribe(
                subscription,
                at: Target(
                    transport: used,
                    address: TransportAddress(ip: address, port: source.port == 0 ? used.defaultPort : source.port),
                    domain: source.host))
        }
        lastResolution += 1
        external.resolving[lastResolution] = subscription.number
        output.resolutions.append(
            Resolution(
                id: lastResolution, host: source.host, port: source.port, transport: transport, isSecure: false))
    }

    /// The server's name was looked up. True when it was asked for here.
    func externalResolved(_ id: UInt64, targets: [Target]) -> Bool {
        guard let number = external.resolving.removeValue(forKey: id) else { return false }
        guard let subscription = external[number] else { return true }
        if let first = targets.first {
            subscribe(subscription, at: first)
        } else {
            ended(subscription, .unanswered)
        }
        return true
    }

    private func subscribe(_ subscription: ExternalSubscription, at target: Target) {
        guard let attempt = subscription.attempt, let point = localPoint(for: .target(target)) else {
            return ended(subscription, .unanswered)
        }
        var branch = MessageWriter(capacity: 24)
        branch.append("z9hG4bKs")
        branch.appendHex(random.next())
        let client = clientID(branch: branch.bytes[...], method: .subscribe)
        let bytes = request(subscription, attempt, branch: branch.bytes, point: point)
        subscription.client = client
        transactions.openClient(
            client, isInvite: false, isReliable: target.transport.isReliable, timers: timers[defaultProfile],
            request: bytes, destination: .target(target), user: subscription.number | Self.externalBit, at: now)
        tally.requestsSent += 1
        output.transmissions.append(Transmission(bytes: bytes, destination: .target(target)))
    }

    private func request(
        _ subscription: ExternalSubscription, _ attempt: OutgoingSubscription.Attempt, branch: [UInt8],
        point: LocalPoint
    ) -> [UInt8] {
        var via = MessageWriter(capacity: 80)
        via.append("SIP/2.0/")
        via.append(point.transport.viaToken)
        via.append(byte: 0x20)
        via.append(point.advertisedHost)
        via.append(byte: UInt8(ascii: ":"))
        via.append(decimal: point.advertisedPort)
        via.append(";rport;branch=")
        via.append(branch)
        let contact = contact(at: point, isSecure: false)
        let sequence = subscription.dialog.nextSequence()
        var writer = MessageWriter(capacity: 768)
        if let dialog = subscription.dialog.dialog, !attempt.isInitial {
            dialog.appendRequest(.subscribe, sequence: sequence, via: via.bytes, contact: contact, to: &writer)
        } else {
            writer.appendRequestLine(.subscribe, uri: subscription.resource)
            writer.appendHeader(.via, via.bytes[...])
            writer.append("Max-Forwards: 70\r\n")
            writer.appendHeader(
                .from,
                "<\(subscription.source.identity)>;tag=\(String(decoding: subscription.dialog.localTag, as: UTF8.self))"
            )
            writer.appendHeader(.to, "<\(subscription.resource)>")
            writer.appendHeader(.callID, subscription.dialog.callID[...])
            writer.append("CSeq: \(sequence) SUBSCRIBE\r\n")
            writer.appendHeader(.contact, contact[...])
        }
        writer.appendHeader(.event, subscription.source.package.rawValue)
        writer.appendHeader(
            .accept,
            subscription.source.package == .presence ? "application/pidf+xml" : "application/reginfo+xml")
        writer.appendHeader(.expires, decimal: attempt.expires)
        writer.append(subscription.authorization)
        return writer.finish()
    }

    // MARK: Its outcome

    func externalAnswered(_ message: SIPMessage, user: UInt32) {
        guard message.statusCode >= 200, let subscription = external[user & ~Self.externalBit] else { return }
        let status = message.statusCode
        if status == 401 || status == 407, answerChallenge(message, subscription) { return }
        subscription.authorization = ""
        if 200..<300 ~= status {
            let expires = message.expires >= 0 ? UInt32(clamping: message.expires) : nil
            return ended(subscription, .accepted(status: status, expires: expires))
        }
        let wait = retryDelay(in: message).map { UInt32(clamping: $0.microseconds / 1_000_000) }
        let least = message.first(.minExpires).flatMap { message.decimal($0.value) }
        ended(subscription, .refused(status: status, retryAfter: wait, minExpires: least))
    }

    func externalUnanswered(user: UInt32) {
        guard let subscription = external[user & ~Self.externalBit] else { return }
        ended(subscription, .unanswered)
    }

    private func ended(_ subscription: ExternalSubscription, _ outcome: SubscribeOutcome) {
        subscription.client = nil
        subscription.machine.ended(outcome, at: now, random: random.unit())
        goOn(subscription)
    }

    /// Sends the request again with credentials, once an attempt; false when there are none.
    private func answerChallenge(_ message: SIPMessage, _ subscription: ExternalSubscription) -> Bool {
        guard let password = subscription.source.password, !subscription.hasAnsweredChallenge,
            let identity = SIPURI(parsing: subscription.source.identity)
        else { return false }
        let name: HeaderName = message.statusCode == 401 ? .wwwAuthenticate : .proxyAuthenticate
        let challenges = message.fields.filter { $0.name == name }.compactMap {
            AuthorizationHeader($0.value, of: message)
        }
        let isInitial = subscription.attempt?.isInitial ?? true
        let uri =
            isInitial
            ? subscription.resource
            : subscription.dialog.dialog.map { String(decoding: $0.remoteTarget, as: UTF8.self) }
                ?? subscription.resource
        var cnonce = MessageWriter(capacity: 16)
        cnonce.appendHex(random.next())
        let digest = DigestClient(username: identity.user ?? "", password: password)
        guard
            let answer = digest.answer(
                challenges, method: "SUBSCRIBE", uri: uri, cnonce: String(decoding: cnonce.bytes, as: UTF8.self))
        else { return false }
        let header = message.statusCode == 401 ? "Authorization" : "Proxy-Authorization"
        subscription.authorization = "\(header): \(answer)\r\n"
        subscription.hasAnsweredChallenge = true
        look(up: subscription)
        return true
    }
}
