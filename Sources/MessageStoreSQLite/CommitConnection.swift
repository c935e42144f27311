import GRDB
import GRDBSQLite
import LinkProfiles
import MessageStore

/// The connection that commits: its statements, and the numbering they continue.
final class CommitConnection {
    private let messages: MessageStatements
    private let registrations: RegistrationStatements
    private let begin: PreparedStatement
    private let commit: PreparedStatement
    private let rollback: PreparedStatement
    private let recordHighest: PreparedStatement

    private let logPages: UnsafeMutablePointer<Int32>

    /// Highest numbers used so far, whether their rows are still there or not.
    private(set) var numbering: StoreNumbering

    init(_ database: Database, path: String) throws {
        messages = try MessageStatements(database, path: path)
        registrations = try RegistrationStatements(database, path: path)
        begin = try PreparedStatement(database, "BEGIN IMMEDIATE", path: path)
        commit = try PreparedStatement(database, "COMMIT", path: path)
        rollback = try PreparedStatement(database, "ROLLBACK", path: path)
        recordHighest = try PreparedStatement(database, "UPDATE highest SET number = ?2 WHERE what = ?1", path: path)
        numbering = try StoreNumbering(reading: database)
        logPages = .allocate(capacity: 1)
        logPages.initialize(to: 0)
        let report: @convention(c) (UnsafeMutableRawPointer?, OpaquePointer?, UnsafePointer<CChar>?, Int32) -> Int32 = {
            $0?.assumingMemoryBound(to: Int32.self).pointee = $3
            return SQLITE_OK
        }
        sqlite3_wal_hook(database.sqliteConnection, report, logPages)
    }

    deinit { logPages.deallocate() }

    /// Pages that the write-ahead log held after the last commit.
    var pagesInLog: Int { Int(logPages.pointee) }

    /// Everything or nothing; after a failure no transaction is left open.
    func perform(_ commands: [StoreCommand]) throws(StoreFailure) -> [ClaimedMessage] {
        let before = numbering
        var claimed: [ClaimedMessage] = []
        do throws(StoreFailure) {
            try begin.run()
            var rowsWent = RowsGone()
            for command in commands {
                try perform(command, &claimed, &rowsWent)
            }
            if rowsWent.messages { try record("message", numbering.lastMessage.rawValue) }
            if rowsWent.bindings { try record("binding", numbering.lastBinding.rawValue) }
            try commit.run()
            return claimed
        } catch {
            numbering = before
            if rollback.isInTransaction { try? rollback.run() }
            throw error
        }
    }

    /// Which tables lost rows in a group, so that the highest number can no longer be read off them.
    private struct RowsGone {
        var messages = false
        var bindings = false
    }

    private func perform(
        _ command: StoreCommand, _ claimed: inout [ClaimedMessage], _ gone: inout RowsGone
    ) throws(StoreFailure) {
        switch command {
        case .enqueue(let message):
            try requireNamed(message.recipient)
            try messages.enqueue(message)
            numbering.lastMessage = max(numbering.lastMessage, message.number)
        case .claim(let number, let attempts, let at):
            if let message = try messages.claim(number, attempts: attempts, at: at) { claimed.append(message) }
        case .deliver(let number, let at):
            try messages.deliver(number, at: at)
        case .retry(let number, let due, let cause):
            try messages.retry(number, due: due, cause: cause)
        case .release(let number, let cause):
            try messages.release(number, cause: cause)
        case .expire(let number, let at, let cause):
            try messages.end(number, as: .expired, at: at, cause: cause)
        case .refuse(let number, let at, let cause):
            try messages.end(number, as: .refused, at: at, cause: cause)
        case .forget(let before, let limit):
            if try messages.forget(before: before, limit: limit) > 0 { gone.messages = true }
        case .name(let number, let addressOfRecord):
            try registrations.name(number, addressOfRecord)
            if number.rawValue > numbering.lastAddress.rawValue { numbering.lastAddress = number }
        case .bind(let binding):
            try requireNamed(binding.address)
            try registrations.bind(binding)
            if binding.number.rawValue > numbering.lastBinding.rawValue { numbering.lastBinding = binding.number }
        case .unbind(let number):
            if try registrations.unbind(number) { gone.bindings = true }
        }
    }

    /// Addresses stay for good and their numbers grow, so a comparison replaces a look-up.
    private func requireNamed(_ address: AddressNumber) throws(StoreFailure) {
        guard address.rawValue >= 1 && address.rawValue <= numbering.lastAddress.rawValue else {
            throw .misuse("address \(address.rawValue) is used before it is named")
        }
    }

    private func record(_ what: String, _ number: Int64) throws(StoreFailure) {
        recordHighest.bind(1, copyOf: what)
        recordHighest.bind(2, number)
        try recordHighest.run()
    }
}

extension StoreNumbering {
    /// The larger of what the tables hold and what was recorded when rows went.
    init(reading database: Database) throws {
        func number(_ sql: String) throws -> Int64 { try Int64.fetchOne(database, sql: sql) ?? 0 }
        let highest = "SELECT number FROM highest WHERE what ="
        self.init(
            lastMessage: MessageNumber(
                max(try number("SELECT max(number) FROM message"), try number("\(highest) 'message'"))),
            lastAddress: AddressNumber(try number("SELECT max(number) FROM address")),
            lastBinding: BindingNumber(
                max(try number("SELECT max(number) FROM binding"), try number("\(highest) 'binding'"))))
    }
}
