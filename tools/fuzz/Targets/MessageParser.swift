// rooms: SIPCore
// seeds: sip/rfc4475/*.dat sip/rfc5118/*.dat
// dictionary: sip.dict
import SIPCore

/// Parses the input; what is accepted must come through answering and forwarding, and so must say what it said.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzMessageParser(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    switch SIPMessage.parse(bytes) {
    case .message(let message):
        touch(message)
        message.isRequest ? checkRequest(message) : checkResponse(message)
    case .malformed(let message, let failure):
        touch(message)
        _ = MessageWriter.response(
            to: message, status: failure.statusCode, reason: failure.reason, toTag: "t".utf8, source: source)
    case .unreadable: break
    }
    return 0
}

let source = TransportAddress(ip: IPAddress(v4: 0x0a00_0001), port: 9)

func touch(_ message: SIPMessage) {
    for name in Set(message.fields.map(\.name)) {
        for value in message.values(name) {
            _ = NameAddress(value, of: message)
            _ = AuthorizationHeader(value, of: message)
            _ = message.parameter("expires", in: value)
            _ = SIPDate.parse(value, of: message)
            _ = message.decimal(value)
        }
    }
    _ = message.mediaType
    for uri in [message.requestURI, message.from.uri, message.to.uri] {
        guard let parsed = SIPURI(uri, of: message) else { continue }
        precondition(SIPURI(parsing: parsed.description) == parsed, "a URI that does not print as it reads")
        precondition(parsed.matches(parsed), "a URI that is not itself")
        if let canonical = message.canonicalAddressOfRecord(of: uri) {
            precondition(canonical == Array(parsed.addressOfRecord.utf8), "two addresses-of-record for one URI")
        }
    }
}

func again(_ bytes: [UInt8]) -> SIPMessage {
    guard case .message(let message) = SIPMessage.parse(bytes) else { preconditionFailure("a rewrite that is refused") }
    return message
}

func checkRequest(_ message: SIPMessage) {
    precondition(message.vias().count == message.viaCount, "Via values counted twice")
    let response = again(MessageWriter.response(to: message, status: 200, toTag: "t".utf8, source: source))
    precondition(response.viaCount == message.viaCount, "a response with other Via values")
    precondition(response[response.callID] == message[message.callID], "a response with another Call-ID")
    precondition(response[response.topVia.branch] == message[message.topVia.branch], "a response with another branch")
    guard message.fields.count < 200, message.viaCount < 100, message.bytes.count < 60_000 else { return }
    var changes = ForwardingChanges(via: Array("SIP/2.0/UDP p;branch=z9hG4bKp".utf8))
    changes.source = source
    changes.removedRoutes = 1
    let forwarded = again(MessageWriter.forwarded(message, changes))
    precondition(forwarded.viaCount == message.viaCount + 1, "forwarded with other Via values")
    precondition(forwarded[forwarded.body] == message[message.body], "forwarded with another body")
    precondition(forwarded[forwarded.methodText] == message[message.methodText], "forwarded with another method")
}

func checkResponse(_ message: SIPMessage) {
    guard let bytes = MessageWriter.forwardedResponse(message) else { return }
    let passed = again(bytes)
    precondition(passed.viaCount == message.viaCount - 1, "passed on with other Via values")
    precondition(passed[passed.body] == message[message.body], "passed on with another body")
    precondition(passed.statusCode == message.statusCode, "passed on with another status")
}
