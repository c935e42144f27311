import GRDB
import GRDBSQLite
import LinkProfiles
import MessageStore

/// The connection that commits: its statements, and the numbering they continue.
final class CommitConnection {
    private let messages: MessageStatements
    private let registrations: RegistrationStatements
    private let subscriptions: SubscriptionStatements
    private let publications: PublicationStatements
    private let documents: DocumentStatements
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
        subscriptions = try SubscriptionStatements(database, path: path)
        publications = try PublicationStatements(database, path: path)
        documents = try DocumentStatements(database, path: path)
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
            if rowsWent.subscriptions { try record("subscription", numbering.lastSubscription.rawValue) }
            if rowsWent.publications { try record("publication", numbering.lastPublication.rawValue) }
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
        var subscriptions = false
        var publications = false
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
        case .presence(let command):
            try perform(command, &gone)
        }
    }

    private func perform(_ command: PresenceCommand, _ gone: inout RowsGone) throws(StoreFailure) {
        switch command {
        case .subscribe(let subscription):
            try requireNamed(subscription.resource)
            try subscriptions.subscribe(subscription)
            numbering.lastSubscription = max(numbering.lastSubscription, subscription.number)
        case .renew(let number, let progress):
            try subscriptions.renew(number, progress)
        case .unsubscribe(let number):
            if try subscriptions.unsubscribe(number) { gone.subscriptions = true }
        case .publish(let publication):
            try requireNamed(publication.resource)
            try publications.publish(publication)
            numbering.lastPublication = max(numbering.lastPublication, publication.number)
        case .refresh(let number, let entityTag, let expiresAt):
            try publications.refresh(number, entityTag: entityTag, expiresAt: expiresAt)
        case .unpublish(let number):
            if try publications.unpublish(number) { gone.publications = true }
        case .put(let document):
            try documents.put(document)
        case .remove(let name):
            try documents.remove(name)
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
        func highest(_ what: String) throws -> Int64 {
            let sql = "SELECT max((SELECT number FROM highest WHERE what = ?1), ifnull(max(number), 0)) FROM \(what)"
            return try Int64.fetchOne(database, sql: sql, arguments: [what]) ?? 0
        }
        self.init(
            lastMessage: MessageNumber(try highest("message")),
            lastAddress: AddressNumber(try Int64.fetchOne(database, sql: "SELECT max(number) FROM address") ?? 0),
            lastBinding: BindingNumber(try highest("binding")),
            lastSubscription: SubscriptionNumber(try highest("subscription")),
            lastPublication: PublicationNumber(try highest("publication")))
    }
}
