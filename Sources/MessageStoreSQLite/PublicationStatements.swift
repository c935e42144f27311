import GRDB
import LinkProfiles
import MessageStore

/// The statements that change publications. The body has a row of its own, which a refresh leaves alone.
struct PublicationStatements {
    private let replacePublication: PreparedStatement
    private let replaceBody: PreparedStatement
    private let updateTag: PreparedStatement
    private let deletePublication: PreparedStatement
    private let deleteBody: PreparedStatement

    init(_ database: Database, path: String) throws {
        func prepare(_ sql: String) throws -> PreparedStatement { try PreparedStatement(database, sql, path: path) }
        replacePublication = try prepare(
            """
            INSERT OR REPLACE INTO publication (number, resource, event, entity_tag, source, created_at, modified_at,
                expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """)
        replaceBody = try prepare(
            "INSERT OR REPLACE INTO publication_body (number, content_type, bytes) VALUES (?, ?, ?)")
        updateTag = try prepare("UPDATE publication SET entity_tag = ?2, expires_at = ?3 WHERE number = ?1")
        deletePublication = try prepare("DELETE FROM publication WHERE number = ?")
        deleteBody = try prepare("DELETE FROM publication_body WHERE number = ?")
    }

    func publish(_ publication: StoredPublication) throws(StoreFailure) {
        let number = publication.number.rawValue
        replacePublication.bind(1, number)
        replacePublication.bind(2, publication.resource.rawValue)
        replacePublication.bind(3, copyOf: publication.event)
        replacePublication.bind(4, copyOf: publication.entityTag)
        replacePublication.bind(5, copyOf: publication.source)
        replacePublication.bind(6, publication.createdAt)
        replacePublication.bind(7, publication.modifiedAt)
        replacePublication.bind(8, publication.expiresAt)
        try replacePublication.run()

        replaceBody.bind(1, number)
        replaceBody.bind(2, copyOf: publication.contentType)
        let outcome: Result<Void, StoreFailure> = publication.body.withUnsafeBytes { bytes in
            replaceBody.bind(3, blob: bytes)
            return Result(catching: replaceBody.run)
        }
        try outcome.get()
    }

    func refresh(_ number: PublicationNumber, entityTag: String, expiresAt: Instant) throws(StoreFailure) {
        updateTag.bind(1, number.rawValue)
        updateTag.bind(2, copyOf: entityTag)
        updateTag.bind(3, expiresAt)
        try updateTag.run()
    }

    /// Whether there was such a publication.
    func unpublish(_ number: PublicationNumber) throws(StoreFailure) -> Bool {
        deletePublication.bind(1, number.rawValue)
        try deletePublication.run()
        guard deletePublication.changes > 0 else { return false }
        deleteBody.bind(1, number.rawValue)
        try deleteBody.run()
        return true
    }
}
