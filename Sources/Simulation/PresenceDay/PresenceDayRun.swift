import Engine
import LinkProfiles
import MessageStore
import SIPCore
import SigComp

/// One day with the means of one stage: the real engine, a store that commits at once, contacts on a good line, one watcher on the
/// link. Nothing is lost on the link, so that what is counted is what was sent on purpose.
final class PresenceDayRun {
    private let day: PresenceDay
    private(set) var outcome: PresenceDay.Outcome
    private let engine: Engine
    private let store = SimulatedStore()
    private let link: DayLink
    private var watcher: DayWatcher
    private var contacts: [DayContact]
    private var tags: [String?]
    private var publications = 0
    private var now = Scenario.beginning
    private var queue = EventQueue()
    private var handedOver: UInt64 = 0
    private var radioAwakeUntil = Scenario.beginning

    init(day: PresenceDay, stage: PresenceDay.Stage) {
        self.day = day
        outcome = PresenceDay.Outcome(stage: stage)
        let random = SimulationRandom(seed: day.seed)
        contacts = (0..<day.contacts).map { DayContact(number: $0, random: random.stream(UInt64(100 + $0))) }
        tags = Array(repeating: nil, count: day.contacts)
        watcher = DayWatcher(contacts: day.contacts, stage: stage, interval: day.interval)
        var conditions = LinkConditions.typical(of: day.profile.name).withoutFaults
        conditions.jitter = .zero
        link = DayLink(
            conditions, headers: day.profile.budget.packetOverhead,
            compression: stage < .compressed
                ? nil : SigCompConfiguration(parameters: day.parameters, algorithms: day.algorithms),
            random: random.stream(1))
        engine = Engine(
            configuration: Self.configuration(day, stage), secret: EngineSecret(1, 2, 3, 4), seed: day.seed,
            at: Scenario.beginning)
    }

    private static func configuration(_ day: PresenceDay, _ stage: PresenceDay.Stage) -> EngineConfiguration {
        let point = LocalPoint(
            transport: .udp, address: Scenario.nodeAddress, advertisedHost: "10.0.0.1",
            advertisedPort: Scenario.nodeAddress.port)
        var profile = day.profile
        // Full states are larger than a datagram should be; so that all stages are counted alike, all go in one.
        profile.datagramLimit = 65_507
        if stage < .scheduled { profile.budget = LinkBudget() }
        var configuration = EngineConfiguration(domains: [Scenario.domain], localPoints: [point])
        configuration.profiles["watcher"] = profile
        configuration.profileRules = [ProfileRule(profile: "watcher", network: NetworkPrefix("10.1.0.0/16"))]
        let twoDays = TimeSpan.seconds(2 * 86_400 as Int64)
        configuration.presence.subscriptions.maximum = twoDays
        configuration.presence.publications.maximum = twoDays
        return configuration
    }

    // MARK: The day

    func live() {
        var random = SimulationRandom(seed: day.seed).stream(2)
        for number in contacts.indices {
            schedule(after: .milliseconds(Int64(number) * 10)) { [unowned self] in publish(number) }
            schedule(after: .seconds(10 + Double(number))) { [unowned self] in send(watcher.subscribe(to: number)) }
        }
        // The day begins when everybody is there.
        let dawn = 300.0
        let changes = Int((Double(day.contacts) * day.changesPerHour * day.hours).rounded())
        for _ in 0..<changes {
            let number = random.below(day.contacts)
            schedule(after: .seconds(dawn + random.fraction() * day.hours * 3_600)) { [unowned self] in
                contacts[number].change()
                outcome.changes += 1
                publish(number)
            }
        }
        let night = dawn + day.hours * 3_600
        advance(to: Scenario.beginning + .seconds(dawn))
        let before = count()
        advance(to: Scenario.beginning + .seconds(night) + day.interval + .seconds(120 as Int64))
        let after = count()
        finish(before, after)
        compare()
    }

    private func count() -> PresenceDay.Outcome {
        var counted = outcome
        counted.notifications = watcher.notifications
        counted.retransmissions = watcher.retransmissions
        counted.bytes = link.bytesDown
        counted.plainBytes = link.plainBytesDown
        counted.bytesBack = link.bytesUp
        return counted
    }

    /// What happened from the first change on: subscribing itself is the same in every stage and not counted.
    private func finish(_ before: PresenceDay.Outcome, _ after: PresenceDay.Outcome) {
        outcome.notifications = after.notifications - before.notifications
        outcome.retransmissions = after.retransmissions - before.retransmissions
        outcome.bytes = after.bytes - before.bytes
        outcome.plainBytes = after.plainBytes - before.plainBytes
        outcome.bytesBack = after.bytesBack - before.bytesBack
        outcome.wakeUps = after.wakeUps - before.wakeUps
    }

    /// Has every contact's full state sent and compares it with what the watcher made of the notifications.
    private func compare() {
        for number in contacts.indices {
            schedule(after: .seconds(Double(number))) { [unowned self] in send(watcher.refresh(number)) }
        }
        advance(to: now + day.interval + .seconds(Double(day.contacts) + 600))
        outcome.faults = link.faults + watcher.faults
        if watcher.refreshed < contacts.count {
            outcome.faults.append("\(contacts.count - watcher.refreshed) contacts' states were not sent at the end")
        }
    }

    // MARK: Virtual time

    private func schedule(after span: TimeSpan, _ happen: @escaping () -> Void) {
        queue.schedule(at: now + span, happen)
    }

    private func advance(to end: Instant) {
        while true {
            let deadline = engine.nextDeadline ?? .distantFuture
            if let next = queue.nextTime, next <= min(deadline, end), let event = queue.next() {
                now = max(now, event.at)
                event.happen()
            } else if deadline <= end {
                now = max(now, deadline)
                engine.advance(to: now)
            } else {
                break
            }
            takeOutput()
        }
        now = max(now, end)
    }

    // MARK: The node's door

    private func takeOutput() {
        while !engine.output.isEmpty {
            let output = engine.output
            engine.output = EngineOutput()
            for transmission in output.transmissions { transmit(transmission) }
            guard !output.storeCommands.isEmpty else { continue }
            handedOver += UInt64(output.storeCommands.count)
            do throws(StoreFailure) {
                let claimed = try store.commit(output.storeCommands)
                engine.committed(through: handedOver, claimed: claimed, at: now)
            } catch {
                outcome.faults.append("the store refused: \(error)")
                engine.storeFailed(through: handedOver, failure: error, at: now)
            }
        }
    }

    private func transmit(_ transmission: Transmission) {
        guard case .flow(let flow) = transmission.destination else {
            outcome.faults.append("something went to a place unknown")
            return
        }
        guard flow.remote == DayWatcher.address else { return answered(transmission.bytes, flow.remote) }
        if now > radioAwakeUntil { outcome.wakeUps += 1 }
        stayAwake()
        guard let crossing = link.towardsWatcher(transmission.bytes, at: now) else { return }
        if let charge = transmission.charge { engine.transmitted(charge, bytes: crossing.wireBytes, at: now) }
        queue.schedule(at: crossing.arrival) { [unowned self] in
            guard let bytes = crossing.receive(), let answer = watcher.received(bytes) else { return }
            send(answer)
        }
    }

    /// The watcher sends.
    private func send(_ bytes: [UInt8]) {
        stayAwake()
        guard let crossing = link.towardsServer(bytes, at: now) else { return }
        queue.schedule(at: crossing.arrival) { [unowned self] in
            guard let bytes = crossing.receive() else { return }
            engine.received(bytes, on: DayWatcher.flow, at: now)
        }
    }

    private func stayAwake() { radioAwakeUntil = max(radioAwakeUntil, now + day.profile.budget.awake) }

    // MARK: The contacts

    private static func address(of number: Int) -> TransportAddress {
        TransportAddress(ip: IPAddress(v4: 0x0a02_0001 + UInt32(number)), port: 5_060)
    }

    private func publish(_ number: Int) {
        publications += 1
        let document = contacts[number].document
        let user = contacts[number].user
        let lines = [
            "PUBLISH sip:\(user)@\(Scenario.domain) SIP/2.0",
            "Via: SIP/2.0/UDP 10.2.0.1:5060;rport;branch=z9hG4bKp\(publications)",
            "Max-Forwards: 70",
            "From: <sip:\(user)@\(Scenario.domain)>;tag=p\(publications)",
            "To: <sip:\(user)@\(Scenario.domain)>",
            "Call-ID: publish-\(publications)-\(number)",
            "CSeq: 1 PUBLISH",
            "Event: presence",
            "Expires: 172800",
        ]
        let condition = tags[number].map { ["SIP-If-Match: \($0)"] } ?? []
        let rest = ["Content-Type: application/pidf+xml", "Content-Length: \(document.utf8.count)"]
        let text = (lines + condition + rest).joined(separator: "\r\n") + "\r\n\r\n" + document
        engine.received(
            Array(text.utf8), on: Flow(transport: .udp, listener: 0, remote: Self.address(of: number)), at: now)
    }

    /// The answer to a PUBLISH names the publication for the next.
    private func answered(_ bytes: [UInt8], _ address: TransportAddress) {
        guard case .message(let message) = SIPMessage.parse(bytes), !message.isRequest else { return }
        let number = Int(address.ip.v4Bits) - 0x0a02_0001
        guard message.statusCode == 200, tags.indices.contains(number), let tag = message.first(.sipETag) else {
            if message.statusCode >= 300 { outcome.faults.append("PUBLISH was answered \(message.statusCode)") }
            return
        }
        tags[number] = message.text(tag.value)
    }
}
