import Foundation
import GRDB
import LinkProfiles
import MessageStore
import MessageStoreSQLite
import Testing

@Suite("The SQLite schema and its settings")
struct SchemaTests {
    let directory: TemporaryDirectory
    let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path("store.db")
    }

    @Test("the connection that commits runs WAL with synchronous = FULL, wipes what it deletes, and stays small")
    func pragmas() throws {
        var options = StoreOptions()
        options.cacheBytes = 4 << 20
        let store = try SQLiteMessageStore(path: path, options: options)
        let settings = try store.settings()
        #expect(settings["synchronous"] == "2")
        #expect(settings["journal_mode"] == "wal")
        #expect(settings["secure_delete"] == "1")
        #expect(settings["page_size"] == "4096")
        #expect(settings["cache_size"] == "-4096")
        #expect(settings["temp_store"] == "2")
    }

    @Test("the files are for their owner alone")
    func modes() throws {
        let store = try SQLiteMessageStore(path: path)
        _ = try store.commit(names)
        for suffix in ["", "-wal", "-shm", "-lock"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: path + suffix)
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600, "store.db\(suffix)")
        }
    }

    /// Columns of a row that the schema accepts, by state; each case below spoils one.
    private static let sound: [String: [String: String]] = [
        "Q": ["state": "'Q'", "due_at": "1"],
        "C": ["state": "'C'", "claimed_at": "1", "attempts": "1"],
        "W": ["state": "'W'", "due_at": "1", "attempts": "1"],
        "D": ["state": "'D'", "ended_at": "1", "attempts": "1"],
        "E": ["state": "'E'", "ended_at": "1"],
        "R": ["state": "'R'", "ended_at": "1", "cause": "603"],
    ]

    private static let spoilt: [(state: String, column: String, value: String)] = [
        ("Q", "due_at", "NULL"), ("Q", "claimed_at", "1"), ("Q", "ended_at", "1"),
        ("C", "claimed_at", "NULL"), ("C", "attempts", "0"), ("C", "due_at", "1"), ("C", "ended_at", "1"),
        ("W", "due_at", "NULL"), ("W", "attempts", "0"), ("W", "claimed_at", "1"), ("W", "ended_at", "1"),
        ("D", "ended_at", "NULL"), ("D", "attempts", "0"), ("D", "claimed_at", "1"), ("D", "due_at", "1"),
        ("E", "ended_at", "NULL"), ("E", "claimed_at", "1"), ("E", "due_at", "1"),
        ("R", "ended_at", "NULL"), ("R", "cause", "0"), ("R", "claimed_at", "1"), ("R", "due_at", "1"),
        ("Q", "state", "'X'"), ("Q", "state", "NULL"), ("Q", "state", "0"), ("Q", "number", "0"),
        ("Q", "identity", "x'00'"), ("Q", "identity", "'0123456789abcdef'"), ("Q", "identity", "NULL"),
        ("Q", "attempts", "-1"), ("Q", "size", "-1"), ("Q", "size", "'many'"), ("Q", "cause", "-1"),
        ("Q", "sender", "NULL"), ("Q", "recipient", "NULL"), ("Q", "expires_at", "NULL"), ("Q", "accepted_at", "NULL"),
    ]

    private func insert(_ columns: [String: String]) throws {
        var row = [
            "number": "1", "recipient": "1", "sender": "'sip:alice@example.org'", "identity": "zeroblob(16)",
            "accepted_at": "1", "expires_at": "2", "attempts": "0", "cause": "0", "urgent": "0", "size": "0",
        ]
        row.merge(columns) { $1 }
        let names = row.keys.sorted()
        let database = try DatabaseQueue(path: path)
        try database.inDatabase { connection in
            try connection.execute(
                sql: """
                    INSERT INTO message (\(names.joined(separator: ", ")))
                    VALUES (\(names.map { row[$0] ?? "NULL" }.joined(separator: ", ")))
                    """)
            try connection.execute(sql: "DELETE FROM message")
        }
    }

    @Test("a sound row of every state is accepted and an impossible one refused")
    func checks() throws {
        _ = try SQLiteMessageStore(path: path)
        for columns in SchemaTests.sound.values { try insert(columns) }
        for (state, column, value) in SchemaTests.spoilt {
            var columns = try #require(SchemaTests.sound[state])
            columns[column] = value
            let error = #expect(throws: DatabaseError.self, "\(state) with \(column) = \(value)") {
                try insert(columns)
            }
            #expect(error?.resultCode == .SQLITE_CONSTRAINT, "\(state) with \(column) = \(value)")
        }
    }

    @Test("a command that would make an impossible row is refused and nothing of its group remains")
    func impossibleCommands() throws {
        let store = try SQLiteMessageStore(path: path)
        _ = try store.commit(names + [.enqueue(sample(1))])
        let before = try StoreContent(of: store)
        for command in [
            StoreCommand.claim(MessageNumber(1), attempts: 0, at: moment(1)),
            .refuse(MessageNumber(1), at: moment(1), cause: .none),
            .enqueue(sample(3, state: .claimed, attempts: 0)),
            .name(AddressNumber(3), addressOfRecord: ""),
        ] {
            #expect(failureKind { try store.commit([.enqueue(sample(2)), command]) } == "misuse")
            #expect(try StoreContent(of: store) == before)
        }
    }

    @Test("an empty file becomes a database")
    func emptyFile() throws {
        _ = try DatabaseQueue(path: path)
        let store = try SQLiteMessageStore(path: path)
        #expect(try StoreContent(of: store).order == "")
        _ = try store.commit(names + [.enqueue(sample(1))])
        #expect(try QueueInspector(path: path).integrityCheck() == [])
    }

    @Test(
        "a database of every earlier version is brought up to date and keeps its content", arguments: EarlierVersion.all
    )
    func migrations(_ version: EarlierVersion) throws {
        try DatabaseQueue(path: path).inDatabase { try $0.execute(sql: version.statements) }
        #expect(failureKind { try QueueInspector(path: path) } == "misuse")
        let store = try SQLiteMessageStore(path: path)
        let content = try StoreContent(of: store)
        #expect(content.order == version.order)
        #expect(content.numbering == version.numbering)
        #expect(content.message(7)?.state == .waiting)
        #expect(content.bindings.first?.contact == "sip:bob@127.0.0.1:5070")
        _ = try store.commit([
            .enqueue(sample(100)), .presence(.subscribe(sampleSubscription(1))),
            .presence(.publish(samplePublication(1))),
        ])
        #expect(try QueueInspector(path: path).accounts().map(\.account.username) == ["bob"])
        #expect(try QueueInspector(path: path).integrityCheck() == [])
    }

    @Test("another program's database, and a newer Godwit's, are left alone")
    func foreign() throws {
        let other = directory.path("other.db")
        try DatabaseQueue(path: other).inDatabase { try $0.execute(sql: "CREATE TABLE mine (a)") }
        #expect(failureKind { try SQLiteMessageStore(path: other) } == "misuse")
        #expect(failureKind { try QueueInspector(path: other) } == "misuse")
        #expect(
            try DatabaseQueue(path: other).inDatabase {
                try String.fetchAll($0, sql: "SELECT name FROM sqlite_master WHERE name NOT LIKE 'grdb%'")
            } == ["mine"])

        _ = try SQLiteMessageStore(path: path)
        try DatabaseQueue(path: path).inDatabase {
            try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('999 of the future')")
        }
        #expect(failureKind { try SQLiteMessageStore(path: path) } == "misuse")
        #expect(failureKind { try QueueInspector(path: path) } == "misuse")
    }

    @Test("a million-row layout promise: rows are found by number, never by a random key")
    func indexes() throws {
        _ = try SQLiteMessageStore(path: path)
        let indexes = try DatabaseQueue(path: path).inDatabase {
            try String.fetchAll(
                $0,
                sql: """
                    SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name IN ('message', 'payload', 'binding',
                        'address', 'subscription', 'subscription_dialog', 'publication', 'publication_body')
                    """)
        }
        #expect(indexes == ["message_ended"])
    }
}
