import GRDB
import MessageStore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A copy of a database made while others write to it: one snapshot, under a provisional name until it is complete.
enum StoreBackup {
    /// Pages copied between two reports of progress.
    private static let step: Int32 = 4_096

    static func copy(_ source: DatabaseQueue, to destination: String, progress: ((Int, Int) -> Void)?) throws {
        guard access(destination, F_OK) != 0 else {
            throw StoreFailure.io("\(destination) exists: choose another name for the backup")
        }
        let provisional = destination + ".partial"
        discard(provisional)
        let descriptor = open(provisional, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StoreFailure.io("cannot make \(provisional) (\(String(cString: strerror(errno))))")
        }
        close(descriptor)
        do {
            try fill(provisional, from: source, progress: progress)
            guard rename(provisional, destination) == 0 else {
                throw StoreFailure.io("cannot name the backup \(destination) (\(String(cString: strerror(errno))))")
            }
        } catch {
            discard(provisional)
            throw error
        }
    }

    private static func fill(_ path: String, from source: DatabaseQueue, progress: ((Int, Int) -> Void)?) throws {
        let copy = try DatabaseQueue(path: path)
        try source.read { database in
            // The first read takes the snapshot. Without one, SQLite begins the copy anew after every commit.
            _ = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master")
            try copy.writeWithoutTransaction { target in
                try database.backup(to: target, pagesPerStep: step) { state in
                    progress?(state.remainingPageCount, state.totalPageCount)
                }
            }
        }
        try copy.close()
    }

    private static func discard(_ path: String) {
        for suffix in ["", "-journal", "-wal", "-shm"] { unlink(path + suffix) }
    }
}
