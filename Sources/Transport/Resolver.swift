public import SIPCore
public import NIOCore

/// Finds next hops (RFC 3263, RFC 6157) without blocking the event loop.
public final class Resolver: @unchecked Sendable {
    /// What to ask, and how hard.
    public struct Configuration: Hashable, Sendable {
        /// Name servers to ask; empty uses the system's.
        public var servers: [TransportAddress] = []
        /// Time for the first answer of one query, in milliseconds; doubles with every try.
        public var timeoutMilliseconds: Int = 2_000
        /// Tries for each server.
        public var tries: Int = 3
        /// Names and types kept in memory.
        public var cacheLimit: Int = 10_000
        /// The longest time an answer is kept, in seconds, whatever its TTL.
        public var longestTTL: Int64 = 86_400
        /// The time a failure to get an answer is kept, in seconds.
        public var failureTTL: Int64 = 5
        /// Transports the server can send by, in its order of preference where DNS states none.
        public var transports: [SIPTransport] = [.udp, .tcp, .tls]
        public var usesIPv4 = true
        public var usesIPv6 = true

        public init() {}
    }

    public init(eventLoop: any EventLoop, configuration: Configuration, seed: UInt64) throws(TransportFailure) {}

    /// Looks up the targets for a URI. On the event loop; `completion` runs on it later, never from inside this call, with
    /// an empty list when nothing was found.
    ///
    /// - Parameters: in the terms of RFC 3263 section 4: the URI's host, its port (0 for none), its transport parameter
    ///   and whether it is a `sips` URI.
    public func resolve(
        host: String, port: UInt16, transport: SIPTransport?, isSecure: Bool,
        completion: @escaping ([Target]) -> Void
    ) {}

    /// Stops the resolver's thread. Open lookups end with an empty list.
    public func shutdown() async {}
}
