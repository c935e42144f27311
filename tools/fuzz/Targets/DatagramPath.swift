// rooms: Yams Collections LinkProfiles SIPCore SIPTransaction SIPDialog PresenceDocuments Presence MessageStore Policy Engine
// seeds: sip/rfc4475/*.dat sip/rfc5118/*.dat
// dictionary: datagrams.dict
// link: -lcrypto -lxml2
import Engine
import LinkProfiles
import MessageStore
import Policy
import SIPCore

/// Plays the input to an engine: steps divided by the byte 0x1e, the first byte of each saying what it is. Nothing may trap, and
/// what is left once everything has timed out is bounded.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDatagramPath(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: data, count: size)
    guard let options = bytes.first else { return 0 }
    var stage = Stage(options: options)
    for step in bytes.dropFirst().split(separator: 0x1e, maxSplits: 200) { stage.play(Array(step)) }
    stage.close()
    return 0
}

/// One engine on a store in memory, with its peers.
struct Stage {
    let engine: Engine
    var now = Instant(microseconds: 1_800_000_000_000_000)
    var issued: UInt64 = 0
    var reported: UInt64 = 0
    var waiting: [StoreCommand] = []
    var payloads: [MessageNumber: [UInt8]] = [:]
    var sent: [Transmission] = []
    var questions: [UInt64] = []

    init(options: UInt8) {
        let points = [SIPTransport.udp, .tcp, .tls].map { transport in
            LocalPoint(
                transport: transport,
                address: TransportAddress(ip: IPAddress(v4: 0xC000_0201), port: transport.defaultPort),
                advertisedHost: "192.0.2.1", advertisedPort: transport.defaultPort)
        }
        var configuration = EngineConfiguration(domains: ["example.com", "a"], localPoints: points)
        configuration.trustedPeers = NetworkPrefix("0.0.0.3/32").map { [TrustedPeer(network: $0)] } ?? []
        configuration.routes = [DomainRoute(domain: "b", host: "192.0.2.9", port: 5060, transport: .tcp)]
        var profile = LinkProfile()
        profile.compactHeaders = options & 1 != 0
        profile.flushWindow = options & 2 != 0 ? 4 : 1
        profile.flushOrder = options & 4 != 0 ? .sender : .recipient
        profile.flushByteRate = options & 8 != 0 ? 200 : 0
        configuration.profiles = ["lan": profile]
        if options & 16 != 0 {
            configuration.authentication.isRequired = true
            configuration.accounts = [
                Account(username: "a", domain: "a", realm: "a", digests: ["MD5": "5d41402abc4b2a76b9719d911017c592"])
            ]
        }
        if options & 32 != 0 {
            configuration.limits.quotas.perRecipient.messages = 2
            configuration.limits.perIdentity = RateLimit(perSecond: 2, burst: 2)
        }
        engine = Engine(configuration: configuration, secret: EngineSecret(1, 2, 3, 4), seed: 5, at: now)
    }

    mutating func play(_ step: [UInt8]) {
        guard let kind = step.first else { return }
        let argument = step.count > 1 ? step[1] : 0
        switch kind {
        case UInt8(ascii: "0")...UInt8(ascii: "5"):
            engine.received(Array(step.dropFirst()), on: flow(kind & 7), at: now)
        case UInt8(ascii: "r"): respond(with: Array(step.dropFirst()))
        case UInt8(ascii: "c"): report(isFailure: false)
        case UInt8(ascii: "f"): report(isFailure: true)
        case UInt8(ascii: "t"): pass(.milliseconds(Int64(argument) * 100))
        case UInt8(ascii: "T"): pass(.seconds(Int64(argument) * 30))
        case UInt8(ascii: "x"): engine.flowClosed(flow(argument & 7), at: now)
        case UInt8(ascii: "X"): fail(argument)
        case UInt8(ascii: "d"): resolve(argument)
        case UInt8(ascii: "o"): operate(argument)
        case UInt8(ascii: "q"): engine.drain(at: now)
        default: engine.received(step, on: flow(0), at: now)
        }
        collect()
    }

    private func flow(_ number: UInt8) -> Flow {
        let transport: SIPTransport = number < 3 ? .udp : number == 3 ? .tcp : .tls
        return Flow(
            transport: transport, listener: UInt16(transport.rawValue), connection: number < 3 ? 0 : UInt64(number),
            remote: TransportAddress(ip: IPAddress(v4: UInt32(number)), port: 5060))
    }

    private mutating func collect() {
        let output = engine.output
        engine.output = EngineOutput()
        waiting += output.storeCommands
        sent = Array((sent + output.transmissions).suffix(64))
        questions += output.resolutions.map(\.id)
        // A response repeats what was wrong with its request; requests are always well-formed.
        for transmission in output.transmissions where !transmission.bytes.starts(with: "SIP/2.0".utf8) {
            guard case .message = SIPMessage.parse(transmission.bytes) else {
                preconditionFailure("sent what cannot be read")
            }
        }
    }

    /// A peer's response to the request sent last or, with a first byte, earlier: `status` and header lines are the input's.
    private mutating func respond(with text: [UInt8]) {
        guard text.count >= 2 else { return }
        let requests = sent.compactMap { transmission -> SIPMessage? in
            guard case .message(let message) = SIPMessage.parse(transmission.bytes), message.isRequest else {
                return nil
            }
            return message
        }
        guard !requests.isEmpty else { return }
        let request = requests[requests.count - 1 - Int(text[0] & 15) % requests.count]
        let status = UInt16(100 + Int(text[1]) * 600 / 256)
        let headers = Array(text.dropFirst(2).split(separator: 0x0a).map { Array($0) + [0x0a] }.joined())
        engine.received(
            MessageWriter.response(to: request, status: status, toTag: [UInt8(ascii: "e")], headers: headers),
            on: flow(0), at: now)
    }

    private mutating func report(isFailure: Bool) {
        guard !waiting.isEmpty else { return }
        let group = waiting
        waiting = []
        reported += UInt64(group.count)
        if isFailure { return engine.storeFailed(through: reported, failure: .full("fuzz"), at: now) }
        var claims: [ClaimedMessage] = []
        for command in group {
            switch command {
            case .enqueue(let message): payloads[message.number] = message.payload
            case .claim(let number, _, _):
                if let payload = payloads[number] { claims.append(ClaimedMessage(number: number, payload: payload)) }
            case .deliver(let number, _), .expire(let number, _, _), .refuse(let number, _, _): payloads[number] = nil
            case .name, .retry, .release, .forget, .bind, .unbind, .presence: break
            }
        }
        engine.committed(through: reported, claimed: claims, at: now)
    }

    private mutating func pass(_ span: TimeSpan) {
        let end = now + span
        var steps = 0
        while let next = engine.nextDeadline, next <= end, steps < 400 {
            now = max(now, next)
            engine.advance(to: now)
            collect()
            steps += 1
        }
        now = end
        engine.advance(to: now)
    }

    private func fail(_ argument: UInt8) {
        guard !sent.isEmpty else { return }
        engine.transmissionFailed(sent[Int(argument) % sent.count].token, reason: "fuzz", at: now)
    }

    private mutating func resolve(_ argument: UInt8) {
        guard let id = questions.popLast() else { return }
        let targets = (0..<Int(argument & 3)).map { number in
            Target(
                transport: number == 1 ? .tcp : .udp,
                address: TransportAddress(ip: IPAddress(v4: 0xC000_0210 + UInt32(number)), port: 5060))
        }
        engine.resolved(id, targets: targets, at: now)
    }

    private func operate(_ argument: UInt8) {
        let number = MessageNumber(Int64(argument >> 2) + 1)
        switch argument & 3 {
        case 0: _ = engine.perform(.retry(number), at: now)
        case 1: _ = engine.perform(.expire(number), at: now)
        case 2: _ = engine.perform(.drop(number), at: now)
        default: _ = engine.perform(.retryRecipient("sip:a@a"), at: now)
        }
    }

    /// Everything is answered for, and the longest call given up: what remains are users and their stored messages.
    mutating func close() {
        collect()
        while let id = questions.popLast() {
            engine.resolved(id, targets: [], at: now)
            collect()
        }
        for _ in 0..<4 {
            for _ in 0..<40 {
                now = now + .seconds(7 as Int64)
                engine.advance(to: now)
                collect()
                report(isFailure: false)
                collect()
                while let id = questions.popLast() { engine.resolved(id, targets: [], at: now) }
            }
        }
        let counters = engine.counters
        precondition(counters.openContexts <= counters.messagesQueued, "a request is held for ever")
        precondition(counters.serverTransactions <= 64, "server transactions that never end")
        precondition(counters.messagesQueued >= 0 && counters.bytesQueued >= 0, "less than nothing is stored")
    }
}
