import LinkProfiles
import SIPCore

/// A non-INVITE client transaction of a scripted endpoint (RFC 3261 section 17.1.2).
struct ClientTransaction {
    enum Purpose {
        case register(round: Int, expires: Int64)
        case message(token: Int)
    }

    var request: [UInt8]
    var purpose: Purpose
    /// Timer E's present interval.
    var interval: TimeSpan
    var isProceeding = false
    var connection: UInt64?
    /// How often this request has been challenged in a row.
    var challenges = 0
}

extension ScriptedEndpoint {
    /// Sends a request and sees it through to a final response or timer F.
    func start(_ request: PlainMessage, _ purpose: ClientTransaction.Purpose, challenges: Int = 0) {
        let branch = request.branch
        let bytes = request.bytes
        let connection = plan.transport == .udp ? nil : connection
        clients[branch] = ClientTransaction(
            request: bytes, purpose: purpose, interval: plan.t1, connection: connection, challenges: challenges)
        send(bytes, on: connection)
        if plan.transport == .udp { armTimerE(branch, plan.t1) }
        after(plan.t1 * 64) { $0.timerF(branch) }
    }

    private func armTimerE(_ branch: String, _ interval: TimeSpan) {
        after(interval) { endpoint in
            guard var transaction = endpoint.clients[branch] else { return }
            endpoint.send(transaction.request, on: nil)
            transaction.interval =
                transaction.isProceeding ? endpoint.plan.t2 : min(transaction.interval * 2, endpoint.plan.t2)
            endpoint.clients[branch] = transaction
            endpoint.armTimerE(branch, transaction.interval)
        }
    }

    private func timerF(_ branch: String) {
        guard let transaction = clients.removeValue(forKey: branch) else { return }
        finished(transaction, nil)
    }

    func received(response: PlainMessage) {
        guard var transaction = clients[response.branch] else { return }
        if response.status < 200 {
            transaction.isProceeding = true
            clients[response.branch] = transaction
            return
        }
        clients[response.branch] = nil
        finished(transaction, response)
    }

    private func finished(_ transaction: ClientTransaction, _ response: PlainMessage?) {
        if let response, response.status == 401 || response.status == 407, transaction.challenges < 4,
            repeatWithCredentials(transaction, response)
        {
            return
        }
        switch transaction.purpose {
        case .register(let round, let expires): registered(response, round: round, asked: expires)
        case .message(let token): answered(token, response)
        }
    }
}

extension ScriptedEndpoint {
    /// Sends a challenged request again, signed, with the next CSeq (RFC 3261 section 22.2).
    private func repeatWithCredentials(_ transaction: ClientTransaction, _ response: PlainMessage) -> Bool {
        guard let old = PlainMessage(transaction.request), credentials.learn(response) else { return false }
        let uri = old.startLine.split(separator: " ").dropFirst().first.map(String.init) ?? ""
        var request = newRequest(old.method, uri: uri)
        let number = old.cseqNumber + 1
        for field in old.fields where !["via", "max-forwards", "content-length"].contains(field.name) {
            request.add(field.name, field.name == "cseq" ? "\(number) \(old.method)" : field.value)
        }
        request.body = old.body
        switch transaction.purpose {
        case .register: registerCSeq = max(registerCSeq, number)
        case .message(let token):
            if let index = outbox.firstIndex(where: { $0.token == token }) { outbox[index].cseq = number }
        }
        credentials.sign(&request, random: &random)
        start(request, transaction.purpose, challenges: transaction.challenges + 1)
        return true
    }
}

/// A message of the endpoint's own on its way.
struct OutgoingMessage {
    var token: Int
    var isUnderWay = false
    /// CSeq of its requests; grows with each challenge.
    var cseq: Int
    /// Not before; set after a failure.
    var notBefore = Instant(microseconds: 0)
}

extension ScriptedEndpoint {
    func submit(_ token: Int) {
        outbox.append(OutgoingMessage(token: token, cseq: token + 1))
        resumeOutbox()
    }

    /// Sends what may be sent: one message at a time to one recipient, unless its plan says it does not wait.
    func resumeOutbox() {
        guard canSend else { return }
        var busy: Set<String> = []
        for index in outbox.indices {
            let plan = world.scenario.messages[outbox[index].token]
            defer { busy.insert(plan.recipient) }
            if outbox[index].isUnderWay || outbox[index].notBefore > world.now { continue }
            if plan.waitsItsTurn && busy.contains(plan.recipient) { continue }
            outbox[index].isUnderWay = true
            transmit(plan, cseq: outbox[index].cseq)
        }
    }

    /// Tries everything that waits after a failure at once.
    func retryOutbox() {
        for index in outbox.indices { outbox[index].notBefore = world.now }
        resumeOutbox()
    }

    func forgetTransactionsOfOutbox() {
        for index in outbox.indices { outbox[index].isUnderWay = false }
    }

    private func transmit(_ message: MessagePlan, cseq: Int) {
        let token = message.token
        world.ledger.messages[token].tries += 1
        let repetition = message.messageID == nil ? "" : "t\(world.ledger.messages[token].tries)"
        var request = newRequest("MESSAGE", uri: "sip:\(message.recipient)@\(Scenario.domain)")
        request.add("from", "<\(addressOfRecord)>;tag=s\(token)")
        request.add("to", "<sip:\(message.recipient)@\(Scenario.domain)>")
        request.add("call-id", "m\(token)\(repetition)-\(world.scenario.seed)@\(plan.user)")
        request.add("cseq", "\(cseq) MESSAGE")
        request.add("content-type", message.contentType)
        if let expires = message.expires { request.add("expires", String(expires)) }
        if message.isUrgent { request.add("priority", "urgent") }
        request.body = message.body
        credentials.sign(&request, random: &random)
        start(request, .message(token: token))
    }

    fileprivate func answered(_ token: Int, _ response: PlainMessage?) {
        guard let index = outbox.firstIndex(where: { $0.token == token }) else { return }
        let status = response?.status ?? 408
        switch status {
        case 408, 480, 500, 503, 504:
            let told = response?["retry-after"].flatMap { Int64($0.prefix { $0.isNumber }) }
            let pause = TimeSpan.seconds(min(told ?? random.within(4...40), 120))
            outbox[index].isUnderWay = false
            outbox[index].notBefore = world.now + pause
            after(pause) { $0.resumeOutbox() }
        default:
            world.trace(name, "m\(token) is final: \(status)")
            world.ledger.messages[token].senderStatus = status
            outbox.remove(at: index)
        }
        resumeOutbox()
    }
}
