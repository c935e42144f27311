import GRDB
import LinkProfiles
import MessageStore

/// Reads the store back at start: one scan of each narrow table, payloads left where they are.
struct StoreRecovery {
    let database: Database
    let path: String

    func visit<V: RecoveryVisitor>(duplicatesSince: Instant, into visitor: inout V) throws {
        try visitRegistrations(into: &visitor)
        try visitMessages(duplicatesSince: duplicatesSince, &visitor)
        try PresenceReading(database: database, path: path).visit(into: &visitor)
    }

    /// Addresses, then bindings.
    func visitRegistrations<V: RecoveryVisitor>(into visitor: inout V) throws {
        try visitAddresses(&visitor)
        try visitBindings(&visitor)
    }

    private func visitAddresses<V: RecoveryVisitor>(_ visitor: inout V) throws {
        let rows = try PreparedStatement(database, "SELECT number, aor FROM address ORDER BY number", path: path)
        while try rows.next() {
            visitor.address(AddressNumber(rows.integer(0)), addressOfRecord: rows.text(1))
        }
    }

    private func visitBindings<V: RecoveryVisitor>(_ visitor: inout V) throws {
        let rows = try PreparedStatement(
            database,
            """
            SELECT number, address, contact, parameters, call_id, cseq, q, expires_at, path, instance, reg_id, flow
            FROM binding ORDER BY number
            """, path: path)
        while try rows.next() {
            visitor.binding(
                StoredBinding(
                    number: BindingNumber(rows.integer(0)), address: AddressNumber(rows.integer(1)),
                    contact: rows.text(2), parameters: rows.text(3), callID: rows.text(4),
                    cseq: UInt32(clamping: rows.integer(5)), q: UInt16(clamping: rows.integer(6)),
                    expiresAt: Instant(microseconds: rows.integer(7)), path: rows.text(8), instance: rows.text(9),
                    regID: UInt32(clamping: rows.integer(10)), flow: rows.text(11)))
        }
    }

    private func visitMessages<V: RecoveryVisitor>(duplicatesSince: Instant, _ visitor: inout V) throws {
        let rows = try PreparedStatement(
            database,
            """
            SELECT number, recipient, sender, identity, state, accepted_at, expires_at, due_at, claimed_at, attempts,
                urgent, size
            FROM message ORDER BY number
            """, path: path)
        var senders = TextPool()
        while try rows.next() {
            guard let letter = rows.bytes(4).first, let state = DeferredState(letter: letter),
                let identity = MessageIdentity(rows.bytes(3))
            else {
                throw StoreFailure.damaged(
                    "message \(rows.integer(0)) in \(path) is not readable: keep the file for a diagnosis, restore a backup"
                )
            }
            let acceptedAt = Instant(microseconds: rows.integer(5))
            if state.isTerminal {
                if acceptedAt >= duplicatesSince { visitor.settled(identity, acceptedAt: acceptedAt) }
                continue
            }
            let due: Int64 =
                switch state {
                case .claimed: rows.integer(8)
                case .waiting: rows.integer(7)
                case .queued, .delivered, .expired, .refused: 0
                }
            visitor.message(
                RecoveredMessage(
                    number: MessageNumber(rows.integer(0)), recipient: AddressNumber(rows.integer(1)),
                    sender: senders.text(of: rows.bytes(2)), identity: identity, state: state,
                    isUrgent: rows.integer(10) != 0, attempts: UInt32(clamping: rows.integer(9)),
                    acceptedAt: acceptedAt, expiresAt: Instant(microseconds: rows.integer(6)),
                    due: Instant(microseconds: due), size: Int(rows.integer(11))))
        }
    }
}

extension MessageIdentity {
    /// nil unless there are sixteen bytes.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 16 else { return nil }
        self.init(
            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
}

/// Gives equal bytes the same `String`, so that a million messages of a thousand senders hold a thousand texts.
struct TextPool {
    private var texts: [Int: String] = [:]

    mutating func text(of bytes: UnsafeRawBufferPointer) -> String {
        var hasher = Hasher()
        hasher.combine(bytes: bytes)
        let key = hasher.finalize()
        if let known = texts[key], known.utf8.elementsEqual(bytes) { return known }
        let text = String(decoding: bytes, as: UTF8.self)
        texts[key] = text
        return text
    }
}
