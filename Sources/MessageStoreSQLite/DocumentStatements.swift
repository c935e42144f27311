import GRDB
import LinkProfiles
import MessageStore

/// The statements that change provisioned documents.
struct DocumentStatements {
    private let upsert: PreparedStatement
    private let delete: PreparedStatement

    init(_ database: Database, path: String) throws {
        upsert = try PreparedStatement(
            database,
            """
            INSERT INTO document (application, owner, name, modified_at, bytes) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (application, owner, name) DO UPDATE
            SET modified_at = excluded.modified_at, bytes = excluded.bytes
            """, path: path)
        delete = try PreparedStatement(
            database, "DELETE FROM document WHERE application = ? AND owner = ? AND name = ?", path: path)
    }

    func put(_ document: StoredDocument) throws(StoreFailure) {
        bind(document.name, to: upsert)
        upsert.bind(4, document.modifiedAt)
        let outcome: Result<Void, StoreFailure> = document.body.withUnsafeBytes { bytes in
            upsert.bind(5, blob: bytes)
            return Result(catching: upsert.run)
        }
        try outcome.get()
    }

    /// Whether there was such a document.
    @discardableResult
    func remove(_ name: DocumentName) throws(StoreFailure) -> Bool {
        bind(name, to: delete)
        try delete.run()
        return delete.changes > 0
    }

    private func bind(_ name: DocumentName, to statement: PreparedStatement) {
        statement.bind(1, copyOf: name.application)
        statement.bind(2, copyOf: name.owner)
        statement.bind(3, copyOf: name.name)
    }
}
