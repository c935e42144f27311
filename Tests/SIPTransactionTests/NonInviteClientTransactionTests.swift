import Testing

@testable import SIPTransaction

@Suite("Non-INVITE client transaction, RFC 3261 figure 6")
struct NonInviteClientTransactionTests {
    typealias State = NonInviteClientTransaction.State
    typealias Event = NonInviteClientTransaction.Event

    static let figure: [Arrow<State, Event>] = [
        Arrow(.trying, .provisional, .proceeding, .inform),
        Arrow(.trying, .final, .completed, [.inform, .stopLifetime, .startTimerK]),
        Arrow(.trying, .timerE, .trying, [.transmit, .lengthenInterval]),
        Arrow(.trying, .timerF, .terminated, .reportTimeout),
        Arrow(.trying, .transportError, .terminated, .reportFailure),
        Arrow(.proceeding, .provisional, .proceeding, .inform),
        Arrow(.proceeding, .final, .completed, [.inform, .stopLifetime, .startTimerK]),
        Arrow(.proceeding, .timerE, .proceeding, [.transmit, .startTimerEWithT2]),
        Arrow(.proceeding, .timerF, .terminated, .reportTimeout),
        Arrow(.proceeding, .transportError, .terminated, .reportFailure),
        Arrow(.completed, .timerK, .terminated, []),
    ]

    static func machine(in state: State) -> NonInviteClientTransaction? {
        var machine = NonInviteClientTransaction()
        let path: [Event] =
            switch state {
            case .trying: []
            case .proceeding: [.provisional]
            case .completed: [.final]
            case .terminated: [.timerF]
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
        #expect(NonInviteClientTransaction.opening == [.startTimerE, .startTimerF])
        #expect(NonInviteClientTransaction().state == .trying)
    }
}
