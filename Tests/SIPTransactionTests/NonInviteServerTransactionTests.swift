import Testing

@testable import SIPTransaction

@Suite("Non-INVITE server transaction, RFC 3261 figure 8 and RFC 4320 section 4")
struct NonInviteServerTransactionTests {
    typealias State = NonInviteServerTransaction.State
    typealias Event = NonInviteServerTransaction.Event

    static let figure: [Arrow<State, Event>] = [
        Arrow(.trying, .tryingReliably, .proceeding, .transmit),
        Arrow(.trying, .final, .completed, [.transmit, .startTimerJ]),
        Arrow(.trying, .requestTimeout, .silent, .startTimerJ),
        Arrow(.trying, .tryingDelay, .overdue, [.reportTryingDue, .startExpiry]),
        Arrow(.trying, .expiry, .terminated, .reportUnanswered),
        Arrow(.trying, .transportError, .trying, .reportFailure),
        Arrow(.overdue, .tryingReliably, .proceeding, .transmit),
        Arrow(.overdue, .tryingUnreliably, .proceeding, .transmit),
        Arrow(.overdue, .final, .completed, [.transmit, .startTimerJ]),
        Arrow(.overdue, .requestTimeout, .silent, .startTimerJ),
        Arrow(.overdue, .expiry, .terminated, .reportUnanswered),
        Arrow(.overdue, .transportError, .overdue, .reportFailure),
        Arrow(.proceeding, .request, .proceeding, .transmit),
        Arrow(.proceeding, .tryingReliably, .proceeding, .transmit),
        Arrow(.proceeding, .tryingUnreliably, .proceeding, .transmit),
        Arrow(.proceeding, .final, .completed, [.transmit, .startTimerJ]),
        Arrow(.proceeding, .requestTimeout, .silent, .startTimerJ),
        Arrow(.proceeding, .tryingDelay, .proceeding, .startExpiry),
        Arrow(.proceeding, .expiry, .terminated, .reportUnanswered),
        Arrow(.proceeding, .transportError, .proceeding, .reportFailure),
        Arrow(.completed, .request, .completed, .transmit),
        Arrow(.completed, .timerJ, .terminated, []),
        Arrow(.completed, .transportError, .completed, .reportFailure),
        Arrow(.silent, .timerJ, .terminated, []),
    ]

    static func machine(in state: State) -> NonInviteServerTransaction? {
        var machine = NonInviteServerTransaction()
        let path: [Event] =
            switch state {
            case .trying: []
            case .overdue: [.tryingDelay]
            case .proceeding: [.tryingReliably]
            case .completed: [.final]
            case .silent: [.requestTimeout]
            case .terminated: [.tryingDelay, .expiry]
            }
        for event in path { _ = machine.received(event) }
        return machine.state == state ? machine : nil
    }

    @Test func everyCell() {
        let wrong = deviations(from: Self.figure) { state, event in
            guard var machine = Self.machine(in: state) else { return nil }
            let actions = machine.received(event)
            return (machine.state, actions)
        }
        #expect(wrong.isEmpty)
    }

    @Test func opening() {
        #expect(NonInviteServerTransaction.opening == .startTryingDelay)
        #expect(NonInviteServerTransaction().state == .trying)
    }
}
