import DequeModule
import LinkProfiles

/// A relay that becomes a deferred message when its device stays silent.
struct PatienceMark {
    var at: Instant
    var slot: UInt32
    var generation: UInt32
}

/// Relays that wait for a device. How long depends on the links of both sides; one line for every duration there is, so that
/// each line is in the order of time by itself.
struct PatienceLines {
    private let durations: [TimeSpan]
    private var lines: [Deque<PatienceMark>]
    /// Line of every pair of profiles: recipient's times count plus sender's.
    private let index: [Int]
    private let profileCount: Int

    init(_ profiles: [LinkProfile]) {
        let pairs = profiles.flatMap { recipient in
            // The sender is answered while it still asks: before half of its timer F.
            profiles.map {
                min(recipient.relayPatience, TimeSpan(microseconds: $0.transactionLifetime.microseconds / 2))
            }
        }
        let durations = Set(pairs).sorted()
        self.durations = durations
        lines = durations.map { _ in Deque() }
        index = pairs.map { pair in durations.firstIndex(of: pair) ?? 0 }
        profileCount = profiles.count
    }

    /// When the first relay has waited long enough.
    var next: Instant? { lines.lazy.compactMap { $0.first?.at }.min() }

    mutating func add(slot: UInt32, generation: UInt32, recipient: Int, sender: Int, now: Instant) {
        let line = index[recipient * profileCount + sender]
        lines[line].append(PatienceMark(at: now + durations[line], slot: slot, generation: generation))
    }

    mutating func popDue(at now: Instant) -> PatienceMark? {
        for line in lines.indices {
            if let mark = lines[line].first, mark.at <= now { return lines[line].removeFirst() }
        }
        return nil
    }
}

extension Engine {
    func watchPatience(of context: ForkContext, profile: Int) {
        guard let held = context.held else { return }
        patience.add(
            slot: context.slot, generation: contexts.generation(of: context.slot), recipient: profile,
            sender: profileNumber(of: held.flow), now: now)
    }

    /// Relays whose device stayed silent for too long are committed and answered 202; the attempt goes on.
    func firePatience() {
        while let mark = patience.popDue(at: now) {
            guard let context = contexts.context(at: mark.slot, generation: mark.generation), context.isLive else {
                continue
            }
            endPatience(of: context)
        }
    }

    /// The store takes a relay over, and with it those that wait behind it. One it does not take goes on as it was.
    private func endPatience(of context: ForkContext) {
        guard let held = context.held, !context.isAnswered else { return }
        guard context.isStarted else {
            // Those before it in the line go first, so that order holds.
            if let slot = queueSlot(of: context.user) { endPatience(in: slot) }
            guard context.isLive else { return }
            context.isLive = false
            contexts.remove(context.slot)
            deferMessage(held, user: context.user, attemptsMade: 0)
            return answerFollowers(of: context, status: nil)
        }
        if deferMessage(held, user: context.user, attemptsMade: 0, goingOnIn: context) {
            answerFollowers(of: context, status: nil)
        }
    }

    /// The store takes over what is under way to one recipient.
    func endPatience(in slot: Int) {
        for fork in queues[slot].forks {
            guard let context = contexts.context(at: fork.slot, generation: fork.generation), context.isLive,
                context.isStarted
            else { continue }
            endPatience(of: context)
        }
    }
}
