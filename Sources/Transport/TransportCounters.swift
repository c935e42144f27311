/// What the transport did since it started. Plain integers, read on the event loop.
public struct TransportCounters: Hashable, Sendable {
    // MARK: Datagrams

    /// Datagrams read from a socket, keep-alives and dropped ones included.
    public var datagramsReceived: UInt64 = 0
    /// Datagrams the kernel took.
    public var datagramsSent: UInt64 = 0
    /// Bytes in `datagramsReceived`.
    public var datagramBytesReceived: UInt64 = 0
    /// Bytes in `datagramsSent`.
    public var datagramBytesSent: UInt64 = 0
    /// Datagrams of no use to anyone: empty, or not from an IP address.
    public var datagramsDropped: UInt64 = 0
    /// Errors a datagram socket reported, ICMP unreachable among them. They never close the socket.
    public var datagramErrors: UInt64 = 0

    // MARK: Streams

    /// SIP messages framed out of connections.
    public var streamMessagesReceived: UInt64 = 0
    /// SIP messages written to connections and taken by the kernel.
    public var streamMessagesSent: UInt64 = 0
    /// Bytes read from connections, after decryption.
    public var streamBytesReceived: UInt64 = 0
    /// Bytes written to connections and taken by the kernel, before encryption.
    public var streamBytesSent: UInt64 = 0
    /// Connections up at this moment.
    public var connectionsOpen: UInt64 = 0
    /// Connections accepted from peers, refused ones not included.
    public var connectionsAccepted: UInt64 = 0
    /// Connections opened towards a target.
    public var connectionsOpened: UInt64 = 0
    /// Accepted connections closed at once because a limit was reached.
    public var connectionsRefused: UInt64 = 0
    /// Connection attempts that came to nothing, TLS handshakes included.
    public var connectFailures: UInt64 = 0
    /// Connections closed because nothing arrived for the profile's `connectionIdle`.
    public var idleTimeouts: UInt64 = 0
    /// Connections closed because a message begun was not complete within the profile's `messageCompletion`.
    public var completionTimeouts: UInt64 = 0
    /// TLS handshakes that did not finish, for whatever reason.
    public var handshakeFailures: UInt64 = 0
    /// TLS handshakes among `handshakeFailures` that took longer than the profile's `connectTimeout`.
    public var handshakeTimeouts: UInt64 = 0
    /// Connections closed because their bytes could not be framed (RFC 3261 section 18.3).
    public var framingFailures: UInt64 = 0
    /// Connections closed because the peer did not read what was sent to it.
    public var overflows: UInt64 = 0

    // MARK: Keep-alives and failures

    /// CRLF keep-alives received (RFC 5626 section 4.4.1), on streams and datagrams.
    public var pingsReceived: UInt64 = 0
    /// Single CRLFs received on streams: the answers to pings.
    public var pongsReceived: UInt64 = 0
    /// STUN binding requests answered (RFC 5626 section 4.4.2).
    public var bindingRequestsAnswered: UInt64 = 0
    /// Transmissions reported as failed to the delegate.
    public var transmissionsFailed: UInt64 = 0

    public init() {}
}
