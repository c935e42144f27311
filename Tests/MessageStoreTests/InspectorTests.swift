import Foundation
import LinkProfiles
import MessageStore
import MessageStoreSQLite
import Testing

@Suite("The operator's view")
struct InspectorTests {
    let directory: TemporaryDirectory
    let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path("store.db")
    }

    /// Six messages, one in each state; odd numbers go to alice.
    private func filled() throws -> SQLiteMessageStore {
        let store = try SQLiteMessageStore(path: path)
        let messages = (1...6).map { number in
            StoreCommand.enqueue(
                sample(
                    number, to: number % 2 == 1 ? alice : bob,
                    from: number <= 3 ? "sip:carol@example.org" : "sip:dave@example.net", acceptedAt: moment(number),
                    payload: Array(repeating: UInt8(number), count: Int(number) * 100)))
        }
        _ = try store.commit(names + messages)
        _ = try store.commit([
            .claim(MessageNumber(2), attempts: 1, at: moment(10)),
            .claim(MessageNumber(3), attempts: 2, at: moment(11)),
            .claim(MessageNumber(4), attempts: 1, at: moment(12)),
            .retry(MessageNumber(3), due: moment(60), cause: DeliveryCause(code: 480)),
            .deliver(MessageNumber(4), at: moment(13)),
            .expire(MessageNumber(5), at: moment(14), cause: .none),
            .refuse(MessageNumber(6), at: moment(15), cause: DeliveryCause(code: 603)),
        ])
        return store
    }

    private func numbers(_ inspector: QueueInspector, _ query: QueueQuery) throws -> [Int64] {
        try inspector.records(query).map(\.number.rawValue)
    }

    @Test("records say what happened to each message, beside a running server")
    func records() throws {
        let store = try filled()
        let inspector = try QueueInspector(path: path)
        let records = try inspector.records()
        #expect(records.map(\.state) == DeferredState.allCases)
        #expect(records.map(\.recipient).first == "sip:alice@example.org")
        #expect(records.map(\.dueAt) == [moment(1), nil, moment(60), nil, nil, nil])
        #expect(records.map(\.claimedAt) == [nil, moment(10), nil, nil, nil, nil])
        #expect(records.map(\.endedAt) == [nil, nil, nil, moment(13), moment(14), moment(15)])
        #expect(records.map(\.cause.code) == [0, 0, 480, 0, 0, 603])
        #expect(records.map(\.attempts) == [0, 1, 2, 1, 0, 0])
        #expect(records.map(\.size) == [100, 200, 300, 400, 500, 600])
        #expect(try inspector.record(of: MessageNumber(3)) == records[2])
        #expect(try inspector.record(of: MessageNumber(99)) == nil)
        #expect(try inspector.payload(of: MessageNumber(2)) == Array(repeating: 2, count: 200))
        for ended in 4...6 as ClosedRange<Int64> { #expect(try inspector.payload(of: MessageNumber(ended)) == nil) }
        _ = try store.commit([.deliver(MessageNumber(2), at: moment(20))])
        #expect(try inspector.record(of: MessageNumber(2))?.state == .delivered)
    }

    @Test("conditions narrow, and all of them must hold")
    func queries() throws {
        let store = try filled()
        let inspector = try QueueInspector(path: store.path)
        do {
            #expect(try numbers(inspector, QueueQuery(recipient: "sip:alice@example.org")) == [1, 3, 5])
            #expect(try numbers(inspector, QueueQuery(recipient: "sip:nobody@example.org")) == [])
            #expect(try numbers(inspector, QueueQuery(sender: "sip:dave@example.net")) == [4, 5, 6])
            #expect(try numbers(inspector, QueueQuery(states: QueueQuery.live)) == [1, 2, 3])
            #expect(try numbers(inspector, QueueQuery(states: [])) == [])
            #expect(try numbers(inspector, QueueQuery(acceptedBefore: moment(3))) == [1, 2])
            #expect(try numbers(inspector, QueueQuery(after: MessageNumber(4))) == [5, 6])
            #expect(try numbers(inspector, QueueQuery(limit: 2)) == [1, 2])
            #expect(try numbers(inspector, QueueQuery(limit: 0)) == [])
            #expect(
                try numbers(
                    inspector,
                    QueueQuery(
                        recipient: "sip:alice@example.org", sender: "sip:carol@example.org",
                        states: [.waiting, .expired],
                        acceptedBefore: moment(4), after: MessageNumber(1), limit: 5)) == [3])
            #expect(try numbers(inspector, QueueQuery(sender: "x' OR '1'='1")) == [])
        }
    }

    @Test("streaming reaches every record over many pages and stops when told")
    func streaming() throws {
        let store = try SQLiteMessageStore(path: path)
        _ = try store.commit(names + (1...2_500).map { .enqueue(sample($0, payload: [])) })
        let inspector = try QueueInspector(path: path)
        var seen: [Int64] = []
        try inspector.forEach { record in
            seen.append(record.number.rawValue)
            // The server goes on meanwhile.
            if seen.count == 1_500 { _ = try store.commit([.enqueue(sample(2_501, payload: []))]) }
            return true
        }
        #expect(seen == Array(1...2_501))
        seen = []
        try inspector.forEach(QueueQuery(limit: 1_700)) { record in
            seen.append(record.number.rawValue)
            return seen.count < 1_234
        }
        #expect(seen == Array(1...1_234))
    }

    @Test("statistics count messages and bytes by state and by recipient")
    func statistics() throws {
        let store = try filled()
        _ = try store.commit([.enqueue(sample(7, to: alice, payload: []))])
        let statistics = try QueueInspector(path: path).statistics(busiest: 1)
        #expect(statistics.byState.count == 6)
        #expect(statistics.byState[.queued] == .init(messages: 2, bytes: 100))
        #expect(statistics.byState[.delivered] == .init(messages: 1, bytes: 400))
        #expect(statistics.live == .init(messages: 4, bytes: 600))
        #expect(statistics.recipients == 2)
        #expect(statistics.oldestAcceptedAt == moment(0))
        #expect(
            statistics.busiest == [
                .init(
                    addressOfRecord: "sip:alice@example.org", tally: .init(messages: 3, bytes: 400),
                    oldestAcceptedAt: moment(0))
            ])
        #expect(statistics.databaseBytes > 0)
        #expect(try QueueInspector(path: path).bindings().isEmpty)
    }

    @Test("retry, expire and drop change what may still change, and only with exclusive access")
    func changes() throws {
        var store: SQLiteMessageStore? = try filled()
        let all = (1...6).map { MessageNumber($0) }
        for access in [QueueInspector.Access.reading, .accounts] {
            let inspector = try QueueInspector(path: path, access: access)
            #expect(failureKind { try inspector.drop(all, at: moment(50)) } == "misuse")
        }
        store = nil
        do {
            let inspector = try QueueInspector(path: path, access: .exclusive)
            #expect(try inspector.retry(all, at: moment(20)) == 1)
            #expect(try inspector.retry(all, at: moment(30)) == 0)
            #expect(try inspector.record(of: MessageNumber(3))?.dueAt == moment(20))
            #expect(try inspector.expire([MessageNumber(1), MessageNumber(4), MessageNumber(44)], at: moment(50)) == 1)
            #expect(try inspector.drop(all, at: moment(51)) == 2)
            #expect(try inspector.record(of: MessageNumber(1))?.cause == .expiredByOperator)
            #expect(try inspector.record(of: MessageNumber(2))?.cause == .dropped)
            #expect(try inspector.record(of: MessageNumber(2))?.endedAt == moment(51))
            #expect(try inspector.payload(of: MessageNumber(2)) == nil)
            #expect(try inspector.integrityCheck() == [])
        }
        store = try SQLiteMessageStore(path: path)
        #expect(try StoreContent(of: #require(store)).messages.isEmpty)
    }

    @Test("reading needs a database that is there")
    func missing() {
        #expect(failureKind { try QueueInspector(path: path) } == "io")
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("accounts are kept as digests, edited beside a running server")
    func accounts() throws {
        let store = try SQLiteMessageStore(path: path)
        let inspector = try QueueInspector(path: path, access: .accounts)
        var alice = AccountRecord(
            account: Account(
                username: "alice", domain: "example.org", realm: "example.org",
                digests: ["SHA-256": String(repeating: "a1", count: 32), "MD5": String(repeating: "b2", count: 16)],
                profile: "gprs"))
        let bob = AccountRecord(
            account: Account(username: "bob", domain: "example.org", realm: "example.org", digests: [:]),
            isEnabled: false)
        let zoe = AccountRecord(
            account: Account(username: "zoe", domain: "example.com", realm: "r", digests: ["MD5": "00"]))
        for account in [bob, alice, zoe] { try inspector.putAccount(account) }
        #expect(try inspector.accounts() == [zoe, alice, bob])
        #expect(try store.commit(names).isEmpty)

        alice.account.digests = ["SHA-512-256": String(repeating: "c3", count: 32)]
        alice.isEnabled = false
        try inspector.putAccount(alice)
        #expect(try QueueInspector(path: path).accounts() == [zoe, alice, bob])
        #expect(try inspector.removeAccount(username: "bob", domain: "example.org"))
        #expect(try !inspector.removeAccount(username: "bob", domain: "example.org"))
        #expect(try inspector.accounts() == [zoe, alice])

        var wrong = alice
        wrong.account.digests = ["MD5": "not hex"]
        #expect(failureKind { try inspector.putAccount(wrong) } == "misuse")
        #expect(try inspector.accounts() == [zoe, alice])
        #expect(failureKind { try QueueInspector(path: path).putAccount(zoe) } == "misuse")
    }

    @Test("accounts can be added before a server has ever run")
    func accountsFirst() throws {
        do {
            let inspector = try QueueInspector(path: path, access: .accounts)
            try inspector.putAccount(
                AccountRecord(account: Account(username: "a", domain: "b", realm: "c", digests: ["MD5": "0f"])))
        }
        _ = try SQLiteMessageStore(path: path)
        #expect(try QueueInspector(path: path).accounts().count == 1)
    }
}
