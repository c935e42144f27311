import GRDB
import LinkProfiles
import MessageStore

/// The statements that change deferred messages, one function per transition.
struct MessageStatements {
    private let insertMessage: PreparedStatement
    private let insertPayload: PreparedStatement
    private let toClaimed: PreparedStatement
    private let selectPayload: PreparedStatement
    private let toDelivered: PreparedStatement
    private let toWaiting: PreparedStatement
    private let toQueued: PreparedStatement
    private let toEnded: PreparedStatement
    private let deletePayload: PreparedStatement
    private let deleteEnded: PreparedStatement

    init(_ database: Database, path: String) throws {
        func prepare(_ sql: String) throws -> PreparedStatement { try PreparedStatement(database, sql, path: path) }
        insertMessage = try prepare(
            """
            INSERT INTO message (number, recipient, sender, identity, state, accepted_at, expires_at, due_at, claimed_at,
                attempts, cause, urgent, size) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)
            """)
        insertPayload = try prepare("INSERT INTO payload (number, bytes) VALUES (?, ?)")
        toClaimed = try prepare(
            """
            UPDATE message SET state = 'C', due_at = NULL, claimed_at = ?2, attempts = ?3
            WHERE number = ?1 AND ended_at IS NULL
            """)
        selectPayload = try prepare("SELECT bytes FROM payload WHERE number = ?")
        toDelivered = try prepare(
            """
            UPDATE message SET state = 'D', claimed_at = NULL, ended_at = ?2, cause = 0
            WHERE number = ?1 AND state = 'C'
            """)
        toWaiting = try prepare(
            """
            UPDATE message SET state = 'W', claimed_at = NULL, due_at = ?2, cause = ?3
            WHERE number = ?1 AND state = 'C'
            """)
        toQueued = try prepare(
            """
            UPDATE message SET state = 'Q', due_at = claimed_at, claimed_at = NULL, cause = ?2
            WHERE number = ?1 AND state = 'C'
            """)
        toEnded = try prepare(
            """
            UPDATE message SET state = ?2, due_at = NULL, claimed_at = NULL, ended_at = ?3, cause = ?4
            WHERE number = ?1 AND ended_at IS NULL
            """)
        deletePayload = try prepare("DELETE FROM payload WHERE number = ?")
        deleteEnded = try prepare(
            """
            DELETE FROM message WHERE number IN
                (SELECT number FROM message WHERE ended_at < ?1 ORDER BY ended_at LIMIT ?2)
            """)
    }

    func enqueue(_ message: DeferredMessage) throws(StoreFailure) {
        let isClaimed: Bool
        switch message.state {
        case .queued: isClaimed = false
        case .claimed: isClaimed = true
        case .waiting, .delivered, .expired, .refused:
            throw .misuse("message \(message.number.rawValue) cannot be accepted as \(message.state)")
        }
        let number = message.number.rawValue
        insertMessage.bind(1, number)
        insertMessage.bind(2, message.recipient.rawValue)
        insertMessage.bind(5, literal: message.state.letter)
        insertMessage.bind(6, message.acceptedAt)
        insertMessage.bind(7, message.expiresAt)
        if isClaimed {
            insertMessage.bindNull(8)
            insertMessage.bind(9, message.acceptedAt)
        } else {
            insertMessage.bind(8, message.acceptedAt)
            insertMessage.bindNull(9)
        }
        insertMessage.bind(10, Int64(message.attempts))
        insertMessage.bind(11, message.isUrgent ? 1 : 0 as Int64)
        insertMessage.bind(12, message.payload.count)
        var sender = message.sender
        var identity = (message.identity.high.bigEndian, message.identity.low.bigEndian)
        let outcome: Result<Void, StoreFailure> = sender.withUTF8 { senderBytes in
            withUnsafeBytes(of: &identity) { identityBytes in
                insertMessage.bind(3, text: senderBytes)
                insertMessage.bind(4, blob: identityBytes)
                return Result(catching: insertMessage.run)
            }
        }
        try outcome.get()

        insertPayload.bind(1, number)
        let stored: Result<Void, StoreFailure> = message.payload.withUnsafeBytes { bytes in
            insertPayload.bind(2, blob: bytes)
            return Result(catching: insertPayload.run)
        }
        try stored.get()
    }

    /// nil when the message is unknown or ended.
    func claim(_ number: MessageNumber, attempts: UInt32, at: Instant) throws(StoreFailure) -> ClaimedMessage? {
        toClaimed.bind(1, number.rawValue)
        toClaimed.bind(2, at)
        toClaimed.bind(3, Int64(attempts))
        try toClaimed.run()
        guard toClaimed.changes > 0 else { return nil }
        selectPayload.bind(1, number.rawValue)
        guard try selectPayload.next() else {
            throw .damaged("message \(number.rawValue) has lost its payload: stop the server and restore a backup")
        }
        let payload = [UInt8](selectPayload.bytes(0))
        selectPayload.reset()
        return ClaimedMessage(number: number, payload: payload)
    }

    func deliver(_ number: MessageNumber, at: Instant) throws(StoreFailure) {
        toDelivered.bind(1, number.rawValue)
        toDelivered.bind(2, at)
        try toDelivered.run()
        if toDelivered.changes > 0 { try dropPayload(number) }
    }

    func retry(_ number: MessageNumber, due: Instant, cause: DeliveryCause) throws(StoreFailure) {
        toWaiting.bind(1, number.rawValue)
        toWaiting.bind(2, due)
        toWaiting.bind(3, Int64(cause.code))
        try toWaiting.run()
    }

    func release(_ number: MessageNumber, cause: DeliveryCause) throws(StoreFailure) {
        toQueued.bind(1, number.rawValue)
        toQueued.bind(2, Int64(cause.code))
        try toQueued.run()
    }

    /// `state` is `.expired` or `.refused`. Returns whether there was something to end.
    @discardableResult
    func end(
        _ number: MessageNumber, as state: DeferredState, at: Instant, cause: DeliveryCause
    ) throws(StoreFailure) -> Bool {
        toEnded.bind(1, number.rawValue)
        toEnded.bind(2, literal: state.letter)
        toEnded.bind(3, at)
        toEnded.bind(4, Int64(cause.code))
        try toEnded.run()
        guard toEnded.changes > 0 else { return false }
        try dropPayload(number)
        return true
    }

    /// Removes ended rows, those that ended first before the others, and returns how many went.
    func forget(before: Instant, limit: Int) throws(StoreFailure) -> Int {
        deleteEnded.bind(1, before)
        deleteEnded.bind(2, max(0, limit))
        try deleteEnded.run()
        return deleteEnded.changes
    }

    private func dropPayload(_ number: MessageNumber) throws(StoreFailure) {
        deletePayload.bind(1, number.rawValue)
        try deletePayload.run()
    }
}
