import SigComp
import Testing

/// Two endpoints that talk to each other, and what is lost between them.
@Suite("SigComp endpoints")
struct EndpointTests {
    static let peer = CompartmentIdentifier("peer")

    static func endpoints(_ parameters: SigCompParameters, isAnnounced: Bool = false) -> (
        SigCompEndpoint, SigCompEndpoint
    ) {
        var configuration = SigCompConfiguration(parameters: parameters)
        if !isAnnounced { configuration.unknownPeer = PeerKnowledge(parameters: parameters) }
        return (SigCompEndpoint(configuration: configuration), SigCompEndpoint(configuration: configuration))
    }

    static func request(_ number: Int) -> [UInt8] {
        Array(
            """
            MESSAGE sip:maria@example.net SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK\(number &* 7919)\r\n\
            From: <sip:joe@example.net>;tag=1928301774\r\nTo: <sip:maria@example.net>\r\nCall-ID: \(number)@192.0.2.7\r\n\
            CSeq: \(number) MESSAGE\r\nMax-Forwards: 70\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello
            """.utf8)
    }

    @Test(arguments: [DecompressorDispatcher.Transport.message, .stream])
    func messagesShrinkAndArrive(_ transport: DecompressorDispatcher.Transport) throws {
        let parameters = SigCompParameters(
            cyclesPerBit: 64, decompressionMemorySize: 65_536, stateMemorySize: 65_536)
        let (one, other) = Self.endpoints(parameters)
        var sizes: [Int] = []
        for number in 1...20 {
            for (from, to) in [(one, other), (other, one)] {
                let message = Self.request(number)
                let sent = from.compress(message, for: Self.peer, over: transport)
                sizes.append(sent.bytes.count)
                guard sent.isSigComp else { continue }
                guard case .message(let received) = try to.receive(sent.bytes, over: transport) else {
                    Issue.record("not a message")
                    return
                }
                #expect(received.output == message)
                to.accept(received, for: Self.peer)
            }
        }
        #expect(sizes.reduce(0, +) < 40 * Self.request(1).count * 3 / 5)
        #expect(sizes.suffix(20).max() ?? 0 < 90)
    }
}
