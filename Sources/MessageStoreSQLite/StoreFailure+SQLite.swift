import GRDB
import GRDBSQLite
import MessageStore

extension StoreFailure {
    /// Sorts an SQLite result code and says what to do about it.
    init(code: Int32, message: String, path: String) {
        let detail = "\(message), SQLite code \(code)"
        switch code & 0xFF {
        case SQLITE_FULL:
            self = .full(
                "no space left to write \(path) (\(detail)): free space on that file system; "
                    + "the store goes on by itself")
        case SQLITE_BUSY, SQLITE_LOCKED:
            self = .locked(
                "another process holds \(path) (\(detail)): end the program that writes to it; "
                    + "the store goes on by itself")
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            self = .damaged(
                "\(path) is damaged (\(detail)): stop the server, keep the file for a diagnosis, restore a backup")
        case SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_TOOBIG, SQLITE_RANGE, SQLITE_MISUSE:
            self = .misuse("\(path) refused a command that breaks its rules (\(detail)): report this as a bug")
        case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_READONLY:
            self = .io(
                "cannot open or write \(path) (\(detail)): check that its directory exists and that the file, "
                    + "its -wal, -shm and -lock are writable for this user")
        default:
            self = .io("reading or writing \(path) failed (\(detail)): check the disk and the system's log")
        }
    }

    /// Takes whatever GRDB or this room threw.
    init(_ error: any Error, path: String) {
        switch error {
        case let failure as StoreFailure:
            self = failure
        case let error as DatabaseError:
            self.init(
                code: error.extendedResultCode.rawValue, message: error.message ?? "no further detail", path: path)
        default:
            self = .io("\(path): \(error)")
        }
    }
}
