import Glibc
import NIOCore
import NIOPosix

/// The UNIX-domain socket operators' commands come in by; only the server's user may open it.
final class AdminListener: Sendable {
    private let channel: any Channel
    private let path: String

    /// - Parameter answer: called on `loop` with each request.
    /// - Throws: ``ServerFailure/adminSocket(path:reason:)``
    init(
        path: String, on loop: any EventLoop,
        answer: @escaping @Sendable (AdminRequest) -> EventLoopFuture<AdminResponse>
    ) async throws(ServerFailure) {
        self.path = path
        let bootstrap = ServerBootstrap(group: loop)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AdminConnection(answer: answer))
                }
            }
        // The file must not be open to others even for a moment.
        let mask = umask(0o177)
        defer { umask(mask) }
        do {
            channel = try await bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
        } catch {
            throw .adminSocket(path: path, reason: "\(error)")
        }
    }

    /// Stops listening and removes the socket's file.
    func close() async {
        try? await channel.close().get()
        unlink(path)
    }
}
