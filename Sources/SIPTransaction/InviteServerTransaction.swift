/// The INVITE server transaction (RFC 3261 section 17.2.1, RFC 6026 section 8.6 figure 7).
struct InviteServerTransaction: Hashable, Sendable {
    enum State: UInt8, CaseIterable, Sendable {
        /// The INVITE is with the transaction user, which may have given provisional responses.
        /// Can transition to: completed, accepted.
        case proceeding
        /// A response 300-699 is sent, again and again until the ACK comes or timer H fires.
        /// Can transition to: confirmed, terminated.
        case completed
        /// The ACK came; further ones are absorbed until timer I fires.
        /// Can transition to: terminated.
        case confirmed
        /// A 2xx is sent; retransmissions of the INVITE are absorbed and ACKs passed on until timer L fires.
        /// Can transition to: terminated.
        case accepted
        /// Can transition to: nothing.
        case terminated
    }

    enum Event: CaseIterable, Sendable {
        /// The INVITE again.
        case request
        case ack
        /// A response 100-199 from the transaction user.
        case provisional
        /// A response 200-299 from the transaction user.
        case success
        /// A response 300-699 from the transaction user.
        case failure
        /// 200 ms have passed without a response.
        case tryingDelay
        case timerG, timerH, timerI, timerL
        case transportError
    }

    /// What opening the transaction asks for, the INVITE being with its user.
    static let opening: TransactionActions = .startTryingDelay

    private(set) var state = State.proceeding

    mutating func received(_ event: Event) -> TransactionActions {
        switch state {
        case .proceeding: receivedWhileProceeding(event)
        case .completed: receivedWhileCompleted(event)
        case .confirmed: receivedWhileConfirmed(event)
        case .accepted: receivedWhileAccepted(event)
        case .terminated: []
        }
    }

    private mutating func receivedWhileProceeding(_ event: Event) -> TransactionActions {
        switch event {
        case .request:
            return .transmit
        case .provisional:
            return [.transmit, .stopInterval]
        case .success:
            state = .accepted
            return [.transmit, .startTimerL]
        case .failure:
            state = .completed
            return [.transmit, .stopInterval, .startTimerG, .startTimerH]
        case .tryingDelay:
            return .reportTryingDue
        case .transportError:
            return .reportFailure
        case .ack, .timerG, .timerH, .timerI, .timerL:
            return []
        }
    }

    private mutating func receivedWhileCompleted(_ event: Event) -> TransactionActions {
        switch event {
        case .request:
            return .transmit
        case .ack:
            state = .confirmed
            return [.stopLifetime, .startTimerI]
        case .timerG:
            return [.transmit, .lengthenInterval]
        case .timerH:
            state = .terminated
            return .reportTimeout
        case .transportError:
            return .reportFailure
        case .provisional, .success, .failure, .tryingDelay, .timerI, .timerL:
            return []
        }
    }

    private mutating func receivedWhileConfirmed(_ event: Event) -> TransactionActions {
        switch event {
        case .timerI:
            state = .terminated
            return []
        case .request, .ack, .provisional, .success, .failure, .tryingDelay, .timerG, .timerH, .timerL,
            .transportError:
            return []
        }
    }

    private mutating func receivedWhileAccepted(_ event: Event) -> TransactionActions {
        switch event {
        case .ack:
            return .inform
        case .success:
            return .transmit
        case .timerL:
            state = .terminated
            return []
        case .transportError:
            return .reportFailure
        case .request, .provisional, .failure, .tryingDelay, .timerG, .timerH, .timerI:
            return []
        }
    }
}
