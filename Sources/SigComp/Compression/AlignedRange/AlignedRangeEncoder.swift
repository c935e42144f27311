/// Writes one message after a head: plans tokens, codes them, and keeps the machine in step.
final class AlignedRangeEncoder {
    let machine: AlignedRangeMachine
    private let index = AlignedRangeIndex()
    private let reading: AlignedRangeReading
    private let parser: AlignedRangeParser
    private var tokens: [AlignedRangeParser.Token] = []

    struct Result {
        /// The compressed data behind the header.
        let data: [UInt8]
        /// What the peer's state handler is asked for.
        let requests: [StateRequest]
    }

    /// What a message may cost.
    struct Budget {
        /// Granted before any input is read.
        let initial: Int
        let cyclesPerBit: Int
    }

    init(machine: AlignedRangeMachine) {
        self.machine = machine
        reading = AlignedRangeReading(machine: machine)
        parser = AlignedRangeParser(machine: machine, index: index, reading: reading)
    }

    /// Codes a message with the machine as it stands after ``AlignedRangeMachine/load(_:)`` or ``AlignedRangeMachine/boot()``.
    ///
    /// - Parameter leavesHead: whether the message makes a head.
    /// - Returns: nil when the message has a byte 0, which ends messages here, or when it would cost too much.
    func encode(
        _ message: [UInt8], leavesHead: Bool, announcement: [UInt8]?, budget: Budget, states: StateStore,
        lacking: [[UInt8]]
    ) -> Result? {
        guard !message.contains(0) else { return nil }
        reading.prepare(states, lacking: lacking, index: index)
        var coder = RangeEncoder()
        let padded = message + [UInt8](repeating: 0, count: Self.padding)
        let count = message.count + 1
        var place = 0
        while place < count {
            let planned = padded.withUnsafeBufferPointer { bytes -> Int? in
                guard let start = bytes.baseAddress else { return nil }
                parser.plan(start, from: place, count: count, into: &tokens)
                return commit(start, from: place, count: count, &coder, states, budget)
            }
            guard let planned else { return nil }
            place = planned
            reading.indexTail(index)
        }
        let ending = leavesHead ? AlignedRangeMachine.Ending.head : AlignedRangeMachine.Ending.nothing
        let coded = machine.codeEnding(ending, announcement: announcement, &coder)
        var requests: [StateRequest] = []
        if coded.ending == AlignedRangeMachine.Ending.nothing {
            machine.discard()
        } else {
            guard let made = machine.requests(hash: states.hash) else { return nil }
            requests = made
        }
        guard isAffordable(coder, budget) else { return nil }
        return Result(data: coder.finished(), requests: requests)
    }

    /// Bytes behind the message that are read, but not as part of it.
    private static let padding = 8

    /// Codes planned tokens as long as they are what was planned; gives the place up to which it came.
    private func commit(
        _ message: UnsafePointer<UInt8>, from start: Int, count: Int, _ coder: inout RangeEncoder, _ states: StateStore,
        _ budget: Budget
    ) -> Int? {
        var place = start
        let isWhole = start + AlignedRangeParser.lookahead >= count
        let goal = isWhole ? count : start + AlignedRangeParser.commitment
        while place < goal, let token = tokens.popLast() {
            guard let length = code(token, message + place, &coder, states, isFirst: place == start) else {
                return place > start ? place : nil
            }
            place += length
            guard isAffordable(coder, budget) else { return nil }
        }
        return place
    }

    /// Codes one token; nil when it is not possible any more as it was planned.
    private func code(
        _ token: AlignedRangeParser.Token, _ message: UnsafePointer<UInt8>, _ coder: inout RangeEncoder,
        _ states: StateStore, isFirst: Bool
    ) -> Int? {
        guard reading.canRead((machine.aligned &+ machine.given) & 0xFFFF) else { return nil }
        let length = Int(token.length)
        let source = Int(token.source)
        guard source >= 0 else {
            guard let (_, index) = machine.codeKind(0, &coder, states) else { return nil }
            _ = machine.codeLiteral(Int(message[0]), class: index, &coder)
            machine.emit(length: 1, kept: 1)
            return 1
        }
        let position = token.position
        switch source {
        case AlignedRangeMachine.Source.same:
            guard position == (machine.aligned &+ machine.given) & 0xFFFF else { return nil }
        case AlignedRangeMachine.Source.swapped:
            guard position == (machine.other &+ machine.given) & 0xFFFF else { return nil }
        default: break
        }
        guard reading.match(at: position, message, limit: length) == length else { return nil }
        _ = machine.codeKind(1, &coder, states)
        _ = machine.codeSource(source, position: position, &coder)
        _ = machine.codeLength(length, kind: source, position: position, &coder)
        let kept = machine.kept(length: length, position: position)
        guard machine.copy(from: position, length: length, states) else { return nil }
        machine.emit(length: length, kept: kept)
        return length
    }

    /// Whether the cycles so far are granted by what was read before the latest token.
    private func isAffordable(_ coder: RangeEncoder, _ budget: Budget) -> Bool {
        let used = machine.cycles + AlignedRangeMachine.Cost.shift * coder.shifts
        return used <= budget.initial + coder.shifts * budget.cyclesPerBit
    }
}
