import SigComp
import Testing

/// What an endpoint does when its messages are refused (RFC 4077, section 2.3).
@Suite("NACKs and what follows")
struct NegativeAcknowledgementTests {
    private static let peer = CompartmentIdentifier("peer")
    private static let large = SigCompParameters(
        cyclesPerBit: 64, decompressionMemorySize: 65_536, stateMemorySize: 65_536)

    private static func endpoint(
        _ parameters: SigCompParameters, assuming assumed: SigCompParameters? = nil,
        dictionaries: Set<StaticDictionary> = [.session, .presence],
        algorithms: [CompressionAlgorithm] = CompressionAlgorithm.allCases
    ) -> SigCompEndpoint {
        SigCompEndpoint(
            configuration: SigCompConfiguration(
                parameters: parameters, dictionaries: dictionaries, algorithms: algorithms,
                unknownPeer: PeerKnowledge(parameters: assumed ?? parameters, isSharing: true)))
    }

    /// Sends a message, and after a NACK what is sent again; gives how many times it took.
    private static func deliver(
        _ message: [UInt8], from sender: SigCompEndpoint, to receiver: SigCompEndpoint,
        over transport: DecompressorDispatcher.Transport = .message, reasons: inout [DecompressionFailureReason]
    ) throws {
        var sent = sender.compress(message, for: peer, over: transport)
        for _ in 0..<4 {
            guard sent.isSigComp else {
                #expect(sent.bytes == message)
                return
            }
            do throws(DecompressionFailure) {
                guard case .message(let received) = try receiver.receive(sent.bytes, over: transport) else { break }
                #expect(received.output == message)
                receiver.accept(received, for: peer)
                return
            } catch {
                reasons.append(error.reason)
                let bytes = try #require(receiver.negativeAcknowledgement(of: error, to: sent.bytes))
                guard case .negativeAcknowledgement(let nack) = try sender.receive(bytes, over: transport) else {
                    break
                }
                let outcome = try #require(sender.received(nack))
                #expect(outcome.compartment == peer)
                #expect(outcome.plain == message)
                sent = try #require(outcome.again)
            }
        }
        Issue.record("not delivered")
    }

    private static func converse(
        _ one: SigCompEndpoint, _ other: SigCompEndpoint, _ count: Int, traffic: inout SIPTraffic,
        over transport: DecompressorDispatcher.Transport = .message
    ) throws -> [DecompressionFailureReason] {
        var reasons: [DecompressionFailureReason] = []
        for _ in 0..<count {
            try deliver(traffic.next(), from: one, to: other, over: transport, reasons: &reasons)
            try deliver(traffic.next(), from: other, to: one, over: transport, reasons: &reasons)
        }
        return reasons
    }

    /// A peer that has begun anew has nothing of what it had. Each direction loses no message, and no time but one exchange.
    @Test(arguments: CompressionAlgorithm.allCases, [DecompressorDispatcher.Transport.message, .stream])
    func aPeerThatBeganAnew(_ algorithm: CompressionAlgorithm, _ transport: DecompressorDispatcher.Transport) throws {
        let one = Self.endpoint(Self.large, algorithms: [algorithm])
        var traffic = SIPTraffic(seed: 3)
        let first = Self.endpoint(Self.large, algorithms: [algorithm])
        #expect(try Self.converse(one, first, 12, traffic: &traffic, over: transport).isEmpty)
        let second = Self.endpoint(Self.large, algorithms: [algorithm])
        let reasons = try Self.converse(one, second, 12, traffic: &traffic, over: transport)
        #expect(reasons == [.stateNotFound])
        #expect(one.counters.sentAgain == 1)
        #expect(one.counters.negativeAcknowledgements == [.stateNotFound: 1])
        #expect(second.counters.failures == [.stateNotFound: 1])
    }

    /// A peer with fewer cycles than was thought says so, and is believed.
    @Test func cyclesAreLearned() throws {
        let least = SigCompParameters(cyclesPerBit: 16, decompressionMemorySize: 65_536, stateMemorySize: 65_536)
        let one = Self.endpoint(Self.large, assuming: Self.large)
        let other = Self.endpoint(least, assuming: Self.large)
        var traffic = SIPTraffic(seed: 4)
        let reasons = try Self.converse(one, other, 20, traffic: &traffic)
        #expect(reasons.allSatisfy { $0 == .cyclesExhausted })
        #expect(reasons.count <= 1)
    }

    /// With less memory than was thought, bytecode fails in ways that say nothing; the algorithm is given up, no message is lost.
    @Test func anAlgorithmThatFailsIsGivenUp() throws {
        let one = Self.endpoint(Self.large, assuming: Self.large, algorithms: [.deflate, .compact])
        let other = Self.endpoint(
            SigCompParameters(cyclesPerBit: 64, decompressionMemorySize: 4_096, stateMemorySize: 2_048),
            assuming: Self.large)
        var traffic = SIPTraffic(seed: 5)
        var reasons: [DecompressionFailureReason] = []
        // One direction only: the peer's own messages would say what it has.
        for _ in 0..<30 { try Self.deliver(traffic.next(), from: one, to: other, reasons: &reasons) }
        #expect(reasons.contains(.segfault))
        #expect(reasons.count <= 4)
    }

    /// A peer that lacks RFC 3485's dictionary, which it must not, is served without it.
    @Test func aMissingDictionaryIsDoneWithout() throws {
        let one = Self.endpoint(Self.large, algorithms: [.deflate])
        let other = Self.endpoint(Self.large, dictionaries: [], algorithms: [.deflate])
        var reasons: [DecompressionFailureReason] = []
        for number in 1...20 {
            try Self.deliver(EndpointTests.request(number), from: one, to: other, reasons: &reasons)
        }
        #expect(reasons == [.stateNotFound])
        #expect(one.counters.compressed[.deflate]?.messages ?? 0 > 1)
    }

    /// Where 6 bytes of an identifier name two states, more bytes are sent from then on (RFC 4896, section 7).
    @Test func identifiersGrowWhenTheyAreNotUnique() throws {
        let one = Self.endpoint(Self.large, algorithms: [.deflate])
        let other = Self.endpoint(Self.large, algorithms: [.deflate])
        var traffic = SIPTraffic(seed: 6)
        #expect(try Self.converse(one, other, 12, traffic: &traffic).isEmpty)
        // What stands behind the first byte's last two bits: 9 bytes, 12 bytes, no state.
        for code: UInt8 in [2, 3, 0] {
            let sent = one.compress(EndpointTests.request(1), for: Self.peer)
            let hash = try #require(StateHash().identifier(of: sent.bytes))
            let identifier = sent.bytes.dropFirst(sent.bytes[0] & 4 == 0 ? 1 : 2).prefix(6)
            let nack = NegativeAcknowledgement(
                failure: DecompressionFailure(.idNotUnique, details: Array(identifier)), messageHash: hash)
            let again = try #require(one.received(nack)?.again)
            guard again.isSigComp else {
                #expect(code == 0)
                return
            }
            #expect(again.bytes[0] & 3 == code)
            guard case .message(let received) = try other.receive(again.bytes) else { return }
            #expect(received.output == EndpointTests.request(1))
        }
    }

    @Test func anUnknownNACKChangesNothing() throws {
        let one = Self.endpoint(Self.large)
        let hash = try #require(StateIdentifier([UInt8](repeating: 7, count: 20)))
        for reason in DecompressionFailureReason.allCases {
            #expect(
                one.received(NegativeAcknowledgement(failure: DecompressionFailure(reason), messageHash: hash)) == nil)
        }
        #expect(one.counters.unknownNegativeAcknowledgements == DecompressionFailureReason.allCases.count)
    }

    /// Whatever reason a NACK gives, the message goes out again at most twice, and nothing breaks.
    @Test(arguments: DecompressionFailureReason.allCases)
    func noMessageGoesOutForEver(_ reason: DecompressionFailureReason) throws {
        for transport in [DecompressorDispatcher.Transport.message, .stream] {
            let one = Self.endpoint(Self.large)
            var sent = one.compress(EndpointTests.request(1), for: Self.peer, over: transport)
            var repetitions = 0
            while sent.isSigComp {
                let hash = try #require(StateHash().identifier(of: sent.bytes))
                let nack = NegativeAcknowledgement(
                    failure: DecompressionFailure(reason, details: [16, 0, 0, 0, 0, 0]), messageHash: hash)
                guard let outcome = one.received(nack), let again = outcome.again else { break }
                #expect(outcome.plain == EndpointTests.request(1))
                sent = again
                repetitions += 1
            }
            #expect(repetitions <= 2)
            #expect(one.unsettledMessages == 0)
        }
    }
}
