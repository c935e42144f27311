internal import LinkProfiles
public import SIPCore
public import SigComp

/// Who a compressed message came from, in the eyes of the application (RFC 3320 section 4.3, RFC 5049 section 9).
public enum CompressionAdmission: Hashable, Sendable {
    /// Somebody unknown: none of the message's states is kept.
    case declined
    /// Somebody who may have a compartment. `owner` tells one user from another; 0 where nobody has to prove who he is.
    case admitted(owner: UInt64)
}

/// Puts SigComp between the sockets and SIP (RFC 5049): finds out which messages are compressed, which are to be, and to which
/// remote application's compartment they belong.
///
/// Use from one thread at a time. Times are microseconds that do not go back.
public final class SignalingCompression {
    /// What is under way with one message between its decompression and ``settle(_:_:at:)``.
    public struct Arrival {
        /// The SIP message.
        public let bytes: [UInt8]
        let decompressed: DecompressedMessage
        let flow: Flow
        let message: SIPMessage?
    }

    /// What came of a SigComp message.
    public enum Received {
        /// Hand ``Arrival/bytes`` to the application, then call ``settle(_:_:at:)``.
        case message(Arrival)
        /// Double CRLF, to be answered with a single one (RFC 5626 section 4.4.1).
        case ping
        /// Nothing for the application.
        case nothing
        /// It cannot be decompressed; the bytes are the answer, nil when there is none.
        case failed(DecompressionFailureReason, answer: [UInt8]?)
        /// The peer refused a message of ours on a connection; the bytes are the same in another form. `nil` when it cannot be
        /// had, so that the message is lost (RFC 4077 section 2.3.2).
        case refused(again: [UInt8]?)
    }

    let settings: CompressionSettings
    let endpoint: SigCompEndpoint
    var tally = CompressionCounters()
    var applications: RemoteApplications
    private var answers: NegativeAcknowledgementLimit
    private var strangers: StrangerBudget
    private var sweepAt: UInt64 = 0
    let viaParameters: [UInt8]

    public init(_ settings: CompressionSettings) {
        self.settings = settings
        endpoint = SigCompEndpoint(configuration: settings.endpoint)
        applications = RemoteApplications(limit: settings.endpoint.limits.compartments)
        answers = NegativeAcknowledgementLimit(
            perSource: settings.negativeAcknowledgementsPerSource, inAll: settings.negativeAcknowledgementsInAll)
        strangers = StrangerBudget(
            cyclesPerSource: settings.strangerCyclesPerSource, cyclesInAll: settings.strangerCyclesInAll)
        viaParameters = Array(";comp=sigcomp;sigcomp-id=\"\(settings.identifier)\"".utf8)
    }

    public var counters: CompressionCounters {
        var result = tally
        result.compartments = endpoint.dispatcher.states.compartmentCount
        result.stateBytes = endpoint.dispatcher.states.usedBytes
        return result
    }

    /// The remote applications with most bytes on the wire, at most `limit`.
    public func peers(limit: Int) -> [CompressionPeerReport] {
        applications.all
            .sorted {
                $0.traffic.bytesSent + $0.traffic.bytesReceived > $1.traffic.bytesSent + $1.traffic.bytesReceived
            }
            .prefix(limit)
            .map { application in
                CompressionPeerReport(
                    name: application.name, address: application.address, traffic: application.traffic,
                    stateBytes: endpoint.dispatcher.states.compartment(application.compartment)?.usedBytes ?? 0)
            }
    }

    // MARK: Receiving

    /// Takes one SigComp message off a socket. Changes no state; that is for ``settle(_:_:at:)``.
    public func receive(_ bytes: [UInt8], on flow: Flow, at instant: UInt64) -> Received {
        sweep(at: instant)
        guard applications.name(on: flow) != nil || strangers.admits(flow.remote.ip, at: instant) else {
            tally.messagesRefused += 1
            return .nothing
        }
        do throws(DecompressionFailure) {
            switch try endpoint.receive(bytes, over: flow.compressionTransport) {
            case .message(let message): return received(message, on: flow)
            case .negativeAcknowledgement(let nack): return received(nack, on: flow, at: instant)
            }
        } catch {
            strangers.charge(cycles(of: error, bytes), to: flow.remote.ip)
            return failed(error, bytes, on: flow, at: instant)
        }
    }

    /// What a failure has cost at most: all that the message was allowed when it ran out of it or cannot be told (RFC 3320
    /// section 8.6); nothing where it ended before the first instruction.
    private func cycles(of failure: DecompressionFailure, _ message: [UInt8]) -> Int {
        guard failure.programCounter != 0 || failure.opcode != 0 || failure.reason == .cyclesExhausted else { return 0 }
        return (1_000 + 8 * message.count) * settings.endpoint.parameters.cyclesPerBit
    }

    /// The stream on a flow cannot be cut into messages any more; the bytes are the answer (RFC 4077 section 3.2).
    public func framingFailed(on flow: Flow, at instant: UInt64) -> [UInt8]? {
        let failure = DecompressionFailure(.framingError)
        if case .failed(_, let answer) = failed(failure, [], on: flow, at: instant) { return answer }
        return nil
    }

    private func received(_ message: DecompressedMessage, on flow: Flow) -> Received {
        let output = message.output ?? []
        if output == LineEnds.ping { return .ping }
        guard output.count > LineEnds.ping.count else {
            if message.output != LineEnds.pong { tally.messagesWithoutOutput += 1 }
            return .nothing
        }
        var parsed: SIPMessage?
        if case .message(let message) = SIPMessage.parse(output, fromStream: flow.transport.isReliable) {
            parsed = message
        }
        tally.received(parsed?.method ?? .other, plain: output.count, compressed: message.compressedLength)
        return .message(Arrival(bytes: output, decompressed: message, flow: flow, message: parsed))
    }

    private func failed(_ failure: DecompressionFailure, _ bytes: [UInt8], on flow: Flow, at instant: UInt64)
        -> Received
    {
        tally.failures[failure.reason, default: 0] += 1
        guard let nack = endpoint.dispatcher.negativeAcknowledgement(of: failure, to: bytes),
            answers.admits(flow.remote.ip, at: instant)
        else {
            tally.negativeAcknowledgementsWithheld += 1
            return .failed(failure.reason, answer: nil)
        }
        tally.negativeAcknowledgementsSent += 1
        return .failed(failure.reason, answer: nack.bytes)
    }

    private func received(_ nack: NegativeAcknowledgement, on flow: Flow, at instant: UInt64) -> Received {
        tally.negativeAcknowledgementsReceived[nack.failure.reason, default: 0] += 1
        // Over datagrams SIP itself repeats the message, and then it is compressed anew (RFC 4077 section 2.3.1).
        let isRepeating = flow.transport.isReliable
        guard let outcome = endpoint.received(nack, at: instant, isRepeating: isRepeating) else { return .nothing }
        // A peer that refuses what it gets understands SigComp.
        if let application = applications[outcome.compartment.name] {
            application.hasAnswered = true
            application.unanswered = 0
        }
        guard isRepeating else { return .nothing }
        guard let again = outcome.again, again.isSigComp else { return .refused(again: nil) }
        tally.messagesRepeated += 1
        return .refused(again: again.bytes)
    }

    /// The answer to ``Received/ping``.
    public var pong: [UInt8] { endpoint.passThrough(LineEnds.pong).bytes }

    // MARK: Naming the compartment

    /// Keeps what the message asks for, if the application knows its sender, in the compartment that the message names.
    public func settle(_ arrival: Arrival, _ admission: CompressionAdmission, at instant: UInt64) {
        guard case .admitted(let owner) = admission, let message = arrival.message else {
            strangers.charge(arrival.decompressed.cycles, to: arrival.flow.remote.ip)
            tally.statesDeclined += 1
            return
        }
        let name = name(ofSender: message, on: arrival.flow)
        guard mayUse(name, owner, from: arrival.flow) else {
            tally.statesDeclined += 1
            return
        }
        let application = applications.application(name, address: arrival.flow.remote, at: instant)
        if application.owner == 0 { application.owner = owner }
        application.address = arrival.flow.remote
        application.hasAnswered = true
        application.unanswered = 0
        application.plainUntil = 0
        application.traffic.received(plain: arrival.bytes.count, compressed: arrival.decompressed.compressedLength)
        if name != RemoteApplicationName.name(of: arrival.flow) { applications.learn(name, on: arrival.flow) }
        endpoint.accept(arrival.decompressed, for: application.compartment, at: instant)
    }

    /// Whose compartment a message belongs to (RFC 5049 section 9.1). A device of the time before sigcomp-id is known again by
    /// its instance when it registers, and by its flow in between.
    private func name(ofSender message: SIPMessage, on flow: Flow) -> String {
        if message.isRequest {
            let identifier = message.compressionOfTopVia.identifier
            if let name = RemoteApplicationName.name(of: message[identifier]) { return name }
            if message.method == .register,
                let name = RemoteApplicationName.name(of: message[message.instanceOfContact])
            {
                return name
            }
        }
        return applications.name(on: flow) ?? configured(flow.remote)?.name ?? RemoteApplicationName.name(of: flow)
    }

    /// Anybody can write another's identifier into a Via. A compartment is its first user's, and others' only from the same
    /// address, as two accounts on one device are.
    private func mayUse(_ name: String, _ owner: UInt64, from flow: Flow) -> Bool {
        guard owner != 0, let application = applications[name], application.owner != 0 else { return true }
        return application.owner == owner || application.address.ip == flow.remote.ip
    }

    func configured(_ address: TransportAddress) -> (peer: CompressedPeer, name: String?)? {
        guard !settings.peers.isEmpty, let peer = settings.peers.first(where: { $0.matches(address) }) else {
            return nil
        }
        return (peer, peer.identifier.flatMap { RemoteApplicationName.name(of: Array($0.utf8)[...]) })
    }

    // MARK: Ends

    /// A connection is gone, and what was kept for it alone with it.
    public func closed(_ flow: Flow) {
        guard flow.connection != 0 else { return }
        applications.forget(flow)
        let name = RemoteApplicationName.name(of: flow)
        guard let application = applications[name] else { return }
        endpoint.close(application.compartment)
        applications.remove(name)
    }

    /// Closes what has not been used for long, once in a while.
    private func sweep(at instant: UInt64) {
        guard instant >= sweepAt else { return }
        sweepAt = instant + 60_000_000
        let lifetime = UInt64(clamping: settings.compartmentLifetime.microseconds)
        if instant > lifetime { endpoint.closeCompartments(unusedSince: instant - lifetime) }
    }
}

enum LineEnds {
    static let ping: [UInt8] = [0x0d, 0x0a, 0x0d, 0x0a]
    static let pong: [UInt8] = [0x0d, 0x0a]
}

extension Flow {
    var compressionTransport: DecompressorDispatcher.Transport { transport.isReliable ? .stream : .message }
}
