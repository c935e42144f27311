import GRDB
import LinkProfiles
import MessageStore

/// The statements that change subscriptions. What changes as a subscription is refreshed stands in a narrow table of
/// its own, so that a refresh overwrites some forty bytes and not the dialog.
struct SubscriptionStatements {
    private let replaceProgress: PreparedStatement
    private let replaceDialog: PreparedStatement
    private let updateProgress: PreparedStatement
    private let deleteProgress: PreparedStatement
    private let deleteDialog: PreparedStatement

    init(_ database: Database, path: String) throws {
        func prepare(_ sql: String) throws -> PreparedStatement { try PreparedStatement(database, sql, path: path) }
        replaceProgress = try prepare(
            """
            INSERT OR REPLACE INTO subscription (number, resource, state, remote_cseq, cseq_ceiling, version, expires_at)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """)
        replaceDialog = try prepare(
            """
            INSERT OR REPLACE INTO subscription_dialog (number, event, watcher, created_at, accept, max_rate, min_rate,
                adaptive_min_rate, flow, dialog, filter) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        updateProgress = try prepare(
            """
            UPDATE subscription SET state = ?2, remote_cseq = ?3, cseq_ceiling = ?4, version = ?5, expires_at = ?6
            WHERE number = ?1
            """)
        deleteProgress = try prepare("DELETE FROM subscription WHERE number = ?")
        deleteDialog = try prepare("DELETE FROM subscription_dialog WHERE number = ?")
    }

    func subscribe(_ subscription: StoredSubscription) throws(StoreFailure) {
        let number = subscription.number.rawValue
        let progress = subscription.progress
        replaceProgress.bind(1, number)
        replaceProgress.bind(2, subscription.resource.rawValue)
        replaceProgress.bind(3, literal: progress.state.letter)
        replaceProgress.bind(4, Int64(progress.remoteSequence))
        replaceProgress.bind(5, Int64(progress.sequenceCeiling))
        replaceProgress.bind(6, Int64(progress.version))
        replaceProgress.bind(7, progress.expiresAt)
        try replaceProgress.run()

        replaceDialog.bind(1, number)
        replaceDialog.bind(2, copyOf: subscription.event)
        replaceDialog.bind(3, copyOf: subscription.watcher)
        replaceDialog.bind(4, subscription.createdAt)
        replaceDialog.bind(5, Int64(subscription.accept))
        replaceDialog.bind(6, Int64(subscription.rates.maximum))
        replaceDialog.bind(7, Int64(subscription.rates.minimum))
        replaceDialog.bind(8, Int64(subscription.rates.adaptiveMinimum))
        replaceDialog.bind(9, copyOf: subscription.flow)
        let outcome: Result<Void, StoreFailure> = subscription.dialog.withUnsafeBytes { dialog in
            subscription.filter.withUnsafeBytes { filter in
                replaceDialog.bind(10, blob: dialog)
                replaceDialog.bind(11, blob: filter)
                return Result(catching: replaceDialog.run)
            }
        }
        try outcome.get()
    }

    func renew(_ number: SubscriptionNumber, _ progress: SubscriptionProgress) throws(StoreFailure) {
        updateProgress.bind(1, number.rawValue)
        updateProgress.bind(2, literal: progress.state.letter)
        updateProgress.bind(3, Int64(progress.remoteSequence))
        updateProgress.bind(4, Int64(progress.sequenceCeiling))
        updateProgress.bind(5, Int64(progress.version))
        updateProgress.bind(6, progress.expiresAt)
        try updateProgress.run()
    }

    /// Whether there was such a subscription.
    func unsubscribe(_ number: SubscriptionNumber) throws(StoreFailure) -> Bool {
        deleteProgress.bind(1, number.rawValue)
        try deleteProgress.run()
        guard deleteProgress.changes > 0 else { return false }
        deleteDialog.bind(1, number.rawValue)
        try deleteDialog.run()
        return true
    }
}

extension StoredSubscriptionState {
    /// The state as column `state` holds it.
    var letter: StaticString {
        switch self {
        case .pending: "P"
        case .active: "A"
        case .waiting: "W"
        }
    }

    init?(letter: UInt8) {
        switch letter {
        case UInt8(ascii: "P"): self = .pending
        case UInt8(ascii: "A"): self = .active
        case UInt8(ascii: "W"): self = .waiting
        default: return nil
        }
    }
}
