import Foundation
import NIOCore

/// One operator's connection: reads requests line by line, answers each in turn.
final class AdminConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Longest request; a thousand numbers fit many times.
    static let lineLimit = 1 << 20

    private let answer: (AdminRequest) -> EventLoopFuture<AdminResponse>
    private var received = ByteBuffer()
    private var isAnswering = false

    /// - Parameter answer: called on the channel's loop, one request at a time.
    init(answer: @escaping (AdminRequest) -> EventLoopFuture<AdminResponse>) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        answerNext(context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func answerNext(_ context: ChannelHandlerContext) {
        guard !isAnswering else { return }
        guard let end = received.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else {
            if received.readableBytes > Self.lineLimit {
                write(.failure("the request is longer than \(Self.lineLimit) bytes"), context)
                context.close(promise: nil)
            }
            return
        }
        let line = received.readBytes(length: end - received.readerIndex) ?? []
        received.moveReaderIndex(forwardBy: 1)
        received.discardReadBytes()
        guard let request = try? JSONDecoder().decode(AdminRequest.self, from: Data(line)) else {
            let commands = AdminRequest.Command.allCases.map(\.rawValue).joined(separator: ", ")
            write(.failure("not understood; expected a JSON object with `command`, one of \(commands)"), context)
            return answerNext(context)
        }
        isAnswering = true
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        answer(request).whenComplete { result in
            let (connection, context) = bound.value
            connection.isAnswering = false
            switch result {
            case .success(let response): connection.write(response, context)
            case .failure(let error): connection.write(.failure("\(error)"), context)
            }
            connection.answerNext(context)
        }
    }

    private func write(_ response: AdminResponse, _ context: ChannelHandlerContext) {
        let line = context.channel.allocator.buffer(string: JSONText.line(response) + "\n")
        context.writeAndFlush(wrapOutboundOut(line), promise: nil)
    }
}
