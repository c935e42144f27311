import Foundation
import GRDB
import LinkProfiles
import MessageStore
import MessageStoreSQLite
import Testing

@Suite("When the disk, the file or another process is in the way")
struct FailureTests {
    let directory: TemporaryDirectory
    let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path("store.db")
    }

    @Test("a full database refuses the group whole, says so, and goes on once there is room")
    func full() throws {
        var options = StoreOptions()
        options.maximumPages = 60
        let store = try SQLiteMessageStore(path: path, options: options)
        _ = try store.commit(names)
        var last: Int64 = 0
        var failure: StoreFailure?
        while failure == nil && last < 1_000 {
            let group = (1...10).map {
                StoreCommand.enqueue(sample(last + $0, payload: Array(repeating: 1, count: 2_000)))
            }
            do throws(StoreFailure) {
                _ = try store.commit(group)
                last += 10
            } catch {
                failure = error
            }
        }
        #expect(failure?.kind == "full")
        if case .full(let text) = failure { #expect(text.contains("free space")) }
        #expect(try StoreContent(of: store).messages.map(\.number.rawValue) == Array(1...last))

        _ = try store.commit((1...10).map { .expire(MessageNumber($0), at: moment(1), cause: .none) })
        _ = try store.commit([.enqueue(sample(last + 1, payload: Array(repeating: 2, count: 2_000)))])
        #expect(try StoreContent(of: store).messages.count == Int(last) - 9)
        #expect(try QueueInspector(path: path).integrityCheck() == [])
    }

    @Test("a writer in another connection makes commits wait, then fail as locked, and nothing is lost")
    func locked() throws {
        var options = StoreOptions()
        options.busyPatience = .milliseconds(1)
        let store = try SQLiteMessageStore(path: path, options: options)
        _ = try store.commit(names + [.enqueue(sample(1))])
        let other = try DatabaseQueue(path: path)
        try other.inDatabase { connection in
            try connection.execute(sql: "BEGIN IMMEDIATE")
            #expect(failureKind { try store.commit([.enqueue(sample(2))]) } == "locked")
            #expect(try StoreContent(of: store).messages.count == 1)
            try connection.execute(sql: "ROLLBACK")
        }
        _ = try store.commit([.enqueue(sample(2))])
        #expect(try StoreContent(of: store).messages.count == 2)
    }

    @Test("a second server is refused while the first runs, and let in afterwards")
    func secondServer() throws {
        var first: SQLiteMessageStore? = try SQLiteMessageStore(path: path)
        _ = try first?.commit(names)
        for _ in 0..<2 {
            let failure = #expect(throws: StoreFailure.self) { try SQLiteMessageStore(path: path) }
            #expect(failure?.kind == "locked")
            if case .locked(let text) = failure {
                #expect(text.contains("process \(ProcessInfo.processInfo.processIdentifier)"))
            }
        }
        #expect(failureKind { try QueueInspector(path: path, access: .exclusive) } == "locked")
        first = nil
        let second = try SQLiteMessageStore(path: path)
        #expect(try StoreContent(of: second).addresses.count == 2)
    }

    @Test(
        "overwritten pages are reported as damage by commits, recovery and the check", arguments: [0, 1, 2] as [UInt64])
    func damaged(seed: UInt64) throws {
        var store: SQLiteMessageStore? = try SQLiteMessageStore(path: path)
        _ = try store?.commit(names + (1...400).map { .enqueue(sample($0, payload: Array(repeating: 7, count: 900))) })
        store = nil
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        let size = try file.seekToEnd()
        var random = SeededGenerator(state: seed)
        // All pages but the first, which holds the schema.
        for page in stride(from: 4_096, to: size, by: 4_096) {
            try file.seek(toOffset: page)
            try file.write(contentsOf: Data((0..<4_096).map { _ in UInt8.random(in: 100...255, using: &random) }))
        }
        try file.close()
        let failure = #expect(throws: StoreFailure.self) {
            let store = try SQLiteMessageStore(path: path)
            _ = try StoreContent(of: store)
        }
        #expect(failure?.kind == "damaged")
        if case .damaged(let text) = failure { #expect(text.contains("restore a backup")) }
    }

    @Test("a file that is no database is reported as damage, and left as it is")
    func notADatabase() throws {
        let content = Data(repeating: UInt8(ascii: "x"), count: 10_000)
        try content.write(to: URL(fileURLWithPath: path))
        #expect(failureKind { try SQLiteMessageStore(path: path) } == "damaged")
        #expect(failureKind { try QueueInspector(path: path) } == "damaged")
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == content)
    }

    @Test("a directory that is not there is an error that names it")
    func nowhere() throws {
        let missing = directory.path("missing/store.db")
        for open in [{ _ = try SQLiteMessageStore(path: missing) }, { _ = try QueueInspector(path: missing) }] {
            let failure = #expect(throws: StoreFailure.self) { try open() }
            #expect(failure?.kind == "io")
            if case .io(let text) = failure { #expect(text.contains(missing)) }
        }
    }

    @Test("a message whose payload is gone is damage, not an empty message")
    func lostPayload() throws {
        let store = try SQLiteMessageStore(path: path)
        _ = try store.commit(names + [.enqueue(sample(1)), .enqueue(sample(2))])
        try DatabaseQueue(path: path).inDatabase { try $0.execute(sql: "DELETE FROM payload WHERE number = 1") }
        #expect(
            failureKind {
                try store.commit([.claim(MessageNumber(1), attempts: 1, at: moment(1))])
            } == "damaged")
        #expect(try store.commit([.claim(MessageNumber(2), attempts: 1, at: moment(1))]).count == 1)
        #expect(try QueueInspector(path: path).integrityCheck().count == 1)
    }

    @Test("the write-ahead log is recycled under steady load")
    func logStaysBounded() throws {
        var options = StoreOptions()
        options.checkpointBytes = 256 << 10
        let store = try SQLiteMessageStore(path: path, options: options)
        _ = try store.commit(names)
        for group in 0..<300 as Range<Int64> {
            _ = try store.commit(
                (1...20).map { .enqueue(sample(group * 20 + $0, payload: Array(repeating: 3, count: 1_000))) })
        }
        let size = try FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? NSNumber
        #expect((size?.intValue ?? .max) < 8 * options.checkpointBytes)
    }
}
