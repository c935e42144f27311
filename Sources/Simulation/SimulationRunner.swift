import Engine
public import LinkProfiles
import MessageStore
import Policy
import SIPCore

/// What to simulate.
public struct SimulationOptions: Sendable {
    public var firstSeed: UInt64 = 1
    /// How many seeds, counting up from the first.
    public var seeds = 100
    public var workload = Workload()
    /// Stop at the first seed that fails.
    public var stopsAtFailure = false

    public init() {}
}

/// How one seed went.
public struct SeedResult: Sendable {
    public var seed: UInt64
    public var violations: [Violation]
    public var totals: Ledger.Totals
    /// Virtual time that passed.
    public var span: TimeSpan
    /// A number that depends on every event; equal runs have equal fingerprints.
    public var fingerprint: UInt64

    /// The command that runs this seed again, with its trace.
    public var replay: String { "godwit simulate --seed \(seed) --seeds 1 --trace" }
    public var isGood: Bool { violations.isEmpty }
}

/// How all seeds went.
public struct SimulationReport: Sendable {
    public var runs = 0
    public var failures: [SeedResult] = []
    public var totals = Ledger.Totals()
    public var span = TimeSpan.zero

    public init() {}
}

/// Runs worlds, one a seed, with the real engine or another server in its place.
public enum SimulationRunner {
    /// Runs seed after seed.
    /// - Parameters:
    ///   - starting: told of every seed before it runs, so that a trap leaves its seed behind.
    ///   - finished: told of every seed after it ran.
    ///   - trace: receives one line an event when given.
    public static func run(
        _ options: SimulationOptions, makeServer: @escaping World.ServerFactory = SimulationRunner.engine,
        starting: (UInt64) -> Void = { _ in }, finished: (SeedResult) -> Void = { _ in },
        trace: ((String) -> Void)? = nil
    ) -> SimulationReport {
        var report = SimulationReport()
        for offset in 0..<UInt64(max(0, options.seeds)) {
            let seed = options.firstSeed &+ offset
            starting(seed)
            let result = run(options.workload.scenario(seed: seed), makeServer: makeServer, trace: trace)
            report.runs += 1
            report.totals += result.totals
            report.span = report.span + result.span
            if !result.isGood { report.failures.append(result) }
            finished(result)
            if !result.isGood && options.stopsAtFailure { break }
        }
        return report
    }

    /// Runs one scenario.
    public static func run(
        _ scenario: Scenario, makeServer: @escaping World.ServerFactory = SimulationRunner.engine,
        trace: ((String) -> Void)? = nil
    ) -> SeedResult {
        let world = World(scenario: scenario, makeServer: makeServer)
        world.tracer = trace
        world.run()
        return SeedResult(
            seed: scenario.seed, violations: world.ledger.violations, totals: world.ledger.totals,
            span: world.now - Scenario.beginning, fingerprint: world.fingerprint)
    }

    /// The real engine, configured for the scenario: its domain, listening points and the profile of every device.
    public static func engine(_ scenario: Scenario, _ seed: UInt64, _ now: Instant) -> any SimulatedServer {
        Engine(configuration: configuration(scenario), secret: EngineSecret(1, 2, 3, 4), seed: seed, at: now)
    }

    static func configuration(_ scenario: Scenario) -> EngineConfiguration {
        let points = [SIPTransport.udp, .tcp].map {
            LocalPoint(
                transport: $0, address: Scenario.nodeAddress, advertisedHost: "10.0.0.1",
                advertisedPort: Scenario.nodeAddress.port)
        }
        var configuration = EngineConfiguration(domains: [Scenario.domain], localPoints: points)
        configuration.profiles = scenario.profiles
        configuration.profileRules = scenario.devices.enumerated().map { index, device in
            let ip = ScriptedEndpoint.address(of: index, move: 0).ip
            return ProfileRule(
                profile: device.profile, network: NetworkPrefix(high: ip.high, low: ip.low, length: 128))
        }
        let realm = Scenario.domain
        configuration.authentication.isRequired = scenario.authenticates
        configuration.authentication.realm = realm
        configuration.accounts = Set(scenario.devices.map(\.user)).sorted().map { user in
            scenario.authenticates
                ? Account(
                    username: user, domain: Scenario.domain, realm: realm,
                    password: EndpointCredentials.password(of: user))
                : Account(username: user, domain: Scenario.domain, realm: realm, digests: [:])
        }
        return configuration
    }
}
