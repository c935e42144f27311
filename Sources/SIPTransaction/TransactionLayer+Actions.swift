import LinkProfiles

extension TransactionLayer {
    private static var none: UInt32 { SlotPages<[UInt8]>.none }

    // MARK: Records

    @inline(__always)
    func find(_ id: TransactionID, isClient: Bool) -> UInt32? {
        index.find(id) { slot in
            let record = records.slots.pointer(slot)
            return record.pointee.id == id && record.pointee.machine.isClient == isClient
        }
    }

    func options(isReliable: Bool, reportsEnd: Bool) -> TransactionOptions {
        var options: TransactionOptions = isReliable ? .isReliable : []
        if reportsEnd { options.insert(.reportsEnd) }
        return options
    }

    func open(_ record: TransactionRecord, _ actions: TransactionActions, at: Instant) {
        let slot = records.slots.insert(record)
        index.insert(slot, for: record.id)
        if let message = pendingMessage(records.slots.pointer(slot)) { message.pointee.transaction = slot }
        perform(actions, slot, at: at.microseconds)
    }

    func close(_ slot: UInt32) {
        let record = records.slots.pointer(slot)
        records.stop(slot)
        releasePayload(record)
        if record.pointee.machine.isClient { clientCount -= 1 }
        index.remove(slot, for: record.pointee.id)
        records.slots.remove(slot)
    }

    // MARK: What records hold

    /// Nil where there is none; never for a non-INVITE server transaction.
    @inline(__always)
    func pendingMessage(_ record: UnsafeMutablePointer<TransactionRecord>) -> UnsafeMutablePointer<PendingMessage>? {
        let payload = record.pointee.payload
        if payload == Self.none { return nil }
        if case .nonInviteServer = record.pointee.machine { return nil }
        return pending.slots.pointer(payload)
    }

    func tail(of record: UnsafeMutablePointer<TransactionRecord>) -> [UInt8] {
        let payload = record.pointee.payload
        if payload == Self.none { return [] }
        if let message = pendingMessage(record) { return message.pointee.bytes }
        return tails.pointer(payload).pointee
    }

    func keep(_ tail: [UInt8], for record: UnsafeMutablePointer<TransactionRecord>) {
        if let message = pendingMessage(record) {
            message.pointee.bytes = tail
            return
        }
        guard case .nonInviteServer = record.pointee.machine else { return }
        releasePayload(record)
        if !tail.isEmpty { record.pointee.payload = tails.insert(tail) }
    }

    func releasePayload(_ record: UnsafeMutablePointer<TransactionRecord>) {
        let payload = record.pointee.payload
        if payload == Self.none { return }
        if pendingMessage(record) == nil {
            tails.remove(payload)
        } else {
            pending.stop(payload)
            pending.slots.remove(payload)
        }
        record.pointee.payload = Self.none
    }

    // MARK: Actions

    /// Starts and stops timers as a machine asked, drops what its new state does not need, and closes the transaction
    /// if it terminated.
    func perform(_ actions: TransactionActions, _ slot: UInt32, at now: Int64) {
        let record = records.slots.pointer(slot)
        if record.pointee.machine.isTerminated {
            close(slot)
            return
        }
        if actions.isDisjoint(with: .timers) { return }
        if actions.contains(.stopInterval) { records.stop(slot) }
        if actions.contains(.stopLifetime) { stopLifetime(record) }
        if actions.isDisjoint(with: .lasting) {
            startIntervals(actions, slot, record, at: now)
        } else {
            startLasting(actions, slot, record, at: now)
        }
    }

    /// Stops timer B, F or H, and drops what would have been sent until then.
    private func stopLifetime(_ record: UnsafeMutablePointer<TransactionRecord>) {
        guard let message = pendingMessage(record) else { return }
        pending.stop(record.pointee.payload)
        message.pointee.bytes = []
    }

    /// The timer that ends a state in which the transaction only waits: D, I, J, K, L and M.
    private func startLasting(
        _ actions: TransactionActions, _ slot: UInt32, _ record: UnsafeMutablePointer<TransactionRecord>, at now: Int64
    ) {
        let isReliable = record.pointee.options.contains(.isReliable)
        if isReliable && actions.isDisjoint(with: .lastingAlways) {
            _ = record.pointee.machine.timerFired(step: record.pointee.step)
            close(slot)
            return
        }
        if !actions.isDisjoint(with: .withoutPending) { releasePayload(record) }
        let occasion: TimerSchedules.Occasion =
            actions.contains(.startTimerD)
            ? .timerD : actions.isDisjoint(with: [.startTimerI, .startTimerK]) ? .lifetime : .t4
        records.start(slot, queue: schedules.queue(record.pointee.timers, occasion), at: now)
    }

    private func startIntervals(
        _ actions: TransactionActions, _ slot: UInt32, _ record: UnsafeMutablePointer<TransactionRecord>, at now: Int64
    ) {
        let timers = record.pointee.timers
        if actions.contains(.startTryingDelay) {
            var occasion = TimerSchedules.Occasion.trying
            if case .inviteServer = record.pointee.machine { occasion = .inviteTrying }
            records.start(slot, queue: schedules.queue(timers, occasion), at: now)
        }
        if actions.contains(.startExpiry) {
            record.pointee.step = 1
            records.start(slot, queue: schedules.queue(timers, .expiry), at: now)
        }
        if !actions.isDisjoint(with: .lifetimes) {
            pending.start(record.pointee.payload, queue: schedules.lifetime(timers), at: now)
        }
        if actions.isDisjoint(with: .intervals) || record.pointee.options.contains(.isReliable) { return }
        if actions.contains(.lengthenInterval) { record.pointee.step = min(record.pointee.step, .max - 1) + 1 }
        let queue: UInt16
        if actions.contains(.startTimerEWithT2) {
            queue = schedules.queue(timers, .t2)
        } else if case .inviteClient = record.pointee.machine {
            queue = schedules.doubling(timers, step: record.pointee.step)
        } else {
            queue = schedules.capped(timers, step: record.pointee.step)
        }
        records.start(slot, queue: queue, at: now)
    }
}

extension TransactionActions {
    /// Timers that run in parallel to another one.
    fileprivate static let lifetimes: TransactionActions = [.startTimerB, .startTimerF, .startTimerH]
    /// Timers that send again, on unreliable transports only.
    fileprivate static let intervals: TransactionActions = [
        .startTimerA, .startTimerE, .startTimerG, .lengthenInterval, .startTimerEWithT2,
    ]
    /// Timers that last as long on every transport.
    fileprivate static let lastingAlways: TransactionActions = [.startTimerL, .startTimerM]
    /// Timers that end a state in which the transaction only waits.
    fileprivate static let lasting: TransactionActions = [
        .startTimerD, .startTimerI, .startTimerJ, .startTimerK, .startTimerL, .startTimerM,
    ]
    /// Those of states in which nothing is left to send.
    fileprivate static let withoutPending: TransactionActions = [
        .startTimerI, .startTimerK, .startTimerL, .startTimerM,
    ]
    /// Everything that concerns timers.
    fileprivate static let timers: TransactionActions = lifetimes.union(intervals).union(lasting).union([
        .startTryingDelay, .startExpiry, .stopInterval, .stopLifetime,
    ])
}
