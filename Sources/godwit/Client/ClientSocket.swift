import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import SIPCore
import SigComp

/// Where a client finds its server: `udp:127.0.0.1:5060`, `tls:sip.example.com`.
struct ServerAddress: Sendable {
    var transport: SIPTransport
    var host: String
    var port: UInt16
}

/// One socket to one server: datagrams, or a connection that frames messages (RFC 3261 section 18.3).
final class ClientSocket: Sendable {
    struct Failure: Error { var reason: String }

    let transport: SIPTransport
    /// Our end as the server is told: address in URI form, and port.
    let host: String
    let port: Int
    /// Messages as they arrive; ends with the connection.
    let incoming: AsyncStream<[UInt8]>
    private let channel: any Channel

    private init(_ channel: any Channel, _ transport: SIPTransport, _ incoming: AsyncStream<[UInt8]>) throws {
        guard let local = channel.localAddress, let ip = local.ipAddress, let port = local.port else {
            throw Failure(reason: "the socket has no address")
        }
        self.channel = channel
        self.transport = transport
        self.incoming = incoming
        host = ip.contains(":") ? "[\(ip)]" : ip
        self.port = port
    }

    /// - Parameters:
    ///   - compression: for SigComp both ways; nil for plain SIP.
    ///   - trust: PEM file of certificates to trust; nil trusts what the system trusts.
    ///   - domain: what the server's certificate must name (RFC 5922).
    static func connect(
        to server: ServerAddress, compression: ClientCompression.Settings?, trust: String?, domain: String
    ) async throws -> ClientSocket {
        let group = MultiThreadedEventLoopGroup.singleton
        let remote: SocketAddress
        do {
            remote = try SocketAddress.makeAddressResolvingHost(server.host, port: Int(server.port))
        } catch {
            throw Failure(reason: "\(server.host) was not found")
        }
        let (incoming, continuation) = AsyncStream.makeStream(of: [UInt8].self)
        do {
            let channel: any Channel
            switch server.transport {
            case .udp:
                channel = try await DatagramBootstrap(group: group)
                    .channelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            let compression = ClientCompression(compression, server: server, remote: remote)
                            try channel.pipeline.syncOperations.addHandler(DatagramReader(continuation, compression))
                        }
                    }
                    .connect(to: remote).get()
            case .tcp, .tls:
                let security = server.transport == .tls ? try securityContext(trust: trust) : nil
                channel = try await ClientBootstrap(group: group)
                    .connectTimeout(.seconds(10))
                    .channelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            if let security {
                                let handler = try NIOSSLClientHandler(
                                    context: security,
                                    serverHostname: IPAddress(parsing: domain) == nil ? domain : nil)
                                try channel.pipeline.syncOperations.addHandler(handler)
                            }
                            let compression = ClientCompression(compression, server: server, remote: remote)
                            try channel.pipeline.syncOperations.addHandler(StreamReader(continuation, compression))
                        }
                    }
                    .connect(to: remote).get()
            }
            return try ClientSocket(channel, server.transport, incoming)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(reason: "cannot connect to \(server.host):\(server.port): \(error)")
        }
    }

    func send(_ bytes: [UInt8]) {
        channel.writeAndFlush(channel.allocator.buffer(bytes: bytes), promise: nil)
    }

    func close() async { try? await channel.close().get() }

    private static func securityContext(trust: String?) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if let trust { configuration.trustRoots = .file(trust) }
        return try NIOSSLContext(configuration: configuration)
    }
}

/// Hands on datagrams; writes go to the connected peer.
private final class DatagramReader: ChannelDuplexHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let messages: AsyncStream<[UInt8]>.Continuation
    private let compression: ClientCompression?

    init(_ messages: AsyncStream<[UInt8]>.Continuation, _ compression: ClientCompression?) {
        self.messages = messages
        self.compression = compression
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Array(unwrapInboundIn(data).data.readableBytesView)
        guard let compression, let first = bytes.first, SigCompHeader.isSigComp(firstByte: first) else {
            if bytes.count > 4 { messages.yield(bytes) }
            return
        }
        let received = compression.receive(bytes)
        if let message = received.message { messages.yield(message) }
        if let answer = received.answer { send(answer, context: context, promise: nil) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let bytes = Array(unwrapOutboundIn(data).readableBytesView)
        send(compression?.datagram(bytes) ?? bytes, context: context, promise: promise)
    }

    private func send(_ bytes: [UInt8], context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        guard let remote = context.remoteAddress else { return }
        let envelope = AddressedEnvelope(remoteAddress: remote, data: context.channel.allocator.buffer(bytes: bytes))
        context.writeAndFlush(wrapOutboundOut(envelope), promise: promise)
    }

    /// An ICMP error means that nobody listens; the retransmissions will tell.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}

    func channelInactive(context: ChannelHandlerContext) { messages.finish() }
}

/// Frames messages out of a connection, which carries SigComp and nothing else, or plain SIP (RFC 5049 section 5).
private final class StreamReader: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let messages: AsyncStream<[UInt8]>.Continuation
    private let compression: ClientCompression?
    private var framer = StreamFramer()
    private var deframer = RecordDeframer()

    init(_ messages: AsyncStream<[UInt8]>.Continuation, _ compression: ClientCompression?) {
        self.messages = messages
        self.compression = compression
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data).readableBytesView
        do {
            if let compression {
                deframer.append(bytes)
                try readRecords(compression, context)
            } else {
                framer.append(bytes)
                try readMessages(context)
            }
        } catch {
            context.close(promise: nil)
        }
    }

    private func readMessages(_ context: ChannelHandlerContext) throws {
        while let item = try framer.next() {
            switch item {
            case .message(let bytes): messages.yield(bytes)
            case .ping:
                context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(string: "\r\n")), promise: nil)
            case .pong: break
            }
        }
    }

    private func readRecords(_ compression: ClientCompression, _ context: ChannelHandlerContext) throws {
        while let record = try deframer.next() {
            let received = compression.receive(record)
            if let message = received.message { messages.yield(message) }
            if let answer = received.answer { send(record: answer, context: context, promise: nil) }
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard let compression else { return context.write(data, promise: promise) }
        guard let record = compression.record(Array(unwrapOutboundIn(data).readableBytesView)) else {
            promise?.fail(ClientSocket.Failure(reason: "the message is too large for SigComp"))
            return
        }
        send(record: record, context: context, promise: promise)
    }

    private func send(record: [UInt8], context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        var marked: [UInt8] = []
        RecordMarking.append(record, to: &marked)
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: marked)), promise: promise)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) { messages.finish() }
}
