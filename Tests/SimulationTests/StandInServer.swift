import Engine
import LinkProfiles
import MessageStore
import SIPCore
import Simulation

/// A store-and-forward server small enough to be seen through: every MESSAGE is stored, answered 202 after the commit and
/// delivered one at a time. It is what the world is tested with, and with a defect built in, what the checks are tested with.
final class StandInServer: SimulatedServer {
    /// What is wrong with it.
    enum Defect: Hashable, CaseIterable {
        case none
        /// Answers 202 when the message is handed over, before the commit.
        case answersBeforeCommit
        /// Answers 202 and forgets the message.
        case dropsSilently
        /// Stores a repeated message again under a new identity.
        case rewritesCallID
        /// Delivers the newest first.
        case newestFirst
        case altersBodies
        case ignoresExpiry
        case expiresAtOnce
        /// Delivers to the first user registered, whoever it is for.
        case misroutes
        /// Refuses messages that nobody refused.
        case refusesSilently
        /// Gives up after one attempt until the recipient registers again.
        case neverRetries
        /// Keeps no memory of what it has stored.
        case forgetsIdentities
        /// Uses another branch with each attempt.
        case freshBranches
        case neverAnswersRegister
        case leaksTransactions
        case neverSleeps
        case numbersTwice
        case answersNothing
    }

    private struct Deferred {
        var number: MessageNumber
        var recipient: String
        var identity: MessageIdentity
        var expiresAt: Instant
        var attempts: UInt32
        var notBefore: Instant
    }

    private struct Attempt {
        var number: MessageNumber
        var bytes: [UInt8]
        var target: TransportAddress
        var interval: TimeSpan
        var next: Instant
        var end: Instant
    }

    private enum AfterCommit {
        case answer(SimpleMessage, Flow, Int, String)
        case attempt(MessageNumber)
    }

    var output = EngineOutput()
    private let defect: Defect
    private let seed: UInt64
    private var queue: [Deferred] = []
    private var attempts: [String: Attempt] = [:]
    private var contacts: [String: (TransportAddress, Instant, BindingNumber)] = [:]
    private var addresses: [String: AddressNumber] = [:]
    private var names: [Int64: String] = [:]
    private var identities: Set<MessageIdentity> = []
    private var pendingIdentities: Set<MessageIdentity> = []
    private var answered: [String: (answer: [UInt8], until: Instant)] = [:]
    private var open: [String: Instant] = [:]
    private var after: [(UInt64, AfterCommit)] = []
    private var handedOver: UInt64 = 0
    private var lastMessage: Int64 = 0
    private var lastAddress: Int64 = 0
    private var lastBinding: Int64 = 0
    private var leaked = 0
    /// Bindings that are to go, and the commands that say so.
    private var unbinding: [(command: UInt64, binding: BindingNumber)] = []

    init(defect: Defect = .none, seed: UInt64) {
        self.defect = defect
        self.seed = seed
    }

    static func factory(_ defect: Defect = .none) -> World.ServerFactory {
        { _, seed, _ in StandInServer(defect: defect, seed: seed) }
    }

    var occupancy: ServerOccupancy {
        ServerOccupancy(
            transactions: attempts.count + answered.count + leaked, contexts: 0, queued: queue.count,
            bindings: contacts.count)
    }

    // MARK: Recovery

    func start(from store: any MessageStore, at now: Instant) throws(StoreFailure) {
        var visitor = Visitor()
        let numbers = try store.recover(duplicatesSince: now - .seconds(3_600 as Int64), into: &visitor)
        lastMessage = numbers.lastMessage.rawValue
        lastAddress = numbers.lastAddress.rawValue
        lastBinding = numbers.lastBinding.rawValue
        names = visitor.names
        for (number, text) in names { addresses[text] = AddressNumber(number) }
        for binding in visitor.bindings {
            guard let name = names[binding.address.rawValue], let contact = Self.address(binding.contact) else {
                continue
            }
            contacts[name] = (contact, binding.expiresAt, binding.number)
        }
        if !isForgetful { identities = visitor.identities }
        for message in visitor.messages {
            guard let name = names[message.recipient.rawValue] else { continue }
            queue.append(
                Deferred(
                    number: message.number, recipient: name, identity: message.identity, expiresAt: message.expiresAt,
                    attempts: message.attempts, notBefore: now))
            if !isForgetful { identities.insert(message.identity) }
        }
        pump(now)
    }

    private struct Visitor: RecoveryVisitor {
        var names: [Int64: String] = [:]
        var bindings: [StoredBinding] = []
        var messages: [RecoveredMessage] = []
        var identities: Set<MessageIdentity> = []
        mutating func address(_ number: AddressNumber, addressOfRecord: String) {
            names[number.rawValue] = addressOfRecord
        }
        mutating func binding(_ binding: StoredBinding) { bindings.append(binding) }
        mutating func message(_ message: RecoveredMessage) { messages.append(message) }
        mutating func settled(_ identity: MessageIdentity, acceptedAt: Instant) { identities.insert(identity) }
    }

    // MARK: Input

    func received(_ bytes: [UInt8], on flow: Flow, at now: Instant) {
        guard defect != .answersNothing, let message = SimpleMessage(bytes) else { return }
        if message.status > 0 {
            answerReceived(message, now)
            return
        }
        let key = message["via"]
        if let known = answered[key] {
            output.transmissions.append(Transmission(bytes: known.answer, destination: .flow(flow)))
            return
        }
        if let until = open[key], until > now { return }
        open[key] = now + .seconds(32 as Int64)
        switch message.method {
        case "REGISTER": register(message, flow, now)
        case "MESSAGE": accept(message, flow, now)
        default: answer(message, flow, 405, now)
        }
    }

    func flowOpened(_ flow: Flow, target: Target?, at: Instant) {}
    func flowClosed(_ flow: Flow, at: Instant) {}
    func transmissionFailed(_ token: UInt64, reason: String, at: Instant) {}
    func resolved(_ id: UInt64, targets: [Target], at: Instant) {}

    private func register(_ message: SimpleMessage, _ flow: Flow, _ now: Instant) {
        guard defect != .neverAnswersRegister else { return }
        let user = message.user("to")
        let number = name(user)
        let expires = Int64(message["expires"]) ?? 3_600
        if let old = contacts.removeValue(forKey: user) { unbind(old.2) }
        if expires > 0, let contact = Self.address(message["contact"]) {
            lastBinding += 1
            let until = now + .seconds(expires)
            contacts[user] = (contact, until, BindingNumber(lastBinding))
            emit(
                .bind(
                    StoredBinding(
                        number: BindingNumber(lastBinding), address: number, contact: message["contact"],
                        parameters: "",
                        callID: "", cseq: 0, q: 1000, expiresAt: until, path: "", instance: "", regID: 0, flow: "")))
            for index in queue.indices
            where queue[index].recipient == user && attempt(of: queue[index].number) == nil
                && defect != .neverRetries
            {
                queue[index].notBefore = now
            }
        } else {
            emit(.forget(before: Instant(microseconds: 0), limit: 0))
        }
        after.append(
            (
                handedOver,
                .answer(message, flow, 200, expires > 0 ? "Contact: \(message["contact"]);expires=\(expires)\r\n" : "")
            ))
        pump(now)
    }

    private func accept(_ message: SimpleMessage, _ flow: Flow, _ now: Instant) {
        let identity = message.identity
        if defect == .dropsSilently, message["cseq"].hasPrefix("3 ") {
            answer(message, flow, 202, now)
            return
        }
        if identities.contains(identity), !isForgetful {
            answer(message, flow, 202, now)
            return
        }
        if pendingIdentities.contains(identity) {
            answer(message, flow, 500, now)
            return
        }
        let user = message.user("to")
        let recipient = name(user)
        lastMessage += 1
        let number = MessageNumber(lastMessage)
        let life = Int64(message["expires"]) ?? 7 * 86_400
        let expiresAt = defect == .expiresAtOnce ? now + .seconds(1 as Int64) : now + .seconds(life)
        emit(
            .enqueue(
                DeferredMessage(
                    number: defect == .numbersTwice && lastMessage == 3 ? MessageNumber(2) : number,
                    recipient: recipient,
                    sender: message.user("from"), identity: identity, acceptedAt: now,
                    expiresAt: expiresAt, isUrgent: false, state: .queued, attempts: 0,
                    payload: message.payload(altered: defect == .altersBodies, callID: callID(message)))))
        pendingIdentities.insert(identity)
        let entry = Deferred(
            number: number, recipient: user, identity: identity, expiresAt: expiresAt, attempts: 0, notBefore: now)
        if defect == .newestFirst { queue.insert(entry, at: 0) } else { queue.append(entry) }
        if defect == .answersBeforeCommit { answer(message, flow, 202, now) }
        if defect == .refusesSilently, number.rawValue % 3 == 0 {
            emit(.refuse(number, at: now, cause: DeliveryCause(code: 603)))
            queue.removeAll { $0.number == number }
        }
        after.append((handedOver, .answer(message, flow, 202, "")))
    }

    private func callID(_ message: SimpleMessage) -> String {
        defect == .rewritesCallID ? message["call-id"] + "x\(lastMessage)" : message["call-id"]
    }

    private func answerReceived(_ message: SimpleMessage, _ now: Instant) {
        guard message.status >= 200, let attempt = attempts.removeValue(forKey: message.branch) else { return }
        guard let index = queue.firstIndex(where: { $0.number == attempt.number }) else { return }
        if message.status < 300 {
            emit(.deliver(attempt.number, at: now))
            queue.remove(at: index)
        } else if [403, 488, 603].contains(message.status) {
            emit(.refuse(attempt.number, at: now, cause: DeliveryCause(code: UInt16(message.status))))
            queue.remove(at: index)
        } else {
            failed(index, DeliveryCause(code: UInt16(message.status)), now)
        }
        pump(now)
    }

    private func failed(_ index: Int, _ cause: DeliveryCause, _ now: Instant) {
        let due = now + .seconds(defect == .neverRetries ? 10_000_000 : 20 as Int64)
        queue[index].notBefore = due
        emit(.retry(queue[index].number, due: due, cause: cause))
    }

    // MARK: The store

    private var isForgetful: Bool { defect == .forgetsIdentities || defect == .rewritesCallID }

    private func emit(_ command: StoreCommand) {
        output.storeCommands.append(command)
        handedOver += 1
    }

    private func unbind(_ binding: BindingNumber) {
        emit(.unbind(binding))
        unbinding.append((handedOver, binding))
    }

    private func name(_ user: String) -> AddressNumber {
        if let known = addresses[user] { return known }
        lastAddress += 1
        let number = AddressNumber(lastAddress)
        addresses[user] = number
        emit(.name(number, addressOfRecord: user))
        return number
    }

    func committed(through: UInt64, claimed: [ClaimedMessage], at now: Instant) {
        unbinding.removeAll { $0.command <= through }
        var payloads = claimed[...]
        while let (number, next) = after.first, number <= through {
            after.removeFirst()
            switch next {
            case .answer(let message, let flow, let status, let extra):
                let identity = message.identity
                if message.method == "MESSAGE" {
                    pendingIdentities.remove(identity)
                    if !isForgetful { identities.insert(identity) }
                }
                if answered[message["via"]] == nil { answer(message, flow, status, now, extra) }
            case .attempt(let message):
                guard let payload = payloads.popFirst()?.payload else { continue }
                send(message, payload, now)
            }
        }
        pump(now)
    }

    func storeFailed(through: UInt64, failure: StoreFailure, at now: Instant) {
        while let (number, next) = after.first, number <= through {
            after.removeFirst()
            switch next {
            case .answer(let message, let flow, _, _):
                if message.method == "MESSAGE" {
                    let identity = message.identity
                    pendingIdentities.remove(identity)
                    queue.removeAll { $0.identity == identity }
                }
                answer(message, flow, 503, now)
            case .attempt(let message):
                attempts["claiming\(message.rawValue)"] = nil
                if let index = queue.firstIndex(where: { $0.number == message }) {
                    queue[index].notBefore = now + .seconds(5 as Int64)
                }
            }
        }
        let unbound = unbinding.filter { $0.command <= through }
        unbinding.removeAll { $0.command <= through }
        for (_, binding) in unbound { unbind(binding) }
        // What was named may not have been: name it again.
        for (text, number) in addresses.sorted(by: { $0.key < $1.key }) { emit(.name(number, addressOfRecord: text)) }
        pump(now)
    }

    // MARK: Delivery

    private func attempt(of number: MessageNumber) -> String? { attempts.first { $0.value.number == number }?.key }

    /// Begins an attempt for the first message of every recipient that is there.
    private func pump(_ now: Instant) {
        for index in queue.indices where now >= queue[index].expiresAt && defect != .ignoresExpiry {
            if let key = attempt(of: queue[index].number) { attempts[key] = nil }
            emit(.expire(queue[index].number, at: now, cause: .none))
        }
        if defect != .ignoresExpiry { queue.removeAll { now >= $0.expiresAt } }
        var seen: Set<String> = []
        for index in queue.indices where seen.insert(queue[index].recipient).inserted {
            guard queue[index].notBefore <= now, attempt(of: queue[index].number) == nil,
                !pendingIdentities.contains(queue[index].identity),
                contacts[queue[index].recipient].map({ $0.1 > now }) ?? false
            else { continue }
            let number = queue[index].number
            queue[index].attempts += 1
            attempts["claiming\(number.rawValue)"] = Attempt(
                number: number, bytes: [], target: Scenario.nodeAddress, interval: .zero, next: .distantFuture,
                end: .distantFuture)
            emit(.claim(number, attempts: queue[index].attempts, at: now))
            after.append((handedOver, .attempt(number)))
        }
    }

    private func send(_ number: MessageNumber, _ payload: [UInt8], _ now: Instant) {
        attempts["claiming\(number.rawValue)"] = nil
        guard let entry = queue.first(where: { $0.number == number }) else { return }
        let recipient = defect == .misroutes ? contacts.keys.sorted().first ?? entry.recipient : entry.recipient
        guard let contact = contacts[recipient] else { return }
        // The same branch after a crash, so that the device's transaction absorbs the repetition.
        let branch =
            defect == .freshBranches
            ? "z9hG4bK-\(seed)-\(now.microseconds)" : "z9hG4bK-s\(number.rawValue)-\(entry.attempts / 1_000)"
        let head =
            "MESSAGE sip:\(recipient)@x SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=\(branch)\r\nMax-Forwards: 69\r\n"
        let bytes = Array(head.utf8) + payload
        attempts[branch] = Attempt(
            number: number, bytes: bytes, target: contact.0, interval: .milliseconds(500),
            next: now + .milliseconds(500),
            end: now + .seconds(32 as Int64))
        transmit(bytes, contact.0)
    }

    private func transmit(_ bytes: [UInt8], _ address: TransportAddress) {
        let flow = Flow(transport: .udp, listener: 0, remote: address)
        output.transmissions.append(Transmission(bytes: bytes, destination: .flow(flow)))
    }

    private func answer(_ message: SimpleMessage, _ flow: Flow, _ status: Int, _ now: Instant, _ extra: String = "") {
        let bytes = message.answer(status, extra)
        answered[message["via"]] = (bytes, now + .seconds(32 as Int64))
        open[message["via"]] = nil
        if defect == .leaksTransactions { leaked += 1 }
        output.transmissions.append(Transmission(bytes: bytes, destination: .flow(flow)))
    }

    // MARK: Time

    var nextDeadline: Instant? {
        if defect == .neverSleeps { return Instant(microseconds: 0) }
        let times =
            attempts.values.map { min($0.next, $0.end) } + answered.values.map(\.until)
            + queue.map { min($0.expiresAt, attempt(of: $0.number) == nil ? $0.notBefore : .distantFuture) }.filter {
                $0 > last
            }
            + contacts.values.map(\.1)
        return times.min()
    }

    private var last = Instant(microseconds: 0)

    func advance(to now: Instant) {
        last = now
        for (key, attempt) in attempts.sorted(by: { $0.key < $1.key }) {
            if attempt.end <= now {
                attempts[key] = nil
                if let index = queue.firstIndex(where: { $0.number == attempt.number }) { failed(index, .timeout, now) }
            } else if attempt.next <= now {
                let interval = min(attempt.interval * 2, .seconds(4 as Int64))
                attempts[key]?.interval = interval
                attempts[key]?.next = now + interval
                transmit(attempt.bytes, attempt.target)
            }
        }
        answered = answered.filter { $0.value.until > now }
        open = open.filter { $0.value > now }
        for (user, contact) in contacts.sorted(by: { $0.key < $1.key }) where contact.1 <= now {
            contacts[user] = nil
            unbind(contact.2)
        }
        pump(now)
    }

    /// Address in `sip:user@1.2.3.4:5060`.
    private static func address(_ contact: String) -> TransportAddress? {
        guard let at = contact.firstIndex(of: "@") else { return nil }
        let text = contact[contact.index(after: at)...].prefix { $0.isNumber || $0 == "." || $0 == ":" }
        let parts = text.split(separator: ":")
        let bits = parts.first?.split(separator: ".").compactMap { UInt32($0) } ?? []
        guard bits.count == 4, parts.count == 2, let port = UInt16(parts[1]) else { return nil }
        return TransportAddress(ip: IPAddress(v4: bits.reduce(0) { $0 << 8 | $1 }), port: port)
    }
}
