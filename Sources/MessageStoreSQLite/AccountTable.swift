import GRDB
public import MessageStore

/// An account and whether it may be used.
public struct AccountRecord: Hashable, Sendable {
    public var account: Account
    /// A disabled account keeps its digests but authenticates nobody.
    public var isEnabled: Bool

    public init(account: Account, isEnabled: Bool = true) {
        self.account = account
        self.isEnabled = isEnabled
    }
}

/// Tables `account` and `digest`. Digests come as lower-case hex and stay so; a password never gets here.
struct AccountTable {
    let database: Database

    /// By domain, then username.
    func all() throws -> [AccountRecord] {
        var digests: [AccountKey: [String: String]] = [:]
        let digestRows = try Row.fetchCursor(database, sql: "SELECT username, domain, algorithm, value FROM digest")
        while let row = try digestRows.next() {
            digests[AccountKey(username: row[0], domain: row[1]), default: [:]][row[2]] = row[3]
        }
        let rows = try Row.fetchCursor(
            database, sql: "SELECT username, domain, realm, profile, enabled FROM account ORDER BY domain, username")
        var accounts: [AccountRecord] = []
        while let row = try rows.next() {
            let key = AccountKey(username: row[0], domain: row[1])
            accounts.append(
                AccountRecord(
                    account: Account(
                        username: key.username, domain: key.domain, realm: row[2], digests: digests[key] ?? [:],
                        profile: row[3]),
                    isEnabled: row[4]))
        }
        return accounts
    }

    func put(_ record: AccountRecord) throws {
        let account = record.account
        try database.execute(
            sql: """
                INSERT INTO account (username, domain, realm, profile, enabled) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (username, domain) DO UPDATE
                SET realm = excluded.realm, profile = excluded.profile, enabled = excluded.enabled
                """,
            arguments: [account.username, account.domain, account.realm, account.profile, record.isEnabled])
        try database.execute(
            sql: "DELETE FROM digest WHERE username = ? AND domain = ?", arguments: [account.username, account.domain])
        for (algorithm, value) in account.digests.sorted(by: { $0.key < $1.key }) {
            try database.execute(
                sql: "INSERT INTO digest (username, domain, algorithm, value) VALUES (?, ?, ?, ?)",
                arguments: [account.username, account.domain, algorithm, value])
        }
    }

    /// Whether there was one.
    func remove(username: String, domain: String) throws -> Bool {
        try database.execute(
            sql: "DELETE FROM digest WHERE username = ? AND domain = ?", arguments: [username, domain])
        try database.execute(
            sql: "DELETE FROM account WHERE username = ? AND domain = ?", arguments: [username, domain])
        return database.changesCount > 0
    }

    private struct AccountKey: Hashable {
        var username: String
        var domain: String
    }
}
