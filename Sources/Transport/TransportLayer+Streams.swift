internal import LinkProfiles
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import SIPCore

/// Says that a connection was turned away; only NIO sees it.
private struct ConnectionRefused: Error {}

extension TransportLayer {
    // MARK: Accepting

    /// Prepares an accepted connection, or refuses it when a limit is reached.
    func accept(_ channel: any Channel, at index: UInt16, transport: SIPTransport) throws {
        guard let remote = channel.remoteAddress.flatMap({ TransportAddress($0) }) else { throw ConnectionRefused() }
        let fromSource = acceptedPerSource[remote.ip, default: 0]
        guard !isShuttingDown, connections.count < configuration.connectionLimit,
            fromSource < configuration.connectionLimitPerSource
        else {
            tally.connectionsRefused += 1
            if let omitted = refusalLog.admit() {
                logger.warning(
                    "a connection is refused: too many are open",
                    metadata: [
                        "remote": "\(remote)", "open": "\(connections.count)", "from source": "\(fromSource)",
                        "omitted": "\(omitted)",
                    ])
            }
            throw ConnectionRefused()
        }
        let flow = Flow(transport: transport, listener: index, connection: nextConnectionNumber(), remote: remote)
        let profile = configuration.profile(transport, index, remote)
        let connection = StreamConnection(flow: flow, key: nil, profile: profile, layer: self)
        try boundSilence(on: channel, by: profile)
        if transport == .tls {
            guard let server = security?.server else { throw ConnectionRefused() }
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: server))
        }
        try channel.pipeline.syncOperations.addHandler(StreamHandler(connection: connection, layer: self))
        connections[flow.connection] = connection
        acceptedPerSource[remote.ip] = fromSource + 1
        tally.connectionsAccepted += 1
        tally.connectionsOpen += 1
        connection.attach(channel)
    }

    /// Breaks a connection whose peer has not acknowledged what was sent for as long as a transaction lives: by then its
    /// requests have failed, and the next should not be tried on it (`TCP_USER_TIMEOUT`, RFC 5482).
    private func boundSilence(on channel: any Channel, by profile: LinkProfile) throws {
        let milliseconds = Int32(clamping: max(profile.transactionLifetime.microseconds / 1_000, 1_000))
        let userTimeout = NIOBSDSocket.Option(rawValue: 18)
        try channel.syncOptions?.setOption(.tcpOption(userTimeout), value: SocketOptionValue(milliseconds))
    }

    // MARK: Connecting

    /// The connection to a target for a message, opened now when there is none (RFC 3261 section 18.1.1).
    func connection(for message: [UInt8], to target: Target, from listener: UInt16, token: UInt64)
        -> StreamConnection?
    {
        let key = ConnectionKey(target: target, isCompressed: wantsCompression(message, to: target, from: listener))
        if let connection = byTarget[key] { return connection }
        guard !isShuttingDown, connections.count < configuration.connectionLimit else {
            lost(token: token, reason: "too many connections are open")
            return nil
        }
        if target.transport == .tls, security == nil {
            lost(token: token, reason: "TLS is not configured")
            return nil
        }
        let flow = Flow(
            transport: target.transport, listener: listener, connection: nextConnectionNumber(), remote: target.address)
        let profile = configuration.profile(target.transport, listener, target.address)
        let connection = StreamConnection(flow: flow, key: key, profile: profile, layer: self)
        connections[flow.connection] = connection
        byTarget[key] = connection
        tally.connectionsOpen += 1
        connect(connection, target, profile)
        return connection
    }

    private func connect(_ connection: StreamConnection, _ target: Target, _ profile: LinkProfile) {
        let loop = eventLoop
        let bound = NIOLoopBound(connection, eventLoop: loop)
        ClientBootstrap(group: loop)
            .connectTimeout(.microseconds(max(profile.connectTimeout.microseconds, 1)))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelInitializer { [self] channel in
                loop.makeCompletedFuture {
                    try boundSilence(on: channel, by: profile)
                    if target.transport == .tls { try addClientSecurity(to: channel, for: target) }
                    try channel.pipeline.syncOperations.addHandler(
                        StreamHandler(connection: bound.value, layer: self))
                    bound.value.attach(channel)
                }
            }
            .connect(to: target.address.socketAddress)
            .assumeIsolated()
            .whenFailure { [self] error in
                connection.end(reason: "cannot connect: \(error)")
                burstEnded()
            }
    }

    /// TLS towards a target, whose certificate must name the target's domain (RFC 5922 section 7.3).
    private func addClientSecurity(to channel: any Channel, for target: Target) throws {
        guard let context = security?.client else { throw ConnectionRefused() }
        let loop = eventLoop
        let isName = IPAddress(parsing: target.domain) == nil && !target.domain.isEmpty
        let verify: @Sendable (NIOSSLCertificate, any Channel) -> EventLoopFuture<Void> = { certificate, _ in
            let names = CertificateNames(of: certificate)
            guard names.authenticates(target) else {
                return loop.makeFailedFuture(
                    PeerNotAuthenticated(wanted: target.domain, address: target.address, found: names))
            }
            return loop.makeSucceededVoidFuture()
        }
        let handler: NIOSSLClientHandler
        do {
            handler = try NIOSSLClientHandler._makeSSLClientHandler(
                context: context, serverHostname: isName ? target.domain : nil,
                additionalPeerCertificateVerificationCallback: verify)
        } catch {
            // The domain cannot stand in the SNI extension; the certificate is checked against it all the same.
            handler = try NIOSSLClientHandler._makeSSLClientHandler(
                context: context, serverHostname: nil, additionalPeerCertificateVerificationCallback: verify)
        }
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    // MARK: What becomes of connections

    func connectionUp(_ connection: StreamConnection) {
        if connection.target != nil { tally.connectionsOpened += 1 }
        emit(.opened(connection.flow, connection.target))
    }

    /// The connection takes no more messages; the next one to its target opens another.
    func connectionClosing(_ connection: StreamConnection) {
        if let key = connection.key, byTarget[key] === connection { byTarget[key] = nil }
    }

    func connectionEnded(_ connection: StreamConnection, wasUp: Bool, reason: String) {
        guard connections.removeValue(forKey: connection.flow.connection) != nil else { return }
        tally.connectionsOpen -= 1
        if let key = connection.key {
            if byTarget[key] === connection { byTarget[key] = nil }
            if !wasUp { tally.connectFailures += 1 }
        } else if let count = acceptedPerSource[connection.flow.remote.ip] {
            acceptedPerSource[connection.flow.remote.ip] = count > 1 ? count - 1 : nil
        }
        logger.debug("connection ended", metadata: ["remote": "\(connection.flow.remote)", "reason": "\(reason)"])
        compressionEnded(on: connection, wasUp: wasUp)
        if wasUp { emit(.closed(connection.flow)) }
        if connections.isEmpty { allConnectionsEnded?.succeed(()) }
    }

    func logFramingFailure(_ reason: String, on flow: Flow) {
        guard let omitted = framingLog.admit() else { return }
        logger.info(
            "closing a connection whose bytes cannot be framed",
            metadata: ["remote": "\(flow.remote)", "reason": "\(reason)", "omitted": "\(omitted)"])
    }

    /// An error in a connection's channel, which is about to close for it.
    func streamError(_ error: any Error, on connection: StreamConnection) {
        if connection.state == .opening, connection.flow.transport == .tls {
            tally.handshakeFailures += 1
            if let target = connection.target {
                logger.warning(
                    "TLS handshake with a server failed",
                    metadata: ["remote": "\(target.address)", "domain": "\(target.domain)", "reason": "\(error)"])
            } else if let omitted = handshakeLog.admit() {
                logger.notice(
                    "TLS handshake with a client failed",
                    metadata: [
                        "remote": "\(connection.flow.remote)", "reason": "\(error)", "omitted": "\(omitted)",
                    ])
            }
            connection.noteFailure("TLS handshake failed: \(error)")
        } else {
            connection.noteFailure("the connection broke: \(error)")
        }
    }
}

extension CertificateNames {
    /// Whether the certificate authenticates a target: by its domain, or, where that is an address or none, by an
    /// iPAddress among the alternative names.
    func authenticates(_ target: Target) -> Bool {
        guard target.domain.isEmpty || IPAddress(parsing: target.domain) != nil else {
            return authenticates(target.domain)
        }
        let ip = target.address.ip
        var wanted: [UInt8] = []
        if ip.isV4 {
            withUnsafeBytes(of: ip.v4Bits.bigEndian) { wanted += $0 }
        } else {
            withUnsafeBytes(of: ip.high.bigEndian) { wanted += $0 }
            withUnsafeBytes(of: ip.low.bigEndian) { wanted += $0 }
        }
        return addresses.contains(wanted)
    }
}

/// The peer's certificate is valid, but it is somebody else's.
struct PeerNotAuthenticated: Error, CustomStringConvertible {
    var wanted: String
    var address: TransportAddress
    var found: CertificateNames

    var description: String {
        let names = found.identities.isEmpty ? "no SIP domain" : found.identities.joined(separator: ", ")
        return "the certificate is for \(names), not for \(wanted.isEmpty ? "\(address.ip)" : wanted)"
    }
}
