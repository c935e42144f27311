import Engine
import LinkProfiles
import Logging
import MessageStore
import NIOCore
import SIPCore
import Transport

/// Runs one ``Engine`` on one event loop: hands it what sockets, timers, DNS and the Message Store report, and carries out
/// what it wants done, once a burst.
///
/// Everything here happens on the loop; other threads come in through ``EventLoop/execute(_:)``.
final class Driver: TransportDelegate, @unchecked Sendable {
    private let loop: any EventLoop
    private let profiles: ProfileSelection
    private let logger: Logger
    private var clock = EngineClock()
    /// The time all events of a burst carry; nil between bursts.
    private var burst: Instant?
    private var engine: Engine?
    private var transport: TransportLayer?
    private var resolver: NextHopResolver?
    private var commits: CommitThread?
    /// An empty output whose arrays keep their capacity.
    private var spare = EngineOutput()
    private var alarm: Scheduled<Void>?
    private var alarmAt = Instant.distantFuture
    private var whenIdle: [(Bool) -> Void] = []

    init(loop: any EventLoop, profiles: ProfileSelection, logger: Logger) {
        self.loop = loop
        self.profiles = profiles
        self.logger = logger
    }

    /// Takes up work. What arrived on the sockets before is dropped; peers repeat it.
    func begin(engine: Engine, transport: TransportLayer, resolver: NextHopResolver, commits: CommitThread) {
        loop.preconditionInEventLoop()
        self.engine = engine
        self.transport = transport
        self.resolver = resolver
        self.commits = commits
        handOut()
    }

    /// Lets go of everything; the sockets are closed.
    func end() {
        alarm?.cancel()
        engine = nil
        transport = nil
        resolver = nil
        commits = nil
    }

    /// The present time as the engine gets it.
    func now() -> Instant {
        if let burst { return burst }
        let now = clock.now()
        burst = now
        return now
    }

    // MARK: What the network reports

    func received(_ bytes: [UInt8], on flow: Flow) { engine?.received(bytes, on: flow, at: now()) }

    /// Only those who have proved who they are may leave states behind, unless their link's profile says otherwise.
    func receivedCompressed(_ bytes: [UInt8], on flow: Flow) -> CompressionAdmission {
        guard let engine else { return .declined }
        engine.received(bytes, on: flow, at: now())
        switch engine.standing {
        case .known(let user): return .admitted(owner: user)
        case .unknown:
            let needsProof = profiles.profile(flow.transport, flow.remote).sigcompNeedsAuthentication
            return needsProof ? .declined : .admitted(owner: 0)
        }
    }

    func readBurstEnded() { handOut() }

    func flowOpened(_ flow: Flow, target: Target?) { engine?.flowOpened(flow, target: target, at: now()) }

    func flowClosed(_ flow: Flow) { engine?.flowClosed(flow, at: now()) }

    func transmissionFailed(token: UInt64, reason: String) {
        engine?.transmissionFailed(token, reason: reason, at: now())
    }

    // MARK: What the store reports

    /// Takes a report of the commit thread, on that thread.
    func storeReported(_ report: CommitReport) {
        loop.execute { [self] in
            guard let engine else { return }
            if let failure = report.failure {
                engine.storeFailed(through: report.through, failure: failure, at: now())
            } else {
                engine.committed(through: report.through, claimed: report.claimed, at: now())
            }
            handOut()
        }
    }

    // MARK: What operators want

    /// Uses the engine from inside the loop and carries out what it wants done then.
    func use<Result>(_ body: (Engine, Instant) -> Result) -> Result? {
        loop.preconditionInEventLoop()
        guard let engine else { return nil }
        let result = body(engine, now())
        handOut()
        return result
    }

    /// Counters of the engine, of the sockets, and of SigComp where it is on.
    var counters: (engine: EngineCounters, transport: TransportCounters, compression: CompressionCounters?)? {
        guard let engine, let transport else { return nil }
        return (engine.counters, transport.counters, transport.compressionCounters)
    }

    /// Takes no new work and calls back once: true when nothing is open any more, false when the time was up before.
    func drain(within span: TimeSpan, then completion: @escaping (Bool) -> Void) {
        loop.preconditionInEventLoop()
        guard let engine else { return completion(true) }
        engine.drain(at: now())
        whenIdle.append(completion)
        loop.scheduleTask(in: .microseconds(span.microseconds)) { [self] in reportIdle(false) }
        handOut()
    }

    private func reportIdle(_ isIdle: Bool) {
        let waiting = whenIdle
        whenIdle = []
        for completion in waiting { completion(isIdle) }
    }

    // MARK: What the engine wants

    /// Carries out everything the engine has put out, sends it, and sets the alarm for what comes next.
    private func handOut() {
        guard let engine, let transport, let commits else {
            burst = nil
            return
        }
        while !engine.output.isEmpty {
            swap(&engine.output, &spare)
            if !spare.storeCommands.isEmpty {
                commits.submit(spare.storeCommands)
                spare.storeCommands.removeAll(keepingCapacity: true)
            }
            for transmission in spare.transmissions {
                let size = transport.send(transmission.bytes, to: transmission.destination, token: transmission.token)
                if let charge = transmission.charge, size > 0 { engine.transmitted(charge, bytes: size, at: now()) }
            }
            spare.transmissions.removeAll(keepingCapacity: true)
            for resolution in spare.resolutions { look(up: resolution) }
            spare.resolutions.removeAll(keepingCapacity: true)
            for flow in spare.closures { transport.close(flow) }
            spare.closures.removeAll(keepingCapacity: true)
            for notice in spare.notices { log(notice) }
            spare.notices.removeAll(keepingCapacity: true)
        }
        transport.flush()
        setAlarm(engine)
        burst = nil
        if !whenIdle.isEmpty, engine.isIdle { reportIdle(true) }
    }

    private func look(up resolution: Resolution) {
        resolver?.resolve(
            host: resolution.host, port: resolution.port, transport: resolution.transport,
            isSecure: resolution.isSecure
        ) { [self] targets in
            engine?.resolved(resolution.id, targets: targets, at: now())
            handOut()
        }
    }

    /// One scheduled task stands for all the engine's timers. It is moved only when something is due earlier than it; one
    /// that fires early finds nothing due and is set again.
    private func setAlarm(_ engine: Engine) {
        guard let deadline = engine.nextDeadline, deadline < alarmAt else { return }
        alarm?.cancel()
        let wait = min(max(deadline - now(), .milliseconds(1)), .seconds(3_600 as Int64))
        alarmAt = now() + wait
        alarm = loop.scheduleTask(in: .microseconds(wait.microseconds)) { [self] in
            alarm = nil
            alarmAt = .distantFuture
            burst = nil
            self.engine?.advance(to: now())
            handOut()
        }
    }

    private func log(_ notice: Notice) {
        let level: Logger.Level =
            switch notice.level {
            case .debug: .debug
            case .info: .info
            case .notice: .notice
            case .warning: .warning
            case .error: .error
            }
        guard level >= logger.logLevel else { return }
        var metadata: Logger.Metadata = [:]
        for (key, value) in notice.details { metadata[key] = .string(value) }
        logger.log(level: level, "\(notice.message)", metadata: metadata)
    }
}
