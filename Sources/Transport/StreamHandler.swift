internal import NIOCore
internal import NIOSSL
internal import NIOTLS
internal import SIPCore

/// Carries a channel's events to its ``StreamConnection``.
final class StreamHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: StreamConnection
    private let layer: TransportLayer

    init(connection: StreamConnection, layer: TransportLayer) {
        self.connection = connection
        self.layer = layer
    }

    func channelActive(context: ChannelHandlerContext) {
        if connection.flow.transport == .tcp {
            connection.opened()
            layer.burstEnded()
        }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? TLSUserEvent, case .handshakeCompleted = event {
            connection.opened()
            layer.burstEnded()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.received(Self.unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        layer.burstEnded()
        connection.burstEnded()
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection.finished()
        layer.burstEnded()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A peer that closes TCP without close_notify is common and harms nothing: messages carry their length.
        if let error = error as? NIOSSLError, case .uncleanShutdown = error { return }
        layer.streamError(error, on: connection)
        context.close(promise: nil)
    }
}
