extension MessageWriter {
    /// Builds a response (RFC 3261 section 8.2.6.2): every Via, From, To, Call-ID and CSeq line the request has, in its
    /// own bytes; a request that did not parse gives what it has.
    ///
    /// - Parameters:
    ///   - reason: nil takes the customary phrase.
    ///   - toTag: added to To unless the request has one there; nil adds none (100 responses).
    ///   - headers: whole header lines with their line ends, without Content-Length.
    ///   - compact: whether headers that are written here, not copied, use one-letter names.
    ///   - source: where the request came from. The top Via then gets `received` where its sent-by says something else,
    ///     or rport is asked for (RFC 3261 section 18.2.1, RFC 3581 section 4).
    public static func response(
        to request: SIPMessage, status: UInt16, reason: String? = nil, toTag: [UInt8]?,
        headers: [UInt8] = [], body: [UInt8] = [], compact: Bool = false, source: TransportAddress? = nil
    ) -> [UInt8] {
        var writer = MessageWriter(capacity: 640 + headers.count + body.count, compact: compact)
        writer.appendStatusLine(status, reason: reason)
        writer.appendDialogHeaders(of: request, toTag: toTag, source: source)
        writer.append(headers)
        return body.isEmpty ? writer.finish() : writer.finish(body: body)
    }

    /// The same with a tag of another collection.
    @inlinable
    public static func response(
        to request: SIPMessage, status: UInt16, reason: String? = nil, toTag: some Sequence<UInt8>,
        headers: [UInt8] = [], body: [UInt8] = [], compact: Bool = false, source: TransportAddress? = nil
    ) -> [UInt8] {
        // The optional chooses the function above.
        let tag: [UInt8]? = Array(toTag)
        return response(
            to: request, status: status, reason: reason, toTag: tag, headers: headers, body: body, compact: compact,
            source: source)
    }

    /// The same without a tag in To.
    public static func response(
        to request: SIPMessage, status: UInt16, reason: String? = nil, headers: [UInt8] = [], compact: Bool = false,
        source: TransportAddress? = nil
    ) -> [UInt8] {
        response(
            to: request, status: status, reason: reason, toTag: nil, headers: headers, compact: compact, source: source)
    }

    /// Copies the lines a response takes unchanged from its request: Via, From, Call-ID and CSeq.
    public mutating func appendCopiedHeaders(of request: SIPMessage, source: TransportAddress?) {
        appendDialogHeaders(of: request, includesTo: false, toTag: nil, source: source)
    }

    /// Copies the lines a response takes from its request.
    private mutating func appendDialogHeaders(
        of request: SIPMessage, includesTo: Bool = true, toTag: [UInt8]?, source: TransportAddress?
    ) {
        var seen: UInt128 = 0
        for (index, field) in request.fields.enumerated() {
            switch field.name {
            case .via:
                if let source, Int(request.topVia.line) == index {
                    appendVia(field, of: request, source: source)
                } else {
                    append(field, of: request)
                }
            case .to where !includesTo:
                continue
            case .from, .callID, .cseq, .to:
                // A repeated line (RFC 4475 section 3.3.8) is answered with the first.
                let bit: UInt128 = 1 << UInt128(field.name.rawValue)
                guard seen & bit == 0 else { continue }
                seen |= bit
                if field.name == .to, let toTag, request.to.tag.isEmpty {
                    append(ByteRange(start: field.line.start, end: field.value.end), of: request)
                    append(";tag=")
                    bytes.append(contentsOf: toTag)
                    appendLineEnd()
                } else {
                    append(field, of: request)
                }
            default: continue
            }
        }
    }

    /// Copies the top Via line with `received` and `rport` filled in.
    mutating func appendVia(_ field: HeaderField, of request: SIPMessage, source: TransportAddress) {
        let via = request.topVia
        guard !via.value.isEmpty else { return append(field, of: request) }
        let needsReceived = via.hasRport || !via.names(source.ip, in: request)
        append(ByteRange(start: field.line.start, end: via.parameters.start), of: request)
        let span = request.bytes.span
        var scanner = ParameterScanner(via.parameters)
        while let parameter = scanner.next(span) {
            // What the client says about these is not believed.
            if span.equalsFolded("received", at: parameter.name) { continue }
            if span.equalsFolded("rport", at: parameter.name) {
                append(";rport=")
                append(decimal: source.port)
                continue
            }
            append(byte: UInt8(ascii: ";"))
            append(parameter.name, of: request)
            guard !parameter.value.isEmpty else { continue }
            append(byte: UInt8(ascii: "="))
            append(parameter.value, of: request)
        }
        if needsReceived {
            append(";received=")
            append(source.ip, isBracketed: false)
        }
        append(ByteRange(start: via.value.end, end: field.line.end), of: request)
    }
}

extension ViaIndex {
    /// Whether sent-by is that address in text.
    func names(_ address: IPAddress, in message: SIPMessage) -> Bool {
        let span = message.bytes.span
        guard host.upper <= span.count, !host.isEmpty else { return false }
        let isBracketed = span[host.lower] == UInt8(ascii: "[")
        let range = isBracketed ? (host.lower + 1, host.upper - 1) : (host.lower, host.upper)
        return IPAddress(span, range.0, range.1) == address
    }
}
