public import LinkProfiles
import MessageStore
import SIPCore

/// A node, its store, its users and their links in virtual time. Built from a ``Scenario``, run once, then asked what
/// happened. The same scenario gives the same run, event for event.
public final class World {
    /// Makes the server for one life of the node, from the scenario, a seed of its own and the time.
    public typealias ServerFactory = (_ scenario: Scenario, _ seed: UInt64, _ now: Instant) -> any SimulatedServer

    public let scenario: Scenario
    public private(set) var now = Scenario.beginning
    public internal(set) var ledger: Ledger
    /// Receives one line an event when set.
    public var tracer: ((String) -> Void)?
    /// A number that depends on everything that happened and when.
    public private(set) var fingerprint: UInt64 = 0xcbf2_9ce4_8422_2325

    private(set) lazy var network = SimulatedNetwork(world: self)
    private(set) lazy var node = SimulatedNode(world: self, store: store, makeServer: makeServer)
    lazy var budgets = BudgetWatch(scenario)
    private(set) lazy var observer = NodeObserver(world: self)
    private(set) lazy var endpoints = scenario.devices.indices.map {
        ScriptedEndpoint(device: $0, plan: scenario.devices[$0], world: self)
    }
    /// The store of the node.
    public let store: SimulatedStore
    private let makeServer: ServerFactory
    private var queue = EventQueue()
    private var armedCrash: (moment: CrashMoment, downFor: TimeSpan)?
    private(set) var faultsOver = false

    public init(scenario: Scenario, store: SimulatedStore = SimulatedStore(), makeServer: @escaping ServerFactory) {
        self.scenario = scenario
        ledger = Ledger(messages: scenario.messages.count)
        self.store = store
        self.makeServer = makeServer
    }

    // MARK: Running

    /// Runs everything: the scenario, the drain, the return to the floor; then applies the checks that need the end.
    public func run() {
        node.start()
        for action in scenario.actions {
            schedule(at: Scenario.beginning + action.at) { [unowned self] in perform(action.action) }
        }
        schedule(at: Scenario.beginning + scenario.faultsEnd) { [unowned self] in endFaults() }
        let limit = Scenario.beginning + scenario.faultsEnd + scenario.drainLimit
        while now < limit, !(faultsOver && isDrained), !isHopeless, step(until: limit) {}
        if ledger.totals.events > scenario.eventLimit {
            ledger.violated(.stuck, at: now, "\(ledger.totals.events) events and no end")
        }
        Verdict(world: self).checkDrained()
        for endpoint in endpoints { endpoint.deregister() }
        let slowest = scenario.profiles.values.map(\.transactionLifetime).max() ?? .seconds(32 as Int64)
        let registrations = endpoints.map(\.registrationExpiry).max() ?? .zero
        let floor = now + max(slowest * 3, registrations) + .seconds(120 as Int64)
        while !isHopeless, step(until: floor) {}
        now = max(now, floor)
        Verdict(world: self).checkEnd()
    }

    /// Takes the next event if it is not later than `limit`.
    private func step(until limit: Instant) -> Bool {
        guard let next = queue.nextTime, next <= limit, let event = queue.next() else { return false }
        now = event.at
        ledger.totals.events += 1
        mix(UInt64(bitPattern: now.microseconds))
        event.happen()
        return true
    }

    /// Whether so much is wrong that going on shows nothing new.
    private var isHopeless: Bool { ledger.violations.count > 40 || ledger.totals.events > scenario.eventLimit }

    private var isDrained: Bool {
        store.liveCount == 0 && node.isUp && !store.isWriting && endpoints.allSatisfy(\.isSettled)
            && (node.occupancy?.contexts ?? 0) == 0
    }

    // MARK: For the parts of the world

    func schedule(at instant: Instant, _ happen: @escaping () -> Void) { queue.schedule(at: max(now, instant), happen) }
    func schedule(after span: TimeSpan, _ happen: @escaping () -> Void) { schedule(at: now + span, happen) }

    func name(_ device: Int) -> String { "\(scenario.devices[device].user)/\(device)" }

    var isTracing: Bool { tracer != nil }

    func trace(_ who: String, _ line: @autoclosure () -> String) {
        guard let tracer else { return }
        tracer("\(Trace.time(now)) \(who)\(String(repeating: " ", count: max(0, 8 - who.count))) \(line())")
    }

    /// The crash armed for that moment, which is then spent.
    func takeArmedCrash(_ moment: CrashMoment) -> TimeSpan? {
        guard let armed = armedCrash, armed.moment == moment else { return nil }
        armedCrash = nil
        return armed.downFor
    }

    func mix(_ word: UInt64) { fingerprint = (fingerprint ^ word) &* 0x100_0000_01b3 }

    // MARK: The script

    private func perform(_ action: Action) {
        guard !faultsOver || !action.isFault else { return }
        switch action {
        case .appear(let device, let atNewAddress): endpoints[device].appear(atNewAddress: atNewAddress)
        case .deregister(let device): endpoints[device].deregister()
        case .vanish(let device): endpoints[device].vanish()
        case .reboot(let device): endpoints[device].reboot()
        case .send(let message): endpoints[scenario.messages[message].sender].submit(message)
        case .answers(let device, let script): endpoints[device].answers = script
        case .noise(let device): endpoints[device].makeNoise()
        case .outage(let device, let span):
            trace(name(device), "link down for \(span.inSeconds) s")
            network.outage(device, until: now + span)
        case .storeFails(let failure, let span):
            trace("store", "fails for \(span.inSeconds) s: \(failure)")
            store.failure = failure
            schedule(after: span) { [unowned self] in store.failure = nil }
        case .storeSlows(let more, let span):
            trace("store", "slower by \(more.inSeconds) s for \(span.inSeconds) s")
            node.commitDelay = more
            schedule(after: span) { [unowned self] in node.commitDelay = .zero }
        case .crash(let span): node.crash(downFor: span)
        case .crashWhen(let moment, let span): armedCrash = (moment, span)
        }
    }

    /// From here on all is well: what was promised must come true.
    private func endFaults() {
        trace("world", "faults end")
        faultsOver = true
        armedCrash = nil
        store.failure = nil
        node.commitDelay = .zero
        network.endFaults()
        node.start()
        for endpoint in endpoints {
            endpoint.answers = .accept
            endpoint.comeHome()
        }
    }
}

extension Action {
    /// Whether it is left out once faults have ended.
    fileprivate var isFault: Bool {
        if case .send = self { return false }
        return true
    }
}
