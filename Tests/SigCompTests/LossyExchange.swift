import SigComp

/// Two endpoints and a path between them that loses, duplicates and reorders. Everything that is decompressed is compared with
/// what was sent.
struct LossyExchange {
    /// What goes wrong, in parts of 1,000.
    struct Weather: Sendable {
        var loss = 0
        var duplication = 0
        /// How many packets may overtake one.
        var reordering = 0
        /// Messages that the receiver does not accept, such as unauthenticated ones.
        var rejection = 0
        /// Chances, for every message, that its sender begins anew without its memory.
        var restart = 0
    }

    private struct Packet {
        let receiver: Int
        let bytes: [UInt8]
        /// What the packet must decompress to.
        let plain: [UInt8]
        let isNegativeAcknowledgement: Bool
    }

    let configurations: [SigCompConfiguration]
    let transport: DecompressorDispatcher.Transport
    var weather: Weather
    private(set) var endpoints: [SigCompEndpoint]
    private var generator: SeededGenerator
    private var traffic: SIPTraffic
    private var flight: [Packet] = []
    private static let peer = CompartmentIdentifier("peer")

    private(set) var sent = 0
    private(set) var plainBytes = 0
    private(set) var sentBytes = 0
    private(set) var decompressed = 0
    private(set) var refused = 0
    private(set) var wrong = 0
    /// NACKs that gave back another message than the refused one.
    private(set) var confused = 0
    private(set) var greatestMemoryUse = 0

    init(
        _ first: SigCompConfiguration, _ second: SigCompConfiguration, transport: DecompressorDispatcher.Transport,
        weather: Weather, seed: UInt64
    ) {
        configurations = [first, second]
        self.transport = transport
        self.weather = weather
        endpoints = configurations.map { SigCompEndpoint(configuration: $0) }
        generator = SeededGenerator(seed: seed)
        traffic = SIPTraffic(seed: seed &+ 1)
    }

    private mutating func happens(_ chance: Int) -> Bool {
        chance > 0 && Int.random(in: 0..<1_000, using: &generator) < chance
    }

    /// Sends messages, delivering others in between.
    mutating func run(messages: Int) {
        for _ in 0..<messages {
            let sender = Int.random(in: 0...1, using: &generator)
            if happens(weather.restart) { endpoints[sender] = SigCompEndpoint(configuration: configurations[sender]) }
            let message = traffic.next()
            sent += 1
            plainBytes += message.count
            dispatch(endpoints[sender].compress(message, for: Self.peer, over: transport), of: message, from: sender)
            let use = endpoints[sender].memoryUse(of: Self.peer) ?? 0
            greatestMemoryUse = max(greatestMemoryUse, use)
            let depth = Int.random(in: 0...weather.reordering + 1, using: &generator)
            while flight.count > depth { deliver() }
        }
    }

    /// Delivers all that is on its way.
    mutating func settle() {
        while !flight.isEmpty { deliver() }
    }

    private mutating func dispatch(_ message: CompressedMessage, of plain: [UInt8], from sender: Int) {
        sentBytes += message.bytes.count
        guard message.isSigComp else {
            if message.bytes != plain { wrong += 1 }
            return
        }
        put(Packet(receiver: 1 - sender, bytes: message.bytes, plain: plain, isNegativeAcknowledgement: false))
    }

    private mutating func put(_ packet: Packet) {
        if happens(weather.loss) { return }
        flight.append(packet)
        if happens(weather.duplication) { flight.append(packet) }
    }

    private mutating func deliver() {
        let packet = flight.remove(at: Int.random(in: 0...min(weather.reordering, flight.count - 1), using: &generator))
        let endpoint = endpoints[packet.receiver]
        do throws(DecompressionFailure) {
            switch try endpoint.receive(packet.bytes, over: transport) {
            case .message(let message):
                decompressed += 1
                if message.output != packet.plain || packet.isNegativeAcknowledgement { wrong += 1 }
                if !happens(weather.rejection) { endpoint.accept(message, for: Self.peer) }
            case .negativeAcknowledgement(let nack):
                if !packet.isNegativeAcknowledgement { wrong += 1 }
                guard let outcome = endpoint.received(nack) else { return }
                if let plain = outcome.plain, plain != packet.plain { confused += 1 }
                if let again = outcome.again { dispatch(again, of: packet.plain, from: packet.receiver) }
            }
        } catch {
            refused += 1
            guard let nack = endpoint.negativeAcknowledgement(of: error, to: packet.bytes) else { return }
            put(
                Packet(receiver: 1 - packet.receiver, bytes: nack, plain: packet.plain, isNegativeAcknowledgement: true)
            )
        }
    }
}
