public import LinkProfiles
public import SIPCore

/// One local address to listen at. Its index in ``TransportConfiguration/listeningPoints`` is `Flow.listener`.
public struct ListeningPoint: Hashable, Sendable {
    public var transport: SIPTransport
    /// Address to bind; port 0 lets the system choose one.
    public var address: TransportAddress
    /// Host to write into headers where it differs from the bound address.
    public var advertisedHost: String?
    /// Port to write into headers where it differs from the bound one.
    public var advertisedPort: UInt16?
    /// Whether SigComp is used here, where it is configured at all.
    public var offersSigComp: Bool

    public init(
        transport: SIPTransport, address: TransportAddress, advertisedHost: String? = nil,
        advertisedPort: UInt16? = nil, offersSigComp: Bool = true
    ) {
        self.transport = transport
        self.address = address
        self.advertisedHost = advertisedHost
        self.advertisedPort = advertisedPort
        self.offersSigComp = offersSigComp
    }
}

/// What the transport listens at, whom it trusts and how much it bears.
public struct TransportConfiguration: Sendable {
    public var listeningPoints: [ListeningPoint]
    /// Certificates and trust; needed for any TLS, also where the server only connects.
    public var security: SecurityContexts?
    /// The profile of a connection; asked once when it comes up, with the listening point and the far end.
    /// Timeouts and the largest message are taken from it.
    public var profile: @Sendable (SIPTransport, UInt16, TransportAddress) -> LinkProfile
    /// Connections up or being opened at once, over all listening points.
    public var connectionLimit: Int = 50_000
    /// Accepted connections from one IP address.
    public var connectionLimitPerSource: Int = 1_000
    /// Bytes waiting for a peer to read them; beyond that the connection is closed and its transmissions fail.
    public var pendingByteLimit: Int = 4 * 1_048_576
    /// Kernel receive and send buffer asked for on a datagram socket, in bytes.
    public var datagramBufferSize: Int = 16 * 1_048_576
    /// Datagrams read by one system call.
    public var datagramsPerRead: Int = 32
    /// SigComp beside plain SIP; nil for plain SIP alone.
    public var compression: CompressionSettings?
    /// Length of the queue of connections the kernel has accepted for us.
    public var listenBacklog: Int = 4_096

    public init(
        listeningPoints: [ListeningPoint], security: SecurityContexts? = nil,
        profile: @escaping @Sendable (SIPTransport, UInt16, TransportAddress) -> LinkProfile = { _, _, _ in
            LinkProfile()
        }
    ) {
        self.listeningPoints = listeningPoints
        self.security = security
        self.profile = profile
    }
}
