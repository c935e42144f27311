internal import Glibc
public import SIPCore
internal import SigComp

extension SignalingCompression {
    /// A message that a peer asks for in SigComp, or that the configuration wants in it.
    struct Wish {
        var message: SIPMessage
        /// The identifier that the next hop is named with; nil when it has none.
        var name: String?
    }

    /// Compressed requests to a peer that has never shown that it understands SigComp, until it is tried with plain SIP; and to
    /// one that has, but is silent now (RFC 3486 section 7).
    private static let patience = (unknown: 3, known: 8)
    /// How long such a peer then gets plain SIP, in microseconds.
    private static let plainPeriod: UInt64 = 600_000_000

    // MARK: What to send

    /// The datagram to send for a message: compressed if its receiver asked for that, else as it is.
    public func datagram(_ message: [UInt8], on flow: Flow, at instant: UInt64) -> [UInt8] {
        guard let wish = wish(message, towards: flow.remote) else { return message }
        return compressed(wish, on: flow, at: instant)?.bytes ?? message
    }

    /// Whether a message that would open a connection to a target should open one for SigComp.
    public func wantsStream(_ message: [UInt8], to target: Target, at instant: UInt64) -> Bool {
        guard message.count <= Self.longestMessage, let wish = wish(message, towards: target.address) else {
            return false
        }
        guard let application = applications[wish.name ?? ""] else { return true }
        return application.plainUntil <= instant
    }

    /// The SigComp message for a stream that carries SigComp, where every message has to be one (RFC 5049 section 5); nil for a
    /// message that is too large for that (section 7).
    public func record(_ message: [UInt8], on flow: Flow, at instant: UInt64) -> [UInt8]? {
        guard message.count <= Self.longestMessage else { return nil }
        guard let wish = wish(message, towards: flow.remote) else {
            tally.sentPlain += 1
            return endpoint.passThrough(message).bytes
        }
        guard let result = compressed(wish, on: flow, at: instant), result.isSigComp else {
            return endpoint.passThrough(message).bytes
        }
        return result.bytes
    }

    /// The longest message that SigComp takes (RFC 5049 section 7), with room for the code that passes one on as it is.
    static let longestMessage = 65_535 - PassThroughProgram.prefix.count

    /// A target was connected to for SigComp, and nothing came back: the next connection is for plain SIP (RFC 3486 section 7).
    public func connectionWasSilent(to target: Target, at instant: UInt64) {
        for application in applications.all where application.address == target.address && !application.hasAnswered {
            application.plainUntil = instant + Self.plainPeriod
        }
    }

    // MARK: Who wants it

    private func wish(_ message: [UInt8], towards address: TransportAddress) -> Wish? {
        let configured = configured(address)
        guard configured != nil || CompressionHint.isIn(message) else { return nil }
        guard case .message(let parsed) = SIPMessage.parse(message) else { return nil }
        let parameters = parsed.isRequest ? parsed.compressionOfNextHop : parsed.compressionOfTopVia
        guard parameters.wantsSigComp || configured != nil else { return nil }
        let name = RemoteApplicationName.name(of: parsed[parameters.identifier]) ?? configured?.name
        return Wish(message: parsed, name: name)
    }

    // MARK: Compressing

    /// What goes out for a message that is wanted in SigComp, which may still be plain SIP; nil for the message as it was.
    private func compressed(_ wish: Wish, on flow: Flow, at instant: UInt64) -> CompressedMessage? {
        let message = wish.message
        let application = receiver(of: wish, on: flow, at: instant)
        if let application, message.isRequest, !isWorthTrying(application, at: instant) {
            tally.sentPlain += 1
            return nil
        }
        let plain = message.isRequest ? withViaParameters(message) : message.bytes
        let result = endpoint.compress(
            plain, for: application?.compartment, over: flow.compressionTransport, at: instant)
        guard case .compressed = result.form else {
            tally.sentPlain += 1
            return result
        }
        tally.sent(message.method, plain: plain.count, compressed: result.bytes.count)
        application?.traffic.sent(plain: plain.count, compressed: result.bytes.count)
        return result
    }

    /// Whose compartment a message is compressed in. Answers go to whoever asks; nothing is kept but for those who are known, and
    /// for those to whom we turn ourselves. The others have no compartment (RFC 5049 section 9.4).
    private func receiver(of wish: Wish, on flow: Flow, at instant: UInt64) -> RemoteApplication? {
        let name = wish.name ?? applications.name(on: flow) ?? RemoteApplicationName.name(of: flow)
        guard wish.message.isRequest || applications[name]?.address.ip == flow.remote.ip else { return nil }
        // Responses do not say whose they are: they belong to whom the request went to (RFC 5049 section 9.1).
        if wish.message.isRequest, wish.name != nil { applications.learn(name, on: flow) }
        let application = applications.application(name, address: flow.remote, at: instant)
        assumePair(application, at: flow.remote, at: instant)
        return application
    }

    /// Before a configured pair has said anything, what is true of this end is taken for true of it.
    private func assumePair(_ application: RemoteApplication, at address: TransportAddress, at instant: UInt64) {
        guard application.traffic == CompressionTraffic(), configured(address)?.peer.isPair == true else { return }
        let own = settings.endpoint
        endpoint.assume(
            PeerKnowledge(parameters: own.parameters, dictionaries: own.dictionaries, isSharing: own.isSharing),
            of: application.compartment, at: instant)
    }

    private func isWorthTrying(_ application: RemoteApplication, at instant: UInt64) -> Bool {
        if instant < application.plainUntil { return false }
        let patience = application.hasAnswered ? Self.patience.known : Self.patience.unknown
        guard application.unanswered < patience else {
            application.plainUntil = instant + Self.plainPeriod
            application.unanswered = 0
            return false
        }
        application.unanswered += 1
        return true
    }

    /// The request with `comp` and `sigcomp-id` in its topmost Via, which is ours (RFC 3486 section 4, RFC 5049 section 9.1).
    private func withViaParameters(_ request: SIPMessage) -> [UInt8] {
        guard !request.compressionOfTopVia.wantsSigComp else { return request.bytes }
        var bytes = request.bytes
        bytes.insert(contentsOf: viaParameters, at: Int(request.topVia.value.end))
        return bytes
    }
}

/// A quick look for a message that cannot want SigComp, so that others cost no parsing.
enum CompressionHint {
    /// False when there is no parameter `comp` in it anywhere.
    static func isIn(_ message: [UInt8]) -> Bool {
        message.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return false }
            var index = 0
            while let found = memchr(base + index, Int32(UInt8(ascii: ";")), bytes.count - index) {
                index = base.distance(to: UnsafeRawPointer(found)) + 1
                if isComp(bytes, index) { return true }
            }
            return false
        }
    }

    private static func isComp(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Bool {
        var index = start
        while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 0x09 { index += 1 }
        guard index + 4 < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "c") else { return false }
        return bytes[index + 1] | 0x20 == UInt8(ascii: "o") && bytes[index + 2] | 0x20 == UInt8(ascii: "m")
            && bytes[index + 3] | 0x20 == UInt8(ascii: "p")
    }
}
