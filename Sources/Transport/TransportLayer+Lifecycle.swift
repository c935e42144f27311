internal import Glibc
internal import Logging
public import NIOCore
internal import NIOPosix
public import SIPCore

extension TransportLayer {
    /// Binds every listening point. Callable from any thread, once.
    ///
    /// - Returns: the points as bound, in the order of the configuration.
    /// - Throws: ``TransportFailure`` for the first point that cannot be bound; none stays open then.
    public func start() async throws(TransportFailure) -> [LocalPoint] {
        if configuration.listeningPoints.contains(where: { $0.transport == .tls }),
            configuration.security?.server == nil
        {
            throw .missingCertificate
        }
        for (index, point) in configuration.listeningPoints.enumerated() {
            do {
                try await listen(at: point, index: UInt16(index))
            } catch {
                await shutdown(grace: .zero)
                throw (error as? TransportFailure)
                    ?? .cannotListen(at: "\(point.address) (\(point.transport))", reason: "\(error)")
            }
        }
        return await onLoop { $0.points }
    }

    /// Stops listening, lets what is queued leave for at most `grace`, closes every connection and releases the delegate.
    public func shutdown(grace: TimeAmount = .seconds(5)) async {
        let ended = await onLoop { layer -> EventLoopFuture<Void> in
            layer.isShuttingDown = true
            for channel in layer.serverChannels.values { channel.close(promise: nil) }
            layer.flush()
            let promise = layer.allConnectionsEnded ?? layer.eventLoop.makePromise(of: Void.self)
            layer.allConnectionsEnded = promise
            if layer.connections.isEmpty { promise.succeed(()) }
            for connection in Array(layer.connections.values) { connection.close() }
            layer.eventLoop.scheduleTask(in: grace) {
                for connection in Array(layer.connections.values) { connection.end(reason: "the server is stopping") }
            }
            return promise.futureResult
        }
        try? await ended.get()
        await onLoop { layer in
            for point in layer.datagramPoints { point?.close() }
            layer.datagramPoints = layer.datagramPoints.map { _ in nil }
            layer.releaseDelegate()
        }
    }

    private func onLoop<Value: Sendable>(_ body: @escaping @Sendable (TransportLayer) -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            eventLoop.execute { [self] in continuation.resume(returning: body(self)) }
        }
    }

    /// Opens a listening point, at the start or again.
    private func listen(at point: ListeningPoint, index: UInt16) async throws {
        switch point.transport {
        case .udp: try await listenForDatagrams(at: point, index: index)
        case .tcp, .tls: try await listenForConnections(at: point, index: index)
        }
    }

    /// A listening socket is gone, by an error SwiftNIO closes it for: it is opened again at the same address.
    func listeningPointClosed(at index: UInt16) {
        guard !isShuttingDown else { return }
        datagramPoints[Int(index)] = nil
        serverChannels[index] = nil
        logger.critical(
            "a listening point has closed and is opened again", metadata: ["point": "\(points[Int(index)].address)"])
        scheduleReopening(of: index)
    }

    private func scheduleReopening(of index: UInt16) {
        eventLoop.scheduleTask(in: reopeningDelay) { [self] in
            guard !isShuttingDown else { return }
            let bound = points[Int(index)]
            let point = ListeningPoint(
                transport: bound.transport, address: bound.address, advertisedHost: bound.advertisedHost,
                advertisedPort: bound.advertisedPort)
            Task {
                do {
                    try await listen(at: point, index: index)
                } catch {
                    await onLoop { layer in
                        layer.logger.critical(
                            "a listening point cannot be opened again",
                            metadata: ["point": "\(bound.address)", "reason": "\(error)"])
                        layer.scheduleReopening(of: index)
                    }
                }
            }
        }
    }

    /// Notes an open listening point, or closes it again when the shutdown came first.
    private func install(
        _ point: LocalPoint, index: UInt16, datagrams: DatagramPoint? = nil, server: (any Channel)? = nil
    ) {
        guard !isShuttingDown else {
            datagrams?.close()
            server?.close(promise: nil)
            return
        }
        if Int(index) < points.count {
            points[Int(index)] = point
            datagramPoints[Int(index)] = datagrams
        } else {
            points.append(point)
            datagramPoints.append(datagrams)
        }
        serverChannels[index] = server
    }

    private func listenForDatagrams(at point: ListeningPoint, index: UInt16) async throws {
        let descriptor = try openDatagramSocket(at: point.address, bufferSize: configuration.datagramBufferSize)
        let duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard duplicate >= 0 else {
            let number = errno
            _ = Glibc.close(descriptor)
            throw TransportFailure.cannotListen(at: "\(point.address) (UDP)", reason: systemReason(number))
        }
        let slots = max(configuration.datagramsPerRead, 1)
        let loop = eventLoop
        let channel: any Channel
        do {
            channel = try await DatagramBootstrap(group: loop)
                .channelOption(.datagramVectorReadMessageCount, value: slots)
                .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: slots * 65_536))
                .channelInitializer { [self] channel in
                    loop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(DatagramHandler(index: index, layer: self))
                    }
                }
                .withBoundSocket(descriptor)
                .get()
        } catch {
            _ = Glibc.close(duplicate)
            throw error
        }
        let bound = channel.localAddress.flatMap { TransportAddress($0) } ?? point.address
        await onLoop { layer in
            layer.install(
                point.bound(at: bound), index: index,
                datagrams: DatagramPoint(
                    index: index, bound: bound, channel: channel,
                    sender: DatagramSender(owning: duplicate, isV4: bound.ip.isV4), layer: layer))
        }
    }

    private func listenForConnections(at point: ListeningPoint, index: UInt16) async throws {
        let transport = point.transport
        let loop = eventLoop
        let channel = try await ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: Int32(clamping: configuration.listenBacklog))
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // Without it, running out of descriptors would make the loop spin on accept(2).
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptBackoffHandler(shouldForwardIOErrorCaught: false))
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelInitializer { [self] channel in
                loop.makeCompletedFuture { try accept(channel, at: index, transport: transport) }
            }
            .bind(to: point.address.socketAddress)
            .get()
        let bound = channel.localAddress.flatMap { TransportAddress($0) } ?? point.address
        await onLoop { layer in
            layer.install(point.bound(at: bound), index: index, server: channel)
            channel.closeFuture.whenComplete { _ in layer.listeningPointClosed(at: index) }
        }
    }
}

extension ListeningPoint {
    /// What is advertised once the address is known.
    func bound(at address: TransportAddress) -> LocalPoint {
        LocalPoint(
            transport: transport, address: address,
            advertisedHost: advertisedHost ?? (address.ip.isV4 ? "\(address.ip)" : "[\(address.ip)]"),
            advertisedPort: advertisedPort ?? address.port)
    }
}
