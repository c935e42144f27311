import Foundation
import MessageStore

/// What became of a run of store commands.
struct CommitReport: Sendable {
    /// Number of the last command of the run; the first follows the previous report's.
    var through: UInt64
    /// Payloads of the claims in the run.
    var claimed: [ClaimedMessage]
    /// Nil when the run is durable; else none of it happened.
    var failure: StoreFailure?
}

/// The one thread that uses the Message Store. It takes all commands that wait as one group (up to a limit), commits it, and
/// reports it; while it waits for the disk the next group gathers.
///
/// ``submit(_:)`` and ``stop()`` may be called from any thread; reports come on the commit thread.
final class CommitThread: @unchecked Sendable {
    /// Used by the thread alone; let go of when it ends, so that the database is closed then.
    private var store: (any MessageStore)?
    private let groupLimit: Int
    private let report: @Sendable (CommitReport) -> Void
    /// Guards everything below.
    private let condition = NSCondition()
    private var waiting: [StoreCommand] = []
    private var isStopping = false
    private var hasEnded = false
    private var thread: Thread?

    /// - Parameters:
    ///   - store: belongs to the thread from now on.
    ///   - groupLimit: commands committed as one group at most.
    init(store: any MessageStore, groupLimit: Int, report: @escaping @Sendable (CommitReport) -> Void) {
        self.store = store
        self.groupLimit = max(1, groupLimit)
        self.report = report
    }

    func start() {
        let thread = Thread { [self] in run() }
        thread.name = "godwit-commit"
        self.thread = thread
        thread.start()
    }

    /// Puts commands behind those that wait already.
    func submit(_ commands: [StoreCommand]) {
        condition.lock()
        let wasEmpty = waiting.isEmpty
        waiting.append(contentsOf: commands)
        if wasEmpty { condition.signal() }
        condition.unlock()
    }

    /// Commits what waits, then ends the thread; returns when it has ended.
    func stop() {
        condition.lock()
        isStopping = true
        condition.broadcast()
        while thread != nil, !hasEnded { condition.wait() }
        condition.unlock()
    }

    private func run() {
        var sequence: UInt64 = 0
        while let group = nextGroup() { commit(group, after: &sequence) }
        store = nil
        condition.lock()
        hasEnded = true
        condition.broadcast()
        condition.unlock()
    }

    private func nextGroup() -> [StoreCommand]? {
        condition.lock()
        defer { condition.unlock() }
        while waiting.isEmpty {
            if isStopping { return nil }
            condition.wait()
        }
        guard waiting.count > groupLimit else {
            let group = waiting
            waiting = []
            waiting.reserveCapacity(group.count)
            return group
        }
        let group = Array(waiting[..<groupLimit])
        waiting.removeFirst(groupLimit)
        return group
    }

    private func commit(_ group: [StoreCommand], after sequence: inout UInt64) {
        guard let store else { return }
        do throws(StoreFailure) {
            let claimed = try store.commit(group)
            sequence += UInt64(group.count)
            report(CommitReport(through: sequence, claimed: claimed, failure: nil))
        } catch {
            // A command that breaks the protocol must not take the others of its group with it.
            if case .misuse = error, group.count > 1 {
                for command in group { commit([command], after: &sequence) }
                return
            }
            sequence += UInt64(group.count)
            report(CommitReport(through: sequence, claimed: [], failure: error))
        }
    }
}
