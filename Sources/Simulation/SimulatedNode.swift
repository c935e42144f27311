import Engine
import LinkProfiles
import MessageStore
import SIPCore

/// The machine the server runs on: drives it as the real driver does, one thread for the server and one for the store,
/// and dies when it is told to.
final class SimulatedNode {
    private unowned let world: World
    private let makeServer: World.ServerFactory
    let store: SimulatedStore
    private var server: (any SimulatedServer)?
    /// Counts the lives of the node; what was under way in an earlier one does not happen.
    private(set) var incarnation = 0
    /// When its present life began.
    private(set) var startedAt = Instant(microseconds: 0)
    /// Messages that were being delivered when the last life ended.
    private(set) var interrupted: Set<MessageNumber> = []
    private var random: SimulationRandom
    private var gathered: [(any SimulatedServer, Instant) -> Void] = []
    private var isGathering = false
    private var wakeAt: Instant?
    private var wakesAtOneMoment = 0
    private var lastWake = Instant(microseconds: 0)
    private var lastReport = Instant(microseconds: 0)
    /// Added to every commit.
    var commitDelay = TimeSpan.zero

    init(world: World, store: SimulatedStore, makeServer: @escaping World.ServerFactory) {
        self.world = world
        self.store = store
        self.makeServer = makeServer
        random = SimulationRandom(seed: world.scenario.seed).stream(1)
    }

    var isUp: Bool { server != nil }
    var occupancy: ServerOccupancy? { server?.occupancy }

    // MARK: Life and death

    func start() {
        guard server == nil else { return }
        let fresh = makeServer(world.scenario, random.next(), world.now)
        do throws(StoreFailure) {
            try fresh.start(from: store, at: world.now)
        } catch {
            world.trace("node", "cannot start: \(error)")
            let life = incarnation
            world.schedule(after: .seconds(1 as Int64)) { [unowned self] in if life == incarnation { start() } }
            return
        }
        world.trace("node", "started, \(store.liveCount) messages in the store")
        server = fresh
        startedAt = world.now
        interrupted = Set(store.messages.filter { $0.state == .claimed }.map(\.message.number))
        wakeAt = nil
        takeOutput()
    }

    func crash(downFor span: TimeSpan) {
        guard server != nil else { return }
        world.trace("node", "CRASH, \(store.isWriting || store.hasPending ? "with" : "without") uncommitted work")
        world.ledger.totals.crashes += 1
        server = nil
        incarnation += 1
        gathered = []
        isGathering = false
        wakeAt = nil
        store.crash()
        world.network.nodeDied()
        world.budgets.nodeDied()
        let life = incarnation
        world.schedule(after: span) { [unowned self] in if life == incarnation { start() } }
    }

    // MARK: Inputs

    func received(_ bytes: [UInt8], on flow: Flow, from device: Int) {
        world.ledger.totals.datagramsToNode += 1
        world.ledger.totals.bytesToNode += bytes.count
        guard server != nil else { return }
        world.observer.nodeReceived(bytes)
        input { $0.received(bytes, on: flow, at: $1) }
        if !bytes.starts(with: [0x53, 0x49, 0x50]) { return }
        if world.observer.isFinalForMessage(bytes) { crashIfArmed(.answerTaken) }
    }

    func flowOpened(_ flow: Flow, target: Target?) { input { $0.flowOpened(flow, target: target, at: $1) } }
    func flowClosed(_ flow: Flow) { input { $0.flowClosed(flow, at: $1) } }

    func fail(_ token: UInt64, _ reason: String) {
        guard token != 0 else { return }
        let life = incarnation
        world.schedule(after: .microseconds(50)) { [unowned self] in
            guard life == incarnation else { return }
            input { $0.transmissionFailed(token, reason: reason, at: $1) }
        }
    }

    private func input(_ happen: @escaping (any SimulatedServer, Instant) -> Void) {
        guard let server else { return }
        let span = world.scenario.inputGathering
        guard span > 0 else {
            happen(server, world.now)
            takeOutput()
            return
        }
        gathered.append(happen)
        guard !isGathering else { return }
        isGathering = true
        let life = incarnation
        world.schedule(after: .microseconds(random.within(0...span))) { [unowned self] in
            guard life == incarnation, let server = self.server else { return }
            isGathering = false
            let batch = gathered
            gathered = []
            for happen in batch { happen(server, world.now) }
            takeOutput()
        }
    }

    // MARK: Output

    private func takeOutput() {
        guard let server else { return }
        let output = server.output
        server.output = EngineOutput()
        let life = incarnation
        for notice in output.notices where notice.level.rawValue >= 2 || world.isTracing {
            world.trace("node", "log: \(notice.message) \(notice.details.map { "\($0)=\($1)" }.joined(separator: " "))")
        }
        for transmission in output.transmissions {
            world.observer.nodeSends(transmission.bytes)
            if let excess = world.budgets.sends(transmission, at: world.now) {
                world.ledger.violated(.overBudget, at: world.now, excess)
            }
            world.network.transmit(transmission)
            switch world.observer.kind(of: transmission.bytes) {
            case .delivery: crashIfArmed(.delivering)
            case .acknowledgement: crashIfArmed(.acknowledged)
            case .other: break
            }
            if life != incarnation { return }
        }
        for flow in output.closures { world.network.close(flow) }
        for resolution in output.resolutions { resolve(resolution) }
        if !output.storeCommands.isEmpty {
            world.trace("store", "handed over: \(output.storeCommands.map(Self.describe).joined(separator: ", "))")
            store.handOver(output.storeCommands)
            crashIfArmed(.handedOver)
            if life != incarnation { return }
            beginGroup()
        }
        arm()
    }

    private func resolve(_ resolution: Resolution) {
        let life = incarnation
        let target = Target(
            transport: resolution.transport ?? .udp,
            address: TransportAddress(
                ip: Self.address(resolution.host) ?? IPAddress(v4: 0),
                port: resolution.port == 0 ? 5_060 : resolution.port))
        let targets = target.address.ip.v4Bits == 0 ? [] : [target]
        world.schedule(after: .microseconds(random.within(20...2_000))) { [unowned self] in
            guard life == incarnation else { return }
            input { $0.resolved(resolution.id, targets: targets, at: $1) }
        }
    }

    private static func address(_ host: String) -> IPAddress? {
        let parts = host.split(separator: ".").compactMap { UInt32($0) }
        guard parts.count == 4, parts.allSatisfy({ $0 < 256 }) else { return nil }
        return IPAddress(v4: parts.reduce(0) { $0 << 8 | $1 })
    }

    // MARK: Wake-ups

    private func arm() {
        guard let server, let next = server.nextDeadline, next < .distantFuture else { return }
        let at = max(next, world.now)
        if let wakeAt, wakeAt <= at { return }
        wakeAt = at
        let life = incarnation
        world.schedule(at: at) { [unowned self] in
            guard life == incarnation, wakeAt == at, let server = self.server else { return }
            wakeAt = nil
            wakesAtOneMoment = lastWake == world.now ? wakesAtOneMoment + 1 : 0
            lastWake = world.now
            server.advance(to: world.now)
            if wakesAtOneMoment > 1_000 {
                world.ledger.violated(.stuck, at: world.now, "a thousand wake-ups at one moment")
                crash(downFor: .seconds(1 as Int64))
                return
            }
            takeOutput()
        }
    }

    // MARK: The store's thread

    private func beginGroup() {
        guard !store.isWriting, store.hasPending else { return }
        store.beginGroup()
        let life = incarnation
        let time = TimeSpan(microseconds: random.within(world.scenario.commitTime)) + commitDelay
        world.schedule(after: time) { [unowned self] in
            guard life == incarnation else { return }
            finishGroup()
        }
    }

    private func finishGroup() {
        let life = incarnation
        let group = store.finishGroup()
        // Reports come in the order of the groups.
        let report = max(lastReport, world.now + TimeSpan(microseconds: random.within(10...300)))
        lastReport = report
        switch group.outcome {
        case .success(let claimed):
            world.trace("store", "committed through \(group.through)")
            world.ledger.committed(group.commands, at: world.now)
            crashIfArmed(.durableUnreported)
            guard life == incarnation else { return }
            world.schedule(at: report) { [unowned self] in
                guard life == incarnation, let server else { return }
                server.committed(through: group.through, claimed: claimed, at: world.now)
                if group.commands.contains(where: { if case .enqueue = $0 { true } else { false } }) {
                    crashIfArmed(.reportedUnsent)
                }
                takeOutput()
            }
        case .failure(let failure):
            world.trace("store", "FAILED through \(group.through): \(failure)")
            world.ledger.totals.storeFailures += 1
            if case .misuse(let text) = failure {
                world.ledger.violated(.malformed, at: world.now, "the store's protocol is broken: \(text)")
            }
            world.schedule(at: report) { [unowned self] in
                guard life == incarnation, let server else { return }
                server.storeFailed(through: group.through, failure: failure, at: world.now)
                takeOutput()
            }
        }
        beginGroup()
    }

    private func crashIfArmed(_ moment: CrashMoment) {
        if let span = world.takeArmedCrash(moment) {
            world.trace("node", "crash at \(moment)")
            crash(downFor: span)
        }
    }

    private static func describe(_ command: StoreCommand) -> String {
        switch command {
        case .name(let number, let text): "name \(number.rawValue) \(text)"
        case .enqueue(let message):
            "enqueue \(message.number.rawValue) (m\(Ledger.token(ofPayload: message.payload) ?? -1)) \(message.state)"
        case .claim(let number, let attempts, _): "claim \(number.rawValue) #\(attempts)"
        case .deliver(let number, _): "deliver \(number.rawValue)"
        case .retry(let number, let due, let cause):
            "retry \(number.rawValue) at \(Trace.time(due)) cause \(cause.code)"
        case .release(let number, let cause): "release \(number.rawValue) cause \(cause.code)"
        case .expire(let number, _, _): "expire \(number.rawValue)"
        case .refuse(let number, _, let cause): "refuse \(number.rawValue) cause \(cause.code)"
        case .forget: "forget"
        case .bind(let binding): "bind \(binding.number.rawValue) \(binding.contact)"
        case .unbind(let number): "unbind \(number.rawValue)"
        case .presence(let command): command.description
        }
    }
}
