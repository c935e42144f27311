import GRDB
import LinkProfiles
import MessageStore

/// The operator's questions as SQL. They scan the narrow table: an index by recipient would cost every accepted message
/// more than the server can give.
struct QueueReading {
    let database: Database
    let path: String

    /// One page in the order of acceptance.
    func records(_ query: QueueQuery, limit: Int) throws -> [QueueRecord] {
        var conditions = ["m.number > ?1"]
        if query.recipient != nil {
            conditions.append("m.recipient IN (SELECT number FROM address WHERE aor = ?2)")
        }
        if query.sender != nil { conditions.append("m.sender = ?3") }
        if query.acceptedBefore != nil { conditions.append("m.accepted_at < ?4") }
        if query.states.count < DeferredState.allCases.count {
            let letters = query.states.map { "'\($0.letter)'" }.sorted().joined(separator: ", ")
            conditions.append("m.state IN (\(letters))")
        }
        let rows = try PreparedStatement(
            database, "\(columns) WHERE \(conditions.joined(separator: " AND ")) ORDER BY m.number LIMIT ?5",
            path: path)
        rows.bind(1, query.after.rawValue)
        if let recipient = query.recipient { rows.bind(2, copyOf: recipient) }
        if let sender = query.sender { rows.bind(3, copyOf: sender) }
        if let moment = query.acceptedBefore { rows.bind(4, moment) }
        rows.bind(5, max(0, limit))
        var records: [QueueRecord] = []
        while try rows.next() { records.append(try record(rows)) }
        return records
    }

    func record(of number: MessageNumber) throws -> QueueRecord? {
        let rows = try PreparedStatement(database, "\(columns) WHERE m.number = ?1", path: path)
        rows.bind(1, number.rawValue)
        guard try rows.next() else { return nil }
        defer { rows.reset() }
        return try record(rows)
    }

    func payload(of number: MessageNumber) throws -> [UInt8]? {
        let rows = try PreparedStatement(database, "SELECT bytes FROM payload WHERE number = ?1", path: path)
        rows.bind(1, number.rawValue)
        guard try rows.next() else { return nil }
        defer { rows.reset() }
        return [UInt8](rows.bytes(0))
    }

    func statistics(busiest count: Int) throws -> QueueStatistics {
        var byState = Dictionary(
            uniqueKeysWithValues: DeferredState.allCases.map { ($0, QueueStatistics.Tally()) })
        let states = try PreparedStatement(
            database, "SELECT state, count(*), sum(size) FROM message GROUP BY state", path: path)
        while try states.next() {
            guard let letter = states.bytes(0).first, let state = DeferredState(letter: letter) else { continue }
            byState[state] = .init(messages: Int(states.integer(1)), bytes: states.integer(2))
        }
        let groups = try PreparedStatement(
            database,
            """
            SELECT recipient, count(*) AS messages, sum(size), min(accepted_at),
                (SELECT aor FROM address WHERE number = recipient)
            FROM message WHERE ended_at IS NULL GROUP BY recipient ORDER BY messages DESC, recipient
            """, path: path)
        var busiest: [QueueStatistics.Recipient] = []
        var recipients = 0
        var oldest: Instant?
        while try groups.next() {
            recipients += 1
            let since = Instant(microseconds: groups.integer(3))
            oldest = min(oldest ?? since, since)
            guard busiest.count < count else { continue }
            busiest.append(
                .init(
                    addressOfRecord: groups.text(4),
                    tally: .init(messages: Int(groups.integer(1)), bytes: groups.integer(2)), oldestAcceptedAt: since))
        }
        let bytes = try Int64.fetchOne(
            database, sql: "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        return QueueStatistics(
            byState: byState, busiest: busiest, recipients: recipients, oldestAcceptedAt: oldest,
            databaseBytes: bytes ?? 0)
    }

    private var columns: String {
        """
        SELECT m.number, (SELECT aor FROM address WHERE number = m.recipient), m.sender, m.identity, m.state,
            m.accepted_at, m.expires_at, m.due_at, m.claimed_at, m.ended_at, m.attempts, m.cause, m.urgent, m.size
        FROM message AS m
        """
    }

    private func record(_ rows: PreparedStatement) throws(StoreFailure) -> QueueRecord {
        guard let letter = rows.bytes(4).first, let state = DeferredState(letter: letter),
            let identity = MessageIdentity(rows.bytes(3))
        else {
            throw .damaged(
                "message \(rows.integer(0)) in \(path) is not readable: keep the file for a diagnosis, restore a backup"
            )
        }
        func moment(_ column: Int32) -> Instant? {
            rows.isNull(column) ? nil : Instant(microseconds: rows.integer(column))
        }
        return QueueRecord(
            number: MessageNumber(rows.integer(0)), recipient: rows.text(1), sender: rows.text(2),
            identity: identity, state: state, acceptedAt: Instant(microseconds: rows.integer(5)),
            expiresAt: Instant(microseconds: rows.integer(6)), dueAt: moment(7), claimedAt: moment(8),
            endedAt: moment(9), attempts: UInt32(clamping: rows.integer(10)),
            cause: DeliveryCause(code: UInt16(clamping: rows.integer(11))), isUrgent: rows.integer(12) != 0,
            size: Int(rows.integer(13)))
    }
}
