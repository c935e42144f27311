/// A transport protocol SIP runs over (RFC 3261 section 18; RFC 7118 for WebSocket).
public enum SIPTransport: UInt8, Hashable, Sendable, CaseIterable {
    case udp = 0
    case tcp = 1
    case tls = 2

    /// Whether the transport itself delivers reliably and in order, so that no retransmission is needed.
    public var isReliable: Bool { self != .udp }
    /// Whether the transport is protected, as a `sips` URI demands of every hop.
    public var isSecure: Bool { self == .tls }
    /// Port used where a URI names none (RFC 3261 section 19.1.2).
    public var defaultPort: UInt16 { self == .tls ? 5061 : 5060 }
    /// The value of a URI's transport parameter (RFC 3261 section 19.1.1), in lower case.
    public var uriToken: String {
        switch self {
        case .udp: "udp"
        case .tcp: "tcp"
        case .tls: "tls"
        }
    }

    /// The transport with that token, in any case.
    public init?(uriToken token: some StringProtocol) {
        let folded = token.lowercased()
        guard let transport = Self.allCases.first(where: { $0.uriToken == folded }) else { return nil }
        self = transport
    }

    /// The token in Via (RFC 3261 section 20.42).
    public var viaToken: StaticString {
        switch self {
        case .udp: "UDP"
        case .tcp: "TCP"
        case .tls: "TLS"
        }
    }
}

/// A flow (RFC 5626 section 3): datagrams between one local socket and one remote address, or one connection.
///
/// Flows are values; the driver gives every connection a number of its own that is never reused in a process.
public struct Flow: Hashable, Sendable {
    public var transport: SIPTransport
    /// Index of the local listening point (``LocalPoint``) the flow came in by or leaves from.
    public var listener: UInt16
    /// 0 for datagrams; else the connection's number.
    public var connection: UInt64
    /// The far end as seen here.
    public var remote: TransportAddress

    public init(transport: SIPTransport, listener: UInt16, connection: UInt64 = 0, remote: TransportAddress) {
        self.transport = transport
        self.listener = listener
        self.connection = connection
        self.remote = remote
    }
}

/// A next hop: where a request may be sent, found by RFC 3263 or written in the configuration.
public struct Target: Hashable, Sendable {
    public var transport: SIPTransport
    public var address: TransportAddress
    /// The domain the peer's certificate must name (RFC 5922 section 7); only used with TLS.
    public var domain: String

    public init(transport: SIPTransport, address: TransportAddress, domain: String = "") {
        self.transport = transport
        self.address = address
        self.domain = domain
    }
}

/// Where a transmission goes: by a flow that exists, or to a next hop over a new or reused one.
public enum Destination: Hashable, Sendable {
    case flow(Flow)
    case target(Target)
}

/// A local listening point as advertised in Via, Record-Route and Path.
public struct LocalPoint: Hashable, Sendable {
    public var transport: SIPTransport
    /// The bound address.
    public var address: TransportAddress
    /// Host written into headers: the configured public name, else the address (bracketed for IPv6).
    public var advertisedHost: String
    /// Port written into headers.
    public var advertisedPort: UInt16

    public init(transport: SIPTransport, address: TransportAddress, advertisedHost: String, advertisedPort: UInt16) {
        self.transport = transport
        self.address = address
        self.advertisedHost = advertisedHost
        self.advertisedPort = advertisedPort
    }
}
