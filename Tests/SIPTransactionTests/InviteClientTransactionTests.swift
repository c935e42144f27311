import Testing

@testable import SIPTransaction

@Suite("INVITE client transaction, RFC 6026 figure 5")
struct InviteClientTransactionTests {
    typealias State = InviteClientTransaction.State
    typealias Event = InviteClientTransaction.Event

    static let figure: [Arrow<State, Event>] = [
        Arrow(.calling, .provisional, .proceeding, [.inform, .stopInterval, .stopLifetime]),
        Arrow(.calling, .success, .accepted, [.inform, .stopLifetime, .startTimerM]),
        Arrow(.calling, .failure, .completed, [.inform, .acknowledge, .stopLifetime, .startTimerD]),
        Arrow(.calling, .timerA, .calling, [.transmit, .lengthenInterval]),
        Arrow(.calling, .timerB, .terminated, .reportTimeout),
        Arrow(.calling, .transportError, .terminated, .reportFailure),
        Arrow(.proceeding, .provisional, .proceeding, .inform),
        Arrow(.proceeding, .success, .accepted, [.inform, .stopLifetime, .startTimerM]),
        Arrow(.proceeding, .failure, .completed, [.inform, .acknowledge, .stopLifetime, .startTimerD]),
        Arrow(.proceeding, .timerB, .terminated, .reportTimeout),
        Arrow(.completed, .failure, .completed, .acknowledge),
        Arrow(.completed, .timerD, .terminated, []),
        Arrow(.completed, .transportError, .terminated, .reportFailure),
        Arrow(.accepted, .success, .accepted, .inform),
        Arrow(.accepted, .timerM, .terminated, []),
    ]

    static func machine(in state: State) -> InviteClientTransaction? {
        var machine = InviteClientTransaction()
        let path: [Event] =
            switch state {
            case .calling: []
            case .proceeding: [.provisional]
            case .completed: [.failure]
            case .accepted: [.success]
            case .terminated: [.timerB]
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
        #expect(InviteClientTransaction.opening == [.startTimerA, .startTimerB])
        #expect(InviteClientTransaction().state == .calling)
    }
}
