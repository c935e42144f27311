/// The non-INVITE server transaction (RFC 3261 section 17.2.2, figure 8) as RFC 4320 section 4 restricts it: a late
/// 100 and nothing else before the final response, no 408, and nothing at all once the client must have given up.
struct NonInviteServerTransaction: Hashable, Sendable {
    enum State: UInt8, CaseIterable, Sendable {
        /// The request is with the transaction user; on an unreliable transport it is too early for a 100.
        /// Can transition to: overdue, proceeding, completed, silent, terminated.
        case trying
        /// The client's timer E has reached T2 (RFC 4320 section 4.1): a 100 is due.
        /// Can transition to: proceeding, completed, silent, terminated.
        case overdue
        /// A 100 is sent.
        /// Can transition to: completed, silent, terminated.
        case proceeding
        /// A final response is sent, and again for every retransmission until timer J fires.
        /// Can transition to: terminated.
        case completed
        /// The transaction user gave up: nothing is sent and retransmissions are absorbed until timer J fires.
        /// Can transition to: terminated.
        case silent
        /// Can transition to: nothing.
        case terminated
    }

    enum Event: CaseIterable, Hashable, Sendable {
        /// The request again.
        case request
        /// A 100 from the transaction user, for an unreliable or a reliable transport.
        case tryingUnreliably, tryingReliably
        /// A response 101-199 from the transaction user.
        case provisional
        /// A response 200-699 other than 408 from the transaction user.
        case final
        /// A 408 from the transaction user.
        case requestTimeout
        /// The client's timer E has reached T2.
        case tryingDelay
        /// The client's timer F has fired.
        case expiry
        case timerJ
        case transportError
    }

    /// What opening the transaction asks for, the request being with its user.
    static let opening: TransactionActions = .startTryingDelay

    private(set) var state = State.trying

    mutating func received(_ event: Event) -> TransactionActions {
        switch state {
        case .trying: receivedWhileTrying(event)
        case .overdue: receivedWhileOverdue(event)
        case .proceeding: receivedWhileProceeding(event)
        case .completed: receivedWhileCompleted(event)
        case .silent: receivedWhileSilent(event)
        case .terminated: []
        }
    }

    private mutating func receivedWhileTrying(_ event: Event) -> TransactionActions {
        switch event {
        case .tryingReliably:
            state = .proceeding
            return .transmit
        case .final:
            state = .completed
            return [.transmit, .startTimerJ]
        case .requestTimeout:
            state = .silent
            return .startTimerJ
        case .tryingDelay:
            state = .overdue
            return [.reportTryingDue, .startExpiry]
        case .expiry:
            state = .terminated
            return .reportUnanswered
        case .transportError:
            return .reportFailure
        case .request, .tryingUnreliably, .provisional, .timerJ:
            return []
        }
    }

    private mutating func receivedWhileOverdue(_ event: Event) -> TransactionActions {
        switch event {
        case .tryingUnreliably, .tryingReliably:
            state = .proceeding
            return .transmit
        case .final:
            state = .completed
            return [.transmit, .startTimerJ]
        case .requestTimeout:
            state = .silent
            return .startTimerJ
        case .expiry:
            state = .terminated
            return .reportUnanswered
        case .transportError:
            return .reportFailure
        case .request, .provisional, .tryingDelay, .timerJ:
            return []
        }
    }

    private mutating func receivedWhileProceeding(_ event: Event) -> TransactionActions {
        switch event {
        case .request, .tryingUnreliably, .tryingReliably:
            return .transmit
        case .final:
            state = .completed
            return [.transmit, .startTimerJ]
        case .requestTimeout:
            state = .silent
            return .startTimerJ
        case .tryingDelay:
            return .startExpiry
        case .expiry:
            state = .terminated
            return .reportUnanswered
        case .transportError:
            return .reportFailure
        case .provisional, .timerJ:
            return []
        }
    }

    private mutating func receivedWhileCompleted(_ event: Event) -> TransactionActions {
        switch event {
        case .request:
            return .transmit
        case .timerJ:
            state = .terminated
            return []
        case .transportError:
            return .reportFailure
        case .tryingUnreliably, .tryingReliably, .provisional, .final, .requestTimeout, .tryingDelay, .expiry:
            return []
        }
    }

    private mutating func receivedWhileSilent(_ event: Event) -> TransactionActions {
        switch event {
        case .timerJ:
            state = .terminated
            return []
        case .request, .tryingUnreliably, .tryingReliably, .provisional, .final, .requestTimeout, .tryingDelay,
            .expiry, .transportError:
            return []
        }
    }
}
