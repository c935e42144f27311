import LinkProfiles
import SIPCore
import SIPTransaction

/// Building and sending responses. A transaction keeps only what a response does not copy from its request (its tail), so a
/// retransmission is answered by building the response again.
extension Engine {
    /// The tail of a response that adds nothing of its own. Other tails of our responses are header lines, and where there is a
    /// body, an empty line and it.
    static let noTail: [UInt8] = []
    private static let endOfHeaders: [UInt8] = [0x0d, 0x0a, 0x0d, 0x0a]
    /// First byte of the tail of a response another element made; what follows is its reason phrase, its own header lines, an
    /// empty line and its body.
    private static let foreignTail: UInt8 = 0

    /// Sends a response of our own and remembers it for retransmissions, which carry the status's usual reason phrase.
    ///
    /// - Parameter body: needs a Content-Type in `headers`.
    func answer(
        _ held: HeldRequest, _ status: UInt16, reason: StaticString? = nil, headers: [UInt8] = Engine.noTail,
        body: [UInt8] = []
    ) {
        let tail = body.isEmpty ? headers : headers + Self.endOfHeaders.dropFirst(2) + body
        guard transactions.respond(held.server, status: status, tail: tail, at: now) else { return }
        let bytes = localResponse(
            held.request, held.flow, held.server, status, headers, reason: reason?.description, body: body)
        send(bytes, answering: held.request, on: held.flow)
    }

    /// Answers without a transaction: what cannot be parsed, or is refused before any state is made.
    func answerStateless(_ message: SIPMessage, on flow: Flow, _ status: UInt16, reason: String?, headers: [UInt8] = [])
    {
        guard message.method != .ack, message.contains(.via) else { return }
        let id = serverID(of: message)
        let bytes = MessageWriter.response(
            to: message, status: status, reason: reason, toTag: localTag(id), headers: headers + serverHeader,
            compact: profiles[profileNumber(of: flow)].compactHeaders, source: flow.remote)
        send(bytes, answering: message, on: flow)
    }

    private func localResponse(
        _ request: SIPMessage, _ flow: Flow, _ server: TransactionID, _ status: UInt16, _ headers: [UInt8],
        reason: String? = nil, body: [UInt8] = []
    ) -> [UInt8] {
        MessageWriter.response(
            to: request, status: status, reason: reason, toTag: status > 100 ? localTag(server) : nil,
            headers: headers + serverHeader, body: body,
            compact: profiles[profileNumber(of: flow)].compactHeaders, source: flow.remote)
    }

    /// A retransmitted request: the last response again.
    func resend(_ request: SIPMessage, on flow: Flow, server: TransactionID, status: UInt16, tail: [UInt8]) {
        tally.retransmissionsSent += 1
        send(rebuilt(request, flow, server, status, tail), answering: request, on: flow)
    }

    private func rebuilt(
        _ request: SIPMessage, _ flow: Flow, _ server: TransactionID, _ status: UInt16, _ tail: [UInt8]
    ) -> [UInt8] {
        guard tail.first == Self.foreignTail else {
            guard let end = tail.firstRange(of: Self.endOfHeaders) else {
                return localResponse(request, flow, server, status, tail)
            }
            return localResponse(
                request, flow, server, status, Array(tail[..<(end.lowerBound + 2)]),
                body: Array(tail[end.upperBound...]))
        }
        var writer = MessageWriter(capacity: request.bytes.count + tail.count)
        writer.append("SIP/2.0 ")
        writer.append(decimal: status)
        writer.append(byte: 0x20)
        let rest = tail.dropFirst()
        let phraseEnd = rest.firstIndex(of: 0x0d) ?? rest.endIndex
        writer.append(rest[..<phraseEnd])
        writer.appendLineEnd()
        writer.appendCopiedHeaders(of: request, source: flow.remote)
        writer.append(rest[min(phraseEnd + 2, rest.endIndex)...])
        return writer.bytes
    }

    /// Passes a response on to where the request came from (RFC 3261 section 16.7 step 9), with more header lines if need be.
    func forward(_ response: SIPMessage, status: UInt16, to held: HeldRequest, adding lines: [UInt8] = []) {
        guard var bytes = MessageWriter.forwardedResponse(response) else { return }
        guard transactions.respond(held.server, status: status, tail: tail(of: response, adding: lines), at: now) else {
            return
        }
        if !lines.isEmpty, let lineEnd = bytes.firstIndex(of: 0x0a) { bytes.insert(contentsOf: lines, at: lineEnd + 1) }
        send(bytes, answering: held.request, on: held.flow)
    }

    private func tail(of response: SIPMessage, adding lines: [UInt8]) -> [UInt8] {
        var writer = MessageWriter(capacity: 256)
        writer.append(byte: Self.foreignTail)
        writer.append(response.reason, of: response)
        writer.appendLineEnd()
        writer.append(lines)
        for field in response.fields {
            switch field.name {
            case .via, .from, .callID, .cseq: continue
            default: writer.append(field, of: response)
            }
        }
        writer.appendLineEnd()
        writer.append(response.body, of: response)
        return writer.bytes
    }

    /// Where a response goes (RFC 3261 section 18.2.2, RFC 3581): back by the connection; over UDP to the source address, and
    /// to the source port only if the client asked for it with rport.
    func send(_ bytes: [UInt8], answering request: SIPMessage, on flow: Flow) {
        let number = profileNumber(of: flow)
        let bytes = profiles[number].compactHeaders ? HeaderCompaction.compact(bytes) : bytes
        tally.responsesSent += 1
        var back = flow
        if flow.transport == .udp, !request.topVia.hasRport, !request.topVia.host.isEmpty {
            back.remote.port = request.topVia.port == 0 ? SIPTransport.udp.defaultPort : request.topVia.port
        }
        if isPaced(number) || !downlinks.isEmpty {
            sendPaced(bytes, answering: request, to: .flow(back), endpointAt: flow, profile: number)
        } else {
            output.transmissions.append(Transmission(bytes: bytes, destination: .flow(back)))
        }
    }

    // MARK: Responses due by a timer

    func sendTrying(_ server: TransactionID, user: UInt32) {
        let waiting = user > 0 ? contexts[user - 1]?.held : nil
        guard let held = heldInvites[server] ?? waiting, held.server == server else { return }
        answer(held, 100)
    }

    func resendInviteResponse(_ server: TransactionID, status: UInt16, tail: [UInt8]) {
        guard let held = heldInvites[server] else { return }
        resend(held.request, on: held.flow, server: server, status: status, tail: tail)
    }
}
