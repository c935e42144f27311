@testable import SIPTransaction

/// One arrow of a figure.
struct Arrow<State: Hashable & Sendable, Event: Hashable & Sendable>: Sendable {
    let from: State
    let event: Event
    let to: State
    let actions: TransactionActions

    init(_ from: State, _ event: Event, _ to: State, _ actions: TransactionActions) {
        self.from = from
        self.event = event
        self.to = to
        self.actions = actions
    }
}

/// Every cell of state × event in which a machine does something else than its figure shows. A cell without an arrow
/// keeps the state and asks for nothing.
func deviations<State: Hashable & CaseIterable & Sendable, Event: Hashable & CaseIterable & Sendable>(
    from arrows: [Arrow<State, Event>], step: (State, Event) -> (State, TransactionActions)?
) -> [String] {
    var found: [String] = []
    for state in State.allCases {
        for event in Event.allCases {
            let arrow = arrows.first { $0.from == state && $0.event == event }
            let expected = (arrow?.to ?? state, arrow?.actions ?? [])
            guard let result = step(state, event) else {
                found.append("\(state) cannot be reached")
                continue
            }
            if result != expected { found.append("\(state) × \(event): \(result), not \(expected)") }
        }
    }
    return found
}
