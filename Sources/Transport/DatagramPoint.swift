internal import NIOCore
internal import NIOPosix
internal import SIPCore

/// One UDP listening point: reads by SwiftNIO in vectors, writes by ``DatagramSender`` in batches.
final class DatagramPoint {
    let index: UInt16
    let bound: TransportAddress
    let channel: any Channel
    private unowned let layer: TransportLayer
    private var sender: DatagramSender
    private var isQueued = false
    private var retry: Scheduled<Void>?

    init(
        index: UInt16, bound: TransportAddress, channel: any Channel, sender: consuming DatagramSender,
        layer: TransportLayer
    ) {
        self.index = index
        self.bound = bound
        self.channel = channel
        self.sender = sender
        self.layer = layer
    }

    var sentDatagrams: UInt64 { sender.sentDatagrams }
    var sentBytes: UInt64 { sender.sentBytes }
    var errors: UInt64 { sender.errors }

    /// Queues a datagram; true when the point was not yet known to have something to flush.
    func append(_ bytes: [UInt8], to address: TransportAddress, token: UInt64) -> Bool {
        var losses: [DatagramSender.Loss] = []
        sender.append(bytes, to: address, token: token, losses: &losses)
        report(losses)
        defer { isQueued = true }
        return !isQueued
    }

    func flush() {
        isQueued = false
        var losses: [DatagramSender.Loss] = []
        sender.send(losses: &losses)
        report(losses)
        guard !sender.isEmpty, retry == nil else { return }
        retry = layer.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(1)) { [self] in
            retry = nil
            flush()
        }
    }

    func close() {
        flush()
        retry?.cancel()
        retry = nil
        channel.close(promise: nil)
    }

    private func report(_ losses: [DatagramSender.Loss]) {
        for loss in losses { layer.lost(token: loss.token, reason: loss.reason) }
    }
}

/// Takes datagrams off the channel, one call of the delegate each, and ends the burst once.
final class DatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let index: UInt16
    private unowned let layer: TransportLayer

    init(index: UInt16, layer: TransportLayer) {
        self.index = index
        self.layer = layer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = Self.unwrapInboundIn(data)
        let bytes = envelope.data.withUnsafeReadableBytes { [UInt8]($0) }
        layer.receivedDatagram(bytes, from: TransportAddress(envelope.remoteAddress), at: index)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        layer.burstEnded()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        layer.datagramError(error, at: index)
    }

    func channelInactive(context: ChannelHandlerContext) {
        layer.listeningPointClosed(at: index)
    }
}
