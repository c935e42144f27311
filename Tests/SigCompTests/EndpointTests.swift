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
        if !isAnnounced { configuration.unknownPeer = PeerKnowledge(parameters: parameters, isSharing: true) }
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

    /// The first message goes by what every SIP endpoint has; the answer may already rest on it.
    @Test(arguments: [DecompressorDispatcher.Transport.message, .stream])
    func endsThatHaveNotMetLoseNothing(_ transport: DecompressorDispatcher.Transport) throws {
        let parameters = SigCompParameters(
            cyclesPerBit: 64, decompressionMemorySize: 65_536, stateMemorySize: 65_536)
        let (one, other) = Self.endpoints(parameters, isAnnounced: true)
        for number in 1...20 {
            for (from, to) in [(one, other), (other, one)] {
                let message = Self.request(number) + Array(repeating: Self.request(7), count: 2).joined()
                let sent = from.compress(message, for: Self.peer, over: transport)
                #expect(sent.isSigComp)
                guard case .message(let received) = try to.receive(sent.bytes, over: transport) else {
                    Issue.record("not a message")
                    return
                }
                #expect(received.output == message)
                to.accept(received, for: Self.peer)
            }
        }
        #expect(one.counters.failures.isEmpty && other.counters.failures.isEmpty)
    }
}

/// What endpoints tell and keep.
extension EndpointTests {
    /// Parameters that a peer does not know are told until it has them, and honoured (RFC 3320, section 9.4.9).
    @Test func parametersAreAnnounced() throws {
        let large = SigCompParameters(cyclesPerBit: 64, decompressionMemorySize: 65_536, stateMemorySize: 65_536)
        let small = SigCompParameters(cyclesPerBit: 32, decompressionMemorySize: 16_384, stateMemorySize: 4_096)
        let one = SigCompEndpoint(configuration: SigCompConfiguration(parameters: large))
        let other = SigCompEndpoint(configuration: SigCompConfiguration(parameters: small))
        var exchange = try Self.exchange(one, other, messages: 6)
        #expect(other.dispatcher.states.compartment(Self.peer)?.peerParameters == large)
        #expect(one.dispatcher.states.compartment(Self.peer)?.peerParameters == small)
        #expect(other.dispatcher.states.compartment(Self.peer)?.peerStates.isEmpty == false)
        exchange = try Self.exchange(one, other, messages: 6)
        #expect(exchange.allSatisfy { $0.returnedParameters == nil })
    }

    private static func exchange(_ one: SigCompEndpoint, _ other: SigCompEndpoint, messages: Int) throws
        -> [DecompressedMessage]
    {
        var traffic = SIPTraffic(seed: 11)
        var all: [DecompressedMessage] = []
        for _ in 0..<messages {
            for (from, to) in [(one, other), (other, one)] {
                let message = traffic.next()
                let sent = from.compress(message, for: peer)
                guard sent.isSigComp, case .message(let received) = try to.receive(sent.bytes) else { continue }
                #expect(received.output == message)
                to.accept(received, for: peer)
                all.append(received)
            }
        }
        return all
    }

    /// Somebody without a compartment gets messages that need no state and leave none.
    @Test func strangersLeaveNothing() throws {
        let one = SigCompEndpoint(configuration: SigCompConfiguration())
        let other = SigCompEndpoint(configuration: SigCompConfiguration())
        for number in 1...5 {
            let message = Self.request(number) + Self.request(number + 1)
            let sent = one.compress(message, for: nil)
            #expect(sent.bytes.count < message.count)
            guard case .message(let received) = try other.receive(sent.bytes) else {
                Issue.record("not a message")
                return
            }
            #expect(received.output == message)
            #expect(received.requests.isEmpty && received.requestedFeedback == nil)
        }
        #expect(one.dispatcher.states.compartmentCount == 0)
        #expect(one.unsettledMessages == 0)
    }

    /// However many peers there are, memory stays within the limits, and closing a compartment leaves nothing of it.
    @Test func manyPeersStayWithinTheLimits() {
        var configuration = SigCompConfiguration(limits: .init(compartments: 40, bytes: 100_000))
        configuration.unknownPeer = .minimumForSIP
        let endpoint = SigCompEndpoint(configuration: configuration)
        var traffic = SIPTraffic(seed: 12)
        for number in 0..<300 {
            let identifier = CompartmentIdentifier("peer \(number % 90)")
            _ = endpoint.compress(traffic.next(), for: identifier, at: UInt64(number))
            let states = endpoint.dispatcher.states
            #expect(states.compartmentCount <= 40)
            #expect(states.usedBytes + states.compressorBytes <= 100_000)
        }
        #expect(endpoint.unsettledMessages <= 40 * 16)
        endpoint.closeCompartments(unusedSince: 1_000)
        #expect(endpoint.dispatcher.states.compartmentCount == 0)
        #expect(endpoint.dispatcher.states.compressorBytes == 0)
        #expect(endpoint.unsettledMessages == 0)
    }

    /// A peer of which nothing but its first message is known costs little.
    @Test func anIdleCompartmentIsSmall() throws {
        let endpoint = SigCompEndpoint(configuration: SigCompConfiguration())
        guard case .message(let received) = try endpoint.receive(endpoint.passThrough(Self.request(1)).bytes) else {
            return
        }
        endpoint.accept(received, for: Self.peer)
        #expect(endpoint.memoryUse(of: Self.peer) ?? 0 < 400)
    }
}
