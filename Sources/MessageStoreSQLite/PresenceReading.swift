import GRDB
import LinkProfiles
import MessageStore

/// Reads subscriptions, publications and documents: all of them at start, some of them for an operator.
struct PresenceReading {
    let database: Database
    let path: String

    func visit<V: RecoveryVisitor>(into visitor: inout V) throws {
        for document in try documents() { visitor.document(document) }
        try forEachPublication(" ORDER BY p.number", binding: { _ in }) { _, publication in
            visitor.publication(publication)
        }
        try forEachSubscription(" ORDER BY s.number", binding: { _ in }) { _, subscription in
            visitor.subscription(subscription)
        }
    }

    /// By application, owner and name.
    func documents() throws -> [StoredDocument] {
        let rows = try PreparedStatement(
            database,
            "SELECT application, owner, name, modified_at, bytes FROM document ORDER BY application, owner, name",
            path: path)
        var documents: [StoredDocument] = []
        while try rows.next() {
            documents.append(
                StoredDocument(
                    name: DocumentName(application: rows.text(0), owner: rows.text(1), name: rows.text(2)),
                    modifiedAt: Instant(microseconds: rows.integer(3)), body: [UInt8](rows.bytes(4))))
        }
        return documents
    }

    /// One page by number.
    func publications(_ query: PresenceQuery, limit: Int) throws -> [PublicationRecord] {
        var records: [PublicationRecord] = []
        let conditions = query.conditions(number: "p.number", resource: "p.resource", person: "p.source")
        try forEachPublication(conditions, binding: { query.bind(to: $0, limit: limit) }) { rows, publication in
            records.append(PublicationRecord(resource: rows.text(10), publication: publication))
        }
        return records
    }

    /// One page by number.
    func subscriptions(_ query: PresenceQuery, limit: Int) throws -> [SubscriptionRecord] {
        var records: [SubscriptionRecord] = []
        let conditions = query.conditions(number: "s.number", resource: "s.resource", person: "d.watcher")
        try forEachSubscription(conditions, binding: { query.bind(to: $0, limit: limit) }) { rows, subscription in
            records.append(SubscriptionRecord(resource: rows.text(17), subscription: subscription))
        }
        return records
    }

    private func forEachPublication(
        _ conditions: String, binding: (PreparedStatement) -> Void,
        _ body: (PreparedStatement, StoredPublication) -> Void
    ) throws {
        let rows = try PreparedStatement(
            database,
            """
            SELECT p.number, p.resource, p.event, p.entity_tag, p.source, p.created_at, p.modified_at, p.expires_at,
                b.content_type, b.bytes, (SELECT aor FROM address WHERE number = p.resource)
            FROM publication AS p CROSS JOIN publication_body AS b ON b.number = p.number
            """ + conditions, path: path)
        binding(rows)
        var texts = TextPool()
        while try rows.next() {
            body(
                rows,
                StoredPublication(
                    number: PublicationNumber(rows.integer(0)), resource: AddressNumber(rows.integer(1)),
                    event: texts.text(of: rows.bytes(2)), entityTag: rows.text(3), source: rows.text(4),
                    createdAt: Instant(microseconds: rows.integer(5)),
                    modifiedAt: Instant(microseconds: rows.integer(6)),
                    expiresAt: Instant(microseconds: rows.integer(7)), contentType: texts.text(of: rows.bytes(8)),
                    body: [UInt8](rows.bytes(9))))
        }
    }

    private func forEachSubscription(
        _ conditions: String, binding: (PreparedStatement) -> Void,
        _ body: (PreparedStatement, StoredSubscription) -> Void
    ) throws {
        let rows = try PreparedStatement(
            database,
            """
            SELECT s.number, s.resource, s.state, s.remote_cseq, s.cseq_ceiling, s.version, s.expires_at, d.event,
                d.watcher, d.created_at, d.accept, d.max_rate, d.min_rate, d.adaptive_min_rate, d.flow, d.dialog,
                d.filter, (SELECT aor FROM address WHERE number = s.resource)
            FROM subscription AS s CROSS JOIN subscription_dialog AS d ON d.number = s.number
            """ + conditions, path: path)
        binding(rows)
        var texts = TextPool()
        while try rows.next() {
            guard let letter = rows.bytes(2).first, let state = StoredSubscriptionState(letter: letter) else {
                throw StoreFailure.damaged(
                    "subscription \(rows.integer(0)) in \(path) is not readable: keep the file for a diagnosis, restore a backup"
                )
            }
            func number(_ column: Int32) -> UInt32 { UInt32(clamping: rows.integer(column)) }
            body(
                rows,
                StoredSubscription(
                    number: SubscriptionNumber(rows.integer(0)), resource: AddressNumber(rows.integer(1)),
                    event: texts.text(of: rows.bytes(7)), watcher: rows.text(8),
                    createdAt: Instant(microseconds: rows.integer(9)), accept: number(10),
                    rates: StoredRates(maximum: number(11), minimum: number(12), adaptiveMinimum: number(13)),
                    flow: rows.text(14), dialog: [UInt8](rows.bytes(15)), filter: [UInt8](rows.bytes(16)),
                    progress: SubscriptionProgress(
                        state: state, remoteSequence: number(3), sequenceCeiling: number(4), version: number(5),
                        expiresAt: Instant(microseconds: rows.integer(6)))))
        }
    }
}
