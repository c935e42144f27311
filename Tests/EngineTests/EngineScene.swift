import LinkProfiles
import MessageStore
import Policy
import SIPCore
import Simulation

@testable import Engine

/// An engine for example.com on a store in memory, with the clock in the test's hand. What the engine sends is collected in
/// `sent`; store commands wait until ``commit()``, which ``settle()`` calls until nothing is left to do.
final class EngineScene {
    static let start = Instant(microseconds: 1_800_000_000_000_000)
    static let secret = EngineSecret(1, 2, 3, 4)

    let store: SimulatedStore
    private(set) var engine: Engine
    private let configuration: EngineConfiguration
    private var handedOver: UInt64 = 0
    private var waiting: [StoreCommand] = []
    var now = EngineScene.start
    var sent: [Sent] = []
    var resolutions: [Resolution] = []
    var notices: [Notice] = []
    var standing: SenderStanding { engine.standing }

    struct Sent {
        let text: String
        let message: SIPMessage
        let destination: Destination
        let token: UInt64
        let charge: DownlinkCharge?
        let at: Instant

        var status: UInt16 { message.statusCode }
        var branch: String { message.text(message.topVia.branch) }
        var port: UInt16 {
            switch destination {
            case .flow(let flow): flow.remote.port
            case .target(let target): target.address.port
            }
        }
        var body: String { message.text(message.body) }
        func header(_ name: HeaderName) -> String? { message.first(name).map { message.text($0.value) } }
    }

    init(store: SimulatedStore = SimulatedStore(), _ change: (inout EngineConfiguration) -> Void = { _ in }) throws {
        var configuration = EngineConfiguration(domains: ["example.com"], localPoints: Self.points)
        change(&configuration)
        self.configuration = configuration
        self.store = store
        engine = Engine(configuration: configuration, secret: Self.secret, seed: 7, at: now)
        try engine.recover(from: store, at: now)
    }

    static let points: [LocalPoint] = [SIPTransport.udp, .tcp, .tls].map { transport in
        LocalPoint(
            transport: transport,
            address: TransportAddress(ip: IPAddress(v4: 0xC000_0201), port: transport.defaultPort),
            advertisedHost: "192.0.2.1", advertisedPort: transport.defaultPort)
    }

    static func udp(_ port: UInt16, from ip: UInt32 = 0xC633_6407) -> Flow {
        Flow(transport: .udp, listener: 0, remote: TransportAddress(ip: IPAddress(v4: ip), port: port))
    }

    static func tcp(_ connection: UInt64) -> Flow {
        Flow(
            transport: .tcp, listener: 1, connection: connection,
            remote: TransportAddress(
                ip: IPAddress(v4: 0xC633_6407), port: UInt16(truncatingIfNeeded: 40_000 + connection)))
    }

    // MARK: Driving

    /// A new engine on the same store, as after a crash: what was not committed is gone.
    func restart() throws {
        waiting = []
        handedOver = 0
        engine = Engine(configuration: configuration, secret: Self.secret, seed: 8, at: now)
        try engine.recover(from: store, at: now)
    }

    func receive(_ text: String, on flow: Flow = EngineScene.udp(5060)) {
        engine.received(Array(text.utf8), on: flow, at: now)
        drain()
    }

    func receive(_ bytes: [UInt8], on flow: Flow = EngineScene.udp(5060)) {
        engine.received(bytes, on: flow, at: now)
        drain()
    }

    func drain() {
        let output = engine.output
        engine.output = EngineOutput()
        for transmission in output.transmissions {
            let message: SIPMessage
            switch SIPMessage.parse(transmission.bytes) {
            case .message(let read), .malformed(let read, _): message = read
            case .unreadable: continue
            }
            sent.append(
                Sent(
                    text: String(decoding: transmission.bytes, as: UTF8.self), message: message,
                    destination: transmission.destination, token: transmission.token, charge: transmission.charge,
                    at: now))
        }
        waiting += output.storeCommands
        resolutions += output.resolutions
        notices += output.notices
    }

    /// Commits what waits as one group; false when nothing waited.
    @discardableResult
    func commit() -> Bool {
        guard !waiting.isEmpty else { return false }
        let group = waiting
        waiting = []
        handedOver += UInt64(group.count)
        do {
            let claimed = try store.commit(group)
            engine.committed(through: handedOver, claimed: claimed, at: now)
        } catch {
            engine.storeFailed(through: handedOver, failure: error, at: now)
        }
        drain()
        return true
    }

    func settle() { while commit() {} }

    /// Moves the clock in steps to every deadline on the way, committing what comes up.
    func advance(_ span: TimeSpan) {
        let end = now + span
        while let next = engine.nextDeadline, next <= end {
            now = max(now, next)
            engine.advance(to: now)
            drain()
            settle()
        }
        now = end
        engine.advance(to: now)
        drain()
        settle()
    }

    /// Takes what was sent so far.
    func take() -> [Sent] {
        defer { sent = [] }
        return sent
    }

    func requests(_ method: SIPMethod) -> [Sent] { sent.filter { $0.message.isRequest && $0.message.method == method } }
    var statuses: [UInt16] { sent.filter { !$0.message.isRequest }.map(\.status) }

    // MARK: Peers

    /// Registers a user from a port and commits it.
    func register(
        _ user: String, port: UInt16, flow: Flow? = nil, expires: Int = 3_600, q: String = "", cseq: Int = 1,
        callID: String = ""
    ) {
        let flow = flow ?? Self.udp(port)
        receive(
            """
            REGISTER sip:example.com SIP/2.0\r
            Via: SIP/2.0/\(flow.transport == .udp ? "UDP" : "TCP") 198.51.100.7:\(port);rport;branch=z9hG4bKr\(user)\(port)\(cseq)\(now.microseconds)\r
            Max-Forwards: 70\r
            From: <sip:\(user)@example.com>;tag=r\r
            To: <sip:\(user)@example.com>\r
            Call-ID: \(callID.isEmpty ? "reg-\(user)-\(port)" : callID)\r
            CSeq: \(cseq) REGISTER\r
            Contact: <sip:\(user)@198.51.100.7:\(port)>\(q.isEmpty ? "" : ";q=\(q)")\r
            Expires: \(expires)\r
            Content-Length: 0\r
            \r\n
            """, on: flow)
        settle()
    }

    static func message(
        to user: String, from sender: String = "bob", body: String = "hi", id: String, cseq: Int = 1,
        branch: String? = nil,
        port: UInt16 = 5060, extra: String = "", domain: String = "example.com", senderDomain: String = "example.com"
    ) -> String {
        """
        MESSAGE sip:\(user)@\(domain) SIP/2.0\r
        Via: SIP/2.0/UDP 198.51.100.7:\(port);rport;branch=z9hG4bK\(branch ?? id)\r
        Max-Forwards: 70\r
        From: <sip:\(sender)@\(senderDomain)>;tag=f\(id)\r
        To: <sip:\(user)@\(domain)>\r
        Call-ID: \(id)@198.51.100.7\r
        CSeq: \(cseq) MESSAGE\r
        \(extra)Content-Type: text/plain\r
        Content-Length: \(body.utf8.count)\r
        \r
        \(body)
        """
    }

    /// What an endpoint answers to a request it received.
    static func response(_ status: UInt16, to request: Sent, headers: String = "") -> [UInt8] {
        MessageWriter.response(
            to: request.message, status: status, toTag: Array("endpoint".utf8), headers: Array(headers.utf8))
    }

    func answer(_ status: UInt16, to request: Sent, headers: String = "", on flow: Flow? = nil) {
        var from = flow
        if from == nil, case .flow(let used) = request.destination { from = used }
        receive(Self.response(status, to: request, headers: headers), on: from ?? Self.udp(request.port))
    }
}
