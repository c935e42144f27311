import LinkProfiles
import MessageStore
import SIPCore

extension LocationService {
    /// Writes a binding, new or under a number the user has already.
    func put(_ binding: BindingRecord, of index: UserIndex) {
        put(packed: binding.packed()[...], number: binding.number, of: index)
    }

    /// Writes a binding in its packed form, as ``Binding/bytes`` gives it.
    func put(packed: ArraySlice<UInt8>, number: BindingNumber, of index: UserIndex) {
        let new = Binding(record: Array(packed), offset: 0)
        let old = binding(number, of: index)
        if let old, old.length == packed.count, old.q == new.q {
            users[Int(index)].record.replaceSubrange(old.offset..<old.offset + old.length, with: packed)
        } else {
            rewrite(index, without: old, inserting: new)
        }
        if old == nil { bindingCount += 1 }
        if let connection = new.connection { connections.insert(index, connection: connection) }
        if let before = old?.connection, before != new.connection { forget(before, of: index) }
        schedule(index, at: new.expiresAtSecond)
    }

    /// The binding of that number.
    func binding(_ number: BindingNumber, of index: UserIndex) -> Binding? {
        bindings(of: index).first { $0.number == number }
    }

    /// Removes a binding; false when there is none of that number.
    @discardableResult
    func remove(_ number: BindingNumber, of index: UserIndex) -> Bool {
        guard let old = binding(number, of: index) else { return false }
        rewrite(index, without: old, inserting: nil)
        bindingCount -= 1
        if let connection = old.connection { forget(connection, of: index) }
        return true
    }

    // MARK: Time

    /// When ``advance(to:limit:)`` has something to do.
    var nextDeadline: Instant? { calendar.first.map { Instant(microseconds: Int64($0) * 1_000_000) } }

    /// Removes the bindings whose time is up and returns them with their users. Call again at ``nextDeadline``: it stays in the
    /// past while more than `limit` users are due.
    func advance(to now: Instant, limit: Int = 4_096) -> [(user: UserIndex, number: BindingNumber)] {
        var expired: [(user: UserIndex, number: BindingNumber)] = []
        let second = UInt32(clamping: now.unixSeconds)
        var looked = 0
        while looked < limit, let due = calendar.popDue(at: second) {
            looked += 1
            guard Int(due.user) < users.count, users[Int(due.user)].nextCheck == due.second else { continue }
            users[Int(due.user)].nextCheck = 0
            var next = UInt32.max
            for binding in bindings(of: due.user) {
                if binding.expiresAtSecond <= second {
                    remove(binding.number, of: due.user)
                    expired.append((due.user, binding.number))
                } else {
                    next = min(next, binding.expiresAtSecond)
                }
            }
            if next != .max { schedule(due.user, at: next) }
        }
        return expired
    }

    private func schedule(_ index: UserIndex, at second: UInt32) {
        let planned = users[Int(index)].nextCheck
        guard planned == 0 || second < planned else { return }
        users[Int(index)].nextCheck = second
        calendar.insert(index, at: second)
    }

    // MARK: Flows

    /// A connection is gone. Outbound bindings that came by it are removed (RFC 5626 section 5.3), others stay without a flow.
    /// Returns the users concerned and the numbers of the bindings removed.
    func flowClosed(_ flow: Flow) -> (users: [UserIndex], removed: [BindingNumber]) {
        guard flow.connection != 0, !connections.isEmpty else { return ([], []) }
        let concerned = connections.removeAll(of: flow.connection)
        var removed: [BindingNumber] = []
        for user in concerned {
            for binding in bindings(of: user) where binding.connection == flow.connection {
                if binding.isOutbound {
                    remove(binding.number, of: user)
                    removed.append(binding.number)
                } else if let current = self.binding(binding.number, of: user) {
                    users[Int(user)].record[current.offset + BindingLayout.flowKind] = BindingLayout.flowAbsent
                }
            }
        }
        return (concerned, removed)
    }

    private func forget(_ connection: UInt64, of index: UserIndex) {
        if !bindings(of: index).contains(where: { $0.connection == connection }) {
            connections.remove(index, connection: connection)
        }
    }

    // MARK: The record

    /// Copies the user's record to its exact size, without one binding and with another before the first of no higher q.
    private func rewrite(_ index: UserIndex, without old: Binding?, inserting new: Binding?) {
        let record = users[Int(index)].record
        let start = UserRecordLayout.bindingsStart(in: record)
        var result: [UInt8] = []
        result.reserveCapacity(record.count - (old?.length ?? 0) + (new?.length ?? 0))
        result.append(contentsOf: record[..<start])
        var waiting = new
        for binding in BindingList(record: record, start: start) where binding.offset != old?.offset {
            if let next = waiting, next.q >= binding.q {
                result.append(contentsOf: next.bytes)
                waiting = nil
            }
            result.append(contentsOf: binding.bytes)
        }
        if let waiting { result.append(contentsOf: waiting.bytes) }
        users[Int(index)].record = result
    }
}

extension Binding {
    /// Number of the connection the binding depends on; nil for datagrams or when the flow is gone.
    var connection: UInt64? {
        guard record[offset + BindingLayout.flowKind] == BindingLayout.flowPresent else { return nil }
        let number = record.word(at: offset + BindingLayout.connection, as: UInt64.self)
        return number == 0 ? nil : number
    }
}
