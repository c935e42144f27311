internal import Logging
internal import NIOCore
internal import SIPCore
internal import SigComp

/// SigComp beside plain SIP on the same sockets (RFC 5049 section 5).
extension TransportLayer {
    /// The time that SigComp's part counts in: microseconds.
    static func uptime() -> UInt64 { NIODeadline.now().uptimeNanoseconds / 1_000 }

    /// SigComp for a flow; nil where it is not offered.
    func compression(on flow: Flow) -> SignalingCompression? {
        guard let compression, Int(flow.listener) < configuration.listeningPoints.count,
            configuration.listeningPoints[Int(flow.listener)].offersSigComp,
            compression.settings.isOffered(flow.transport, flow.remote)
        else { return nil }
        return compression
    }

    // MARK: Receiving

    /// Takes a SigComp message to its end: to the delegate, or to an answer that says why it cannot be read.
    func decompress(_ bytes: [UInt8], on flow: Flow) {
        guard let compression else { return }
        switch compression.receive(bytes, on: flow, at: Self.uptime()) {
        case .message(let arrival):
            connections[flow.connection]?.decompressed()
            let admission = delegate?.receivedCompressed(arrival.bytes, on: flow) ?? .declined
            compression.settle(arrival, admission, at: Self.uptime())
        case .ping:
            tally.pingsReceived += 1
            sendSigComp(compression.pong, on: flow)
        case .nothing:
            break
        case .failed(let reason, let answer):
            logDecompressionFailure(reason, on: flow)
            if let answer { sendSigComp(answer, on: flow) }
        case .refused(let again):
            connections[flow.connection]?.refused(again: again)
        }
    }

    /// Answers what cannot be cut into messages; the connection is closed after that.
    func answerFramingFailure(on connection: StreamConnection) {
        guard let answer = compression?.framingFailed(on: connection.flow, at: Self.uptime()) else { return }
        if connection.appendRecord(answer, token: 0) { queueForFlush(connection) }
    }

    /// Sends bytes that are a SigComp message already.
    private func sendSigComp(_ bytes: [UInt8], on flow: Flow) {
        if flow.transport == .udp {
            sendDatagram(bytes, to: flow.remote, from: flow.listener, token: 0)
        } else if let connection = connections[flow.connection], connection.appendRecord(bytes, token: 0) {
            queueForFlush(connection)
        }
    }

    private func logDecompressionFailure(_ reason: DecompressionFailureReason, on flow: Flow) {
        guard let omitted = decompressionLog.admit() else { return }
        logger.info(
            "a SigComp message cannot be decompressed",
            metadata: ["remote": "\(flow.remote)", "reason": "\(reason.name)", "omitted": "\(omitted)"])
    }

    // MARK: Sending

    /// The SigComp message for a connection that carries nothing else; nil when the message is too large for that.
    func record(of message: [UInt8], on flow: Flow) -> [UInt8]? {
        compression?.record(message, on: flow, at: Self.uptime())
    }

    /// Whether a message to a target should go by a connection for SigComp.
    func wantsCompression(_ message: [UInt8], to target: Target, from listener: UInt16) -> Bool {
        let flow = Flow(transport: target.transport, listener: listener, remote: target.address)
        return compression(on: flow)?.wantsStream(message, to: target, at: Self.uptime()) ?? false
    }

    /// A connection is gone. One that was opened for SigComp and brought none back was perhaps to somebody who has none.
    func compressionEnded(on connection: StreamConnection, wasUp: Bool) {
        guard let compression else { return }
        if wasUp, let target = connection.target, connection.isCompressionUnanswered {
            compression.connectionWasSilent(to: target, at: Self.uptime())
        }
        compression.closed(connection.flow)
    }

    // MARK: Counters

    /// What SigComp did since the start; nil where it is switched off. Read it on the loop.
    public var compressionCounters: CompressionCounters? { compression?.counters }

    /// The remote applications with most bytes on the wire. Read it on the loop.
    public func compressionPeers(limit: Int) -> [CompressionPeerReport] { compression?.peers(limit: limit) ?? [] }
}
