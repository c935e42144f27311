import Foundation
import LinkProfiles
import Testing

@testable import Simulation

/// The real engine in some hundreds of small worlds. `tools/soak` runs as many more as asked.
@Suite struct SeedTests {
    /// The profiles the repository ships.
    static let profiles: [String: LinkProfile] = {
        let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("profiles")
        return (try? LinkProfileDirectory.load(path: directory.path)) ?? [:]
    }()

    static func workload(_ change: (inout Workload) -> Void = { _ in }) -> Workload {
        var workload = Workload()
        workload.profiles = profiles
        change(&workload)
        return workload
    }

    @Test func profilesOfTheRepositoryAreFound() {
        #expect(Set(Self.profiles.keys).isSuperset(of: ["lan", "gprs", "vsat-geo", "hf-radio"]))
    }

    @Test(arguments: 0..<8)
    func seeds(block: UInt64) {
        var options = SimulationOptions()
        options.firstSeed = block * 50 + 1
        options.seeds = 50
        options.workload = Self.workload()
        let report = SimulationRunner.run(
            options,
            finished: { result in
                #expect(result.isGood, "\(result.violations); replay with: \(result.replay) --profiles profiles")
            })
        #expect(report.runs == 50)
        #expect(report.totals.crashes > 0 && report.totals.stored > 0 && report.totals.shown > 0)
    }

    @Test(arguments: ["lan", "gprs", "vsat-geo", "hf-radio"])
    func seedsOnOneLink(profile: String) {
        var options = SimulationOptions()
        options.firstSeed = 1_000_000
        options.seeds = 15
        options.workload = Self.workload { $0.onlyProfile = profile }
        let report = SimulationRunner.run(options)
        #expect(report.failures.map(\.seed) == [])
    }

    /// Where nothing goes wrong every message is shown at once or after its recipient comes, and nothing is repeated.
    @Test func fairWeather() {
        var options = SimulationOptions()
        options.seeds = 30
        options.workload = Self.workload { $0.severity = 0 }
        let report = SimulationRunner.run(options)
        #expect(report.failures.map(\.seed) == [])
        #expect(report.totals.redeliveriesAbsorbed == 0)
        #expect(report.totals.crashes == 0 && report.totals.storeFailures == 0)
    }

    /// The same seed is the same run, event for event.
    @Test(arguments: [3, 77, 1_234] as [UInt64])
    func aSeedReplays(seed: UInt64) {
        let scenario = Self.workload().scenario(seed: seed)
        var first: [String] = []
        var second: [String] = []
        let a = SimulationRunner.run(scenario, trace: { first.append($0) })
        let b = SimulationRunner.run(scenario, trace: { second.append($0) })
        #expect(a.fingerprint == b.fingerprint)
        #expect(a.totals == b.totals)
        #expect(first == second)
        #expect(!first.isEmpty)
    }

    @Test func seedsDiffer() {
        let prints = Set((1...UInt64(20)).map { SimulationRunner.run(Self.workload().scenario(seed: $0)).fingerprint })
        #expect(prints.count == 20)
    }
}
