import GRDB
import MessageStore
import MessageStoreSQLite
import Testing

@Suite("The SQLite schema of presence")
struct PresenceSchemaTests {
    let directory: TemporaryDirectory
    let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path("store.db")
    }

    private static let sound: [String: [String: String]] = [
        "subscription": [
            "number": "1", "resource": "1", "state": "'A'", "remote_cseq": "0", "cseq_ceiling": "0", "version": "0",
            "expires_at": "1",
        ],
        "subscription_dialog": [
            "number": "1", "event": "'presence'", "watcher": "''", "created_at": "1", "accept": "0", "max_rate": "0",
            "min_rate": "0", "adaptive_min_rate": "0", "flow": "''", "dialog": "x''", "filter": "x''",
        ],
        "publication": [
            "number": "1", "resource": "1", "event": "'presence'", "entity_tag": "'a'", "source": "''",
            "created_at": "1", "modified_at": "1", "expires_at": "1",
        ],
        "publication_body": ["number": "1", "content_type": "''", "bytes": "x''"],
        "document": [
            "number": "1", "application": "'pres-rules'", "owner": "''", "name": "'index'", "modified_at": "1",
            "bytes": "x''",
        ],
    ]

    private func insert(_ row: [String: String], into table: String) throws {
        try DatabaseQueue(path: path).inDatabase { connection in
            let names = row.keys.sorted()
            try connection.execute(
                sql: """
                    INSERT INTO \(table) (\(names.joined(separator: ", ")))
                    VALUES (\(names.compactMap { row[$0] }.joined(separator: ", ")))
                    """)
            try connection.execute(sql: "DELETE FROM \(table)")
        }
    }

    @Test("a sound row is accepted, and none without one of its columns", arguments: sound.keys.sorted())
    func columns(_ table: String) throws {
        _ = try SQLiteMessageStore(path: path)
        let row = try #require(Self.sound[table])
        try insert(row, into: table)
        for column in row.keys where column != "number" {
            var spoilt = row
            spoilt[column] = "NULL"
            #expect(throws: DatabaseError.self, "\(column)") { try insert(spoilt, into: table) }
        }
    }

    @Test(
        "an impossible value is refused",
        arguments: [
            ("subscription", "state", "'X'"), ("subscription", "number", "0"), ("subscription", "remote_cseq", "-1"),
            ("subscription", "cseq_ceiling", "-1"), ("subscription", "version", "-1"),
            ("subscription_dialog", "event", "''"), ("subscription_dialog", "max_rate", "-1"),
            ("subscription_dialog", "min_rate", "-1"), ("subscription_dialog", "adaptive_min_rate", "-1"),
            ("publication", "number", "-1"), ("publication", "entity_tag", "''"), ("publication", "event", "''"),
            ("publication_body", "bytes", "'text'"), ("document", "application", "''"), ("document", "name", "''"),
        ])
    func values(_ table: String, _ column: String, _ value: String) throws {
        _ = try SQLiteMessageStore(path: path)
        var row = try #require(Self.sound[table])
        row[column] = value
        let error = #expect(throws: DatabaseError.self) { try insert(row, into: table) }
        #expect(error?.resultCode == .SQLITE_CONSTRAINT)
    }

    @Test("the check finds rows that lost their other half")
    func integrity() throws {
        let store = try SQLiteMessageStore(path: path)
        _ = try store.commit(
            names + (1...3).map { .presence(.subscribe(sampleSubscription($0))) }
                + (1...3).map { .presence(.publish(samplePublication($0))) })
        let inspector = try QueueInspector(path: path)
        #expect(try inspector.integrityCheck() == [])
        try DatabaseQueue(path: path).inDatabase {
            try $0.execute(
                sql: """
                    DELETE FROM subscription WHERE number = 1;
                    DELETE FROM subscription_dialog WHERE number = 2;
                    DELETE FROM publication_body WHERE number = 1;
                    UPDATE publication SET resource = 77 WHERE number = 2;
                    """)
        }
        let problems = try inspector.integrityCheck()
        #expect(problems.count == 3)
        #expect(problems.contains { $0.hasPrefix("2 subscriptions have lost") })
        #expect(problems.contains { $0.hasPrefix("1 publications have lost") })
        #expect(problems.contains { $0.hasPrefix("1 subscriptions and publications name") })
    }
}
