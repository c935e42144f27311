import Logging
import NIOCore
import NIOPosix
import SIPCore
import Testing

@testable import Transport

/// What a delegate heard.
enum Heard: Equatable, Sendable {
    case received([UInt8], Flow)
    case opened(Flow, Target?)
    case closed(Flow)
    case failed(UInt64, String)
}

/// Keeps what it hears for the test to read in order, and can answer in the same burst.
final class RecordingDelegate: TransportDelegate, @unchecked Sendable {
    private let continuation: AsyncStream<Heard>.Continuation
    private var iterator: AsyncStream<Heard>.AsyncIterator
    /// Called on the loop with each message.
    var answer: ((TransportLayer, [UInt8], Flow) -> Void)?
    weak var layer: TransportLayer?
    private(set) var bursts = 0

    init() {
        let (stream, continuation) = AsyncStream.makeStream(of: Heard.self)
        self.continuation = continuation
        iterator = stream.makeAsyncIterator()
    }

    func received(_ bytes: [UInt8], on flow: Flow) {
        if let layer { answer?(layer, bytes, flow) }
        continuation.yield(.received(bytes, flow))
    }
    /// What is said of the senders of compressed messages.
    var admission = CompressionAdmission.admitted(owner: 0)
    func receivedCompressed(_ bytes: [UInt8], on flow: Flow) -> CompressionAdmission {
        received(bytes, on: flow)
        return admission
    }
    func readBurstEnded() { bursts += 1 }
    func flowOpened(_ flow: Flow, target: Target?) { continuation.yield(.opened(flow, target)) }
    func flowClosed(_ flow: Flow) { continuation.yield(.closed(flow)) }
    func transmissionFailed(token: UInt64, reason: String) { continuation.yield(.failed(token, reason)) }

    func next() async throws -> Heard {
        try #require(await iterator.next(isolation: nil))
    }

    /// The next message and its flow, whatever else is heard before it.
    func nextMessage() async throws -> ([UInt8], Flow) {
        while true { if case .received(let bytes, let flow) = try await next() { return (bytes, flow) } }
    }

    func nextOpened() async throws -> (Flow, Target?) {
        while true { if case .opened(let flow, let target) = try await next() { return (flow, target) } }
    }

    func nextClosed() async throws -> Flow {
        while true { if case .closed(let flow) = try await next() { return flow } }
    }

    func nextFailed() async throws -> (UInt64, String) {
        while true { if case .failed(let token, let reason) = try await next() { return (token, reason) } }
    }
}

/// A transport under test with its delegate.
struct Station: Sendable {
    let layer: TransportLayer
    let delegate: RecordingDelegate
    let points: [LocalPoint]

    /// Runs `body` with a started transport and shuts it down afterwards.
    static func run(
        _ configuration: TransportConfiguration, _ body: (Station) async throws -> Void
    ) async throws {
        let delegate = RecordingDelegate()
        var logger = Logger(label: "transport-test")
        logger.logLevel = .critical
        let layer = TransportLayer(
            eventLoop: MultiThreadedEventLoopGroup.singleton.next(), configuration: configuration, delegate: delegate,
            logger: logger)
        delegate.layer = layer
        let points = try await layer.start()
        do {
            try await body(Station(layer: layer, delegate: delegate, points: points))
        } catch {
            await layer.shutdown(grace: .zero)
            throw error
        }
        await layer.shutdown(grace: .zero)
    }

    func onLoop<T: Sendable>(_ body: @escaping @Sendable (TransportLayer) throws -> T) async throws -> T {
        try await layer.eventLoop.submit { [layer] in try body(layer) }.get()
    }

    func send(_ bytes: [UInt8], to destination: Destination, token: UInt64 = 0) async throws {
        try await onLoop {
            $0.send(bytes, to: destination, token: token)
            $0.flush()
        }
    }

    func counters() async throws -> TransportCounters { try await onLoop { $0.counters } }
}

extension IPAddress {
    static let loopback4 = IPAddress(v4: 0x7f00_0001)
    static let loopback6 = IPAddress(high: 0, low: 1)
}

extension ListeningPoint {
    static func free(_ transport: SIPTransport, _ ip: IPAddress = .loopback4) -> ListeningPoint {
        ListeningPoint(transport: transport, address: TransportAddress(ip: ip, port: 0))
    }
}

/// A well-formed request with a body of the given length.
func request(_ name: String, body: Int = 5) -> [UInt8] {
    Array(
        """
        MESSAGE sip:bob@example.com SIP/2.0\r
        Via: SIP/2.0/TCP client.example.com;branch=z9hG4bK\(name)\r
        Max-Forwards: 70\r
        From: <sip:alice@example.com>;tag=1\r
        To: <sip:bob@example.com>\r
        Call-ID: \(name)\r
        CSeq: 1 MESSAGE\r
        Content-Type: text/plain\r
        Content-Length: \(body)\r
        \r

        """.utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: body)
}

/// A TCP peer that speaks bytes, not SIP.
final class RawPeer: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    private let continuation: AsyncStream<[UInt8]>.Continuation
    private var iterator: AsyncStream<[UInt8]>.AsyncIterator
    private var gathered: [UInt8] = []
    var channel: (any Channel)?

    init() {
        let (stream, continuation) = AsyncStream.makeStream(of: [UInt8].self)
        self.continuation = continuation
        iterator = stream.makeAsyncIterator()
    }

    static func connect(to address: TransportAddress, reading: Bool = true) async throws -> RawPeer {
        let peer = RawPeer()
        peer.channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: reading)
            .channelOption(.socketOption(.so_rcvbuf), value: 4_096)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(peer) }
            }
            .connect(to: address.socketAddress).get()
        return peer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        continuation.yield(Array(Self.unwrapInboundIn(data).readableBytesView))
    }
    func channelInactive(context: ChannelHandlerContext) { continuation.finish() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func write(_ bytes: [UInt8]) async throws {
        let channel = try #require(channel)
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    }

    /// Exactly so many bytes; fewer when the connection ends before.
    func read(_ count: Int) async -> [UInt8] {
        while gathered.count < count, let more = await iterator.next(isolation: nil) { gathered += more }
        defer { gathered.removeFirst(min(count, gathered.count)) }
        return Array(gathered.prefix(count))
    }

    /// Everything until the connection ends.
    func readToEnd() async -> [UInt8] {
        while let more = await iterator.next(isolation: nil) { gathered += more }
        defer { gathered = [] }
        return gathered
    }

    func close() async { try? await channel?.close() }
}
