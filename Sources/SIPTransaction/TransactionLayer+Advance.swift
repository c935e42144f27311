public import LinkProfiles
import SIPCore

extension TransactionLayer {
    /// Fires every timer due at `now` and appends what follows from it. A transaction that times out at `now` asks for
    /// no retransmission before.
    public func advance(to now: Instant, into events: inout [TransactionEvent]) {
        let now = now.microseconds
        pending.advance(to: now) { message in
            let slot = pending.slots.pointer(message).pointee.transaction
            let record = records.slots.pointer(slot)
            let actions = record.pointee.machine.lifetimeFired()
            report(actions, record, &events)
            perform(actions, slot, at: now)
        }
        records.advance(to: now) { slot in
            let record = records.slots.pointer(slot)
            let actions = record.pointee.machine.timerFired(step: record.pointee.step)
            if !actions.isEmpty || record.pointee.options.contains(.reportsEnd) { report(actions, record, &events) }
            perform(actions, slot, at: now)
        }
    }

    private func report(
        _ actions: TransactionActions, _ record: UnsafeMutablePointer<TransactionRecord>,
        _ events: inout [TransactionEvent]
    ) {
        let isClient = record.pointee.machine.isClient
        if isClient && record.pointee.options.contains(.isAbandoned) { return }
        let id = record.pointee.id
        let user = record.pointee.user
        if actions.contains(.transmit) {
            guard let message = pendingMessage(record) else { return }
            if let destination = message.pointee.destination {
                events.append(.retransmit(client: id, bytes: message.pointee.bytes, destination: destination))
            } else {
                let status = record.pointee.status
                events.append(.resendResponse(server: id, user: user, status: status, tail: message.pointee.bytes))
            }
        } else if actions.contains(.reportTimeout) {
            events.append(isClient ? .timedOut(client: id, user: user) : .ackTimeout(server: id, user: user))
        } else if actions.contains(.reportTryingDue) {
            events.append(.tryingDue(server: id, user: user))
        } else if actions.contains(.reportUnanswered) {
            events.append(.unanswered(server: id, user: user))
        } else if record.pointee.options.contains(.reportsEnd) && record.pointee.machine.isTerminated {
            events.append(isClient ? .clientEnded(client: id, user: user) : .ended(server: id, user: user))
        }
    }
}
