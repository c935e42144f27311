import GRDB
import LinkProfiles
import MessageStore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Opens connections to the database with the settings that durability rests on.
enum StoreOpening {
    static let pageSize = 4_096

    /// The connection that commits.
    static func writer(path: String, options: StoreOptions) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "godwit.store"
        configuration.journalMode = .wal
        configuration.busyMode = .timeout(options.busyPatience.inSeconds)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA page_size = \(pageSize)")
        }
        makePrivate(path)
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { database in
            try refuseForeign(database, path: path)
            try makeDurable(database)
            try database.execute(
                sql: """
                    PRAGMA cache_size = \(-max(64, options.cacheBytes / 1024));
                    PRAGMA temp_store = MEMORY;
                    PRAGMA secure_delete = ON;
                    PRAGMA wal_autocheckpoint = 0;
                    PRAGMA journal_size_limit = \(options.checkpointBytes * 4);
                    """)
            if let pages = options.maximumPages {
                try database.execute(sql: "PRAGMA max_page_count = \(max(1, pages))")
            }
        }
        try StoreSchema.migrator.migrate(queue)
        try queue.writeWithoutTransaction(assertDurable)
        return queue
    }

    /// The connection that copies the write-ahead log into the database while another commits.
    static func companion(path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "godwit.checkpoint"
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { database in
            try makeDurable(database)
            try assertDurable(database)
            try database.execute(sql: "PRAGMA cache_size = -64")
        }
        return queue
    }

    /// A connection that only reads, beside whoever writes.
    static func reader(path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "godwit.inspector"
        configuration.readonly = true
        configuration.busyMode = .timeout(guestPatience)
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.read { database in
            try refuseForeign(database, path: path)
            guard try StoreSchema.migrator.hasCompletedMigrations(database) else {
                throw StoreFailure.misuse(
                    "\(path) is of an older version or empty: start the server once to bring it up to date")
            }
        }
        return queue
    }

    /// A connection that also writes now and then, beside the one that commits.
    static func guest(path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "godwit.inspector"
        configuration.journalMode = .wal
        configuration.busyMode = .timeout(guestPatience)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA page_size = \(pageSize)")
        }
        makePrivate(path)
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        let isComplete = try queue.read { database in
            try refuseForeign(database, path: path)
            return try StoreSchema.migrator.hasCompletedMigrations(database)
        }
        if !isComplete {
            let lock = try StoreLock(database: path)
            try withExtendedLifetime(lock) { try StoreSchema.migrator.migrate(queue) }
        }
        try queue.writeWithoutTransaction { database in
            try makeDurable(database)
            try assertDurable(database)
            try database.execute(sql: "PRAGMA secure_delete = ON")
        }
        return queue
    }

    /// Seconds an operator's connection waits for the server.
    private static let guestPatience = 5.0

    /// A new database is readable by its owner alone; SQLite gives the log and its index the same mode.
    private static func makePrivate(_ path: String) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor >= 0 { close(descriptor) }
    }

    /// GRDB leaves WAL connections at NORMAL, which may lose the last commits when the machine loses power.
    private static func makeDurable(_ database: Database) throws {
        try database.execute(sql: "PRAGMA synchronous = FULL")
    }

    /// Reads the settings back on the very connection that commits.
    static func assertDurable(_ database: Database) throws {
        let synchronous = try Int.fetchOne(database, sql: "PRAGMA synchronous")
        guard synchronous == 2 else {
            throw StoreFailure.misuse(
                "synchronous is \(synchronous ?? -1), not FULL: refusing to run without durability")
        }
        let journal = try String.fetchOne(database, sql: "PRAGMA journal_mode")
        guard journal == "wal" else {
            throw StoreFailure.misuse("journal mode is \(journal ?? "unknown"), not WAL: refusing to run")
        }
    }

    /// Leaves other programs' databases, and those of a newer Godwit, alone.
    private static func refuseForeign(_ database: Database, path: String) throws {
        let applicationID = try Int32.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        let tables = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") ?? 0
        guard tables == 0 || applicationID == StoreSchema.applicationID else {
            throw StoreFailure.misuse("\(path) is another program's database: choose another file")
        }
        if try tables > 0 && StoreSchema.migrator.hasBeenSuperseded(database) {
            throw StoreFailure.misuse("\(path) was written by a newer Godwit: use that one, or restore a backup")
        }
    }
}
