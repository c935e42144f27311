import ArgumentParser
import SIPCore
import SigComp

/// What both ends of a link offer, and how they compress.
struct EndpointPairOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Decompression memory of both ends: 2048, 4096, ... 131072.", valueName: "bytes"))
    var memory = 65_536
    @Option(help: ArgumentHelp("State memory of both ends: 0, or as the decompression memory.", valueName: "bytes"))
    var stateMemory = 65_536
    @Option(help: ArgumentHelp("16, 32, 64 or 128.", valueName: "cycles"))
    var cyclesPerBit = 64
    @Flag(
        inversion: .prefixedNo,
        help: "Compress against what came from the other end too (RFC 3321).")
    var sharing = true
    @Option(
        name: .customLong("algorithm"),
        help: ArgumentHelp(
            "Use only this one of \(CompressionAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")). Default: the first that the peer can bear.",
            valueName: "name"))
    var algorithms: [String] = []
    @Flag(help: "Each end knows from the beginning what the other offers, as a configured pair does.")
    var pair = false
    @Flag(help: "Over a stream such as TCP: half the memory for a message, and record marking is counted.")
    var stream = false

    var transport: DecompressorDispatcher.Transport { stream ? .stream : .message }

    private var parameters: SigCompParameters {
        SigCompParameters(cyclesPerBit: cyclesPerBit, decompressionMemorySize: memory, stateMemorySize: stateMemory)
    }

    func validate() throws {
        guard parameters.decompressionMemorySize == memory else {
            throw ValidationError("The memory is 2048, 4096, 8192, 16384, 32768, 65536 or 131072.")
        }
        guard parameters.stateMemorySize == stateMemory else {
            throw ValidationError("The state memory is 0, 2048, 4096, 8192, 16384, 32768, 65536 or 131072.")
        }
        guard parameters.cyclesPerBit == cyclesPerBit else {
            throw ValidationError("The cycles per bit are 16, 32, 64 or 128.")
        }
        for name in algorithms where CompressionAlgorithm(rawValue: name) == nil {
            throw ValidationError("There is no algorithm \(name).")
        }
    }

    /// Two ends that have not met.
    func makePair() -> EndpointPair {
        var configuration = SigCompConfiguration(parameters: parameters, isSharing: sharing)
        if !algorithms.isEmpty {
            configuration.algorithms = algorithms.compactMap(CompressionAlgorithm.init(rawValue:))
        }
        if pair {
            configuration.unknownPeer = PeerKnowledge(
                parameters: parameters, dictionaries: configuration.dictionaries, isSharing: sharing)
        }
        return EndpointPair(configuration, over: transport)
    }
}

/// Two endpoints and a link between them that loses nothing.
final class EndpointPair {
    /// A message on its way: as it goes over the link, and what it took.
    struct Passage {
        var wire: CompressedMessage
        /// 0 for a message that went plain.
        var cycles: Int
        var compression: Duration
        var decompression: Duration
    }

    enum Mistake: Error, CustomStringConvertible {
        case notDecompressed(DecompressionFailure)
        case changed
        case taken

        var description: String {
            switch self {
            case .notDecompressed(let failure):
                "the other end cannot decompress it: \(failure.reason.name) \(failure.details.hexadecimal)"
            case .changed: "the other end decompressed something else"
            case .taken: "the other end took it for a NACK"
            }
        }
    }

    private let ends: (SigCompEndpoint, SigCompEndpoint)
    private let transport: DecompressorDispatcher.Transport
    private static let names = (CompartmentIdentifier("up"), CompartmentIdentifier("down"))
    private var now: UInt64 = 0

    init(_ configuration: SigCompConfiguration, over transport: DecompressorDispatcher.Transport) {
        ends = (SigCompEndpoint(configuration: configuration), SigCompEndpoint(configuration: configuration))
        self.transport = transport
    }

    /// Sends a message from one end to the other and compares what arrives with it, byte for byte.
    func pass(_ message: [UInt8], isUp: Bool) throws(Mistake) -> Passage {
        now += 1
        let (sender, receiver) = isUp ? ends : (ends.1, ends.0)
        let (toReceiver, toSender) = isUp ? Self.names : (Self.names.1, Self.names.0)
        let clock = ContinuousClock()
        let begin = clock.now
        let wire = sender.compress(message, for: toReceiver, over: transport, at: now)
        let compressed = clock.now
        guard wire.isSigComp else {
            guard wire.bytes == message else { throw .changed }
            return Passage(wire: wire, cycles: 0, compression: compressed - begin, decompression: .zero)
        }
        let outcome: ReceivedSigComp
        do throws(DecompressionFailure) { outcome = try receiver.receive(wire.bytes, over: transport) } catch {
            throw .notDecompressed(error)
        }
        guard case .message(let received) = outcome else { throw .taken }
        guard received.output == message else { throw .changed }
        receiver.accept(received, for: toSender, at: now)
        return Passage(
            wire: wire, cycles: received.cycles, compression: compressed - begin,
            decompression: clock.now - compressed)
    }

    /// Bytes that each end keeps for the other.
    var memoryUse: (up: Int, down: Int) {
        (ends.0.memoryUse(of: Self.names.0) ?? 0, ends.1.memoryUse(of: Self.names.1) ?? 0)
    }
}
