import GRDB
public import LinkProfiles
public import MessageStore

/// The Message Store in one SQLite file: write-ahead log, `synchronous = FULL`, one transaction per group.
///
/// Opening takes an advisory lock (a file beside the database), so two servers never share one. Calls may come from
/// any thread, one at a time; they block until the disk has answered, so give the store a thread of its own.
///
/// | file | what it is |
/// |---|---|
/// | *path* | the database |
/// | *path*`-wal`, *path*`-shm` | its write-ahead log and the log's index; part of the database |
/// | *path*`-lock` | says that a server or an operator's command uses it; empty of meaning when none runs |
public final class SQLiteMessageStore: MessageStore, @unchecked Sendable {
    // Unchecked: `connection` is touched only inside `queue`, which serialises.

    /// Where the database is.
    public let path: String
    // In the order in which they go: the lock is given back when the file is closed.
    private let checkpointer: Checkpointer
    private let connection: CommitConnection
    private let queue: DatabaseQueue
    private let lock: StoreLock

    /// Opens the database, makes it where there is none, and brings its schema up to date.
    ///
    /// - Throws: ``StoreFailure/locked(_:)`` when another process uses it, ``StoreFailure/damaged(_:)`` when it is not a
    ///   database, ``StoreFailure/misuse(_:)`` when it is some other program's or a newer Godwit's.
    public init(path: String, options: StoreOptions = StoreOptions()) throws(StoreFailure) {
        self.path = path
        lock = try StoreLock(database: path)
        do {
            queue = try StoreOpening.writer(path: path, options: options)
            connection = try queue.writeWithoutTransaction { database in
                try CommitConnection(database, path: path)
            }
            checkpointer = try Checkpointer(
                path: path, threshold: max(16, options.checkpointBytes / StoreOpening.pageSize))
        } catch {
            throw StoreFailure(error, path: path)
        }
    }

    deinit { checkpointer.waitUntilDone() }

    /// Why the write-ahead log could not be copied into the database when that was last tried; nil when it could.
    /// Commits stay durable meanwhile, but the log grows.
    public var checkpointFailure: StoreFailure? { checkpointer.failure }

    public func recover<V: RecoveryVisitor>(
        duplicatesSince: Instant, into visitor: inout V
    ) throws(StoreFailure) -> StoreNumbering {
        do {
            return try queue.writeWithoutTransaction { database in
                try StoreRecovery(database: database, path: path)
                    .visit(duplicatesSince: duplicatesSince, into: &visitor)
                return connection.numbering
            }
        } catch {
            throw StoreFailure(error, path: path)
        }
    }

    public func commit(_ commands: [StoreCommand]) throws(StoreFailure) -> [ClaimedMessage] {
        do {
            return try queue.writeWithoutTransaction { database in
                do throws(StoreFailure) {
                    let claimed = try connection.perform(commands)
                    checkpointer.committed(pagesInLog: connection.pagesInLog, on: database, path: path)
                    return claimed
                } catch {
                    if case .full = error {
                        checkpointer.relieve(pagesInLog: connection.pagesInLog, on: database, path: path)
                    }
                    throw error
                }
            }
        } catch {
            throw StoreFailure(error, path: path)
        }
    }

    /// Copies the database as it is at this moment to a new file, from any thread, while commits go on.
    /// `progress` is told how many pages are left of how many.
    ///
    /// - Throws: ``StoreFailure/io(_:)`` when the destination exists or cannot be written.
    public func backup(to destination: String, progress: ((Int, Int) -> Void)? = nil) throws(StoreFailure) {
        do {
            let reader = try StoreOpening.reader(path: path)
            try StoreBackup.copy(reader, to: destination, progress: progress)
        } catch {
            throw StoreFailure(error, path: destination)
        }
    }
}

extension SQLiteMessageStore {
    /// The settings that durability, space and speed rest on, read back from the connection that commits.
    public func settings() throws(StoreFailure) -> [String: String] {
        do {
            return try queue.writeWithoutTransaction { database in
                var settings: [String: String] = [:]
                for name in [
                    "synchronous", "journal_mode", "secure_delete", "page_size", "cache_size", "temp_store",
                    "wal_autocheckpoint",
                ] {
                    settings[name] = try String.fetchOne(database, sql: "PRAGMA \(name)")
                }
                return settings
            }
        } catch {
            throw StoreFailure(error, path: path)
        }
    }
}
