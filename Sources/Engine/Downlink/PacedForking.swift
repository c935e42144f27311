import LinkProfiles
import MessageStore
import SIPCore
import SIPTransaction

/// Branches of a fork that wait for their turn on a constrained endpoint's downlink.
extension Engine {
    /// Whether the branch's next hop is on a constrained link.
    func isPaced(_ position: Int, in context: ForkContext, towards destination: Destination) -> Bool {
        let profile = profileNumber(of: context.branches[position].target, at: destination)
        context.branches[position].target.profile = profile
        return isPaced(profile)
    }

    /// The branch's next hop is on a constrained link: it is sent when its turn comes.
    func awaitTurn(_ position: Int, in context: ForkContext, towards destination: Destination) {
        context.branches[position].state = .waiting
        want(
            turnKey(position, of: context), context.urgency, towards: destination,
            profile: context.branches[position].target.profile)
    }

    private func turnKey(_ position: Int, of context: ForkContext) -> DownlinkKey {
        .branch(
            context: context.slot, generation: contexts.generation(of: context.slot),
            position: UInt16(truncatingIfNeeded: position))
    }

    /// The branch has its turn.
    func branchGranted(slot: UInt32, generation: UInt32, position: Int, turn: DownlinkTurn) {
        guard let context = waitingContext(slot, generation, position) else { return }
        sendNext(position, in: context, turn: turn)
        finishIfQuiet(context)
    }

    /// A connection is gone: if it is the one for which the branch waited, the branch has failed.
    func branchLost(slot: UInt32, generation: UInt32, position: Int, with flow: Flow) {
        guard let context = waitingContext(slot, generation, position),
            context.branches[position].alternatives.first == .flow(flow)
        else { return }
        unwant(turnKey(position, of: context), towards: .flow(flow))
        context.branches[position].alternatives.removeFirst()
        failBranch(position, in: context, cause: .flowGone)
        finishIfQuiet(context)
    }

    /// The branch is not wanted any more.
    func stopWaiting(_ position: Int, in context: ForkContext) {
        if let destination = context.branches[position].alternatives.first {
            unwant(turnKey(position, of: context), towards: destination)
        }
        context.branches[position].state = .completed
    }

    private func waitingContext(_ slot: UInt32, _ generation: UInt32, _ position: Int) -> ForkContext? {
        guard let context = contexts.context(at: slot, generation: generation), position < context.branches.count,
            context.branches[position].state == .waiting
        else { return nil }
        return context
    }

    // MARK: Times in which a link is closed

    /// When a request of that urgency may reach one of the user's devices: now, unless all of them are on links that have quiet
    /// hours or radio windows and are closed.
    func downlinkOpens(to user: Int32, _ urgency: DownlinkUrgency) -> Instant {
        guard hasClosings else { return now }
        var earliest: Instant?
        for binding in location.bindings(of: user) where binding.route != .lost && binding.expiresAt > now {
            let link = profiles[profileNumber(of: binding, user: user)]
            guard link.budget.hasClosings else { return now }
            let scheduler =
                binding.flow.flatMap { downlinks[$0.remote]?.scheduler }
                ?? DownlinkScheduler(link.budget, largestPacket: link.datagramLimit, at: now)
            let time = scheduler.opening(urgency, at: now)
            earliest = min(earliest ?? time, time)
        }
        return earliest ?? now
    }
}
