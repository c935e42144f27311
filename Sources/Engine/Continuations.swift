import HeapModule
import LinkProfiles
import MessageStore
import SIPCore
import SIPTransaction

/// What follows a commit, and what follows its failure.
extension Engine {
    func resume(_ continuation: Continuation, claims: inout ArraySlice<ClaimedMessage>) {
        switch continuation {
        case .named:
            break
        case .accepted(let held, _, _, _):
            tally.messagesAccepted += 1
            answer(held, 202)
        case .acceptedAgain(let held, let identity):
            answer(held, identities.contains(identity) ? 202 : 503)
        case .claimed(let user, let number):
            if let claim = claims.first, claim.number == number {
                claims.removeFirst()
                beginDelivery(number, user: user, payload: claim.payload)
            } else {
                claimVanished(number, user: user)
            }
        case .registered(let held, let outcome):
            registered(held, outcome)
        case .settled:
            break
        }
    }

    /// The store knows nothing of a message memory wanted to deliver: an operator dropped it.
    private func claimVanished(_ number: MessageNumber, user: Int32) {
        guard let slot = queueSlot(of: user) else { return }
        if let position = queues[slot].index(of: number) { end(position, in: slot) }
        pump(slot)
    }

    func abandon(_ continuation: Continuation) {
        switch continuation {
        case .named(let user):
            location.numberWasNotStored(of: user)
        case .accepted(let held, let user, let number, let identity):
            identities.remove(identity)
            withdraw(number, of: user)
            refuseForStore(held)
        case .acceptedAgain(let held, let identity):
            if identities.contains(identity) { answer(held, 202) } else { refuseForStore(held) }
        case .claimed(let user, let number):
            unclaim(number, of: user)
        case .registered(let held, let outcome):
            if let undo = outcome.undo { _ = registrar.rollBack(undo) }
            tally.registrationsRefused += 1
            refuseForStore(held)
        case .settled(let command, let user):
            if unsettled.isEmpty {
                deadlines.insert(Deadline(at: now + .milliseconds(500), kind: .settlement))
            }
            unsettled.append((command, user))
        }
    }

    private func refuseForStore(_ held: HeldRequest) {
        tally.refusedByStore += 1
        answer(held, 503, headers: Self.retrySoon)
    }

    /// Takes a message out again whose commit failed. A relay that goes on for it ends without a trace in the store.
    private func withdraw(_ number: MessageNumber, of user: Int32) {
        guard let slot = queueSlot(of: user), let position = queues[slot].index(of: number) else { return }
        end(position, in: slot)
        releaseQueueIfIdle(slot)
    }

    private func unclaim(_ number: MessageNumber, of user: Int32) {
        guard let slot = queueSlot(of: user) else { return }
        if let position = queues[slot].index(of: number) { queues[slot].move(position, to: .queued) }
        queues[slot].notBefore = max(queues[slot].notBefore, now + .seconds(1 as Int64))
        arm(slot, at: queues[slot].notBefore)
    }
}
