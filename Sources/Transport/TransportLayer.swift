public import Logging
public import NIOCore
public import SIPCore

/// The sockets: UDP, TCP and TLS for SIP (RFC 3261 section 18), on one event loop.
///
/// Every method but ``start()`` and ``shutdown()`` must be called on that loop; every delegate call comes on it.
public final class TransportLayer: @unchecked Sendable {
    /// What happened since the start. Read it on the loop.
    public private(set) var counters = TransportCounters()

    public init(
        eventLoop: any EventLoop, configuration: TransportConfiguration, delegate: any TransportDelegate, logger: Logger
    ) {
    }

    /// Binds every listening point. Callable from any thread.
    ///
    /// - Returns: the points as bound, in the order of the configuration.
    public func start() async throws(TransportFailure) -> [LocalPoint] { [] }

    /// Queues a message for a flow or a target; ``flush()`` sends it. With a token other than 0, a failure comes back as
    /// ``TransportDelegate/transmissionFailed(token:reason:)``, never from inside this call.
    public func send(_ bytes: [UInt8], to destination: Destination, token: UInt64) {}

    /// Hands everything queued since the last call to the kernel.
    public func flush() {}

    /// Closes a connection once what is queued on it has left. Does nothing for datagrams.
    public func close(_ flow: Flow) {}

    /// Uses other certificates for handshakes from now on.
    public func replaceCertificates(_ security: SecurityContexts) {}

    /// The listening point a request to a target leaves by: the first of its transport and address family.
    public func listener(for target: Target) -> UInt16? { nil }

    /// Stops listening, lets what is queued leave for at most `grace`, and closes every connection.
    public func shutdown(grace: TimeAmount = .seconds(5)) async {}
}
