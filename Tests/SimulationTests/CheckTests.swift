import Engine
import LinkProfiles
import MessageStore
import SIPCore
import Testing

@testable import Simulation

/// Every check must be able to fail: each defect is caught by the check that is there for it.
@Suite struct CheckTests {
    @Test(arguments: [
        (StandInServer.Defect.answersBeforeCommit, Check.acknowledgedBeforeCommit),
        (.dropsSilently, .lost),
        (.rewritesCallID, .shownTwice),
        (.newestFirst, .recipientOrder),
        (.newestFirst, .senderOrder),
        (.altersBodies, .bodyAltered),
        (.ignoresExpiry, .deliveredAfterExpiry),
        (.expiresAtOnce, .expiredEarly),
        (.misroutes, .misrouted),
        (.refusesSilently, .refusedWithoutCause),
        (.neverRetries, .notDrained),
        (.forgetsIdentities, .storedTwice),
        (.neverAnswersRegister, .unregistered),
        (.leaksTransactions, .memory),
        (.neverSleeps, .stuck),
        (.numbersTwice, .malformed),
        (.answersNothing, .unanswered),
    ])
    func catches(defect: StandInServer.Defect, check: Check) {
        var seen: Set<Check> = []
        for seed in 1...UInt64(60) where !seen.contains(check) {
            let result = SimulationRunner.run(
                StandInTests.scenario(seed), makeServer: StandInServer.factory(defect))
            seen.formUnion(result.violations.map(\.check))
        }
        #expect(seen.contains(check), "saw only \(seen.map(\.rawValue).sorted())")
    }

    /// A redelivery with another branch while the device's transaction lives reaches devices that go by RFC 3261 alone.
    @Test func catchesAFreshBranchTooSoon() {
        var scenario = Self.twoDevices()
        scenario.devices[1].honoursIdentity = false
        scenario.actions = [
            TimedAction(at: .seconds(1 as Int64), .appear(device: 0, atNewAddress: false)),
            TimedAction(at: .seconds(1 as Int64), .appear(device: 1, atNewAddress: false)),
            TimedAction(at: .seconds(5 as Int64), .crashWhen(.answerTaken, downFor: .seconds(1 as Int64))),
            TimedAction(at: .seconds(6 as Int64), .send(message: 0)),
        ]
        let good = SimulationRunner.run(scenario, makeServer: StandInServer.factory())
        #expect(good.violations.isEmpty)
        #expect(good.totals.crashes == 1)
        let bad = SimulationRunner.run(scenario, makeServer: StandInServer.factory(.freshBranches))
        #expect(bad.violations.map(\.check).contains(.branchChanged))
    }

    @Test func catchesAnEndpointWithoutIdentityMemory() {
        var scenario = Self.twoDevices()
        scenario.devices[1].forgetsIdentity = true
        scenario.actions = [
            TimedAction(at: .seconds(1 as Int64), .appear(device: 0, atNewAddress: false)),
            TimedAction(at: .seconds(1 as Int64), .appear(device: 1, atNewAddress: false)),
            TimedAction(at: .seconds(5 as Int64), .crashWhen(.answerTaken, downFor: .seconds(100 as Int64))),
            TimedAction(at: .seconds(6 as Int64), .send(message: 0)),
        ]
        let result = SimulationRunner.run(scenario, makeServer: StandInServer.factory())
        #expect(result.violations.map(\.check) == [.shownTwice])
    }

    @Test func catchesAStoreThatSaysCommittedTooSoon() {
        var scenario = Self.twoDevices()
        scenario.actions = [
            TimedAction(at: .seconds(1 as Int64), .appear(device: 0, atNewAddress: false)),
            TimedAction(at: .seconds(5 as Int64), .crashWhen(.acknowledged, downFor: .seconds(1 as Int64))),
            TimedAction(at: .seconds(6 as Int64), .send(message: 0)),
        ]
        for isLying in [false, true] {
            let store = SimulatedStore()
            store.losesLastGroup = isLying
            let world = World(scenario: scenario, store: store, makeServer: StandInServer.factory())
            world.run()
            // The answer was on its way when the node died: the sender has it, and takes the message for safe.
            #expect(world.ledger.violations.map(\.check) == (isLying ? [.lost] : []))
        }
    }

    /// Two users on a perfect link, one message from the first to the second.
    static func twoDevices() -> Scenario {
        var scenario = Scenario(seed: 1)
        scenario.devices = [DevicePlan(user: "alice"), DevicePlan(user: "bob")]
        scenario.messages = [MessagePlan(token: 0, sender: 0, recipient: "bob", body: Array("hello".utf8))]
        scenario.faultsEnd = .seconds(120 as Int64)
        return scenario
    }
}
