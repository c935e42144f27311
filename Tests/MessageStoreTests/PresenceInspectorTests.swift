import LinkProfiles
import MessageStore
import MessageStoreSQLite
import Testing

@Suite("The operator's view of presence")
struct PresenceInspectorTests {
    let directory: TemporaryDirectory
    let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path("store.db")
    }

    private func subscriptions(_ query: PresenceQuery) throws -> [Int64] {
        var numbers: [Int64] = []
        try QueueInspector(path: path).forEachSubscription(query) { record in
            numbers.append(record.subscription.number.rawValue)
            return true
        }
        return numbers
    }

    private func publications(_ query: PresenceQuery) throws -> [Int64] {
        var numbers: [Int64] = []
        try QueueInspector(path: path).forEachPublication(query) { record in
            numbers.append(record.publication.number.rawValue)
            return true
        }
        return numbers
    }

    @Test("conditions narrow, and all of them must hold")
    func queries() throws {
        let store = try SQLiteMessageStore(path: path)
        _ = try store.commit(
            names + (1...6).map { .presence(.subscribe(sampleSubscription($0, of: $0 % 2 == 0 ? bob : alice))) }
                + (1...4).map { .presence(.publish(samplePublication($0, of: $0 % 2 == 0 ? bob : alice))) })
        #expect(try subscriptions(PresenceQuery()) == Array(1...6))
        #expect(try subscriptions(PresenceQuery(resource: "sip:alice@example.org")) == [1, 3, 5])
        #expect(try subscriptions(PresenceQuery(person: "sip:watcher4@example.org")) == [4])
        #expect(
            try subscriptions(PresenceQuery(resource: "sip:alice@example.org", person: "sip:watcher4@example.org"))
                == [])
        #expect(try subscriptions(PresenceQuery(after: 2, limit: 3)) == [3, 4, 5])
        #expect(try subscriptions(PresenceQuery(person: "x' OR '1'='1")) == [])
        #expect(try publications(PresenceQuery(resource: "sip:bob@example.org", after: 2)) == [4])
        #expect(try publications(PresenceQuery(person: "sip:bob@example.org", limit: 2)) == [1, 2])

        try QueueInspector(path: path).forEachSubscription(PresenceQuery(after: 1, limit: 1)) { record in
            #expect(record.resource == "sip:bob@example.org")
            #expect(record.subscription == sampleSubscription(2))
            return true
        }
        try QueueInspector(path: path).forEachPublication(PresenceQuery(limit: 1)) { record in
            #expect(record.resource == "sip:alice@example.org")
            #expect(record.publication == samplePublication(1, of: alice))
            return true
        }
    }

    @Test("streaming reaches every subscription over many pages and stops when told")
    func streaming() throws {
        let store = try SQLiteMessageStore(path: path)
        _ = try store.commit(names + (1...2_300).map { .presence(.subscribe(sampleSubscription($0))) })
        #expect(try subscriptions(PresenceQuery()) == Array(1...2_300))
        #expect(try subscriptions(PresenceQuery(after: 700, limit: 1_200)) == Array(701...1_900))
        var seen = 0
        try QueueInspector(path: path).forEachSubscription { _ in
            seen += 1
            return seen < 1_111
        }
        #expect(seen == 1_111)
    }

    @Test("documents are written beside a running server, which then recovers them")
    func documents() throws {
        var store: SQLiteMessageStore? = try SQLiteMessageStore(path: path)
        let inspector = try QueueInspector(path: path, access: .accounts)
        let rules = [sampleDocument(""), sampleDocument("sip:alice@example.org")]
        for document in rules.reversed() { try inspector.putDocument(document) }
        #expect(try QueueInspector(path: path).documents() == rules)
        #expect(try #require(store).commit(names).isEmpty)
        #expect(try inspector.removeDocument(rules[0].name))
        #expect(try !inspector.removeDocument(rules[0].name))
        #expect(failureKind { try QueueInspector(path: path).putDocument(rules[0]) } == "misuse")
        #expect(failureKind { try QueueInspector(path: path).removeDocument(rules[1].name) } == "misuse")
        store = nil
        store = try SQLiteMessageStore(path: path)
        #expect(try StoreContent(of: #require(store)).documents == [rules[1]])
    }
}
