public import LinkProfiles
public import SIPCore

/// All client and server transactions (RFC 3261 section 17 with RFC 6026 and RFC 4320).
///
/// It has no sockets and no clock: every call that starts a timer takes the time, which must never run backwards, and
/// nothing happens by itself before ``advance(to:into:)``.
public final class TransactionLayer {
    let records: TimerTable<TransactionRecord>
    let pending: TimerTable<PendingMessage>
    /// What responses to non-INVITE requests hold beyond what they copy, where it is not empty.
    let tails: SlotPages<[UInt8]>
    let index = TransactionIndex()
    let schedules = TimerSchedules()
    /// Client transactions there are.
    public internal(set) var clientCount = 0

    public init() {
        records = TimerTable(slotsPerPage: 4096)
        pending = TimerTable(slotsPerPage: 1024)
        tails = SlotPages(slotsPerPage: 4096)
    }

    deinit { index.forEachSlot { releasePayload(records.slots.pointer($0)) } }

    /// Makes timers known. The same timers always get the same number; there is room for 255 different ones, and a
    /// layer that is full answers nil.
    public func register(_ timers: TransactionTimers) -> TimersIndex? {
        schedules.register(timers, records: records, pending: pending)
    }

    /// No timer fires before this; it may be earlier than the first that does. Nil while no timer runs.
    public var nextDeadline: Instant? {
        let earliest = min(records.earliest, pending.earliest)
        return earliest == .max ? nil : Instant(microseconds: earliest)
    }

    // MARK: Server transactions

    /// What a request means to the transactions there are.
    public enum Arrival: Sendable, Equatable {
        /// No transaction knows it: handle it, and open one.
        case new
        /// A retransmission with nothing to be sent again.
        case absorbed
        /// A retransmission: send the last response again, rebuilt from this request, the status and the tail.
        case resend(status: UInt16, tail: [UInt8])
        /// The ACK for a final response other than 2xx; it goes no further.
        case confirmed(user: UInt32)
        /// An ACK that belongs to the transaction user: for a 2xx (RFC 6026 section 7.1), or one nobody knows.
        case passAck
    }

    /// Offers a request. It opens nothing.
    ///
    /// - Parameter isAck: whether the method is ACK; `id` is then that of its INVITE.
    public func requestArrived(_ id: TransactionID, isAck: Bool, at: Instant) -> Arrival {
        guard let slot = find(id, isClient: false) else { return isAck ? .passAck : .new }
        let record = records.slots.pointer(slot)
        let actions = record.pointee.machine.requestArrived(isAck: isAck)
        if actions.contains(.transmit) {
            guard record.pointee.status != 0 else { return .absorbed }
            return .resend(status: record.pointee.status, tail: tail(of: record))
        }
        if actions.contains(.inform) { return .passAck }
        if actions.isEmpty { return .absorbed }
        let user = record.pointee.user
        perform(actions, slot, at: at.microseconds)
        return .confirmed(user: user)
    }

    /// Opens the server transaction of a request for which ``requestArrived(_:isAck:at:)`` said `.new`.
    ///
    /// - Parameters:
    ///   - user: the caller's context, handed back with events; 0 for none.
    ///   - reportsEnd: whether ``advance(to:into:)`` tells when it ends by timer I, J or L. On reliable transports I
    ///     and J are zero: the transaction ends within the call that would start them, and nothing is told.
    /// - Returns: false if there is one with this id already; nothing changes then.
    @discardableResult
    public func openServer(
        _ id: TransactionID, isInvite: Bool, isReliable: Bool, timers: TimersIndex, user: UInt32 = 0,
        reportsEnd: Bool = false, at: Instant
    ) -> Bool {
        guard find(id, isClient: false) == nil else { return false }
        let options = options(isReliable: isReliable, reportsEnd: reportsEnd)
        let machine = isInvite ? TransactionMachine.inviteServer(.init()) : .nonInviteServer(.init())
        let payload = isInvite ? pending.slots.insert(PendingMessage([], destination: nil)) : SlotPages<[UInt8]>.none
        open(
            TransactionRecord(id, machine, timers: timers, user: user, payload: payload, options: options),
            isInvite ? InviteServerTransaction.opening : NonInviteServerTransaction.opening, at: at)
        return true
    }

    /// Hands a response to its server transaction, which remembers it for retransmissions.
    ///
    /// - Parameter tail: what the response holds beyond what it copies from the request. Kept as it is: one shared
    ///   empty array costs nothing.
    /// - Returns: whether to send it. False: there is no such transaction, it had a final response before, or RFC 4320
    ///   section 4 forbids this one (a 1xx to a non-INVITE request other than a late 100; a 408 to a non-INVITE
    ///   request, which ends the transaction in silence).
    public func respond(_ id: TransactionID, status: UInt16, tail: [UInt8], at: Instant) -> Bool {
        guard status >= 100, let slot = find(id, isClient: false) else { return false }
        let record = records.slots.pointer(slot)
        let isReliable = record.pointee.options.contains(.isReliable)
        let actions = record.pointee.machine.respond(status, isReliable: isReliable)
        let isSent = actions.contains(.transmit)
        if isSent {
            record.pointee.status = status
            keep(tail, for: record)
        }
        perform(actions, slot, at: at.microseconds)
        return isSent
    }

    /// The context given with the server transaction; nil if there is no such transaction.
    public func user(ofServer id: TransactionID) -> UInt32? {
        find(id, isClient: false).map { records.slots.pointer($0).pointee.user }
    }

    /// Replaces the context of a server transaction, e.g. with 0 once it is answered.
    public func setUser(_ user: UInt32, ofServer id: TransactionID) {
        guard let slot = find(id, isClient: false) else { return }
        records.slots.pointer(slot).pointee.user = user
    }

    /// A response could not be sent (RFC 6026 section 8.8): the server transaction stays as it is.
    ///
    /// - Returns: the context to be told; nil if there is no such transaction, or its state has nothing to send.
    public func responseFailed(_ id: TransactionID) -> UInt32? {
        guard let slot = find(id, isClient: false) else { return nil }
        let record = records.slots.pointer(slot)
        return record.pointee.machine.transportFailed().contains(.reportFailure) ? record.pointee.user : nil
    }

    // MARK: Client transactions

    /// What a response means to the transactions there are.
    public enum Response: Sendable, Equatable {
        /// No transaction knows it: drop it (RFC 6026 section 8.9).
        case unknown
        /// A retransmission, or nobody wants it.
        case absorbed
        /// It goes to the transaction user.
        case pass(user: UInt32)
        /// It goes to the transaction user, and its ACK has to be built, sent to where the INVITE went and handed to
        /// ``acknowledged(_:ack:)`` (RFC 3261 section 17.1.1.3). `user` is 0 if the transaction was abandoned.
        case passAndAcknowledge(user: UInt32, destination: Destination)
        /// A final response again: send its ACK again.
        case acknowledgeAgain(ack: [UInt8], destination: Destination)
    }

    /// Opens a client transaction. The caller sends `request` the first time; the layer keeps it until a final
    /// response comes, and asks for retransmissions.
    ///
    /// - Parameters:
    ///   - user: the caller's context, handed back with responses and events.
    ///   - reportsEnd: whether ``advance(to:into:)`` tells when it ends by timer D, K or M. On reliable transports D
    ///     and K are zero: the transaction ends with the final response, and nothing is told.
    /// - Returns: false if there is one with this id already; nothing changes then.
    @discardableResult
    public func openClient(
        _ id: TransactionID, isInvite: Bool, isReliable: Bool, timers: TimersIndex, request: [UInt8],
        destination: Destination, user: UInt32, reportsEnd: Bool = false, at: Instant
    ) -> Bool {
        guard find(id, isClient: true) == nil else { return false }
        let options = options(isReliable: isReliable, reportsEnd: reportsEnd)
        let machine = isInvite ? TransactionMachine.inviteClient(.init()) : .nonInviteClient(.init())
        let payload = pending.slots.insert(PendingMessage(request, destination: destination))
        clientCount += 1
        open(
            TransactionRecord(id, machine, timers: timers, user: user, payload: payload, options: options),
            isInvite ? InviteClientTransaction.opening : NonInviteClientTransaction.opening, at: at)
        return true
    }

    /// Offers a response.
    public func responseArrived(_ id: TransactionID, status: UInt16, at: Instant) -> Response {
        guard status >= 100, let slot = find(id, isClient: true) else { return .unknown }
        let record = records.slots.pointer(slot)
        var actions = record.pointee.machine.responseArrived(status)
        // Nobody would end an abandoned INVITE that begins to ring: timer B does.
        if status < 200 && record.pointee.options.contains(.isAbandoned) { actions.remove(.stopLifetime) }
        let response = response(record, actions)
        perform(actions, slot, at: at.microseconds)
        return response
    }

    private func response(
        _ record: UnsafeMutablePointer<TransactionRecord>, _ actions: TransactionActions
    ) -> Response {
        let user = record.pointee.user
        if actions.contains(.acknowledge) {
            guard let message = pendingMessage(record), let destination = message.pointee.destination else {
                return .absorbed
            }
            if actions.contains(.inform) { return .passAndAcknowledge(user: user, destination: destination) }
            let ack = message.pointee.bytes
            return ack.isEmpty ? .absorbed : .acknowledgeAgain(ack: ack, destination: destination)
        }
        guard actions.contains(.inform), !record.pointee.options.contains(.isAbandoned) else { return .absorbed }
        return .pass(user: user)
    }

    /// Keeps the ACK for a final response other than 2xx, to be sent again when the response is.
    public func acknowledged(_ id: TransactionID, ack: [UInt8]) {
        guard let slot = find(id, isClient: true) else { return }
        let record = records.slots.pointer(slot)
        guard case .inviteClient(let machine) = record.pointee.machine, machine.state == .completed else { return }
        pendingMessage(record)?.pointee.bytes = ack
    }

    /// The request or its ACK could not be sent (RFC 3261 section 17.1.4): the client transaction ends.
    ///
    /// - Returns: the context to be told; nil if there is no such transaction, it has nothing to send any more, or
    ///   nobody wants to know.
    public func transportFailed(_ id: TransactionID) -> UInt32? {
        guard let slot = find(id, isClient: true) else { return nil }
        let record = records.slots.pointer(slot)
        let actions = record.pointee.machine.transportFailed()
        guard actions.contains(.reportFailure) else { return nil }
        let user = record.pointee.options.contains(.isAbandoned) ? nil : record.pointee.user
        close(slot)
        return user
    }

    /// Loses interest in a client transaction: no more retransmissions and no event; responses are absorbed until it
    /// would have timed out. An INVITE still asks for the ACK of a response 300-699, with user 0; one that rings is
    /// forgotten if no final response comes within 64*T1 from now (RFC 3261 section 9.1).
    public func abandon(_ id: TransactionID, at: Instant) {
        guard let slot = find(id, isClient: true) else { return }
        let record = records.slots.pointer(slot)
        record.pointee.user = 0
        record.pointee.options.insert(.isAbandoned)
        switch record.pointee.machine {
        case .inviteClient(let machine):
            switch machine.state {
            case .calling: perform(.stopInterval, slot, at: at.microseconds)
            case .proceeding: perform(.startTimerB, slot, at: at.microseconds)
            case .completed, .accepted, .terminated: return
            }
        case .nonInviteClient(let machine):
            switch machine.state {
            case .trying, .proceeding: perform(.stopInterval, slot, at: at.microseconds)
            case .completed, .terminated: return
            }
        case .inviteServer, .nonInviteServer:
            return
        }
        pendingMessage(record)?.pointee.bytes = []
    }

    // MARK: Size

    /// Server transactions there are.
    public var serverCount: Int { records.slots.count - clientCount }

    /// Bytes reserved by the tables, without the requests and tails they refer to.
    public var reservedBytes: Int {
        records.reservedBytes + pending.reservedBytes + tails.reservedBytes + index.reservedBytes
    }
}
