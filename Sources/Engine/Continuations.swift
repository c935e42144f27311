import HeapModule
import LinkProfiles
import MessageStore
import SIPCore
import SIPTransaction

/// What follows a commit, and what follows its failure.
extension Engine {
    func resume(_ continuation: Continuation, claims: inout ArraySlice<ClaimedMessage>) {
        switch continuation {
        case .named(let user):
            location.numberWasStored(of: user)
        case .accepted(let held, let user, _, _):
            tally.messagesAccepted += 1
            answer(held, 202)
            watchOutside(user)
        case .acceptedAgain(let held, let identity, let lost):
            acceptedAgain(held, identity, lostBefore: lost)
        case .claimed(let user, let number):
            if let claim = claims.first, claim.number == number {
                claims.removeFirst()
                beginDelivery(number, user: user, payload: claim.payload)
            } else {
                claimVanished(number, user: user)
            }
        case .registered(let held, let outcome):
            registered(held, outcome)
        case .published(let publication):
            published(publication)
        case .subscribed(let request):
            subscribed(request)
        case .reserved(let mark, let ceiling):
            sequencesReserved(mark, ceiling: ceiling)
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
            pending.lostAcceptances += 1
            let goesOn = returnToRelay(number, of: user)
            withdraw(number, of: user)
            if !goesOn { refuseForStore(held) }
        case .acceptedAgain(let held, let identity, let lost):
            acceptedAgain(held, identity, lostBefore: lost)
        case .claimed(let user, let number):
            unclaim(number, of: user)
        case .registered(let held, let outcome):
            if let undo = outcome.undo { _ = registrar.rollBack(undo) }
            tally.registrationsRefused += 1
            refuseForStore(held)
        case .published(let publication):
            publicationFailed(publication)
        case .subscribed(let request):
            subscribeFailed(request)
        case .reserved(let mark, _):
            sequencesNotReserved(mark)
        case .settled(let command, let user):
            if unsettled.isEmpty {
                deadlines.insert(Deadline(at: now + .milliseconds(500), kind: .settlement))
            }
            unsettled.append((command, user))
        }
    }

    /// The commands before a repetition have their outcome. Where an acceptance was lost meanwhile, the identity may be that of a
    /// later copy whose commit is still to come: wait for that one.
    private func acceptedAgain(_ held: HeldRequest, _ identity: MessageIdentity, lostBefore lost: UInt64) {
        guard identities.contains(identity) else { return refuseForStore(held) }
        if lost == pending.lostAcceptances || pending.depth == 0 { return answer(held, 202) }
        pending.hold(.acceptedAgain(held, identity: identity, lostBefore: pending.lostAcceptances))
    }

    private func refuseForStore(_ held: HeldRequest) {
        tally.refusedByStore += 1
        answer(held, 503, headers: Self.retrySoon)
    }

    /// A relay that the store was to take over goes on by itself: what comes of it is the sender's answer. False when there is none.
    private func returnToRelay(_ number: MessageNumber, of user: Int32) -> Bool {
        guard let slot = queueSlot(of: user) else { return false }
        for fork in queues[slot].forks {
            guard let context = contexts.context(at: fork.slot, generation: fork.generation), context.number == number,
                context.held != nil
            else { continue }
            context.number = nil
            context.isAnswered = false
            context.isLive = true
            queues[slot].live += 1
            return true
        }
        return false
    }

    /// Takes a message out again whose commit failed.
    private func withdraw(_ number: MessageNumber, of user: Int32) {
        guard let slot = queueSlot(of: user), let position = queues[slot].index(of: number) else { return }
        end(position, in: slot)
        pump(slot)
    }

    private func unclaim(_ number: MessageNumber, of user: Int32) {
        guard let slot = queueSlot(of: user) else { return }
        if let position = queues[slot].index(of: number) { queues[slot].move(position, to: .queued) }
        queues[slot].notBefore = max(queues[slot].notBefore, now + .seconds(1 as Int64))
        arm(slot, at: queues[slot].notBefore)
    }
}
