import LinkProfiles
import MessageStore
import Testing

/// The store as a dictionary: the simplest thing that obeys the protocol's documentation.
private struct StoreModel {
    struct Row: Equatable {
        var message: DeferredMessage
        var state: DeferredState
        var attempts: UInt32
        var due = Instant(microseconds: 0)
        var endedAt: Instant?
    }
    var rows: [Int64: Row] = [:]
    var bindings: [Int64: StoredBinding] = [:]
    var lastMessage: Int64 = 0
    var lastBinding: Int64 = 0

    mutating func apply(_ command: StoreCommand) -> ClaimedMessage? {
        switch command {
        case .name: break
        case .enqueue(let message):
            let isClaimed = message.state == .claimed
            rows[message.number.rawValue] = Row(
                message: message, state: message.state, attempts: message.attempts,
                due: isClaimed ? message.acceptedAt : Instant(microseconds: 0))
            lastMessage = max(lastMessage, message.number.rawValue)
        case .claim(let number, let attempts, let at):
            guard let row = rows[number.rawValue], !row.state.isTerminal else { return nil }
            rows[number.rawValue]?.state = .claimed
            rows[number.rawValue]?.attempts = attempts
            rows[number.rawValue]?.due = at
            return ClaimedMessage(number: number, payload: row.message.payload)
        case .deliver(let number, let at):
            if rows[number.rawValue]?.state == .claimed { end(number, .delivered, at) }
        case .retry(let number, let due, _):
            guard rows[number.rawValue]?.state == .claimed else { break }
            rows[number.rawValue]?.state = .waiting
            rows[number.rawValue]?.due = due
        case .release(let number, _):
            guard rows[number.rawValue]?.state == .claimed else { break }
            rows[number.rawValue]?.state = .queued
            rows[number.rawValue]?.due = Instant(microseconds: 0)
        case .expire(let number, let at, _): end(number, .expired, at)
        case .refuse(let number, let at, _): end(number, .refused, at)
        case .forget(let before, _):
            rows = rows.filter { row in row.value.endedAt.map { $0 >= before } ?? true }
        case .bind(let binding):
            bindings[binding.number.rawValue] = binding
            lastBinding = max(lastBinding, binding.number.rawValue)
        case .unbind(let number): bindings[number.rawValue] = nil
        case .presence: break
        }
        return nil
    }

    private mutating func end(_ number: MessageNumber, _ state: DeferredState, _ at: Instant) {
        guard let row = rows[number.rawValue], !row.state.isTerminal else { return }
        rows[number.rawValue]?.state = state
        rows[number.rawValue]?.endedAt = at
    }

    func agrees(with content: StoreContent) -> Bool {
        let live = rows.values.filter { !$0.state.isTerminal }.sorted { $0.message.number < $1.message.number }
        let expected = live.map { row in
            RecoveredMessage(
                number: row.message.number, recipient: row.message.recipient, sender: row.message.sender,
                identity: row.message.identity, state: row.state, isUrgent: row.message.isUrgent,
                attempts: row.attempts, acceptedAt: row.message.acceptedAt, expiresAt: row.message.expiresAt,
                due: row.due, size: row.message.payload.count)
        }
        let ended = rows.values.filter { $0.state.isTerminal }
            .map { ($0.message.identity, $0.message.acceptedAt) }
        return content.messages == expected && content.settled == Dictionary(uniqueKeysWithValues: ended)
            && content.bindings == bindings.keys.sorted().compactMap { bindings[$0] }
            && content.numbering.lastMessage.rawValue == lastMessage
            && content.numbering.lastBinding.rawValue == lastBinding
    }
}

@Suite("Random commands against a model")
struct StoreModelTests {
    @Test(
        "any sequence of groups leaves what the model holds, also after opening again",
        arguments: StoreKind.allCases, [1, 2, 3, 4, 5] as [UInt64])
    func model(_ kind: StoreKind, seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let subject = try StoreUnderTest(kind)
        var model = StoreModel()
        var lastGivenOut: Int64 = 0
        _ = try subject.store.commit(names)
        for step in 0..<60 as Range<Int64> {
            let group = (0..<Int.random(in: 0...25, using: &random)).map { _ in
                command(at: moment(step), &lastGivenOut, &random)
            }
            let before = model
            var expected: [ClaimedMessage] = []
            for command in group { if let claimed = model.apply(command) { expected.append(claimed) } }
            if Int.random(in: 0..<10, using: &random) == 0 {
                // The same group with an offence at its end must not happen.
                #expect(throws: StoreFailure.self) {
                    try subject.store.commit(group + [.enqueue(sample(1_000_000, state: .delivered))])
                }
                model = before
            } else {
                #expect(try subject.store.commit(group) == expected, "seed \(seed), step \(step)")
            }
            if Int.random(in: 0..<8, using: &random) == 0 { try subject.reopen() }
            #expect(model.agrees(with: try subject.content()), "seed \(seed), step \(step)")
        }
    }

    private func command(at now: Instant, _ last: inout Int64, _ random: inout SeededGenerator) -> StoreCommand {
        let number = MessageNumber(Int64.random(in: max(1, last - 30)...max(1, last), using: &random))
        let cause = DeliveryCause(code: UInt16.random(in: 1...699, using: &random))
        let binding = Int64.random(in: 1...12, using: &random)
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<6:
            last += Int64.random(in: 1...3, using: &random)
            let isClaimed = Bool.random(using: &random)
            return .enqueue(
                sample(
                    last, to: Bool.random(using: &random) ? alice : bob, acceptedAt: now,
                    urgent: Bool.random(using: &random), state: isClaimed ? .claimed : .queued,
                    attempts: isClaimed ? 1 : 0,
                    payload: (0..<Int.random(in: 0...3_000, using: &random)).map { UInt8(truncatingIfNeeded: $0) }))
        case 6..<9: return .claim(number, attempts: UInt32.random(in: 1...9, using: &random), at: now)
        case 9..<12: return .deliver(number, at: now)
        case 12: return .retry(number, due: now + .seconds(20 as Int64), cause: cause)
        case 13: return .release(number, cause: cause)
        case 14: return .expire(number, at: now, cause: cause)
        case 15: return .refuse(number, at: now, cause: cause)
        case 16: return .forget(before: now - .seconds(Int64.random(in: 0...20, using: &random)), limit: 100_000)
        case 17, 18: return .bind(sampleBinding(binding, cseq: UInt32.random(in: 0...9, using: &random)))
        default: return .unbind(BindingNumber(binding))
        }
    }
}

/// SplitMix64, so that a failing seed is the same everywhere.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
