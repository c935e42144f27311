import Engine
import LinkProfiles
import SIPCore

/// Stands at the node's door and counts what leaves towards each endpoint: in no window of time may it be more than the budget of the
/// endpoint's link profile allows.
struct BudgetWatch {
    /// What left in the window that is fullest by now, less what the rate allowed meanwhile.
    private struct Tally {
        var bytes = 0.0
        var packets = 0.0
        var largest = 0.0
        var at: Instant
    }

    private let budgets: [IPAddress: LinkBudget]
    private let largestDatagram: [IPAddress: Int]
    private var tallies: [TransportAddress: Tally] = [:]

    init(_ scenario: Scenario) {
        var budgets: [IPAddress: LinkBudget] = [:]
        var largest: [IPAddress: Int] = [:]
        for (index, device) in scenario.devices.enumerated() {
            guard let budget = scenario.profiles[device.profile]?.budget, !budget.isUnlimited else { continue }
            let address = ScriptedEndpoint.address(of: index, move: 0).ip
            budgets[address] = budget
            largest[address] = (scenario.profiles[device.profile]?.datagramLimit ?? 0) + budget.packetOverhead
        }
        largestDatagram = largest
        self.budgets = budgets
    }

    /// The node died, and with it its memory of what it sent.
    mutating func nodeDied() { tallies = [:] }

    /// - Returns: what is wrong with this transmission; nil when it keeps the budget.
    mutating func sends(_ transmission: Transmission, at now: Instant) -> String? {
        let address: TransportAddress
        switch transmission.destination {
        case .flow(let flow): address = flow.remote
        case .target(let target): address = target.address
        }
        guard let budget = budgets[address.ip] else { return nil }
        var tally = tallies[address] ?? Tally(at: now)
        let elapsed = (now - tally.at).inSeconds
        let size = Double(transmission.bytes.count + budget.packetOverhead)
        tally.at = now
        tally.largest = max(tally.largest, size)
        tally.bytes = max(0, tally.bytes - elapsed * Double(budget.byteRate)) + size
        tally.packets = max(0, tally.packets - elapsed * budget.packetRate) + 1
        tallies[address] = tally
        // A message too large for a datagram leaves a connection whole.
        let excess = max(0, tally.largest - Double(largestDatagram[address.ip] ?? 0))
        if budget.byteRate > 0, tally.bytes > max(Double(budget.burst) + excess, tally.largest) + 0.01 {
            return "\(Int(tally.bytes)) bytes above \(budget.byteRate) a second"
        }
        if budget.packetRate > 0, tally.packets > Double(budget.packetBurst) + 0.01 {
            return "\(tally.packets) packets above \(budget.packetRate) a second"
        }
        let isAnswer = ["SIP/", "ACK ", "CANCEL "].contains { transmission.bytes.starts(with: $0.utf8) }
        if !isAnswer, budget.awake == .zero, budget.listens(at: now) != now { return "the receiver is off" }
        return nil
    }
}
