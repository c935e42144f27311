public import SIPCore

extension Dialog {
    /// Writes the start of a request in the dialog (RFC 3261 section 12.2.1.1): request line, Via, Max-Forwards, Route, From,
    /// To, Call-ID, CSeq and Contact. The caller writes the rest and ends the message.
    ///
    /// - Parameters:
    ///   - sequence: the local sequence number, higher by one than that of the request before.
    ///   - via: the Via value of this hop.
    ///   - contact: the Contact value of this side; empty writes none.
    public func appendRequest(
        _ method: SIPMethod, sequence: UInt32, via: [UInt8], contact: [UInt8],
        maxForwards: UInt8 = 70, to writer: inout MessageWriter
    ) {
        writer.append(method.text)
        writer.append(byte: 0x20)
        if isStrictlyRouted { appendStrictTarget(to: &writer) } else { append(.remoteTarget, to: &writer) }
        writer.append(" SIP/2.0\r\n")
        writer.appendName(.via)
        writer.append(via)
        writer.appendLineEnd()
        writer.appendHeader(.maxForwards, decimal: maxForwards)
        if isStrictlyRouted {
            appendStrictRoutes(to: &writer)
        } else if !range(of: .routeSet).isEmpty {
            writer.appendName(.route)
            append(.routeSet, to: &writer)
            writer.appendLineEnd()
        }
        appendAddress(.from, .localURI, .localTag, to: &writer)
        appendAddress(.to, .remoteURI, .remoteTag, to: &writer)
        writer.appendName(.callID)
        append(.callID, to: &writer)
        writer.appendLineEnd()
        writer.appendName(.cseq)
        writer.append(decimal: sequence)
        writer.append(byte: 0x20)
        writer.append(method.text)
        writer.appendLineEnd()
        guard !contact.isEmpty else { return }
        writer.appendName(.contact)
        writer.append(contact)
        writer.appendLineEnd()
    }

    private func append(_ part: Part, to writer: inout MessageWriter) {
        writer.append(bytes.span.extracting(range(of: part)))
    }

    private func appendAddress(_ name: HeaderName, _ uri: Part, _ tag: Part, to writer: inout MessageWriter) {
        writer.appendName(name)
        writer.append(byte: UInt8(ascii: "<"))
        append(uri, to: &writer)
        writer.append(byte: UInt8(ascii: ">"))
        if !range(of: tag).isEmpty {
            writer.append(";tag=")
            append(tag, to: &writer)
        }
        writer.appendLineEnd()
    }

    /// A strict router expects itself in the Request-URI.
    private func appendStrictTarget(to writer: inout MessageWriter) {
        let first = firstRoute(routeSet)
        guard var uri = SIPURI(first), uri.makeRequestURI() else { return writer.append(first) }
        writer.append(uri.description)
    }

    /// The routes behind the first, and the remote target as the last one.
    private func appendStrictRoutes(to writer: inout MessageWriter) {
        writer.appendName(.route)
        let routes = routeSet
        let first = firstRoute(routes)
        if first.endIndex + 2 < routes.endIndex {
            writer.append(routes[(first.endIndex + 2)...])
            writer.append(byte: UInt8(ascii: ","))
        }
        writer.append(byte: UInt8(ascii: "<"))
        writer.append(remoteTarget)
        writer.append(byte: UInt8(ascii: ">"))
        writer.appendLineEnd()
    }
}

extension SIPMessage {
    /// The Record-Route lines of a request, for the response that makes a dialog (RFC 3261 section 12.1.1).
    public var recordRouteLines: [UInt8] {
        guard contains(.recordRoute) else { return [] }
        var lines: [UInt8] = []
        for field in fields where field.name == .recordRoute { lines.append(contentsOf: self[field.line]) }
        return lines
    }
}
