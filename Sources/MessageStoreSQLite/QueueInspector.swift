import GRDB
public import LinkProfiles
public import MessageStore

/// The operator's way into a store: reads beside a running server, edits accounts beside it, and changes the queue
/// when no server runs.
///
/// Reading happens in pages of its own transactions, so that a long export never keeps the server from recycling its
/// write-ahead log; a record that changes in between is seen in its state of that moment.
public final class QueueInspector: Sendable {
    /// What the inspector may do.
    public enum Access: Hashable, Sendable {
        /// Read only; a server may run.
        case reading
        /// Read, and write accounts in short transactions; a server may run.
        case accounts
        /// Everything; refused while a server runs, and keeps one from starting.
        case exclusive
    }

    /// Where the database is.
    public let path: String
    public let access: Access
    private let queue: DatabaseQueue
    private let lock: StoreLock?
    private static let page = 1_000

    /// Opens a database. `.reading` needs one that is there; the others make it and bring its schema up to date.
    ///
    /// - Throws: ``StoreFailure/locked(_:)`` for `.exclusive` while a server runs; ``StoreFailure/io(_:)`` when there is no
    ///   such file; ``StoreFailure/misuse(_:)`` when it is not Godwit's, or of another version.
    public init(path: String, access: Access = .reading) throws(StoreFailure) {
        self.path = path
        self.access = access
        do {
            switch access {
            case .reading:
                lock = nil
                queue = try StoreOpening.reader(path: path)
            case .accounts:
                lock = nil
                queue = try StoreOpening.guest(path: path)
            case .exclusive:
                lock = try StoreLock(database: path)
                queue = try StoreOpening.writer(path: path, options: StoreOptions())
                // No second connection copies the log here.
                try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA wal_autocheckpoint = 1000") }
            }
        } catch {
            throw StoreFailure(error, path: path)
        }
    }

    // MARK: The queue

    /// Records that match, in the order of acceptance, all at once; set a limit on a large queue or use ``forEach(_:_:)``.
    public func records(_ query: QueueQuery = QueueQuery()) throws(StoreFailure) -> [QueueRecord] {
        var records: [QueueRecord] = []
        try forEach(query) { record in
            records.append(record)
            return true
        }
        return records
    }

    /// Hands out matching records one after the other until there are no more or `body` returns false.
    public func forEach(
        _ query: QueueQuery = QueueQuery(), _ body: (QueueRecord) throws -> Bool
    ) throws(StoreFailure) {
        try forEachPage(
            from: query.after.rawValue, limit: query.limit,
            read: { database, after, limit in
                var query = query
                query.after = MessageNumber(after)
                return try QueueReading(database: database, path: path).records(query, limit: limit)
            }, number: \.number.rawValue, body)
    }

    /// nil when there is no such message, or no longer.
    public func record(of number: MessageNumber) throws(StoreFailure) -> QueueRecord? {
        try read { try QueueReading(database: $0, path: path).record(of: number) }
    }

    /// Header fields from From on, an empty line and the body; nil when the message is unknown or ended.
    public func payload(of number: MessageNumber) throws(StoreFailure) -> [UInt8]? {
        try read { try QueueReading(database: $0, path: path).payload(of: number) }
    }

    /// Counts, with the `busiest` recipients.
    public func statistics(busiest: Int = 10) throws(StoreFailure) -> QueueStatistics {
        try read { try QueueReading(database: $0, path: path).statistics(busiest: busiest) }
    }

    /// All bindings, expired ones included, each with its address-of-record.
    public func bindings() throws(StoreFailure) -> [(addressOfRecord: String, binding: StoredBinding)] {
        try read { database in
            var collector = BindingCollector()
            try StoreRecovery(database: database, path: path).visitRegistrations(into: &collector)
            return collector.bindings
        }
    }

    // MARK: Changing the queue (exclusive access)

    /// Lets waiting messages be tried as soon as the server runs and their recipients are there.
    /// - Returns: how many changed.
    public func retry(_ numbers: [MessageNumber], at: Instant) throws(StoreFailure) -> Int {
        try change(numbers, sql: "UPDATE message SET due_at = ?2 WHERE number = ?1 AND state = 'W' AND due_at > ?2") {
            [$0.rawValue, at.microseconds]
        }
    }

    /// Ends messages as expired, with the cause `.expiredByOperator`.
    /// - Returns: how many changed.
    public func expire(_ numbers: [MessageNumber], at: Instant) throws(StoreFailure) -> Int {
        try end(numbers, as: .expired, at: at, cause: .expiredByOperator)
    }

    /// Ends messages as refused, with the cause `.dropped`.
    /// - Returns: how many changed.
    public func drop(_ numbers: [MessageNumber], at: Instant) throws(StoreFailure) -> Int {
        try end(numbers, as: .refused, at: at, cause: .dropped)
    }

    // MARK: Accounts

    /// By domain, then username.
    public func accounts() throws(StoreFailure) -> [AccountRecord] {
        try read { try AccountTable(database: $0).all() }
    }

    /// Adds an account or replaces the one of this username and domain, digests included.
    public func putAccount(_ record: AccountRecord) throws(StoreFailure) {
        try write(needing: [.accounts, .exclusive]) { try AccountTable(database: $0).put(record) }
    }

    /// Whether there was such an account.
    public func removeAccount(username: String, domain: String) throws(StoreFailure) -> Bool {
        try write(needing: [.accounts, .exclusive]) {
            try AccountTable(database: $0).remove(username: username, domain: domain)
        }
    }

    // MARK: Care

    /// Copies the database as it is at this moment to a new file; a server may run and go on writing.
    /// `progress` is told how many pages are left of how many.
    ///
    /// - Throws: ``StoreFailure/io(_:)`` when the destination exists or cannot be written.
    public func backup(to destination: String, progress: ((Int, Int) -> Void)? = nil) throws(StoreFailure) {
        do {
            try StoreBackup.copy(queue, to: destination, progress: progress)
        } catch {
            throw StoreFailure(error, path: destination)
        }
    }

    /// What is wrong with the database: SQLite's own check, then whether rows that belong together are all there.
    /// Empty when all is well. Reads everything.
    public func integrityCheck() throws(StoreFailure) -> [String] {
        try read { try StoreIntegrity(database: $0).problems() }
    }

    /// Hands out records a page at a time, each page read in a transaction of its own, until there are no more or `body`
    /// returns false.
    func forEachPage<Record>(
        from start: Int64, limit: Int?, read page: (Database, _ after: Int64, _ limit: Int) throws -> [Record],
        number: (Record) -> Int64, _ body: (Record) throws -> Bool
    ) throws(StoreFailure) {
        var after = start
        var left = limit ?? .max
        while left > 0 {
            let limit = min(left, QueueInspector.page)
            let records = try read { try page($0, after, limit) }
            for record in records {
                do {
                    guard try body(record) else { return }
                } catch {
                    throw StoreFailure(error, path: path)
                }
            }
            guard records.count == limit, let last = records.last else { return }
            after = number(last)
            left -= records.count
        }
    }

    func read<T>(_ body: (Database) throws -> T) throws(StoreFailure) -> T {
        do {
            return try queue.read(body)
        } catch {
            throw StoreFailure(error, path: path)
        }
    }

    func write<T>(needing: [Access], _ body: (Database) throws -> T) throws(StoreFailure) -> T {
        guard needing.contains(access) else {
            throw .misuse("\(path) was opened for \(access), which does not allow this change")
        }
        do {
            return try queue.write(body)
        } catch {
            throw StoreFailure(error, path: path)
        }
    }

    private func end(
        _ numbers: [MessageNumber], as state: DeferredState, at: Instant, cause: DeliveryCause
    ) throws(StoreFailure) -> Int {
        try write(needing: [.exclusive]) { database in
            let statements = try MessageStatements(database, path: path)
            return try numbers.reduce(0) { count, number in
                try statements.end(number, as: state, at: at, cause: cause) ? count + 1 : count
            }
        }
    }

    private func change(
        _ numbers: [MessageNumber], sql: String, arguments: (MessageNumber) -> StatementArguments
    ) throws(StoreFailure) -> Int {
        try write(needing: [.exclusive]) { database in
            let statement = try database.makeStatement(sql: sql)
            return try numbers.reduce(0) { count, number in
                try statement.execute(arguments: arguments(number))
                return count + database.changesCount
            }
        }
    }
}

/// Bindings with the names of their addresses.
private struct BindingCollector: RecoveryVisitor {
    var names: [AddressNumber: String] = [:]
    var bindings: [(addressOfRecord: String, binding: StoredBinding)] = []

    mutating func address(_ number: AddressNumber, addressOfRecord: String) { names[number] = addressOfRecord }
    mutating func binding(_ binding: StoredBinding) {
        bindings.append((names[binding.address] ?? "", binding))
    }
    mutating func message(_ message: RecoveredMessage) {}
    mutating func settled(_ identity: MessageIdentity, acceptedAt: Instant) {}
}
