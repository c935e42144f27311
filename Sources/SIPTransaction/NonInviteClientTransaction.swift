/// The non-INVITE client transaction (RFC 3261 section 17.1.2, figure 6).
struct NonInviteClientTransaction: Hashable, Sendable {
    enum State: UInt8, CaseIterable, Sendable {
        /// The request is sent, nothing came back.
        /// Can transition to: proceeding, completed, terminated.
        case trying
        /// A provisional response came; the request is sent again every T2.
        /// Can transition to: completed, terminated.
        case proceeding
        /// A final response came; its retransmissions are absorbed until timer K fires.
        /// Can transition to: terminated.
        case completed
        /// Can transition to: nothing.
        case terminated
    }

    enum Event: CaseIterable, Sendable {
        /// A response 100-199.
        case provisional
        /// A response 200-699.
        case final
        case timerE, timerF, timerK
        case transportError
    }

    /// What opening the transaction asks for, its user having sent the request.
    static let opening: TransactionActions = [.startTimerE, .startTimerF]

    private(set) var state = State.trying

    mutating func received(_ event: Event) -> TransactionActions {
        switch state {
        case .trying: receivedWhileTrying(event)
        case .proceeding: receivedWhileProceeding(event)
        case .completed: receivedWhileCompleted(event)
        case .terminated: []
        }
    }

    private mutating func receivedWhileTrying(_ event: Event) -> TransactionActions {
        switch event {
        case .provisional:
            state = .proceeding
            return .inform
        case .final:
            state = .completed
            return [.inform, .stopLifetime, .startTimerK]
        case .timerE:
            return [.transmit, .lengthenInterval]
        case .timerF:
            state = .terminated
            return .reportTimeout
        case .transportError:
            state = .terminated
            return .reportFailure
        case .timerK:
            return []
        }
    }

    private mutating func receivedWhileProceeding(_ event: Event) -> TransactionActions {
        switch event {
        case .provisional:
            return .inform
        case .final:
            state = .completed
            return [.inform, .stopLifetime, .startTimerK]
        case .timerE:
            return [.transmit, .startTimerEWithT2]
        case .timerF:
            state = .terminated
            return .reportTimeout
        case .transportError:
            state = .terminated
            return .reportFailure
        case .timerK:
            return []
        }
    }

    private mutating func receivedWhileCompleted(_ event: Event) -> TransactionActions {
        switch event {
        case .timerK:
            state = .terminated
            return []
        case .provisional, .final, .timerE, .timerF, .transportError:
            return []
        }
    }
}
