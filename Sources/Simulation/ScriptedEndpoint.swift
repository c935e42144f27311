import LinkProfiles
import SIPCore

/// A minimal, honest SIP user agent: registers and refreshes, sends and answers MESSAGE, keeps its transactions by RFC 3261
/// section 17 and remembers what it has shown, so that it can tell a retransmission from a duplicate.
final class ScriptedEndpoint {
    let device: Int
    let plan: DevicePlan
    unowned let world: World
    var random: SimulationRandom
    var answers: AnswerScript

    /// Where it is attached, or was last.
    private(set) var address: TransportAddress
    private(set) var isAttached = false
    /// Counts its lives: a reboot voids what was scheduled before.
    private(set) var life = 0
    private var moves: UInt16 = 0
    /// When it took its present address.
    private(set) var movedAt = Instant(microseconds: 0)

    // Registration
    private var wantsRegistration = false
    private var isLeaving = false
    private(set) var isRegistered = false
    var registerCSeq = 0
    private var registration = 0
    private(set) var registrationExpiry: TimeSpan

    // Connections
    private(set) var connection: UInt64?
    private var isConnected = false

    // Transactions and memory
    var clients: [String: ClientTransaction] = [:]
    var servers: [String: ServerTransaction] = [:]
    /// Identities of messages shown, with the moment; kept over reboots.
    var remembered: [String: Instant] = [:]
    var branches = 0
    var credentials: EndpointCredentials
    /// Messages of its own that have no final answer yet, in the order they are to be sent.
    var outbox: [OutgoingMessage] = []

    init(device: Int, plan: DevicePlan, world: World) {
        self.device = device
        self.plan = plan
        self.world = world
        random = SimulationRandom(seed: world.scenario.seed).stream(UInt64(device) + 100_000)
        answers = plan.answers
        credentials = EndpointCredentials(user: plan.user)
        registrationExpiry = plan.registrationExpiry
        address = Self.address(of: device, move: 0)
    }

    var name: String { world.name(device) }
    var addressOfRecord: String { "sip:\(plan.user)@\(Scenario.domain)" }
    /// Host and port as they go into Via and Contact.
    var hostPort: String { Trace.text(address) }
    /// Nothing under way: registered as wanted, every message of its own answered.
    var isSettled: Bool { outbox.isEmpty && clients.isEmpty && isRegistered == wantsRegistration }

    // MARK: Coming and going

    func appear(atNewAddress: Bool) {
        if isAttached && !atNewAddress { return }
        if isAttached { detach() }
        if atNewAddress {
            moves += 1
            movedAt = world.now
            address = Self.address(of: device, move: moves)
        }
        isAttached = true
        wantsRegistration = true
        isLeaving = false
        isRegistered = false
        world.trace(name, "appears at \(hostPort)")
        world.network.attach(device, at: address)
        register()
        resumeOutbox()
    }

    /// Faults are over: be there and stay.
    func comeHome() {
        if !isAttached || isLeaving || !wantsRegistration {
            isAttached = false
            appear(atNewAddress: false)
        } else if !isRegistered {
            register()
        }
        retryOutbox()
    }

    func vanish() {
        guard isAttached else { return }
        world.trace(name, "vanishes")
        wantsRegistration = false
        detach()
    }

    func reboot() {
        world.trace(name, "reboots")
        life += 1
        clients = [:]
        servers = [:]
        forgetTransactionsOfOutbox()
        if let connection { world.network.close(connection, from: device, silently: false) }
        connection = nil
        isConnected = false
        isRegistered = false
        guard isAttached else { return }
        let round = registration
        after(.seconds(random.within(1...10))) { if $0.registration == round { $0.startAgain() } }
    }

    private func startAgain() {
        guard isAttached else { return }
        wantsRegistration = true
        isLeaving = false
        register()
        resumeOutbox()
    }

    func deregister() {
        guard isAttached, !isLeaving else { return }
        wantsRegistration = false
        isLeaving = true
        register(expires: 0)
    }

    private func detach() {
        isAttached = false
        isRegistered = false
        registration += 1
        // What it had under way ends with the address it was sent from; messages are tried again from the next.
        clients = [:]
        forgetTransactionsOfOutbox()
        if let connection { world.network.close(connection, from: device, silently: true) }
        connection = nil
        isConnected = false
        world.network.detach(device, from: address)
    }

    static func address(of device: Int, move: UInt16) -> TransportAddress {
        TransportAddress(
            ip: IPAddress(v4: 0x0a01_0000 + UInt32(device % 60_000) + 1), port: 5_060 &+ move &* 2)
    }

    // MARK: Registration (RFC 3261 section 10.2)

    private func register(expires: Int64? = nil) {
        guard isAttached else { return }
        if plan.transport != .udp, !isConnected {
            if connection == nil { connection = world.network.connect(device, from: address) }
            return
        }
        registration += 1
        registerCSeq += 1
        let asked = expires ?? Int64(registrationExpiry.inSeconds)
        var request = newRequest("REGISTER", uri: "sip:\(Scenario.domain)")
        request.add("from", "<\(addressOfRecord)>;tag=r\(device)x\(registerCSeq)")
        request.add("to", "<\(addressOfRecord)>")
        request.add("call-id", "reg\(device)-\(life)@\(plan.user)")
        request.add("cseq", "\(registerCSeq) REGISTER")
        let transport = plan.transport == .udp ? "" : ";transport=tcp"
        var contact = "<sip:\(plan.user)@\(hostPort)\(transport)>"
        if plan.usesOutbound {
            contact += ";reg-id=1;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-\(Self.twelveDigits(device))>\""
            request.add("supported", "path, outbound")
        }
        request.add("contact", contact)
        request.add("expires", String(asked))
        let round = registration
        credentials.sign(&request, random: &random)
        start(request, .register(round: round, expires: asked))
    }

    func registered(_ response: PlainMessage?, round: Int, asked: Int64) {
        guard round == registration else { return }
        switch response?.status ?? 408 {
        case 200..<300:
            world.ledger.totals.registrations += 1
            if asked == 0 {
                if isLeaving {
                    world.trace(name, "leaves")
                    isLeaving = false
                    isRegistered = false
                    detach()
                }
                return
            }
            isRegistered = true
            let granted = response.flatMap(grantedExpiry) ?? asked
            let refresh = TimeSpan.seconds(max(1, granted - min(granted / 2, 600)))
            after(refresh) { if $0.registration == round, $0.wantsRegistration { $0.register() } }
        case 423:
            if let least = response?["min-expires"].flatMap({ Int64($0) }) { registrationExpiry = .seconds(least) }
            after(.seconds(1 as Int64)) { if $0.registration == round, $0.wantsRegistration { $0.register() } }
        default:
            isRegistered = false
            if asked == 0 && isLeaving {
                isLeaving = false
                detach()
                return
            }
            let pause = response?["retry-after"].flatMap { Int64($0.prefix { $0.isNumber }) } ?? random.within(3...20)
            after(.seconds(min(pause, 60))) { if $0.registration == round, $0.wantsRegistration { $0.register() } }
        }
    }

    /// Expiry the registrar granted to this contact.
    private func grantedExpiry(_ response: PlainMessage) -> Int64? {
        for value in response.all("contact") where value.contains(hostPort) {
            if let text = PlainMessage.parameter("expires", of: value) { return Int64(text) }
        }
        return response["expires"].flatMap { Int64($0) }
    }

    private static func twelveDigits(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 12 - digits.count)) + digits
    }

    // MARK: Connections

    func connectionOpened(_ id: UInt64) {
        guard connection == id else { return }
        isConnected = true
        register(expires: isLeaving ? 0 : nil)
        resumeOutbox()
    }

    func connectionClosed(_ id: UInt64) {
        guard connection == id else { return }
        world.trace(name, "connection \(id) closed")
        connection = nil
        isConnected = false
        isRegistered = false
        registration += 1
        let round = registration
        after(.seconds(random.within(1...8))) {
            guard $0.registration == round, $0.connection == nil else { return }
            if $0.isLeaving {
                $0.isLeaving = false
                $0.detach()
            } else if $0.wantsRegistration {
                $0.register()
            }
        }
    }

    /// Whether a request of its own can be sent now.
    var canSend: Bool { isAttached && (plan.transport == .udp || isConnected) }

    // MARK: Tools

    /// Schedules something for this life of the endpoint.
    func after(_ span: TimeSpan, _ happen: @escaping (ScriptedEndpoint) -> Void) {
        let life = life
        world.schedule(after: span) { [unowned self] in if life == self.life { happen(self) } }
    }

    func newRequest(_ method: String, uri: String) -> PlainMessage {
        branches += 1
        var request = PlainMessage(startLine: "\(method) \(uri) SIP/2.0")
        let transport = plan.transport == .udp ? "UDP" : "TCP"
        request.add("via", "SIP/2.0/\(transport) \(hostPort);branch=z9hG4bK-\(device)-\(life)-\(branches);rport")
        request.add("max-forwards", "70")
        return request
    }

    func send(_ bytes: [UInt8], on id: UInt64?) {
        guard isAttached else { return }
        if let id {
            world.network.send(bytes, from: device, on: id)
        } else {
            world.network.datagram(bytes, from: device, at: address)
        }
    }
}
