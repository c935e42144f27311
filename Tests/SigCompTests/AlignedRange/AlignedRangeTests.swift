import SigComp
import Testing

/// Aligned copies and range coding between two ends that share.
@Suite("Aligned range compression")
struct AlignedRangeTests {
    static let peer = CompartmentIdentifier("peer")
    static let large = SigCompParameters(cyclesPerBit: 64, decompressionMemorySize: 65_536, stateMemorySize: 65_536)

    static func endpoint() -> SigCompEndpoint {
        var configuration = SigCompConfiguration(parameters: large, algorithms: [.alignedRange])
        configuration.unknownPeer = PeerKnowledge(parameters: large)
        return SigCompEndpoint(configuration: configuration)
    }

    /// What a message comes to, with the native programs and with none but the bytecode.
    static func decompress(
        _ bytes: [UInt8], at endpoint: SigCompEndpoint, over transport: DecompressorDispatcher.Transport
    )
        -> (native: Outcome, interpreted: Outcome)
    {
        let native = Outcome(bytes, endpoint.dispatcher, transport)
        let programs = endpoint.dispatcher.nativePrograms
        endpoint.dispatcher.nativePrograms = []
        defer { endpoint.dispatcher.nativePrograms = programs }
        return (native, Outcome(bytes, endpoint.dispatcher, transport))
    }

    /// Everything that a decompression gives.
    enum Outcome: Equatable {
        case message([UInt8]?, cycles: Int, requests: [StateRequest], ReturnedParameters?, RequestedFeedback?)
        case failure(DecompressionFailure)

        init(_ bytes: [UInt8], _ dispatcher: DecompressorDispatcher, _ transport: DecompressorDispatcher.Transport) {
            do {
                let message = try dispatcher.decompress(bytes, over: transport)
                self = .message(
                    message.output, cycles: message.cycles, requests: message.requests, message.returnedParameters,
                    message.requestedFeedback)
            } catch { self = .failure(error) }
        }
    }

    /// Whatever is sent, both ways of decompressing agree, also on what the path has damaged.
    @Test(arguments: 1...3, [DecompressorDispatcher.Transport.message, .stream])
    func nativeIsAsInterpreted(_ seed: Int, _ transport: DecompressorDispatcher.Transport) throws {
        let (one, other) = (Self.endpoint(), Self.endpoint())
        var traffic = SIPTraffic(seed: UInt64(seed))
        var generator = SeededGenerator(seed: UInt64(100 + seed))
        var own = 0
        for number in 0..<50 {
            let plain = traffic.next()
            let (from, to) = number % 3 == 0 ? (one, other) : (other, one)
            let sent = from.compress(plain, for: Self.peer, over: transport)
            guard sent.isSigComp else { continue }
            if sent.form == .compressed(.alignedRange) { own += 1 }
            let (native, interpreted) = Self.decompress(sent.bytes, at: to, over: transport)
            #expect(native == interpreted)
            guard case .message(let received) = try to.receive(sent.bytes, over: transport) else { continue }
            #expect(received.output == plain)
            for _ in 0..<3 {
                let damaged = Self.damaged(sent.bytes, &generator)
                let (native, interpreted) = Self.decompress(damaged, at: to, over: transport)
                #expect(native == interpreted)
            }
            to.accept(received, for: Self.peer)
        }
        #expect(own > 20)
    }

    /// A state may look like a head and hold anything: both ways of decompressing agree on that, too.
    @Test(arguments: 1...4)
    func nativeIsAsInterpretedAfterStrangeHeads(_ seed: Int) throws {
        let (one, other) = (Self.endpoint(), Self.endpoint())
        var generator = SeededGenerator(seed: UInt64(seed))
        for number in 1...12 {
            for (from, to) in [(one, other), (other, one)] {
                let sent = from.compress(EndpointTests.request(number), for: Self.peer, over: .stream)
                guard case .message(let received) = try to.receive(sent.bytes, over: .stream) else { continue }
                to.accept(received, for: Self.peer)
            }
        }
        let states = other.dispatcher.states
        let head = try #require(states.compartment(Self.peer)?.states.last)
        let stranger = states.openCompartment(CompartmentIdentifier("stranger"))
        for _ in 0..<25 {
            var value = head.value
            for _ in 0..<Int.random(in: 1...12, using: &generator) {
                // Positions and sources, or what lies behind the code.
                let range = Bool.random(using: &generator) ? 0..<10 : 1_026..<value.count
                value[Int.random(in: range, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            let creation = StateCreation(
                address: head.address, instruction: head.instruction, minimumAccessLength: 6, priority: 1, value: value)
            let item = try #require(states.perform([.create(creation)], in: stranger).first)
            var message = try #require(item.identifier.prefix(6).flatMap { SigCompMessageBuilder(state: $0) })
            message.append((0..<60).map { _ in UInt8.random(in: 0...255, using: &generator) })
            let (native, interpreted) = Self.decompress(message.bytes, at: other, over: .message)
            #expect(native == interpreted)
        }
    }

    private static func damaged(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes.removeLast(min(bytes.count - 1, Int.random(in: 1...8, using: &generator)))
        case 1: bytes.append(UInt8.random(in: 0...255, using: &generator))
        default:
            // Behind the header, so that the head is still found.
            let index = Int.random(in: min(7, bytes.count - 1)..<bytes.count, using: &generator)
            bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        }
        return bytes
    }

    /// Messages of one kind shrink to what is new in them.
    @Test func repeatedMessagesBecomeSmall() throws {
        let (one, other) = (Self.endpoint(), Self.endpoint())
        var sizes: [Int] = []
        for number in 1...40 {
            for (from, to) in [(one, other), (other, one)] {
                let plain = EndpointTests.request(number)
                let sent = from.compress(plain, for: Self.peer, over: .stream)
                guard case .message(let received) = try to.receive(sent.bytes, over: .stream) else { continue }
                #expect(received.output == plain)
                to.accept(received, for: Self.peer)
                sizes.append(sent.bytes.count)
            }
        }
        #expect((sizes.suffix(40).max() ?? 0) <= 30)
        #expect((one.memoryUse(of: Self.peer) ?? 0) <= 100_000)
    }

    /// An endpoint has one working memory for all its peers.
    @Test func peersDoNotMix() throws {
        let server = Self.endpoint()
        let peers = (0..<3).map { (CompartmentIdentifier("peer \($0)"), Self.endpoint()) }
        var traffic = (0..<3).map { SIPTraffic(seed: UInt64(40 + $0)) }
        var generator = SeededGenerator(seed: 5)
        var small = 0
        for _ in 0..<150 {
            let index = Int.random(in: 0..<3, using: &generator)
            let (name, client) = peers[index]
            let plain = traffic[index].next()
            let isUp = Bool.random(using: &generator)
            let (from, to) = isUp ? (client, server) : (server, client)
            let sent = from.compress(plain, for: isUp ? Self.peer : name, over: .stream)
            guard case .message(let received) = try to.receive(sent.bytes, over: .stream) else { continue }
            #expect(received.output == plain)
            to.accept(received, for: isUp ? name : Self.peer)
            if 3 * sent.bytes.count < plain.count { small += 1 }
        }
        #expect(small > 75)
    }

    /// Messages with a byte 0, which ends messages in this program, and empty ones are left to others.
    @Test(arguments: [[], [0], [65, 0, 66]] as [[UInt8]])
    func unusualMessagesArrive(_ plain: [UInt8]) throws {
        let (one, other) = (Self.endpoint(), Self.endpoint())
        for number in 1...4 {
            for message in [EndpointTests.request(number), plain] {
                let sent = one.compress(message, for: Self.peer, over: .stream)
                guard case .message(let received) = try other.receive(sent.bytes, over: .stream) else { continue }
                #expect(received.output ?? [] == message)
                other.accept(received, for: Self.peer)
                let answer = other.compress(EndpointTests.request(100 + number), for: Self.peer, over: .stream)
                guard case .message(let back) = try one.receive(answer.bytes, over: .stream) else { continue }
                one.accept(back, for: Self.peer)
            }
        }
    }
}
