import LinkProfiles
import SIPCore

/// The part of a MESSAGE that is stored and sent as it is at every attempt: From, Call-ID, CSeq and To in their long form, all
/// header fields that do not depend on the hop, Date (RFC 3428 section 4), Content-Length, and the body, untouched.
enum DeferredPayload {
    /// Length of `Call-ID: ` and of `CSeq: `.
    static let callIDPrefix = 9
    static let cseqPrefix = 6

    static func make(from request: SIPMessage, removing removed: [HeaderName], at now: Instant) -> [UInt8] {
        var writer = MessageWriter(capacity: request.bytes.count + 64)
        write(.from, value: request.from.value, of: request, to: &writer)
        write(.callID, value: request.callID, of: request, to: &writer)
        writer.appendName(.cseq)
        writer.append(decimal: request.cseqNumber)
        writer.append(" MESSAGE\r\n")
        write(.to, value: request.to.value, of: request, to: &writer)
        if !request.contains(.date) {
            writer.appendName(.date)
            writer.append(date: now.unixSeconds)
            writer.appendLineEnd()
        }
        for field in request.fields where isKept(field.name) && !removed.contains(field.name) {
            writer.append(field, of: request)
        }
        writer.append("Content-Length: ")
        writer.append(decimal: request.body.count)
        writer.append("\r\n\r\n")
        writer.append(request.body, of: request)
        return writer.bytes
    }

    private static func write(
        _ name: HeaderName, value: ByteRange, of request: SIPMessage, to writer: inout MessageWriter
    ) {
        writer.appendName(name)
        for byte in request[value] where byte != 0x0d && byte != 0x0a { writer.append(byte: byte) }
        writer.appendLineEnd()
    }

    private static func isKept(_ name: HeaderName) -> Bool {
        switch name {
        case .via, .from, .to, .callID, .cseq, .maxForwards, .maxBreadth, .route, .recordRoute, .contentLength,
            .authorization,
            .proxyAuthorization, .proxyRequire, .path:
            false
        default: true
        }
    }
}
