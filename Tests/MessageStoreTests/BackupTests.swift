import Foundation
import LinkProfiles
import MessageStore
import MessageStoreSQLite
import Testing

@Suite("Backup while the store works")
struct BackupTests {
    let directory: TemporaryDirectory
    let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path("store.db")
    }

    @Test("a backup taken while groups are committed is one moment of the store, and opens")
    func whileWriting() throws {
        let store = try SQLiteMessageStore(path: path)
        _ = try store.commit(
            names + (1...20_000).map { .enqueue(sample($0, payload: Array(repeating: 9, count: 700))) })
        var last: Int64 = 20_000
        var steps = 0
        var worst = 0
        let destination = directory.path("backup.db")
        try store.backup(to: destination) { left, of in
            steps += 1
            worst = max(worst, of)
            let group = (1...10).map { StoreCommand.enqueue(sample(last + $0)) }
            if (try? store.commit(group)) != nil { last += 10 }
        }
        #expect(steps > 1)
        #expect(last == 20_000 + Int64(steps) * 10)
        #expect(worst > 0)
        let copy = try SQLiteMessageStore(path: destination)
        #expect(try StoreContent(of: copy).messages.map(\.number.rawValue) == Array(1...20_000))
        #expect(try StoreContent(of: store).messages.count == Int(last))
        #expect(try QueueInspector(path: destination).integrityCheck() == [])
        #expect(
            try QueueInspector(path: destination).payload(of: MessageNumber(777)) == Array(repeating: 9, count: 700))
    }

    @Test("an operator's backup equals the store")
    func equal() throws {
        let store = try SQLiteMessageStore(path: path)
        _ = try store.commit(
            names + [
                .enqueue(sample(1)), .enqueue(sample(2)), .bind(sampleBinding(1)),
                .claim(MessageNumber(2), attempts: 1, at: moment(1)), .deliver(MessageNumber(2), at: moment(2)),
            ])
        let destination = directory.path("backup.db")
        try QueueInspector(path: path).backup(to: destination)
        #expect(try StoreContent(of: SQLiteMessageStore(path: destination)) == StoreContent(of: store))
        let mode = try FileManager.default.attributesOfItem(atPath: destination)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)
    }

    @Test("an existing file is never overwritten, and a failed backup leaves nothing")
    func destinations() throws {
        let store = try SQLiteMessageStore(path: path)
        let existing = directory.path("there.db")
        try Data("precious".utf8).write(to: URL(fileURLWithPath: existing))
        #expect(failureKind { try store.backup(to: existing) } == "io")
        #expect(try Data(contentsOf: URL(fileURLWithPath: existing)) == Data("precious".utf8))
        let nowhere = directory.path("missing/backup.db")
        #expect(failureKind { try store.backup(to: nowhere) } == "io")
        #expect(!FileManager.default.fileExists(atPath: nowhere + ".partial"))
    }
}
