import Testing

@testable import SIPTransaction

@Suite("INVITE server transaction, RFC 6026 figure 7")
struct InviteServerTransactionTests {
    typealias State = InviteServerTransaction.State
    typealias Event = InviteServerTransaction.Event

    static let figure: [Arrow<State, Event>] = [
        Arrow(.proceeding, .request, .proceeding, .transmit),
        Arrow(.proceeding, .provisional, .proceeding, [.transmit, .stopInterval]),
        Arrow(.proceeding, .success, .accepted, [.transmit, .startTimerL]),
        Arrow(.proceeding, .failure, .completed, [.transmit, .stopInterval, .startTimerG, .startTimerH]),
        Arrow(.proceeding, .tryingDelay, .proceeding, .reportTryingDue),
        Arrow(.proceeding, .transportError, .proceeding, .reportFailure),
        Arrow(.completed, .request, .completed, .transmit),
        Arrow(.completed, .ack, .confirmed, [.stopLifetime, .startTimerI]),
        Arrow(.completed, .timerG, .completed, [.transmit, .lengthenInterval]),
        Arrow(.completed, .timerH, .terminated, .reportTimeout),
        Arrow(.completed, .transportError, .completed, .reportFailure),
        Arrow(.confirmed, .timerI, .terminated, []),
        Arrow(.accepted, .ack, .accepted, .inform),
        Arrow(.accepted, .success, .accepted, .transmit),
        Arrow(.accepted, .timerL, .terminated, []),
        Arrow(.accepted, .transportError, .accepted, .reportFailure),
    ]

    static func machine(in state: State) -> InviteServerTransaction? {
        var machine = InviteServerTransaction()
        let path: [Event] =
            switch state {
            case .proceeding: []
            case .completed: [.failure]
            case .confirmed: [.failure, .ack]
            case .accepted: [.success]
            case .terminated: [.failure, .timerH]
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
        #expect(InviteServerTransaction.opening == .startTryingDelay)
        #expect(InviteServerTransaction().state == .proceeding)
    }
}
