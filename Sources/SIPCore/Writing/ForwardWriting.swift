/// What a proxy changes in a request it forwards (RFC 3261 section 16.6). Everything else is copied byte for byte.
public struct ForwardingChanges: Sendable {
    /// The new Request-URI; nil keeps the old one.
    public var requestURI: [UInt8]?
    /// This proxy's Via value without the name, such as `SIP/2.0/UDP host:5060;branch=z9hG4bK…`.
    public var via: [UInt8]
    /// The new Max-Forwards; nil writes one less than before, or 70 where there was none.
    public var maxForwards: UInt8?
    /// Number of Route values to take off the top.
    public var removedRoutes = 0
    /// Whole lines put before the first header, such as Route or Record-Route lines.
    public var insertedLines: [UInt8] = []
    /// Headers that are left out.
    public var removedHeaders: [HeaderName] = []
    /// Where the request came from, for `received` and `rport` in its top Via.
    public var source: TransportAddress?

    public init(via: [UInt8]) { self.via = via }
}

extension MessageWriter {
    /// Builds the forwarded form of a request.
    public static func forwarded(
        _ request: SIPMessage, _ changes: ForwardingChanges, compact: Bool = false
    ) -> [UInt8] {
        let added = changes.via.count + changes.insertedLines.count + (changes.requestURI?.count ?? 0)
        var writer = MessageWriter(capacity: request.bytes.count + added + 128, compact: compact)
        writer.append(request.methodText, of: request)
        writer.append(byte: 0x20)
        if let uri = changes.requestURI { writer.append(uri) } else { writer.append(request.requestURI, of: request) }
        writer.append(" SIP/2.0\r\n")
        writer.appendName(.via)
        writer.append(changes.via)
        writer.appendLineEnd()
        writer.append(changes.insertedLines)
        if request.maxForwards < 0 { writer.appendMaxForwards(of: request, changes) }
        writer.appendForwardedFields(of: request, changes)
        if !request.contains(.contentLength) {
            writer.appendName(.contentLength)
            writer.append(decimal: request.body.count)
            writer.appendLineEnd()
        }
        writer.appendLineEnd()
        writer.append(request.body, of: request)
        return writer.bytes
    }

    private mutating func appendMaxForwards(of request: SIPMessage, _ changes: ForwardingChanges) {
        appendName(.maxForwards)
        if let hops = changes.maxForwards {
            append(decimal: hops)
        } else {
            append(decimal: request.maxForwards < 0 ? 70 : max(0, request.maxForwards - 1))
        }
        appendLineEnd()
    }

    /// Copies the header lines, runs of untouched ones in one piece.
    private mutating func appendForwardedFields(of request: SIPMessage, _ changes: ForwardingChanges) {
        var routes = changes.removedRoutes
        var run = ByteRange.empty
        for (index, field) in request.fields.enumerated() {
            let isTouched: Bool
            switch field.name {
            case .maxForwards: isTouched = true
            case .via: isTouched = changes.source != nil && Int(request.topVia.line) == index
            case .route: isTouched = routes > 0
            default: isTouched = !changes.removedHeaders.isEmpty && changes.removedHeaders.contains(field.name)
            }
            if !isTouched {
                if run.end == field.line.start {
                    run.end = field.line.end
                } else {
                    append(run, of: request)
                    run = field.line
                }
                continue
            }
            append(run, of: request)
            run = .empty
            switch field.name {
            case .maxForwards: appendMaxForwards(of: request, changes)
            case .via:
                if let source = changes.source { appendVia(field, of: request, source: source) }
            case .route: appendRoutes(field, of: request, removing: &routes)
            default: break
            }
        }
        append(run, of: request)
    }

    private mutating func appendRoutes(_ field: HeaderField, of request: SIPMessage, removing routes: inout Int) {
        var scanner = ListScanner(field.value)
        let span = request.bytes.span
        while let part = scanner.next(span) {
            if routes > 0 {
                routes -= 1
                continue
            }
            appendName(.route)
            append(ByteRange(start: part.start, end: field.value.end), of: request)
            appendLineEnd()
            return
        }
    }

    /// Builds the response a proxy passes on: without its own Via, the topmost value (RFC 3261 section 16.7 step 3),
    /// and with Content-Length, which a stream needs.
    ///
    /// - Returns: nil when no other Via is left, so that the response is for this element itself.
    public static func forwardedResponse(_ response: SIPMessage) -> [UInt8]? {
        let line = Int(response.topVia.line)
        guard response.viaCount > 1, response.fields.indices.contains(line),
            let first = response.fields.first, let last = response.fields.last
        else { return nil }
        let field = response.fields[line]
        var writer = MessageWriter(capacity: response.bytes.count + 24)
        writer.appendStatusLine(of: response, before: first)
        writer.append(ByteRange(start: first.line.start, end: field.line.start), of: response)
        if !response.topVia.isOnlyValueOfLine { writer.appendRestOfVia(field, of: response) }
        writer.append(ByteRange(start: field.line.end, end: last.line.end), of: response)
        if !response.contains(.contentLength) { writer.appendHeader(.contentLength, decimal: response.body.count) }
        writer.appendLineEnd()
        writer.append(response.body, of: response)
        return writer.bytes
    }

    /// Copies the start line without the line ends that may stand before it.
    private mutating func appendStatusLine(of response: SIPMessage, before first: HeaderField) {
        let span = response.bytes.span
        let end = min(first.line.lower, span.count)
        let start = span.skipSpace(0, end)
        append(ByteRange(start, end), of: response)
    }

    /// Copies a Via line without its first value.
    private mutating func appendRestOfVia(_ field: HeaderField, of response: SIPMessage) {
        append(ByteRange(start: field.line.start, end: response.topVia.value.start), of: response)
        let span = response.bytes.span
        var rest = span.skipSpace(response.topVia.value.upper, field.line.upper)
        if rest < field.line.upper, span[rest] == UInt8(ascii: ",") {
            rest = span.skipSpace(rest + 1, field.line.upper)
        }
        append(ByteRange(rest, field.line.upper), of: response)
    }
}
