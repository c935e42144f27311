import LinkProfiles
import MessageStore
import SIPCore

/// Changes that are in force but not committed yet, with what they replaced.
struct PendingRegistrations {
    struct Entry {
        let number: BindingNumber
        /// The binding before the change, packed; nil when it is new.
        var before: [UInt8]?
    }

    struct Change {
        let user: UserIndex
        /// Whether the change also told the store the user's number.
        let named: Bool
        var entries: [Entry]
    }

    private(set) var changes: [UInt64: Change] = [:]
    private var users: [UserIndex: Int] = [:]
    /// Connections that what was replaced may depend on; some may be there in vain.
    private var connections: Set<UInt64> = []
    private var last: UInt64 = 0

    /// Whether a change of this user is not committed yet.
    func concern(_ user: UserIndex) -> Bool { users[user] != nil }

    mutating func add(_ change: Change) -> RegistrationUndo {
        last += 1
        changes[last] = change
        users[change.user, default: 0] += 1
        for case let before? in change.entries.map(\.before) {
            if let connection = Binding(record: before, offset: 0).connection { connections.insert(connection) }
        }
        return RegistrationUndo(change: last, user: change.user)
    }

    mutating func remove(_ undo: RegistrationUndo) -> Change? {
        guard let change = changes.removeValue(forKey: undo.change) else { return nil }
        if let count = users[change.user] { users[change.user] = count > 1 ? count - 1 : nil }
        if changes.isEmpty, !connections.isEmpty { connections = [] }
        return change
    }

    /// Gives what a failed change had replaced to the next change of the same binding, which then is the one to put it back.
    mutating func inherit(_ entry: Entry, after change: UInt64, of user: UserIndex) -> Bool {
        guard concern(user) else { return false }
        let later = changes.filter { $0.key > change && $0.value.user == user }.keys.sorted()
        for key in later {
            guard let index = changes[key]?.entries.firstIndex(where: { $0.number == entry.number }) else { continue }
            changes[key]?.entries[index].before = entry.before
            return true
        }
        return false
    }

    /// What was replaced must not come back with a connection that has closed meanwhile.
    mutating func forget(connection: UInt64) {
        guard connections.remove(connection) != nil else { return }
        for (key, change) in changes {
            for (index, entry) in change.entries.enumerated() {
                guard var before = entry.before else { continue }
                let binding = Binding(record: before, offset: 0)
                guard binding.connection == connection else { continue }
                before[BindingLayout.flowKind] = binding.isOutbound ? BindingLayout.flowLost : BindingLayout.flowAbsent
                changes[key]?.entries[index].before = before
            }
        }
    }
}

extension Registrar {
    /// The change was committed.
    func confirm(_ undo: RegistrationUndo) {
        guard let change = pending.remove(undo) else { return }
        if change.named { locations.numberWasStored(of: change.user) }
    }

    /// The change could not be committed: what it replaced is in force again. Says what that means for the user.
    ///
    /// Changes must be confirmed or rolled back in the order they were made. A later change of the same binding stands, whatever
    /// becomes of an earlier one.
    func rollBack(_ undo: RegistrationUndo) -> RegistrationEffect {
        guard let change = pending.remove(undo) else { return [] }
        let user = change.user
        if change.named { locations.numberWasNotStored(of: user) }
        let wasEmpty = locations.bindings(of: user).isEmpty
        for entry in change.entries where !pending.inherit(entry, after: undo.change, of: user) {
            if let before = entry.before {
                locations.put(packed: before[...], number: entry.number, of: user)
            } else {
                locations.remove(entry.number, of: user)
            }
        }
        switch (wasEmpty, locations.bindings(of: user).isEmpty) {
        case (true, false): return [.reachable]
        case (false, true): return [.unreachable]
        default: return []
        }
    }

    /// A connection is gone. Returns the users concerned; the removal of their outbound bindings is appended to `commands`
    /// (RFC 5626 section 5.3).
    func flowClosed(_ flow: Flow, commands: inout [StoreCommand]) -> [UserIndex] {
        guard flow.connection != 0 else { return [] }
        pending.forget(connection: flow.connection)
        let closed = locations.flowClosed(flow)
        for number in closed.removed { commands.append(.unbind(number)) }
        return closed.users
    }
}
