import Engine
import LinkProfiles
import MessageStore
import SIPCore
import Testing

@testable import Simulation

/// Scenarios written by hand for the real engine: one thing at a time, at the moments that matter.
@Suite struct EngineWorldTests {
    static func at(_ seconds: Double, _ action: Action) -> TimedAction { TimedAction(at: .seconds(seconds), action) }

    /// Alice sends Bob one message at 10 s; both are there from the first second on.
    static func scenario(_ actions: [TimedAction]) -> Scenario {
        var scenario = CheckTests.twoDevices()
        scenario.actions =
            [
                at(1, .appear(device: 0, atNewAddress: false)), at(1, .appear(device: 1, atNewAddress: false)),
                at(10, .send(message: 0)),
            ] + actions
        scenario.actions.sort { $0.at < $1.at }
        return scenario
    }

    static func run(_ scenario: Scenario) -> World {
        let world = World(scenario: scenario, makeServer: SimulationRunner.engine)
        world.run()
        return world
    }

    @Test func aMessageToSomebodyWhoIsThereIsRelayed() {
        let world = Self.run(Self.scenario([]))
        #expect(world.ledger.violations.isEmpty)
        #expect(world.ledger.messages[0].senderStatus == 200)
        #expect(world.ledger.messages[0].showings.count == 1)
        #expect(!world.ledger.messages[0].isDurable)
    }

    @Test func aMessageToSomebodyWhoIsAwayIsStoredAndDeliveredOnReturn() {
        let world = Self.run(
            Self.scenario([Self.at(5, .deregister(device: 1)), Self.at(50, .appear(device: 1, atNewAddress: true))]))
        #expect(world.ledger.violations.isEmpty)
        #expect(world.ledger.messages[0].senderStatus == 202)
        #expect(world.ledger.messages[0].isDurable)
        let shown = world.ledger.messages[0].showings.map { ($0.at - Scenario.beginning).inSeconds }
        #expect(shown.count == 1)
        #expect(shown.allSatisfy { (50...51).contains($0) })
    }

    /// A crash at each of the moments between which it makes a difference: while a relay goes on, and while a stored message is
    /// accepted and delivered.
    @Test(arguments: CrashMoment.allCases, [false, true])
    func aCrashLosesAndDoublesNothing(moment: CrashMoment, isAway: Bool) {
        var actions = [Self.at(9, .crashWhen(moment, downFor: .seconds(2 as Int64)))]
        if isAway {
            actions += [Self.at(5, .vanish(device: 1)), Self.at(60, .appear(device: 1, atNewAddress: true))]
            actions.append(Self.at(59, .crashWhen(moment, downFor: .seconds(2 as Int64))))
        }
        let world = Self.run(Self.scenario(actions))
        #expect(world.ledger.violations.isEmpty)
        #expect(world.ledger.messages[0].showings.count == 1)
        #expect(world.ledger.messages[0].senderStatus == (world.ledger.messages[0].isDurable ? 202 : 200))
    }

    /// A device that goes by its transactions alone gets a delivery repeated after a crash as a retransmission.
    @Test func aRedeliveryAfterACrashIsARetransmission() {
        var scenario = Self.scenario([
            Self.at(5, .deregister(device: 1)), Self.at(59, .crashWhen(.answerTaken, downFor: .seconds(1 as Int64))),
            Self.at(60, .appear(device: 1, atNewAddress: false)),
        ])
        scenario.devices[1].honoursIdentity = false
        scenario.devices[1].refusesMergedRequests = true
        let world = Self.run(scenario)
        #expect(world.ledger.violations.isEmpty)
        #expect(world.ledger.totals.crashes == 1)
        #expect(world.ledger.messages[0].showings.count == 1)
        #expect(world.ledger.totals.retransmissionsAbsorbed > 0)
    }

    /// The store is full as the message comes: 503, no promise; the sender tries again and is served.
    @Test func aFullStoreRefusesWhatNeedsIt() {
        let world = Self.run(
            Self.scenario([
                Self.at(5, .deregister(device: 1)), Self.at(8, .storeFails(.full("test"), .seconds(20 as Int64))),
            ]))
        #expect(world.ledger.violations.isEmpty)
        #expect(world.ledger.messages[0].tries > 1)
        #expect(world.ledger.messages[0].senderStatus == 202)
        #expect(world.ledger.totals.storeFailures > 0)
    }

    @Test func whatExpiredIsNotDelivered() {
        var scenario = Self.scenario([
            Self.at(5, .vanish(device: 1)), Self.at(60, .appear(device: 1, atNewAddress: true)),
        ])
        scenario.messages[0].expires = 30
        let world = Self.run(scenario)
        #expect(world.ledger.violations.isEmpty)
        #expect(world.ledger.messages[0].senderStatus == 202)
        #expect(world.ledger.messages[0].showings.isEmpty)
        #expect(world.ledger.totals.expired == 1)
    }

    /// Forty messages at once to somebody on 2400 bit/s: paced by the link's budget; an engine that knows of none is seen.
    @Test(arguments: [true, false])
    func aSlowLinkIsNotOverrun(keepsBudget: Bool) {
        var scenario = CheckTests.twoDevices()
        var slow = LinkProfile()
        slow.name = "slow"
        slow.t1 = .seconds(20 as Int64)
        slow.t2 = .seconds(60 as Int64)
        slow.relayPatience = .seconds(20 as Int64)
        slow.flushWindow = 2
        slow.flushOrder = .sender
        slow.budget.byteRate = 300
        scenario.profiles["slow"] = slow
        scenario.devices[1].profile = "slow"
        scenario.devices[1].down = LinkConditions(delay: .seconds(1 as Int64), bytesPerSecond: 300)
        scenario.devices[1].t1 = slow.t1
        scenario.messages = (0..<40).map {
            MessagePlan(token: $0, sender: 0, recipient: "bob", body: Array("message \($0)".utf8))
        }
        scenario.actions = [Self.at(1, .appear(device: 0, atNewAddress: false))]
        scenario.actions += (0..<40).map { Self.at(10, .send(message: $0)) }
        scenario.actions.append(Self.at(60, .appear(device: 1, atNewAddress: false)))
        scenario.faultsEnd = .seconds(1_200 as Int64)
        var known = scenario
        if !keepsBudget { known.profiles["slow"]?.budget = LinkBudget() }
        let world = World(scenario: scenario) { SimulationRunner.engine(known, $1, $2) }
        world.run()
        let over = world.ledger.violations.filter { $0.check == .overBudget }
        #expect(over.isEmpty == keepsBudget)
        #expect(world.ledger.violations.count == over.count)
        #expect(world.ledger.totals.shown == 40)
    }

    /// Twenty messages to somebody away, half of everything lost on the way: all arrive, once and in order.
    @Test func aFlushOverALossyLinkKeepsOrder() {
        var scenario = CheckTests.twoDevices()
        scenario.devices[1].down.loss = 0.5
        scenario.devices[1].up.loss = 0.3
        scenario.devices[1].down.reordering = 0.2
        scenario.messages = (0..<20).map {
            MessagePlan(token: $0, sender: 0, recipient: "bob", body: Array("message \($0)".utf8))
        }
        scenario.actions = [Self.at(1, .appear(device: 0, atNewAddress: false))]
        scenario.actions += (0..<20).map { Self.at(10 + Double($0), .send(message: $0)) }
        scenario.actions.append(Self.at(60, .appear(device: 1, atNewAddress: false)))
        scenario.faultsEnd = .seconds(1_800 as Int64)
        let world = Self.run(scenario)
        #expect(world.ledger.violations.isEmpty)
        let order = world.ledger.messages.compactMap { $0.showings.first?.ordinal }
        #expect(order == order.sorted())
        #expect(order.count == 20)
        #expect(world.ledger.totals.shown == 20)
    }
}

extension EngineWorldTests {
    /// Credentials are asked for, given, and asked for again after a restart; the message is still shown once.
    @Test func usersProveWhoTheyAre() {
        var challenges = 0
        var scenario = Self.scenario([
            Self.at(5, .vanish(device: 1)), Self.at(9, .crashWhen(.reportedUnsent, downFor: .seconds(2 as Int64))),
            Self.at(60, .appear(device: 1, atNewAddress: true)),
        ])
        scenario.authenticates = true
        scenario.messages[0].contentType = "message/cpim"
        scenario.messages[0].messageID = "one"
        scenario.messages[0].body = Array(
            "From: <im:alice@x>\r\nNS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: one\r\n\r\n\r\nhello".utf8)
        let result = SimulationRunner.run(
            scenario,
            trace: { line in
                if line.contains("401 Unauthorized") || line.contains("407 Proxy") { challenges += 1 }
            })
        #expect(result.violations.isEmpty)
        #expect(result.totals.shown == 1)
        #expect(result.totals.crashes == 1)
        #expect(challenges >= 3)
    }
}
