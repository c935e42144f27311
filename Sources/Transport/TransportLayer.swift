public import Logging
public import NIOCore
internal import NIOPosix
public import SIPCore

/// The sockets: UDP, TCP and TLS for SIP (RFC 3261 section 18), on one event loop.
///
/// Confined to that loop: every method but ``start()`` and ``shutdown(grace:)`` must be called on it, and every delegate
/// call comes on it. That confinement, which debug builds check, is what makes the class safe to send.
public final class TransportLayer: @unchecked Sendable {
    /// Something the delegate is to hear.
    enum Event {
        case received([UInt8], Flow)
        /// A SigComp message, still compressed.
        case compressed([UInt8], Flow)
        case opened(Flow, Target?)
        case closed(Flow)
        case failed(UInt64, String)
    }

    let eventLoop: any EventLoop
    let configuration: TransportConfiguration
    let logger: Logger
    /// Absent where SigComp is switched off.
    let compression: SignalingCompression?
    var tally = TransportCounters()
    var security: SecurityContexts?

    /// Released at the end of ``shutdown(grace:)``.
    private(set) var delegate: (any TransportDelegate)?
    /// Events that came up inside a call of ours, or before one that did; they are delivered in the next turn of the loop.
    private var waiting: [Event] = []
    private var isDeliveryScheduled = false
    /// Above 0 while one of our own methods, called by the delegate, is at work.
    private var depth = 0

    var points: [LocalPoint] = []
    var datagramPoints: [DatagramPoint?] = []
    var serverChannels: [UInt16: any Channel] = [:]
    /// How long a listening point that has closed stays closed.
    var reopeningDelay = TimeAmount.seconds(1)
    var connections: [UInt64: StreamConnection] = [:]
    var byTarget: [ConnectionKey: StreamConnection] = [:]
    var acceptedPerSource: [IPAddress: Int] = [:]
    private var lastConnectionNumber: UInt64 = 0
    private var unflushedPoints: [DatagramPoint] = []
    private var unflushedConnections: [StreamConnection] = []
    var framingLog = LogLimit()
    var handshakeLog = LogLimit()
    var decompressionLog = LogLimit()
    var refusalLog = LogLimit()
    var isShuttingDown = false
    var allConnectionsEnded: EventLoopPromise<Void>?

    /// - Parameters:
    ///   - eventLoop: the loop that owns everything here; it should have nothing else to do but drive the engine.
    ///   - delegate: kept until the end of ``shutdown(grace:)``.
    public init(
        eventLoop: any EventLoop, configuration: TransportConfiguration, delegate: any TransportDelegate, logger: Logger
    ) {
        self.eventLoop = eventLoop
        self.configuration = configuration
        self.delegate = delegate
        self.logger = logger
        security = configuration.security
        compression = configuration.compression.map { SignalingCompression($0) }
    }

    /// What happened since the start. Read it on the loop.
    public var counters: TransportCounters {
        var result = tally
        for case let point? in datagramPoints {
            result.datagramsSent += point.sentDatagrams
            result.datagramBytesSent += point.sentBytes
            result.datagramErrors += point.errors
        }
        return result
    }

    // MARK: Sending

    /// Queues a message for a flow or a target; ``flush()`` sends it.
    ///
    /// With a token other than 0, a failure comes back as ``TransportDelegate/transmissionFailed(token:reason:)``, never
    /// from inside this call.
    ///
    /// - Returns: the bytes that go out for it, before encryption; 0 when it is lost already.
    @discardableResult
    public func send(_ bytes: [UInt8], to destination: Destination, token: UInt64) -> Int {
        eventLoop.assertInEventLoop()
        depth += 1
        defer { depth -= 1 }
        switch destination {
        case .flow(let flow):
            if flow.transport == .udp { return sendMessage(bytes, on: flow, token: token) }
            if let connection = connections[flow.connection] { return queue(bytes, on: connection, token: token) }
            lost(token: token, reason: "the connection is gone")
        case .target(let target):
            guard let listener = listener(for: target) else {
                lost(token: token, reason: "no listening point for \(target.transport) to \(target.address)")
                return 0
            }
            if target.transport == .udp {
                let flow = Flow(transport: .udp, listener: listener, remote: target.address)
                return sendMessage(bytes, on: flow, token: token)
            }
            if let connection = connection(for: bytes, to: target, from: listener, token: token) {
                return queue(bytes, on: connection, token: token)
            }
        }
        return 0
    }

    private func queue(_ bytes: [UInt8], on connection: StreamConnection, token: UInt64) -> Int {
        let before = connection.queuedBytes
        if connection.append(bytes, token: token) { unflushedConnections.append(connection) }
        return max(connection.queuedBytes - before, 0)
    }

    /// Hands everything queued since the last call to the kernel.
    public func flush() {
        eventLoop.assertInEventLoop()
        depth += 1
        defer { depth -= 1 }
        while !unflushedPoints.isEmpty || !unflushedConnections.isEmpty {
            let points = unflushedPoints
            let connections = unflushedConnections
            unflushedPoints.removeAll(keepingCapacity: true)
            unflushedConnections.removeAll(keepingCapacity: true)
            for point in points { point.flush() }
            for connection in connections { connection.flush() }
        }
    }

    /// Closes a connection once what is queued on it has left. Does nothing for datagrams.
    public func close(_ flow: Flow) {
        eventLoop.assertInEventLoop()
        depth += 1
        defer { depth -= 1 }
        connections[flow.connection]?.close()
    }

    /// Uses other certificates for handshakes from now on; connections that are up keep theirs.
    public func replaceCertificates(_ security: SecurityContexts) {
        eventLoop.assertInEventLoop()
        self.security = security
    }

    /// The listening point that a request to a target leaves by, and that its Via names: the first of the target's
    /// transport and address family; for a connection, else the first of its transport.
    public func listener(for target: Target) -> UInt16? {
        var other: UInt16?
        for (index, point) in points.enumerated() where point.transport == target.transport {
            if point.address.ip.isV4 == target.address.ip.isV4 { return UInt16(index) }
            if other == nil, target.transport != .udp { other = UInt16(index) }
        }
        return other
    }

    /// Sends a SIP message as a datagram, compressed where the peer wants it.
    private func sendMessage(_ bytes: [UInt8], on flow: Flow, token: UInt64) -> Int {
        let datagram = compression(on: flow)?.datagram(bytes, on: flow, at: Self.uptime()) ?? bytes
        sendDatagram(datagram, to: flow.remote, from: flow.listener, token: token)
        return datagram.count
    }

    /// Sends bytes as they are.
    func sendDatagram(_ bytes: [UInt8], to address: TransportAddress, from listener: UInt16, token: UInt64) {
        guard Int(listener) < datagramPoints.count, let point = datagramPoints[Int(listener)] else {
            lost(token: token, reason: "no such UDP listening point")
            return
        }
        if point.append(bytes, to: address, token: token) { unflushedPoints.append(point) }
    }

    /// Lets a connection be part of the next flush.
    func queueForFlush(_ connection: StreamConnection) { unflushedConnections.append(connection) }

    /// A number no other connection of this process has.
    func nextConnectionNumber() -> UInt64 {
        lastConnectionNumber += 1
        return lastConnectionNumber
    }

    // MARK: Telling the delegate

    /// Tells the delegate at once, or, inside one of our own methods and behind others that wait, in the loop's next turn.
    func emit(_ event: Event) {
        guard depth == 0, waiting.isEmpty else {
            waiting.append(event)
            scheduleDelivery()
            return
        }
        deliver(event)
        // Messages come in read bursts, which end by themselves. The rest can come from a timer.
        switch event {
        case .received, .compressed: break
        case .opened, .closed, .failed: scheduleDelivery()
        }
    }

    /// Counts a transmission that failed, and tells whoever gave it a token.
    func lost(token: UInt64, reason: String) {
        tally.transmissionsFailed += 1
        if token != 0 { emit(.failed(token, reason)) }
    }

    /// The delegate's turn to answer; then everything queued leaves.
    func burstEnded() {
        guard depth == 0 else {
            scheduleDelivery()
            return
        }
        deliverWaiting()
        delegate?.readBurstEnded()
        flush()
    }

    private func deliver(_ event: Event) {
        switch event {
        case .received(let bytes, let flow): delegate?.received(bytes, on: flow)
        case .compressed(let bytes, let flow): decompress(bytes, on: flow)
        case .opened(let flow, let target): delegate?.flowOpened(flow, target: target)
        case .closed(let flow): delegate?.flowClosed(flow)
        case .failed(let token, let reason): delegate?.transmissionFailed(token: token, reason: reason)
        }
    }

    private func deliverWaiting() {
        while !waiting.isEmpty {
            let events = waiting
            waiting.removeAll(keepingCapacity: true)
            for event in events { deliver(event) }
        }
    }

    private func scheduleDelivery() {
        guard !isDeliveryScheduled else { return }
        isDeliveryScheduled = true
        eventLoop.execute { [self] in
            isDeliveryScheduled = false
            burstEnded()
        }
    }

    /// Ends the delegate's part in this.
    func releaseDelegate() {
        deliverWaiting()
        delegate?.readBurstEnded()
        delegate = nil
    }
}
