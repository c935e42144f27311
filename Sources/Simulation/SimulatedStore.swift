public import LinkProfiles
public import MessageStore

/// A Message Store in memory for the simulation: groups are atomic, and what was handed over but not yet committed is
/// lost in a ``crash()``, as it is with a real disk.
///
/// Used directly, ``commit(_:)`` is durable at once. A ``World`` lets the commit take virtual time instead: commands are
/// handed over, taken as one group, and become durable only with ``finishGroup()``, so a crash can fall between.
public final class SimulatedStore: MessageStore {
    /// A row of table `message` as this store keeps it.
    public struct Row: Hashable, Sendable {
        /// The message as it was accepted; its payload is gone when the state is terminal.
        public var message: DeferredMessage
        public var state: DeferredState
        public var attempts: UInt32
        /// Start of the attempt, earliest next attempt, or zero, as ``RecoveredMessage/due``.
        public var due: Instant
        /// When it became terminal.
        public var endedAt: Instant?
        public var cause: DeliveryCause
        /// Bytes of the payload as accepted.
        public var size: Int
    }

    /// What every commit and recovery throws while it is set: the disk is full, another process holds the database.
    public var failure: StoreFailure?
    /// Groups committed so far.
    public private(set) var groupsCommitted = 0
    /// Commands that named a live message but did not fit its state; an engine that keeps its own books emits none.
    public private(set) var misfits = 0

    /// Whether a crash also loses the last group it called committed, as a disk does that lies about its cache: for tests
    /// that show that the checks notice.
    public var losesLastGroup = false

    private struct Tables {
        var rows: [Int64: Row] = [:]
        var addresses: [Int64: String] = [:]
        var addressesByText: [String: Int64] = [:]
        var bindings: [Int64: StoredBinding] = [:]
        var presence = SimulatedPresenceTables()
        var numbering = StoreNumbering(
            lastMessage: MessageNumber(0), lastAddress: AddressNumber(0), lastBinding: BindingNumber(0))
    }

    private var tables = Tables()
    private var tablesBefore: Tables?

    private var pending: [StoreCommand] = []
    private var group: [StoreCommand] = []
    private var handedOver: UInt64 = 0

    public init() {}

    // MARK: Reading

    /// All messages, by number.
    public var messages: [Row] { tables.rows.keys.sorted().compactMap { tables.rows[$0] } }
    /// Messages in a state that is not terminal.
    public var liveCount: Int { tables.rows.values.count { !$0.state.isTerminal } }
    /// All bindings, by number.
    public var bindings: [StoredBinding] { tables.bindings.keys.sorted().compactMap { tables.bindings[$0] } }

    /// All subscriptions, by number.
    public var subscriptions: [StoredSubscription] {
        tables.presence.subscriptions.values.sorted { $0.number < $1.number }
    }
    /// All publications, by number.
    public var publications: [StoredPublication] {
        tables.presence.publications.values.sorted { $0.number < $1.number }
    }
    /// All documents, by name.
    public var documents: [StoredDocument] { tables.presence.documents.values.sorted { $0.name < $1.name } }

    public func message(_ number: MessageNumber) -> Row? { tables.rows[number.rawValue] }
    public func addressOfRecord(_ number: AddressNumber) -> String? { tables.addresses[number.rawValue] }

    // MARK: Commits that take time

    /// Whether a group is being written.
    public var isWriting: Bool { !group.isEmpty }
    /// Whether commands wait for the next group.
    public var hasPending: Bool { !pending.isEmpty }

    /// Queues commands for the next group. They are volatile until their group is finished.
    public func handOver(_ commands: [StoreCommand]) {
        pending.append(contentsOf: commands)
        handedOver += UInt64(commands.count)
    }

    /// Takes everything pending as one group and begins to write it. Does nothing while one is being written.
    public func beginGroup() {
        guard group.isEmpty else { return }
        swap(&group, &pending)
    }

    /// The group under way becomes durable, or fails as a whole.
    /// - Returns: number of the last command it held, counted from the last crash, and what ``commit(_:)`` returned.
    public func finishGroup() -> (
        through: UInt64, commands: [StoreCommand], outcome: Result<[ClaimedMessage], StoreFailure>
    ) {
        let commands = group
        group = []
        let through = handedOver - UInt64(pending.count)
        do throws(StoreFailure) {
            return (through, commands, .success(try commit(commands)))
        } catch {
            return (through, commands, .failure(error))
        }
    }

    /// The node dies: everything not committed is lost, and the tables.numbering of commands begins anew.
    public func crash() {
        if losesLastGroup, let before = tablesBefore { tables = before }
        pending = []
        group = []
        handedOver = 0
    }

    // MARK: MessageStore

    public func recover<V: RecoveryVisitor>(
        duplicatesSince: Instant, into visitor: inout V
    ) throws(StoreFailure) -> StoreNumbering {
        if let failure { throw failure }
        for number in tables.addresses.keys.sorted() {
            guard let text = tables.addresses[number] else { continue }
            visitor.address(AddressNumber(number), addressOfRecord: text)
        }
        for binding in bindings { visitor.binding(binding) }
        let all = messages
        for row in all where !row.state.isTerminal {
            visitor.message(
                RecoveredMessage(
                    number: row.message.number, recipient: row.message.recipient, sender: row.message.sender,
                    identity: row.message.identity, state: row.state, isUrgent: row.message.isUrgent,
                    attempts: row.attempts, acceptedAt: row.message.acceptedAt, expiresAt: row.message.expiresAt,
                    due: row.due, size: row.size))
        }
        for row in all where row.state.isTerminal && row.message.acceptedAt >= duplicatesSince {
            visitor.settled(row.message.identity, acceptedAt: row.message.acceptedAt)
        }
        tables.presence.visit(into: &visitor)
        var numbering = tables.numbering
        numbering.lastSubscription = tables.presence.lastSubscription
        numbering.lastPublication = tables.presence.lastPublication
        return numbering
    }

    public func commit(_ commands: [StoreCommand]) throws(StoreFailure) -> [ClaimedMessage] {
        if let failure { throw failure }
        try validate(commands)
        if losesLastGroup { tablesBefore = tables }
        var claimed: [ClaimedMessage] = []
        for command in commands { apply(command, claimed: &claimed) }
        groupsCommitted += 1
        return claimed
    }

    // MARK: The steps

    /// Finds what would break the protocol before anything has changed, so that a group is all or nothing.
    private func validate(_ commands: [StoreCommand]) throws(StoreFailure) {
        var newMessages: Set<Int64> = []
        var newAddresses: [Int64: String] = [:]
        var newTexts: [String: Int64] = [:]
        for command in commands {
            switch command {
            case .name(let number, let text):
                if let known = newAddresses[number.rawValue] ?? tables.addresses[number.rawValue], known != text {
                    throw .misuse("address \(number.rawValue) is \(known), not \(text)")
                }
                if let known = newTexts[text] ?? tables.addressesByText[text], known != number.rawValue {
                    throw .misuse("\(text) has number \(known), not \(number.rawValue)")
                }
                newAddresses[number.rawValue] = text
                newTexts[text] = number.rawValue
            case .enqueue(let message):
                let number = message.number.rawValue
                guard tables.rows[number] == nil, newMessages.insert(number).inserted else {
                    throw .misuse("message \(number) exists already")
                }
                guard message.state == .queued || message.state == .claimed else {
                    throw .misuse("message \(number) enqueued as \(message.state)")
                }
                let recipient = message.recipient.rawValue
                guard tables.addresses[recipient] != nil || newAddresses[recipient] != nil else {
                    throw .misuse("message \(number) names the unknown address \(recipient)")
                }
            case .bind(let binding):
                let address = binding.address.rawValue
                guard tables.addresses[address] != nil || newAddresses[address] != nil else {
                    throw .misuse("binding \(binding.number.rawValue) names the unknown address \(address)")
                }
            case .presence(let command):
                try SimulatedPresenceTables.validate(command) { address in
                    tables.addresses[address.rawValue] != nil || newAddresses[address.rawValue] != nil
                }
            case .claim, .deliver, .retry, .release, .expire, .refuse, .forget, .unbind:
                break
            }
        }
    }

    private func apply(_ command: StoreCommand, claimed: inout [ClaimedMessage]) {
        switch command {
        case .name(let number, let text):
            tables.addresses[number.rawValue] = text
            tables.addressesByText[text] = number.rawValue
            if number.rawValue > tables.numbering.lastAddress.rawValue { tables.numbering.lastAddress = number }
        case .enqueue(let message):
            tables.rows[message.number.rawValue] = Row(
                message: message, state: message.state, attempts: message.attempts,
                due: message.state == .claimed ? message.acceptedAt : Instant(microseconds: 0), endedAt: nil,
                cause: .none, size: message.payload.count)
            if message.number > tables.numbering.lastMessage { tables.numbering.lastMessage = message.number }
        case .claim(let number, let attempts, let at):
            move(number, from: [.queued, .waiting, .claimed]) { row in
                row.state = .claimed
                row.attempts = attempts
                row.due = at
                claimed.append(ClaimedMessage(number: number, payload: row.message.payload))
            }
        case .deliver(let number, let at):
            end(number, from: [.claimed], as: .delivered, at: at, cause: .none)
        case .retry(let number, let due, let cause):
            move(number, from: [.claimed]) { row in
                row.state = .waiting
                row.due = due
                row.cause = cause
            }
        case .release(let number, let cause):
            move(number, from: [.claimed]) { row in
                row.state = .queued
                row.due = Instant(microseconds: 0)
                row.cause = cause
            }
        case .expire(let number, let at, let cause):
            end(number, from: [.queued, .claimed, .waiting], as: .expired, at: at, cause: cause)
        case .refuse(let number, let at, let cause):
            end(number, from: [.queued, .claimed, .waiting], as: .refused, at: at, cause: cause)
        case .forget(let before, let limit):
            forget(before: before, limit: limit)
        case .bind(let binding):
            tables.bindings[binding.number.rawValue] = binding
            if binding.number.rawValue > tables.numbering.lastBinding.rawValue {
                tables.numbering.lastBinding = binding.number
            }
        case .unbind(let number):
            tables.bindings[number.rawValue] = nil
        case .presence(let command):
            tables.presence.apply(command)
        }
    }

    private func move(_ number: MessageNumber, from states: [DeferredState], _ change: (inout Row) -> Void) {
        guard var row = tables.rows[number.rawValue], !row.state.isTerminal else { return }
        guard states.contains(row.state) else {
            misfits += 1
            return
        }
        change(&row)
        tables.rows[number.rawValue] = row
    }

    private func end(
        _ number: MessageNumber, from states: [DeferredState], as state: DeferredState, at: Instant,
        cause: DeliveryCause
    ) {
        move(number, from: states) { row in
            row.state = state
            row.due = Instant(microseconds: 0)
            row.endedAt = at
            row.cause = cause
            row.message.payload = []
        }
    }

    private func forget(before: Instant, limit: Int) {
        let old = tables.rows.values.filter { row in row.endedAt.map { $0 < before } ?? false }
            .sorted { $0.message.number < $1.message.number }
        for row in old.prefix(max(0, limit)) { tables.rows[row.message.number.rawValue] = nil }
    }
}
