internal import LinkProfiles
internal import NIOCore
internal import SIPCore
internal import SigComp

/// What a connection carries in one direction.
enum StreamContent {
    /// Nothing yet.
    case undecided
    case plain
    /// SigComp messages with record marking, and nothing else.
    case sigComp
}

/// What a connection is opened for: to one target there may be one for plain SIP and one for SigComp.
struct ConnectionKey: Hashable {
    var target: Target
    var isCompressed: Bool
}

/// One TCP or TLS connection, accepted or opened.
///
/// Lives on the event loop. Messages queued while it is being opened wait; messages queued between two flushes leave in
/// one write, and are reported lost together when that write fails.
final class StreamConnection {
    enum State {
        /// Connecting, or shaking hands. Can become `up` or `closed`.
        case opening
        /// Known to the delegate. Can become `closing` or `closed`.
        case up
        /// Nothing is taken in or queued any more; what was queued still leaves. Can become `closed`.
        case closing
        case closed
    }

    private struct Batch {
        var tokens: [UInt64] = []
        var bytes = 0
        var messages: UInt64 = 0
    }

    let flow: Flow
    /// What the connection was opened for; `nil` when it was accepted.
    let key: ConnectionKey?
    var target: Target? { key?.target }
    /// Whether it was opened for SigComp and none has come back.
    var isCompressionUnanswered: Bool { key?.isCompressed == true && incoming != .sigComp }
    private let profile: LinkProfile
    private let layer: TransportLayer
    private(set) var state = State.opening
    /// Absent until a connection attempt has one.
    private var channel: (any Channel)?

    private var framer: StreamFramer
    /// What the peer sends, told by its first byte; what we send is the same, or what the connection was opened for
    /// (RFC 5049 section 5).
    private var incoming = StreamContent.undecided
    private var outgoingContent: StreamContent
    private var deframer = RecordDeframer()
    /// NACKs of the peer in a row.
    private var refusals = 0
    private var outgoing = ByteBuffer()
    private var batch = Batch()
    private var inFlight = CircularBuffer<Batch>()
    private var pendingBytes = 0
    /// Bytes that wait for the next flush.
    var queuedBytes: Int { batch.bytes }
    private var isQueued = false
    /// A message could not be framed: only our side is closed first (see ``closeWhenWritten()``).
    private var lingers = false
    private var failureReason: String?

    private let openingDeadline: NIODeadline
    private var lastRead = NIODeadline.now()
    private var partialSince: NIODeadline?
    private var closingDeadline = NIODeadline.distantFuture
    private var alarm: (at: NIODeadline, task: Scheduled<Void>)?

    /// - Parameter key: what the connection is opened for; nil when it was accepted.
    init(flow: Flow, key: ConnectionKey?, profile: LinkProfile, layer: TransportLayer) {
        self.flow = flow
        self.key = key
        outgoingContent = key.map { $0.isCompressed ? .sigComp : .plain } ?? .undecided
        self.profile = profile
        self.layer = layer
        framer = StreamFramer(
            limits: ParserLimits(
                headerBytes: min(ParserLimits().headerBytes, profile.messageLimit), messageBytes: profile.messageLimit))
        openingDeadline = .now() + .microseconds(profile.connectTimeout.microseconds)
    }

    // MARK: Opening

    /// The connection has a channel, which may not be connected yet.
    func attach(_ channel: any Channel) {
        guard state != .closed else {
            channel.close(promise: nil)
            return
        }
        self.channel = channel
        arm()
    }

    /// Connected, and the TLS handshake done.
    func opened() {
        guard state == .opening else { return }
        state = .up
        lastRead = .now()
        arm()
        layer.connectionUp(self)
        flush()
    }

    // MARK: Receiving

    func received(_ buffer: ByteBuffer) {
        guard state == .up, !lingers else { return }
        layer.tally.streamBytesReceived += UInt64(buffer.readableBytes)
        lastRead = .now()
        if incoming == .undecided { decideContent(of: buffer) }
        let sawMessage: Bool
        let isPartial: Bool
        if incoming == .sigComp {
            buffer.withUnsafeReadableBytes { deframer.append($0) }
            sawMessage = deliverRecords()
            isPartial = deframer.bufferedCount > 0
        } else {
            buffer.withUnsafeReadableBytes { framer.append($0) }
            sawMessage = deliverFramed()
            // Up to three bytes can be the line ends of half a keep-alive, which may wait.
            isPartial = framer.bufferedCount > 3
        }
        if state == .up, isPartial {
            if partialSince == nil || sawMessage {
                partialSince = lastRead
                arm()
            }
        } else {
            partialSince = nil
        }
    }

    /// The first byte of a connection tells whether it carries SigComp (RFC 5049 section 5).
    private func decideContent(of buffer: ByteBuffer) {
        guard let first = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) else { return }
        let isSigComp = SigCompHeader.isSigComp(firstByte: first) && layer.compression(on: flow) != nil
        incoming = isSigComp ? .sigComp : .plain
        if outgoingContent == .undecided { outgoingContent = incoming }
    }

    /// Hands out every complete SigComp message; true when there was one.
    private func deliverRecords() -> Bool {
        var sawMessage = false
        while state == .up {
            do throws(RecordDeframer.Failure) {
                guard let message = try deframer.next() else { return sawMessage }
                sawMessage = true
                layer.tally.streamMessagesReceived += 1
                layer.emit(.compressed(message, flow))
            } catch {
                layer.tally.framingFailures += 1
                layer.logFramingFailure("the record marking is broken", on: flow)
                failureReason = "a message could not be framed"
                lingers = true
                layer.answerFramingFailure(on: self)
                return sawMessage
            }
        }
        return sawMessage
    }

    /// Hands out every complete message; true when there was one.
    private func deliverFramed() -> Bool {
        var sawMessage = false
        while state == .up {
            do {
                guard let item = try framer.next() else { return sawMessage }
                switch item {
                case .message(let bytes):
                    sawMessage = true
                    layer.tally.streamMessagesReceived += 1
                    layer.emit(.received(bytes, flow))
                case .ping:
                    layer.tally.pingsReceived += 1
                    pong()
                case .pong:
                    layer.tally.pongsReceived += 1
                }
            } catch {
                layer.tally.framingFailures += 1
                layer.logFramingFailure(error.reason, on: flow)
                failureReason = "a message could not be framed"
                lingers = true
                layer.emit(.received(Array(framer.remainder), flow))
                return sawMessage
            }
        }
        return sawMessage
    }

    /// The read burst is over and the delegate's answers are queued.
    func burstEnded() {
        if lingers, state == .up { close() }
    }

    private func pong() {
        if append([0x0d, 0x0a], token: 0) { layer.queueForFlush(self) }
    }

    // MARK: Sending

    /// Queues a message; true when the connection was not yet known to have something to flush.
    func append(_ bytes: [UInt8], token: UInt64) -> Bool {
        guard outgoingContent == .sigComp else { return appendBytes(bytes, token: token) }
        guard let record = layer.record(of: bytes, on: flow) else {
            layer.lost(token: token, reason: "too large for a connection with SigComp")
            return false
        }
        return appendRecord(record, token: token)
    }

    /// Queues a SigComp message; true as ``append(_:token:)``.
    func appendRecord(_ message: [UInt8], token: UInt64) -> Bool {
        var marked: [UInt8] = []
        marked.reserveCapacity(message.count + 16)
        RecordMarking.append(message, to: &marked)
        return appendBytes(marked, token: token)
    }

    /// The peer has refused a message. That it goes on doing so is as bad as a broken connection (RFC 4077 section 2.3.2).
    func refused(again message: [UInt8]?) {
        refusals += 1
        guard let message, refusals <= Self.refusalLimit else {
            return end(reason: "the peer cannot decompress what is sent to it")
        }
        if appendRecord(message, token: 0) { layer.queueForFlush(self) }
    }

    /// The peer has understood something.
    func decompressed() { refusals = 0 }

    private static let refusalLimit = 8

    private func appendBytes(_ bytes: [UInt8], token: UInt64) -> Bool {
        guard state == .opening || state == .up else {
            layer.lost(token: token, reason: failureReason ?? "the connection is closing")
            return false
        }
        guard pendingBytes + bytes.count <= layer.configuration.pendingByteLimit else {
            layer.tally.overflows += 1
            layer.lost(token: token, reason: "the peer does not read")
            end(reason: "the peer does not read what is sent to it")
            return false
        }
        outgoing.writeBytes(bytes)
        pendingBytes += bytes.count
        batch.bytes += bytes.count
        batch.messages += 1
        if token != 0 { batch.tokens.append(token) }
        defer { isQueued = true }
        return !isQueued
    }

    func flush() {
        isQueued = false
        guard state == .up, outgoing.readableBytes > 0, let channel else { return }
        let bytes = outgoing
        outgoing = ByteBuffer()
        inFlight.append(batch)
        batch = Batch()
        channel.writeAndFlush(bytes).assumeIsolated().whenComplete { [self] in written($0) }
    }

    private func written(_ result: Result<Void, any Error>) {
        guard let done = inFlight.popFirst() else { return }
        pendingBytes -= done.bytes
        switch result {
        case .success:
            layer.tally.streamMessagesSent += done.messages
            layer.tally.streamBytesSent += UInt64(done.bytes)
            if state == .closing { closeWhenWritten() }
        case .failure(let error):
            let reason = failureReason ?? "the connection broke: \(error)"
            for token in done.tokens { layer.lost(token: token, reason: reason) }
        }
    }

    // MARK: Closing

    /// Lets what is queued leave, then closes.
    func close() {
        switch state {
        case .opening:
            end(reason: "closed before it was open")
        case .up:
            flush()
            state = .closing
            layer.connectionClosing(self)
            failureReason = failureReason ?? "the connection was closed"
            closingDeadline = .now() + .seconds(lingers ? 2 : 5)
            arm()
            closeWhenWritten()
        case .closing, .closed:
            break
        }
    }

    /// After a framing failure the peer may still be sending; closing now would answer that with a reset, which can
    /// overtake our last message. So our side ends, the peer's bytes are discarded until it ends its side, or the deadline.
    private func closeWhenWritten() {
        guard inFlight.isEmpty, let channel else { return }
        channel.close(mode: lingers && flow.transport == .tcp ? .output : .all, promise: nil)
    }

    /// Closes at once; what has not left is lost.
    func end(reason: String) {
        guard state != .closed else { return }
        failureReason = failureReason ?? reason
        let channel = channel
        finished()
        channel?.close(promise: nil)
    }

    /// The channel is gone, or is given up.
    func finished() {
        guard state != .closed else { return }
        let wasUp = state != .opening
        state = .closed
        alarm?.task.cancel()
        alarm = nil
        channel = nil
        let reason = failureReason ?? "the peer closed the connection"
        failureReason = reason
        for lost in inFlight { for token in lost.tokens { layer.lost(token: token, reason: reason) } }
        inFlight.removeAll()
        for token in batch.tokens { layer.lost(token: token, reason: reason) }
        batch = Batch()
        outgoing = ByteBuffer()
        pendingBytes = 0
        layer.connectionEnded(self, wasUp: wasUp, reason: reason)
    }

    /// Remembers why the channel is about to close.
    func noteFailure(_ reason: String) {
        if failureReason == nil { failureReason = reason }
    }

    // MARK: Time

    private var deadline: NIODeadline {
        switch state {
        case .opening: return openingDeadline
        case .up:
            let idle = lastRead + .microseconds(profile.connectionIdle.microseconds)
            guard let partialSince else { return idle }
            return min(idle, partialSince + .microseconds(profile.messageCompletion.microseconds))
        case .closing: return closingDeadline
        case .closed: return .distantFuture
        }
    }

    /// Keeps one scheduled task at or before the deadline. A read moves the deadline, not the task: the task looks again
    /// when it comes.
    private func arm() {
        let due = deadline
        guard due != .distantFuture else { return }
        if let alarm {
            guard due < alarm.at else { return }
            alarm.task.cancel()
        }
        let task = layer.eventLoop.assumeIsolated().scheduleTask(deadline: due) { [self] in
            alarm = nil
            if NIODeadline.now() < deadline { arm() } else { timedOut() }
        }
        alarm = (due, task)
    }

    private func timedOut() {
        switch state {
        case .opening:
            if target == nil {
                layer.tally.handshakeFailures += 1
                layer.tally.handshakeTimeouts += 1
            }
            end(reason: "the connection was not up in time")
        case .up:
            if let partialSince,
                NIODeadline.now() - partialSince >= .microseconds(profile.messageCompletion.microseconds)
            {
                layer.tally.completionTimeouts += 1
                end(reason: "a message was not complete in time")
            } else {
                layer.tally.idleTimeouts += 1
                end(reason: "nothing arrived for too long")
            }
        case .closing:
            end(reason: "what was queued did not leave in time")
        case .closed:
            break
        }
    }
}
