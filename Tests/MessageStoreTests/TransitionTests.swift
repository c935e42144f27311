import LinkProfiles
import MessageStore
import Testing

/// What a state is brought about by, for the tests below.
private let paths: [DeferredState: [StoreCommand]] = {
    let one = MessageNumber(1)
    let claim = StoreCommand.claim(one, attempts: 1, at: moment(10))
    return [
        .queued: [],
        .claimed: [claim],
        .waiting: [claim, .retry(one, due: moment(30), cause: DeliveryCause(code: 480))],
        .delivered: [claim, .deliver(one, at: moment(11))],
        .expired: [.expire(one, at: moment(12), cause: .none)],
        .refused: [.refuse(one, at: moment(13), cause: DeliveryCause(code: 603))],
    ]
}()

/// Each command that names a message, the states it starts from, and where it leads.
private let transitions: [(name: String, command: StoreCommand, from: Set<DeferredState>, to: DeferredState)] = {
    let one = MessageNumber(1)
    let live: Set<DeferredState> = [.queued, .claimed, .waiting]
    return [
        ("claim", .claim(one, attempts: 2, at: moment(40)), live, .claimed),
        ("deliver", .deliver(one, at: moment(41)), [.claimed], .delivered),
        ("retry", .retry(one, due: moment(42), cause: .timeout), [.claimed], .waiting),
        ("release", .release(one, cause: .flowGone), [.claimed], .queued),
        ("expire", .expire(one, at: moment(43), cause: .expiredByOperator), live, .expired),
        ("refuse", .refuse(one, at: moment(44), cause: .dropped), live, .refused),
    ]
}()

@Suite("Every transition of a deferred message")
struct TransitionTests {
    private func store(_ kind: StoreKind, in state: DeferredState) throws -> StoreUnderTest {
        let subject = try StoreUnderTest(kind)
        _ = try subject.store.commit(names + [.enqueue(sample(1))] + (paths[state] ?? []))
        return subject
    }

    /// nil for a terminal state, which recovery reports only as a settled identity.
    private func liveState(_ content: StoreContent) -> DeferredState? { content.message(1)?.state }

    @Test(
        "a command moves a message from the states it is made for, and changes nothing elsewhere",
        arguments: StoreKind.allCases, DeferredState.allCases)
    func transition(_ kind: StoreKind, from state: DeferredState) throws {
        for step in transitions {
            let subject = try store(kind, in: state)
            let before = try subject.content()
            let claimed = try subject.commit(step.command)
            let after = try subject.content()
            if step.from.contains(state) {
                #expect(liveState(after) == (step.to.isTerminal ? nil : step.to), "\(step.name) from \(state)")
                #expect(after.settled.count == (step.to.isTerminal ? 1 : 0), "\(step.name) from \(state)")
                #expect(claimed.count == (step.to == .claimed ? 1 : 0), "\(step.name) from \(state)")
            } else {
                #expect(after == before, "\(step.name) from \(state)")
                #expect(claimed.isEmpty, "\(step.name) from \(state)")
            }
            try subject.reopen()
            #expect(try subject.content() == after, "\(step.name) from \(state), opened again")
        }
    }

    @Test("a command on an unknown message does nothing", arguments: StoreKind.allCases)
    func unknown(_ kind: StoreKind) throws {
        let subject = try StoreUnderTest(kind)
        _ = try subject.store.commit(names)
        let before = try subject.content()
        for step in transitions { #expect(try subject.commit(step.command).isEmpty) }
        try subject.commit(.unbind(BindingNumber(9)), .forget(before: moment(99), limit: 10))
        #expect(try subject.content() == before)
    }

    @Test(
        "recovery reports attempt, due and start of the attempt as the commands gave them",
        arguments: StoreKind.allCases)
    func columns(_ kind: StoreKind) throws {
        let subject = try StoreUnderTest(kind)
        _ = try subject.store.commit(
            names + [
                .enqueue(sample(1, urgent: true)), .enqueue(sample(2)), .enqueue(sample(3)),
                .enqueue(
                    sample(
                        4, to: alice, from: "sip:carol@example.net", acceptedAt: moment(5), state: .claimed, attempts: 1
                    )),
                .claim(MessageNumber(2), attempts: 3, at: moment(20)),
                .claim(MessageNumber(3), attempts: 1, at: moment(21)),
                .retry(MessageNumber(3), due: moment(41), cause: DeliveryCause(code: 503)),
            ])
        try subject.reopen()
        let content = try subject.content()
        #expect(content.messages.map(\.number.rawValue) == [1, 2, 3, 4])
        #expect(content.messages.map(\.state) == [.queued, .claimed, .waiting, .claimed])
        #expect(content.messages.map(\.attempts) == [0, 3, 1, 1])
        #expect(content.messages.map(\.due) == [Instant(microseconds: 0), moment(20), moment(41), moment(5)])
        #expect(content.messages.map(\.isUrgent) == [true, false, false, false])
        #expect(content.messages.map(\.recipient) == [bob, bob, bob, alice])
        #expect(content.messages.map(\.sender).last == "sip:carol@example.net")
        for message in content.messages {
            let original = sample(
                message.number.rawValue, from: message.sender, acceptedAt: message.acceptedAt)
            #expect(message.identity == original.identity)
            #expect(message.expiresAt == original.expiresAt)
            #expect(message.size == original.payload.count)
        }
    }

    @Test("a released message keeps its attempts and can be claimed again", arguments: StoreKind.allCases)
    func release(_ kind: StoreKind) throws {
        let subject = try StoreUnderTest(kind)
        let one = MessageNumber(1)
        _ = try subject.store.commit(
            names + [.enqueue(sample(1)), .claim(one, attempts: 1, at: moment(1)), .release(one, cause: .flowGone)])
        #expect(try subject.content().message(1)?.attempts == 1)
        #expect(try subject.content().message(1)?.state == .queued)
        #expect(try subject.commit(.claim(one, attempts: 2, at: moment(2))).map(\.number) == [one])
        #expect(try subject.content().message(1)?.attempts == 2)
    }

    @Test("claims hand out their payloads in the order of the commands, byte for byte", arguments: StoreKind.allCases)
    func payloads(_ kind: StoreKind) throws {
        let subject = try StoreUnderTest(kind)
        let bodies: [[UInt8]] = [
            [], [0], Array(0...255), Array(repeating: 0xFF, count: 1_500), Array(repeating: 0x0D, count: 65_535),
        ]
        let messages = bodies.enumerated().map { sample(Int64($0.offset + 1), payload: $0.element) }
        _ = try subject.store.commit(names + messages.map { .enqueue($0) })
        try subject.reopen()
        let order: [Int64] = [4, 1, 5, 2, 3]
        let claimed = try subject.store.commit(
            order.map { .claim(MessageNumber($0), attempts: 1, at: moment(1)) } + [
                .claim(MessageNumber(77), attempts: 1, at: moment(1))
            ])
        #expect(claimed.map(\.number.rawValue) == order)
        #expect(claimed.map(\.payload) == order.map { bodies[Int($0) - 1] })
    }

    @Test("steps of one message within one group take effect one after the other", arguments: StoreKind.allCases)
    func oneGroup(_ kind: StoreKind) throws {
        let subject = try StoreUnderTest(kind)
        let one = MessageNumber(1)
        let claimed = try subject.store.commit(
            names + [
                .enqueue(sample(1)), .claim(one, attempts: 1, at: moment(1)),
                .retry(one, due: moment(2), cause: .timeout),
                .claim(one, attempts: 2, at: moment(2)), .deliver(one, at: moment(3)),
                .claim(one, attempts: 3, at: moment(4)), .expire(one, at: moment(5), cause: .none),
            ])
        #expect(claimed.count == 2)
        #expect(try subject.content().messages.isEmpty)
        #expect(try subject.content().settled == [sample(1).identity: moment(0)])
    }
}
