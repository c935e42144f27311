import LinkProfiles
import SIPCore
import SIPTransaction

/// Building requests that leave: relays, deliveries, ACK and CANCEL.
extension Engine {
    /// The request of one branch (RFC 3261 section 16.6).
    func forwardedRequest(_ context: ForkContext, _ target: ForwardTarget, branch: [UInt8], point: LocalPoint)
        -> [UInt8]
    {
        var via = MessageWriter(capacity: 96)
        via.append("SIP/2.0/")
        via.append(point.transport.viaToken)
        via.append(byte: 0x20)
        via.append(point.advertisedHost)
        via.append(byte: UInt8(ascii: ":"))
        via.append(decimal: point.advertisedPort)
        via.append(";rport;branch=")
        via.append(branch)
        guard let held = context.held else { return storedRequest(context, target, via: via.bytes) }
        var changes = ForwardingChanges(via: via.bytes)
        changes.requestURI = target.uri
        changes.maxForwards = UInt8(clamping: context.maxForwards)
        changes.removedRoutes = context.removedRoutes
        changes.removedHeaders = context.removedHeaders
        changes.source = held.flow.remote
        changes.insertedLines = insertedLines(context, target, point: point)
        return MessageWriter.forwarded(held.request, changes)
    }

    private func insertedLines(_ context: ForkContext, _ target: ForwardTarget, point: LocalPoint) -> [UInt8] {
        if target.path.isEmpty, !context.recordsRoute, context.addedLines.isEmpty, context.maxBreadth == 0 { return [] }
        var lines = MessageWriter(capacity: 256)
        if context.recordsRoute, let held = context.held {
            appendRecordRoute(for: target, from: held.flow, request: held.request, leavingBy: point, to: &lines)
        }
        if !target.path.isEmpty { lines.appendHeader(.route, target.path[...]) }
        if context.maxBreadth > 0 { lines.appendHeader(.maxBreadth, decimal: context.maxBreadth) }
        lines.append(context.addedLines)
        return lines.bytes
    }

    /// Two Record-Route values, one for each side (RFC 5658): each carries the flow to its side where that is a connection or a
    /// binding's flow, so that requests within the dialog find it again (RFC 5626 section 5.3), and asks for SigComp where the
    /// side itself wants it (RFC 3486 sections 5 and 6).
    private func appendRecordRoute(
        for target: ForwardTarget, from flow: Flow, request: SIPMessage, leavingBy point: LocalPoint,
        to lines: inout MessageWriter
    ) {
        lines.appendName(.recordRoute)
        appendRouteURI(at: point, token: target.flow, isCompressed: wantsSigComp(target), to: &lines)
        lines.append(", ")
        let entry = localPoint(for: .flow(flow)) ?? point
        appendRouteURI(at: entry, token: flow, isCompressed: request.compressionOfTopVia.wantsSigComp, to: &lines)
        lines.appendLineEnd()
    }

    private func appendRouteURI(at point: LocalPoint, token: Flow?, isCompressed: Bool, to lines: inout MessageWriter) {
        lines.append("<sip:")
        if let token {
            lines.append(FlowToken.text(of: token, key: key))
            lines.append(byte: UInt8(ascii: "@"))
        }
        lines.append(point.advertisedHost)
        lines.append(byte: UInt8(ascii: ":"))
        lines.append(decimal: point.advertisedPort)
        if point.transport != .udp {
            lines.append(";transport=")
            lines.append(point.transport.uriToken)
        }
        if isCompressed { lines.append(compressionParameters) }
        lines.append(";lr>")
    }

    /// A deferred message as it leaves: the stored payload behind fresh hop headers.
    private func storedRequest(_ context: ForkContext, _ target: ForwardTarget, via: [UInt8]) -> [UInt8] {
        var writer = MessageWriter(capacity: context.payload.count + target.uri.count + target.path.count + 160)
        writer.append("MESSAGE ")
        writer.append(target.uri)
        writer.append(" SIP/2.0\r\nVia: ")
        writer.append(via)
        writer.append("\r\nMax-Forwards: 70\r\n")
        if !target.path.isEmpty { writer.appendHeader(.route, target.path[...]) }
        writer.append(context.payload)
        return writer.bytes
    }

    /// The ACK for a final response other than 2xx (RFC 3261 section 17.1.1.3).
    func acknowledgement(of invite: [UInt8], for response: SIPMessage) -> [UInt8] {
        guard case .message(let request) = SIPMessage.parse(invite) else { return [] }
        var writer = hopRequest(.ack, like: request)
        writer.appendHeader(.to, response[response.to.value])
        return writer.finish()
    }

    /// The CANCEL for an INVITE we sent (RFC 3261 section 9.1).
    func cancellation(of invite: [UInt8]) -> [UInt8]? {
        guard case .message(let request) = SIPMessage.parse(invite) else { return nil }
        var writer = hopRequest(.cancel, like: request)
        writer.appendHeader(.to, request[request.to.value])
        return writer.finish()
    }

    /// Start line, top Via, Route, From, Call-ID and CSeq of a request that belongs to another one hop by hop.
    private func hopRequest(_ method: SIPMethod, like request: SIPMessage) -> MessageWriter {
        var writer = MessageWriter(capacity: 512)
        writer.append(method.text)
        writer.append(byte: 0x20)
        writer.append(request.requestURI, of: request)
        writer.append(" SIP/2.0\r\n")
        writer.appendHeader(.via, request[request.topVia.value])
        writer.append("Max-Forwards: 70\r\n")
        for field in request.fields where field.name == .route { writer.append(field, of: request) }
        writer.appendHeader(.from, request[request.from.value])
        writer.appendHeader(.callID, request[request.callID])
        writer.appendName(.cseq)
        writer.append(decimal: request.cseqNumber)
        writer.append(byte: 0x20)
        writer.append(method.text)
        writer.appendLineEnd()
        return writer
    }

    /// The listening point a destination is reached from, which names us in Via.
    func localPoint(for destination: Destination) -> LocalPoint? {
        let points = configuration.localPoints
        switch destination {
        case .flow(let flow):
            let index = Int(flow.listener)
            if index < points.count, points[index].transport == flow.transport { return points[index] }
            return points.first { $0.transport == flow.transport && $0.address.ip.isV4 == flow.remote.ip.isV4 }
                ?? points.first { $0.transport == flow.transport }
        case .target(let target):
            return points.first { $0.transport == target.transport && $0.address.ip.isV4 == target.address.ip.isV4 }
                ?? points.first { $0.transport == target.transport }
                ?? fallbackPoint(for: target)
        }
    }

    /// A transport we do not listen on can still be used to send: the Via names our first listening point's host.
    private func fallbackPoint(for target: Target) -> LocalPoint? {
        guard target.transport.isReliable, let any = configuration.localPoints.first else { return nil }
        return LocalPoint(
            transport: target.transport, address: any.address, advertisedHost: any.advertisedHost,
            advertisedPort: any.advertisedPort)
    }

    /// Whether a host and port, as written in a message, are one of our listening points.
    func isLocal(host: ByteRange, port: UInt16, in message: SIPMessage) -> Bool {
        let text = message[host]
        for point in configuration.localPoints {
            let effective = port == 0 ? point.transport.defaultPort : port
            guard effective == point.advertisedPort || effective == point.address.port else { continue }
            if text.elementsEqual(point.advertisedHost.utf8) { return true }
            if IPAddress(parsing: text) == point.address.ip { return true }
        }
        return false
    }
}
