/// The INVITE client transaction (RFC 3261 section 17.1.1, RFC 6026 section 8.4 figure 5).
struct InviteClientTransaction: Hashable, Sendable {
    enum State: UInt8, CaseIterable, Sendable {
        /// The INVITE is sent, nothing came back.
        /// Can transition to: proceeding, completed, accepted, terminated.
        case calling
        /// A provisional response came; timers A and B no longer run.
        /// Can transition to: completed, accepted.
        case proceeding
        /// A response 300-699 came; its retransmissions are acknowledged until timer D fires.
        /// Can transition to: terminated.
        case completed
        /// A 2xx came; it and those of other branches are passed on until timer M fires.
        /// Can transition to: terminated.
        case accepted
        /// Can transition to: nothing.
        case terminated
    }

    enum Event: CaseIterable, Sendable {
        /// A response 100-199.
        case provisional
        /// A response 200-299.
        case success
        /// A response 300-699.
        case failure
        case timerA, timerB, timerD, timerM
        case transportError
    }

    /// What opening the transaction asks for, its user having sent the INVITE.
    static let opening: TransactionActions = [.startTimerA, .startTimerB]

    private(set) var state = State.calling

    mutating func received(_ event: Event) -> TransactionActions {
        switch state {
        case .calling: receivedWhileCalling(event)
        case .proceeding: receivedWhileProceeding(event)
        case .completed: receivedWhileCompleted(event)
        case .accepted: receivedWhileAccepted(event)
        case .terminated: []
        }
    }

    private mutating func receivedWhileCalling(_ event: Event) -> TransactionActions {
        switch event {
        case .provisional:
            state = .proceeding
            return [.inform, .stopInterval, .stopLifetime]
        case .success:
            state = .accepted
            return [.inform, .stopLifetime, .startTimerM]
        case .failure:
            state = .completed
            return [.inform, .acknowledge, .stopLifetime, .startTimerD]
        case .timerA:
            return [.transmit, .lengthenInterval]
        case .timerB:
            state = .terminated
            return .reportTimeout
        case .transportError:
            state = .terminated
            return .reportFailure
        case .timerD, .timerM:
            return []
        }
    }

    private mutating func receivedWhileProceeding(_ event: Event) -> TransactionActions {
        switch event {
        case .provisional:
            return .inform
        case .success:
            state = .accepted
            return [.inform, .stopLifetime, .startTimerM]
        case .failure:
            state = .completed
            return [.inform, .acknowledge, .stopLifetime, .startTimerD]
        case .timerB:
            // Stopped here; it runs again only after the user lost interest (RFC 3261 section 9.1).
            state = .terminated
            return .reportTimeout
        case .timerA, .timerD, .timerM, .transportError:
            return []
        }
    }

    private mutating func receivedWhileCompleted(_ event: Event) -> TransactionActions {
        switch event {
        case .failure:
            return .acknowledge
        case .timerD:
            state = .terminated
            return []
        case .transportError:
            state = .terminated
            return .reportFailure
        case .provisional, .success, .timerA, .timerB, .timerM:
            return []
        }
    }

    private mutating func receivedWhileAccepted(_ event: Event) -> TransactionActions {
        switch event {
        case .success:
            return .inform
        case .timerM:
            state = .terminated
            return []
        case .provisional, .failure, .timerA, .timerB, .timerD, .transportError:
            return []
        }
    }
}
