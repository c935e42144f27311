import LinkProfiles
import MessageStore
import SIPCore

/// The checks that need the end of the story.
struct Verdict {
    let world: World
    private var scenario: Scenario { world.scenario }

    /// Faults are over and there was time enough: nothing may be left to do.
    func checkDrained() {
        for (token, record) in world.ledger.messages.enumerated() where record.senderStatus == nil {
            violated(.unanswered, token, "the sender has no final answer after \(record.tries) tries")
        }
        for row in world.store.messages where !row.state.isTerminal {
            let token = Ledger.token(ofPayload: row.message.payload)
            violated(.notDrained, token, "number \(row.message.number.rawValue) is still \(row.state)")
        }
        for endpoint in world.endpoints where !endpoint.isRegistered {
            violated(.unregistered, nil, "\(endpoint.name) is not registered")
        }
    }

    /// Everybody has gone home.
    func checkEnd() {
        for token in world.ledger.messages.indices {
            checkKept(token)
            checkOnce(token)
            checkExpiry(token)
        }
        checkOrder()
        checkMemory()
    }

    private func violated(_ check: Check, _ token: Int?, _ detail: String) {
        world.ledger.violated(check, token: token, at: world.now, detail)
    }

    /// Nothing acknowledged is lost.
    private func checkKept(_ token: Int) {
        let record = world.ledger.messages[token]
        guard let status = record.acknowledgedWith, record.showings.isEmpty else { return }
        let ends = record.numbers.map { world.ledger.endings[$0]?.state }
        if let number = record.numbers.first, world.store.message(number).map({ !$0.state.isTerminal }) ?? false {
            return
        }
        if ends.contains(.refused) {
            if record.refusals.isEmpty { violated(.refusedWithoutCause, token, "no device refused it") }
        } else if !ends.contains(.expired) {
            let fate =
                record.numbers.isEmpty ? "never stored" : ends.contains(.delivered) ? "stored as delivered" : "stored"
            violated(.lost, token, "answered \(status), \(fate), shown to nobody")
        }
    }

    /// Nothing is shown or stored twice.
    private func checkOnce(_ token: Int) {
        let record = world.ledger.messages[token]
        for device in scenario.devices.indices where scenario.devices[device].honoursIdentity {
            let times = record.showings.count { $0.device == device }
            if times > 1 { violated(.shownTwice, token, "\(world.name(device)) showed it \(times) times") }
        }
        if record.numbers.count > 1 {
            violated(
                .storedTwice, token, "as numbers \(record.numbers.map { String($0.rawValue) }.joined(separator: ", "))")
        }
    }

    /// Expired means that its time had come.
    private func checkExpiry(_ token: Int) {
        let record = world.ledger.messages[token]
        for number in record.numbers {
            guard let end = world.ledger.endings[number], end.state == .expired,
                let arrived = record.firstArrival
            else { continue }
            let due = scenario.messages[token].expires.map { arrived + .seconds($0) } ?? record.expiresAt
            if let due, end.at < due - .seconds(1 as Int64) {
                violated(.expiredEarly, token, "\((due - end.at).inSeconds) s before its time")
            }
        }
    }

    /// What was accepted before something else arrived is shown before it, at a user's only device.
    private func checkOrder() {
        for device in scenario.devices.indices where scenario.hasOneDevice(scenario.devices[device].user) {
            let keepsAll = scenario.profiles[scenario.devices[device].profile]?.flushOrder == .recipient
            var shown: [(ordinal: Int, token: Int)] = []
            for (token, record) in world.ledger.messages.enumerated() where !scenario.messages[token].isUrgent {
                if let first = record.showings.first(where: { $0.device == device }) {
                    shown.append((first.ordinal, token))
                }
            }
            shown.sort { $0.ordinal < $1.ordinal }
            for (position, later) in shown.enumerated() {
                for earlier in shown[..<position] { compare(earlier.token, later.token, device, keepsAll) }
            }
        }
    }

    /// `first` was shown before `second` at the device: was it right to be?
    private func compare(_ first: Int, _ second: Int, _ device: Int, _ keepsAll: Bool) {
        let (a, b) = (world.ledger.messages[second], world.ledger.messages[first])
        // One that expired may have been on its way still; one that was declined on a connection has let the next pass.
        guard !isExpired(a), a.refusals.isEmpty || scenario.devices[device].transport == .udp,
            let arrival = b.firstArrival, let left = b.showings.first(where: { $0.device == device })?.sentAt
        else { return }
        let isSameSender = scenario.messages[first].sender == scenario.messages[second].sender
        guard isSameSender || keepsAll else { return }
        let check: Check = isSameSender ? .senderOrder : .recipientOrder
        if let answered = a.acknowledgedAt, answered < arrival {
            violated(check, second, "\(world.name(device)) shows m\(first) before it, which arrived after its answer")
        } else if scenario.devices[device].transport == .udp, a.tries == 1, b.tries == 1, let number = a.numbers.first,
            let next = b.numbers.first, number < next,
            let stored = a.storedAt, let storedNext = b.storedAt, max(stored, storedNext) < left
        {
            violated(check, second, "\(world.name(device)) shows m\(first) before it, which was stored after it")
        }
    }

    private func isExpired(_ record: MessageRecord) -> Bool {
        record.numbers.contains { world.ledger.endings[$0]?.state == .expired }
    }

    private func checkMemory() {
        guard let left = world.node.occupancy else {
            violated(.memory, nil, "the node is down")
            return
        }
        if left != ServerOccupancy() {
            violated(
                .memory, nil,
                "left in memory: \(left.transactions) transactions, \(left.contexts) contexts, \(left.queued) queued, "
                    + "\(left.bindings) bindings")
        }
        if !world.store.bindings.isEmpty {
            violated(.memory, nil, "\(world.store.bindings.count) bindings left in the store")
        }
    }
}
