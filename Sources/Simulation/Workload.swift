public import LinkProfiles
import MessageStore
import SIPCore

/// Makes a scenario from a seed: who is there, what they send, and everything that goes wrong.
public struct Workload: Sendable {
    /// Profiles the devices may be on, by name; `lan` must be among them.
    public var profiles: [String: LinkProfile] = ["lan": LinkProfile()]
    /// Only this profile, if it is set; else a mixture.
    public var onlyProfile: String?
    public var users: ClosedRange<Int> = 2...5
    public var messages: ClosedRange<Int> = 4...30
    /// How much goes wrong: 0 is nothing, 1 is normal for a test.
    public var severity = 1.0

    public init() {}

    public func scenario(seed: UInt64) -> Scenario {
        var builder = ScenarioBuilder(workload: self, seed: seed)
        return builder.build()
    }
}

private struct ScenarioBuilder {
    let workload: Workload
    var random: SimulationRandom
    var scenario: Scenario
    let users: [String]
    var severity: Double
    /// Seconds of the phase with faults.
    var span: Double = 0

    init(workload: Workload, seed: UInt64) {
        self.workload = workload
        random = SimulationRandom(seed: seed).stream(7)
        scenario = Scenario(seed: seed)
        let count = Int(random.within(Int64(workload.users.lowerBound)...Int64(workload.users.upperBound)))
        users = (0..<count).map { "u\($0)" }
        severity = workload.severity * (random.pick([0, 0.5, 1, 1, 2]) ?? 1)
    }

    mutating func build() -> Scenario {
        scenario.profiles = workload.profiles
        narrowBudgets()
        scenario.authenticates = Self.isOneIn(5, random.stream(11))
        scenario.inputGathering = random.pick([0, 0, 500, 3_000]) ?? 0
        scenario.commitTime = random.pick([500...8_000, 100...300, 5_000...400_000]) ?? 500...8_000
        let base = workload.onlyProfile ?? pickProfile()
        for user in users {
            let devices = random.chance(0.2) ? 2 : 1
            for _ in 0..<devices { scenario.devices.append(device(of: user, base: base)) }
        }
        span = Double(random.within(120...900)) * (base == "hf-radio" ? 4 : 1)
        scenario.faultsEnd = .seconds(span)
        scenario.drainLimit = .seconds(3 * 86_400 as Int64)
        for index in scenario.devices.indices { live(index) }
        writeMessages()
        breakNode()
        scenario.actions.sort { $0.at < $1.at }
        return scenario
    }

    private static func isOneIn(_ count: Int, _ stream: SimulationRandom) -> Bool {
        var stream = stream
        return stream.below(count) == 0
    }

    /// In some worlds constrained links bear less than their profiles say.
    private mutating func narrowBudgets() {
        var dice = random.stream(17)
        guard dice.chance(0.25) else { return }
        for name in scenario.profiles.keys.sorted() {
            guard var profile = scenario.profiles[name], !profile.budget.isUnlimited else { continue }
            switch dice.below(5) {
            case 0: profile.budget.outstanding = 1
            case 1: profile.budget.packetRate = 0.5
            case 2:
                profile.budget.listensEvery = .seconds(300 as Int64)
                profile.budget.listensFor = .seconds(60 as Int64)
                profile.budget.awake = .zero
                profile.budget.bundling = .zero
            case 3: profile.budget.quietHours = [DayPeriod("00:02-00:09"), DayPeriod("01:00-02:00")].compactMap { $0 }
            default: profile.budget.byteRate = max(60, profile.budget.byteRate / 4)
            }
            scenario.profiles[name] = profile
        }
    }

    // MARK: Devices

    private mutating func pickProfile() -> String {
        let wanted =
            random.pick(["lan", "lan", "lan", "lan", "gprs", "gprs", "vsat-geo", "vsat-geo", "hf-radio"]) ?? "lan"
        return workload.profiles[wanted] == nil ? "lan" : wanted
    }

    private mutating func device(of user: String, base: String) -> DevicePlan {
        let name = workload.onlyProfile ?? (random.chance(0.7) ? base : pickProfile())
        var link = LinkConditions.typical(of: name)
        link.loss = severity == 0 ? 0 : min(0.35, link.loss * severity * (random.chance(0.3) ? 8 : 1))
        if severity > 0, random.chance(0.25) { link.loss = max(link.loss, 0.02) }
        link.duplication = severity == 0 ? 0 : random.chance(0.4) ? 0.05 * severity : link.duplication
        link.reordering = severity == 0 ? 0 : random.chance(0.4) ? 0.1 * severity : link.reordering
        var plan = DevicePlan(user: user, transport: random.chance(0.25) ? .tcp : .udp, profile: name, link: link)
        if let profile = workload.profiles[name], name == "hf-radio" || random.chance(0.6) {
            plan.t1 = profile.t1
            plan.t2 = profile.t2
        }
        plan.registrationExpiry = .seconds(random.pick([600, 1_800, 3_600] as [Int64]) ?? 3_600)
        plan.honoursIdentity = plan.transport == .tcp || random.chance(0.8)
        plan.refusesMergedRequests = plan.transport == .udp && random.chance(0.2)
        plan.usesOutbound = random.chance(0.2)
        if severity > 0, random.chance(0.2) { plan.answers = .moody(0.3) }
        return plan
    }

    private mutating func at(_ seconds: Double, _ action: Action) {
        scenario.actions.append(TimedAction(at: .seconds(seconds), action))
    }

    /// Comings and goings of one device until faults end.
    private mutating func live(_ device: Int) {
        var time = random.chance(0.7) ? random.fraction() * 10 : random.fraction() * span * 0.8
        at(time, .appear(device: device, atNewAddress: false))
        guard severity > 0 else { return }
        while true {
            time += 5 - logarithm(1 - random.fraction()) * span / (3 * severity)
            guard time < span else { return }
            let away = random.chance(0.5) ? random.fraction() * 30 : random.fraction() * span / 2
            switch random.below(9) {
            case 0, 1:
                at(time, .vanish(device: device))
                at(time + away, .appear(device: device, atNewAddress: random.chance(0.5)))
                time += away
            case 2:
                at(time, .deregister(device: device))
                at(time + away, .appear(device: device, atNewAddress: random.chance(0.3)))
                time += away
            case 3: at(time, .appear(device: device, atNewAddress: true))
            case 4: at(time, .reboot(device: device))
            case 5, 6:
                at(time, .outage(device: device, .seconds(random.chance(0.7) ? random.fraction() * 20 : away)))
            default:
                at(time, .answers(device: device, answers()))
                at(time + away, .answers(device: device, .accept))
                time += away
            }
        }
    }

    private mutating func answers() -> AnswerScript {
        switch random.below(6) {
        case 0: .acceptLate(.seconds(random.fraction() * 40))
        case 1: .decline(480)
        case 2: .decline(random.pick([486, 503, 408, 500]) ?? 480)
        case 3: .decline(random.pick([603, 403, 488]) ?? 603)
        case 4: .silence
        default: .moody(0.5)
        }
    }

    // MARK: Messages

    private mutating func writeMessages() {
        let count = Int(random.within(Int64(workload.messages.lowerBound)...Int64(workload.messages.upperBound)))
        var time = random.fraction() * 5
        for token in 0..<count {
            let sender = random.below(scenario.devices.count)
            let others = users.filter { $0 != scenario.devices[sender].user }
            // A favourite gets most, so that queues form.
            guard let recipient = random.chance(0.5) ? others.first : random.pick(others) else { continue }
            var message = MessagePlan(token: token, sender: sender, recipient: recipient, body: [])
            message.waitsItsTurn = !random.chance(0.25)
            if random.chance(0.15) { message.expires = random.pick([3, 10, 30, 90, 300] as [Int64]) }
            message.isUrgent = random.chance(0.05)
            write(&message)
            scenario.messages.append(message)
            at(time, .send(message: token))
            if random.chance(0.5) {
                time += random.fraction() * span / Double(count) * 3
            } else {
                time += random.fraction() * 0.1
            }
            if time > span { time = random.fraction() * span }
        }
    }

    private mutating func write(_ message: inout MessagePlan) {
        switch scenario.authenticates ? 0 : random.below(10) {
        case 0:
            message.contentType = "message/cpim"
            let id = "id\(message.token)x\(scenario.seed)"
            message.messageID = id
            let text = [
                "From: <im:\(scenario.devices[message.sender].user)@\(Scenario.domain)>",
                "To: <im:\(message.recipient)@\(Scenario.domain)>", "NS: imdn <urn:ietf:params:imdn>",
                "imdn.Message-ID: \(id)", "", "Content-Type: text/plain", "",
                "m\(message.token)" + String(repeating: " and so on", count: random.below(30)),
            ]
            message.body = Array(text.joined(separator: "\r\n").utf8)
        case 1: message.contentType = "application/octet-stream"
        case 2: message.contentType = "text/plain;charset=UTF-8"
        default: break
        }
        guard message.body.isEmpty else { return }
        let isLarge = scenario.devices[message.sender].transport == .tcp && random.chance(0.1)
        let size = isLarge ? 900 + random.below(3_000) : random.chance(0.05) ? 0 : random.below(500)
        message.body = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    // MARK: The node

    private mutating func makeNoise() {
        var dice = random.stream(13)
        guard dice.chance(0.3) else { return }
        for _ in 0..<dice.below(40) {
            at(dice.fraction() * span, .noise(device: dice.below(scenario.devices.count)))
        }
    }

    private mutating func breakNode() {
        guard severity > 0 else { return }
        makeNoise()
        for _ in 0..<random.below(4) {
            let down = TimeSpan.seconds(random.chance(0.6) ? 0.2 + random.fraction() * 5 : random.fraction() * 120)
            let time = random.fraction() * span
            if random.chance(0.7), let moment = random.pick(CrashMoment.allCases) {
                at(time, .crashWhen(moment, downFor: down))
            } else {
                at(time, .crash(downFor: down))
            }
        }
        for _ in 0..<random.below(3) {
            let failure: StoreFailure = random.chance(0.5) ? .full("simulated") : .locked("simulated")
            at(random.fraction() * span, .storeFails(failure, .seconds(random.fraction() * 40)))
        }
        if random.chance(0.2) {
            at(
                random.fraction() * span,
                .storeSlows(by: .seconds(random.fraction() * 10), .seconds(random.fraction() * 60)))
        }
    }

    /// Natural logarithm for x in (0, 1], by its series: the same on every machine.
    private func logarithm(_ x: Double) -> Double {
        var scaled = max(x, 1e-9)
        var result = 0.0
        while scaled < 0.5 {
            scaled *= 2
            result -= 0.693_147_180_559_945_3
        }
        let y = (scaled - 1) / (scaled + 1)
        var term = y
        var sum = 0.0
        for n in 0..<20 {
            sum += term / Double(2 * n + 1)
            term *= y * y
        }
        return result + 2 * sum
    }
}
