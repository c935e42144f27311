import LinkProfiles
import SIPCore
import SigComp
import Testing

@testable import Transport

/// Messages and identifiers for tests of SigComp in the transport.
enum CompressionScene {
    static let serverID = "urn:uuid:11111111-1111-4111-8111-111111111111"
    static let clientID = "urn:uuid:22222222-2222-4222-8222-222222222222"

    static func settings(_ identifier: String, _ change: (inout CompressionSettings) -> Void = { _ in })
        -> CompressionSettings
    {
        let parameters = SigCompParameters(cyclesPerBit: 64, decompressionMemorySize: 65_536, stateMemorySize: 65_536)
        var settings = CompressionSettings(
            identifier: identifier,
            endpoint: SigCompConfiguration(
                parameters: parameters, unknownPeer: PeerKnowledge(parameters: parameters)))
        change(&settings)
        return settings
    }

    static func udp(_ port: UInt16, ip: UInt32 = 0xC000_0209) -> Flow {
        Flow(transport: .udp, listener: 0, remote: TransportAddress(ip: IPAddress(v4: ip), port: port))
    }

    static func tcp(_ connection: UInt64) -> Flow {
        Flow(
            transport: .tcp, listener: 0, connection: connection,
            remote: TransportAddress(ip: IPAddress(v4: 0xC000_0209), port: 4_000))
    }

    /// Lines enough that bytecode and message together are smaller than the message, whatever the algorithm.
    static let manyHeaders = "User-Agent: Harbour Messenger/5.1.65\r\n" + String(repeating: lists, count: 6)
    private static let lists =
        "Accept: application/sdp, text/plain, message/cpim, application/im-iscomposing+xml\r\n"
        + "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO, PRACK, UPDATE\r\n"
        + "Supported: replaces, outbound, gruu, path\r\n"

    /// A MESSAGE; `uri` and `via` are the parameters that the Request-URI and the topmost Via carry.
    static func message(
        _ number: Int = 1, uri: String = ";comp=sigcomp", via: String = "", method: String = "MESSAGE",
        headers: String = "", body: String = "Meet me at the harbour at noon, and bring the chart with the soundings."
    ) -> [UInt8] {
        Array(
            """
            \(method) sip:bob@192.0.2.9:5060\(uri) SIP/2.0\r
            Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKc\(number)\(via)\r
            Max-Forwards: 70\r
            From: <sip:alice@example.com>;tag=a\(number)\r
            To: <sip:bob@example.com>\r
            Call-ID: \(number)@192.0.2.1\r
            CSeq: \(number) \(method)\r
            \(headers)\(manyHeaders)Content-Type: text/plain;charset=UTF-8\r
            Content-Length: \(body.utf8.count)\r
            \r
            \(body)
            """.utf8)
    }

    /// The 200 to a request as it was received.
    static func answer(_ request: [UInt8]) throws -> [UInt8] {
        guard case .message(let message) = SIPMessage.parse(request) else { throw NoMessage() }
        return MessageWriter.response(
            to: message, status: 200, toTag: Array("t".utf8), headers: Array("Server: Godwit\r\n\(manyHeaders)".utf8))
    }

    struct NoMessage: Error {}
}

/// One side of a link without sockets: a ``SignalingCompression`` and what an application says to what arrives.
final class CompressionParty {
    let compression: SignalingCompression
    var admission = CompressionAdmission.admitted(owner: 0)
    var now: UInt64 = 1_000_000

    init(_ settings: CompressionSettings) { compression = SignalingCompression(settings) }

    /// What the application gets of a datagram; nil when it gets nothing. `answer` is what goes back by itself.
    func receive(_ bytes: [UInt8], on flow: Flow) -> (message: [UInt8]?, answer: [UInt8]?) {
        now += 1_000
        guard let first = bytes.first, SigCompHeader.isSigComp(firstByte: first) else { return (bytes, nil) }
        switch compression.receive(bytes, on: flow, at: now) {
        case .message(let arrival):
            compression.settle(arrival, admission, at: now)
            return (arrival.bytes, nil)
        case .failed(_, let answer): return (nil, answer)
        case .refused(let again): return (nil, again)
        case .ping, .nothing: return (nil, nil)
        }
    }

    func send(_ bytes: [UInt8], on flow: Flow) -> [UInt8] {
        now += 1_000
        return compression.datagram(bytes, on: flow, at: now)
    }
}

extension [UInt8] {
    var isSigComp: Bool { first.map(SigCompHeader.isSigComp) ?? false }
    var text: String { String(decoding: self, as: UTF8.self) }
}
