public import LinkProfiles
import PresenceDocuments

/// A contact that is bound to a presentity's address-of-record, as registration information tells it (RFC 3680 section 5.1).
public struct BoundContact: Hashable, Sendable {
    /// Stays while the contact is bound; the registrar's own number.
    public var number: UInt64
    public var uri: [UInt8]
    public var expires: Instant
    /// Thousandths; nil where the registration gave none.
    public var q: UInt16?
    public var callID: [UInt8]
    public var cseq: UInt32

    public init(
        number: UInt64, uri: [UInt8], expires: Instant, q: UInt16? = nil, callID: [UInt8] = [], cseq: UInt32 = 0
    ) {
        self.number = number
        self.uri = uri
        self.expires = expires
        self.q = q
        self.callID = callID
        self.cseq = cseq
    }
}

/// The contacts of one address-of-record with the state machines of RFC 3680 section 4.7.1.
struct RegistrationState {
    struct Row {
        var contact: BoundContact
        let since: Instant
        var isActive = true
        var event = ContactEvent.registered
        let appeared: UInt32
        var changed: UInt32
    }

    private(set) var rows: [Row] = []
    private(set) var sequence: UInt32 = 0
    private(set) var forgotten: UInt32 = 0
    private var isReported = false

    static let endingsKept = 16

    /// Without any contact: the state "init", which is never told apart from "terminated" later than once.
    var isEmpty: Bool { !rows.contains(where: \.isActive) }

    var isForgettable: Bool { rows.isEmpty && !isReported }

    /// Takes in all bindings that there are now.
    ///
    /// - Parameter ending: what became of those that are not among them any more, where they had not run out.
    /// - Returns: whether anything changed.
    mutating func update(_ contacts: [BoundContact], ending: ContactEvent, at now: Instant) -> Bool {
        let before = sequence
        let present = Set(contacts.map(\.number))
        for index in rows.indices where rows[index].isActive && !present.contains(rows[index].contact.number) {
            change(index, because: rows[index].contact.expires <= now ? .expired : ending)
            rows[index].isActive = false
        }
        for contact in contacts { take(contact, at: now) }
        forgetEndings()
        return sequence != before
    }

    private mutating func take(_ contact: BoundContact, at now: Instant) {
        guard let index = rows.firstIndex(where: { $0.contact.number == contact.number && $0.isActive }) else {
            sequence += 1
            rows.append(Row(contact: contact, since: now, appeared: sequence, changed: sequence))
            return
        }
        guard rows[index].contact != contact else { return }
        let isShorter = contact.expires < rows[index].contact.expires && contact.cseq == rows[index].contact.cseq
        rows[index].contact = contact
        change(index, because: isShorter ? .shortened : .refreshed)
    }

    private mutating func change(_ index: Int, because event: ContactEvent) {
        sequence += 1
        rows[index].event = event
        rows[index].changed = sequence
    }

    private mutating func forgetEndings() {
        let excess = rows.count { !$0.isActive } - (isReported ? Self.endingsKept : 0)
        guard excess > 0 else { return }
        let oldest = rows.filter { !$0.isActive }.sorted { $0.changed < $1.changed }.prefix(excess)
        forgotten = max(forgotten, oldest.last?.changed ?? 0)
        let gone = Set(oldest.map(\.changed))
        rows.removeAll { gone.contains($0.changed) }
    }

    struct Report {
        let isFull: Bool
        let rows: [Row]
    }

    /// - Returns: nil when there is nothing new.
    mutating func report(since seen: UInt32?) -> Report? {
        isReported = true
        guard let seen, seen >= forgotten else { return Report(isFull: true, rows: rows.filter(\.isActive)) }
        let news = rows.filter { $0.changed > seen && ($0.isActive || $0.appeared <= seen) }
        return news.isEmpty ? nil : Report(isFull: false, rows: news)
    }
}
