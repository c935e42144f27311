import Dispatch
import GRDB
import MessageStore
import Synchronization

/// Copies the write-ahead log into the database beside the commits, so that none of them waits for it.
///
/// Once the log holds ``threshold`` pages, a second connection copies what is there (SQLite's PASSIVE checkpoint, which
/// stops neither readers nor the writer). What was committed meanwhile is little; the committing connection copies it
/// itself between two groups, after which the log is written from its beginning again. Should the second connection
/// fall behind four thresholds, commits wait for it: the log stays bounded whatever the load. A reader that holds an
/// old snapshot (a backup under way) is the one thing that keeps the log growing, for as long as it reads.
final class Checkpointer: Sendable {
    private let threshold: Int
    private let companion: DatabaseQueue
    private let thread = DispatchQueue(label: "godwit.store.checkpoint")
    private let state = Mutex(State(phase: .resting, trigger: 0, failure: nil))

    private struct State {
        var phase: Phase
        /// Pages in the log at which the next pass begins.
        var trigger: Int
        var failure: StoreFailure?
    }

    private enum Phase {
        case resting
        /// The companion copies.
        case copying
        /// It has; the committing connection is to copy the rest.
        case copied
    }

    /// `threshold` is in pages.
    init(path: String, threshold: Int) throws {
        self.threshold = threshold
        companion = try StoreOpening.companion(path: path)
        state.withLock { $0.trigger = threshold }
    }

    /// Why the last pass failed; nil when it did not. Commits go on into the log.
    var failure: StoreFailure? { state.withLock { $0.failure } }

    /// To be called between two groups, on the committing connection, with the pages that the log now holds.
    func committed(pagesInLog pages: Int, on connection: Database, path: String) {
        if pages >= threshold * 4 && state.withLock({ $0.phase == .copying }) { waitUntilDone() }
        switch state.withLock({ $0.phase }) {
        case .resting: if pages >= state.withLock({ $0.trigger }) { begin(path: path) }
        case .copying: break
        case .copied: finish(pages, on: connection, path: path)
        }
        if pages < threshold { state.withLock { $0.trigger = threshold } }
    }

    /// To be called when there is no space for a group: what the log holds is copied now, so that the log starts again
    /// from its beginning and later groups are written over space that it has already.
    func relieve(pagesInLog pages: Int, on connection: Database, path: String) {
        waitUntilDone()
        finish(pages, on: connection, path: path)
    }

    func waitUntilDone() { thread.sync {} }

    private func begin(path: String) {
        state.withLock { $0.phase = .copying }
        thread.async { [companion, self] in
            let failure: StoreFailure?
            do {
                _ = try companion.writeWithoutTransaction { try $0.checkpoint(.passive) }
                failure = nil
            } catch {
                failure = StoreFailure(error, path: path)
            }
            state.withLock {
                $0.phase = .copied
                $0.failure = failure
            }
        }
    }

    /// Copies the rest; when a reader is in the way, the next pass begins only after as much again was written.
    private func finish(_ pages: Int, on connection: Database, path: String) {
        let outcome = Result { try connection.checkpoint(.passive) }
        state.withLock {
            $0.phase = .resting
            switch outcome {
            case .success(let result):
                $0.trigger = result.walFrameCount == result.checkpointedFrameCount ? threshold : pages + threshold
                $0.failure = nil
            case .failure(let error):
                $0.trigger = pages + threshold
                $0.failure = StoreFailure(error, path: path)
            }
        }
    }
}
