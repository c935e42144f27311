import GRDB
import GRDBSQLite
import LinkProfiles
import MessageStore

/// A statement prepared once by GRDB and then bound and stepped through SQLite's own interface: GRDB's argument
/// binding costs more than the insert it serves.
///
/// Texts and blobs are bound without a copy, so they must stay where they are until ``run()`` or ``reset()``.
struct PreparedStatement {
    private let statement: Statement
    private let pointer: OpaquePointer
    private let path: String

    init(_ database: Database, _ sql: String, path: String) throws {
        statement = try database.makeStatement(sql: sql)
        pointer = statement.sqliteStatement
        self.path = path
    }

    func bind(_ index: Int32, _ value: Int64) { sqlite3_bind_int64(pointer, index, value) }
    func bind(_ index: Int32, _ value: Int) { sqlite3_bind_int64(pointer, index, Int64(value)) }
    func bind(_ index: Int32, _ value: Instant) { sqlite3_bind_int64(pointer, index, value.microseconds) }
    func bindNull(_ index: Int32) { sqlite3_bind_null(pointer, index) }

    func bind(_ index: Int32, text: UnsafeBufferPointer<UInt8>) {
        guard let base = text.baseAddress, text.count > 0 else {
            sqlite3_bind_text(pointer, index, "", 0, nil)
            return
        }
        base.withMemoryRebound(to: CChar.self, capacity: text.count) {
            _ = sqlite3_bind_text(pointer, index, $0, Int32(clamping: text.count), nil)
        }
    }

    func bind(_ index: Int32, literal: StaticString) {
        bind(index, text: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    func bind(_ index: Int32, blob: UnsafeRawBufferPointer) {
        if blob.count == 0 {
            sqlite3_bind_zeroblob(pointer, index, 0)
        } else {
            sqlite3_bind_blob64(pointer, index, blob.baseAddress, UInt64(blob.count), nil)
        }
    }

    /// Binds a copy; for statements that are not on the hot path.
    func bind(_ index: Int32, copyOf text: String) {
        let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        var text = text
        text.withUTF8 { bytes in
            guard let base = bytes.baseAddress else {
                sqlite3_bind_text(pointer, index, "", 0, nil)
                return
            }
            base.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
                _ = sqlite3_bind_text(pointer, index, $0, Int32(clamping: bytes.count), transient)
            }
        }
    }

    /// Runs to the end a statement that returns no row.
    func run() throws(StoreFailure) {
        let code = sqlite3_step(pointer)
        sqlite3_reset(pointer)
        if code != SQLITE_DONE && code != SQLITE_ROW { throw failure(code) }
    }

    /// Steps to the next row; false at the end.
    func next() throws(StoreFailure) -> Bool {
        let code = sqlite3_step(pointer)
        if code == SQLITE_ROW { return true }
        sqlite3_reset(pointer)
        if code == SQLITE_DONE { return false }
        throw failure(code)
    }

    func reset() { sqlite3_reset(pointer) }

    /// Rows that the last insert, update or delete of this connection changed.
    var changes: Int { Int(sqlite3_changes(sqlite3_db_handle(pointer))) }

    /// Whether a transaction is open on this connection.
    var isInTransaction: Bool { sqlite3_get_autocommit(sqlite3_db_handle(pointer)) == 0 }

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(pointer, column) }
    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(pointer, column) == SQLITE_NULL }

    /// The bytes of a text or blob column, valid until the next step or reset.
    func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
        let start = sqlite3_column_blob(pointer, column)
        return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(pointer, column)))
    }

    func text(_ column: Int32) -> String { String(decoding: bytes(column), as: UTF8.self) }

    private func failure(_ code: Int32) -> StoreFailure {
        let connection = sqlite3_db_handle(pointer)
        let extended = sqlite3_extended_errcode(connection)
        let message = sqlite3_errmsg(connection).map { String(cString: $0) } ?? "no further detail"
        return StoreFailure(code: extended & 0xFF == code & 0xFF ? extended : code, message: message, path: path)
    }
}
