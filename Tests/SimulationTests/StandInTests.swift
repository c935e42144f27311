import Engine
import LinkProfiles
import SIPCore
import Testing

@testable import Simulation

/// The world itself, tried with a server that is too small to hide anything.
@Suite struct StandInTests {
    static let workload = {
        var workload = Workload()
        workload.profiles = ["lan": LinkProfile()]
        return workload
    }()

    /// All over UDP, with devices that recognise what they have shown: the stand-in knows no connections, and no timer J.
    static func scenario(_ seed: UInt64) -> Scenario {
        var scenario = workload.scenario(seed: seed)
        for index in scenario.devices.indices {
            scenario.devices[index].transport = .udp
            scenario.devices[index].honoursIdentity = true
            scenario.devices[index].refusesMergedRequests = false
            scenario.devices[index].usesOutbound = false
        }
        scenario.drainLimit = .seconds(7_200 as Int64)
        return scenario
    }

    static func violations(_ defect: StandInServer.Defect, seeds: ClosedRange<UInt64>) -> Set<Check> {
        var checks: Set<Check> = []
        for seed in seeds {
            let result = SimulationRunner.run(scenario(seed), makeServer: StandInServer.factory(defect))
            checks.formUnion(result.violations.map(\.check))
        }
        return checks
    }

    @Test func aServerThatKeepsItsPromisesPasses() {
        for seed in 1...UInt64(20) {
            let result = SimulationRunner.run(Self.scenario(seed), makeServer: StandInServer.factory())
            #expect(result.violations.isEmpty, "seed \(seed)")
            #expect(result.totals.acknowledged > 0)
        }
    }
}
