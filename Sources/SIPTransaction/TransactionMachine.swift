/// One of the four transactions of RFC 3261 section 17.
enum TransactionMachine: Hashable, Sendable {
    case inviteClient(InviteClientTransaction)
    case nonInviteClient(NonInviteClientTransaction)
    case inviteServer(InviteServerTransaction)
    case nonInviteServer(NonInviteServerTransaction)

    var isClient: Bool {
        switch self {
        case .inviteClient, .nonInviteClient: true
        case .inviteServer, .nonInviteServer: false
        }
    }

    var isTerminated: Bool {
        switch self {
        case .inviteClient(let machine): machine.state == .terminated
        case .nonInviteClient(let machine): machine.state == .terminated
        case .inviteServer(let machine): machine.state == .terminated
        case .nonInviteServer(let machine): machine.state == .terminated
        }
    }

    /// A request came that a server transaction knows.
    mutating func requestArrived(isAck: Bool) -> TransactionActions {
        switch self {
        case .inviteServer(var machine):
            let actions = machine.received(isAck ? .ack : .request)
            self = .inviteServer(machine)
            return actions
        case .nonInviteServer(var machine):
            guard !isAck else { return [] }
            let actions = machine.received(.request)
            self = .nonInviteServer(machine)
            return actions
        case .inviteClient, .nonInviteClient:
            return []
        }
    }

    /// The transaction user responds to a request.
    mutating func respond(_ status: UInt16, isReliable: Bool) -> TransactionActions {
        switch self {
        case .inviteServer(var machine):
            let event: InviteServerTransaction.Event =
                status < 200 ? .provisional : status < 300 ? .success : .failure
            let actions = machine.received(event)
            self = .inviteServer(machine)
            return actions
        case .nonInviteServer(var machine):
            let actions = machine.received(Self.nonInviteEvent(status, isReliable: isReliable))
            self = .nonInviteServer(machine)
            return actions
        case .inviteClient, .nonInviteClient:
            return []
        }
    }

    private static func nonInviteEvent(_ status: UInt16, isReliable: Bool) -> NonInviteServerTransaction.Event {
        switch status {
        case 100: isReliable ? .tryingReliably : .tryingUnreliably
        case 101..<200: .provisional
        case 408: .requestTimeout
        default: .final
        }
    }

    /// A response came that a client transaction knows.
    mutating func responseArrived(_ status: UInt16) -> TransactionActions {
        switch self {
        case .inviteClient(var machine):
            let event: InviteClientTransaction.Event =
                status < 200 ? .provisional : status < 300 ? .success : .failure
            let actions = machine.received(event)
            self = .inviteClient(machine)
            return actions
        case .nonInviteClient(var machine):
            let actions = machine.received(status < 200 ? .provisional : .final)
            self = .nonInviteClient(machine)
            return actions
        case .inviteServer, .nonInviteServer:
            return []
        }
    }

    /// What was to be sent could not be.
    mutating func transportFailed() -> TransactionActions {
        switch self {
        case .inviteClient(var machine):
            let actions = machine.received(.transportError)
            self = .inviteClient(machine)
            return actions
        case .nonInviteClient(var machine):
            let actions = machine.received(.transportError)
            self = .nonInviteClient(machine)
            return actions
        case .inviteServer(var machine):
            let actions = machine.received(.transportError)
            self = .inviteServer(machine)
            return actions
        case .nonInviteServer(var machine):
            let actions = machine.received(.transportError)
            self = .nonInviteServer(machine)
            return actions
        }
    }

    /// The timer of the transaction's state fired: any but B, F and H.
    ///
    /// - Parameter step: the record's; tells the two delays of a non-INVITE server transaction apart.
    mutating func timerFired(step: UInt8) -> TransactionActions {
        switch self {
        case .inviteClient(var machine):
            guard let event = Self.timer(of: machine.state) else { return [] }
            let actions = machine.received(event)
            self = .inviteClient(machine)
            return actions
        case .nonInviteClient(var machine):
            guard let event = Self.timer(of: machine.state) else { return [] }
            let actions = machine.received(event)
            self = .nonInviteClient(machine)
            return actions
        case .inviteServer(var machine):
            guard let event = Self.timer(of: machine.state) else { return [] }
            let actions = machine.received(event)
            self = .inviteServer(machine)
            return actions
        case .nonInviteServer(var machine):
            guard let event = Self.timer(of: machine.state, step: step) else { return [] }
            let actions = machine.received(event)
            self = .nonInviteServer(machine)
            return actions
        }
    }

    /// Timer B, F or H fired.
    mutating func lifetimeFired() -> TransactionActions {
        switch self {
        case .inviteClient(var machine):
            let actions = machine.received(.timerB)
            self = .inviteClient(machine)
            return actions
        case .nonInviteClient(var machine):
            let actions = machine.received(.timerF)
            self = .nonInviteClient(machine)
            return actions
        case .inviteServer(var machine):
            let actions = machine.received(.timerH)
            self = .inviteServer(machine)
            return actions
        case .nonInviteServer:
            return []
        }
    }

    private static func timer(of state: InviteClientTransaction.State) -> InviteClientTransaction.Event? {
        switch state {
        case .calling: .timerA
        case .completed: .timerD
        case .accepted: .timerM
        case .proceeding, .terminated: nil
        }
    }

    private static func timer(of state: NonInviteClientTransaction.State) -> NonInviteClientTransaction.Event? {
        switch state {
        case .trying, .proceeding: .timerE
        case .completed: .timerK
        case .terminated: nil
        }
    }

    private static func timer(of state: InviteServerTransaction.State) -> InviteServerTransaction.Event? {
        switch state {
        case .proceeding: .tryingDelay
        case .completed: .timerG
        case .confirmed: .timerI
        case .accepted: .timerL
        case .terminated: nil
        }
    }

    private static func timer(
        of state: NonInviteServerTransaction.State, step: UInt8
    ) -> NonInviteServerTransaction.Event? {
        switch state {
        case .trying, .overdue, .proceeding: step == 0 ? .tryingDelay : .expiry
        case .completed, .silent: .timerJ
        case .terminated: nil
        }
    }
}
