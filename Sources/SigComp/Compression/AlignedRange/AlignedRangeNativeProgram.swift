/// Runs the program of a layout without the UDVM. It declines whatever is not plain sailing: the bytecode then runs.
final class AlignedRangeNativeProgram: NativeProgram {
    private let machine: AlignedRangeMachine

    init(machine: AlignedRangeMachine) {
        self.machine = machine
    }

    func run(_ start: ProgramStart) -> ProgramResult? {
        let program = machine.program
        guard start.limits.memorySize >= program.memorySize else { return nil }
        switch start.header.program {
        case .bytecode(_, let destination):
            guard destination == program.program.start, let introduction = program.introduction(of: start.bytecode)
            else { return nil }
            machine.boot(introduction: introduction)
        case .state:
            guard let head = start.state, machine.load(head) else { return nil }
        }
        return start.input.withUnsafeBufferPointer { input in
            guard var coder = RangeDecoder(input) else { return nil }
            return decode(start, &coder)
        }
    }

    private func decode(_ start: ProgramStart, _ coder: inout RangeDecoder) -> ProgramResult? {
        let granted = (1_000 + 8 * start.header.length) * start.limits.cyclesPerBit
        var output: [UInt8] = []
        output.reserveCapacity(2_048)
        repeat {
            let received = coder.receivedBits
            guard let (length, isLast) = token(&coder, start.states), output.count + length <= start.limits.outputLimit
            else { return nil }
            let from = (machine.end &- machine.lastKept) & 0xFFFF
            machine.appendOutput(from: from, count: isLast ? length - 1 : length, to: &output)
            // Within a token, cycles may run out before its own bits have granted more.
            guard used(coder) <= granted + received * start.limits.cyclesPerBit else { return nil }
            if isLast { break }
        } while true
        let received = coder.receivedBits
        let (ending, announcement) = machine.codeEnding(0, announcement: nil, &coder)
        var requests: [StateRequest] = []
        if ending == AlignedRangeMachine.Ending.nothing {
            machine.discard()
        } else {
            guard let made = machine.requests(hash: start.states.hash) else { return nil }
            requests = made
        }
        let cycles = used(coder)
        guard cycles <= granted + received * start.limits.cyclesPerBit else { return nil }
        if let announcement, announcement.count > AlignedRangeMachine.announcementLimit { return nil }
        return ProgramResult(
            output: output, cycles: cycles, requests: requests,
            returnedParameters: announcement.map(ReturnedParameters.init(reading:)))
    }

    private func used(_ coder: RangeDecoder) -> Int {
        machine.cycles + AlignedRangeMachine.Cost.shift * coder.shifts
            - (AlignedRangeMachine.Cost.shift - AlignedRangeMachine.Cost.emptyShift) * coder.emptyShifts
    }

    /// Reads one token: its length, and whether it ends the message. nil when the UDVM has to do it.
    private func token(_ coder: inout RangeDecoder, _ states: StateStore) -> (length: Int, isLast: Bool)? {
        guard let (kind, index) = machine.codeKind(0, &coder, states) else { return nil }
        if kind == 0 {
            let byte = machine.codeLiteral(0, class: index, &coder)
            machine.emit(length: 1, kept: 1)
            return (1, byte == 0)
        }
        let (source, position) = machine.codeSource(0, position: 0, &coder)
        let length = machine.codeLength(0, kind: source, position: position, &coder)
        let kept = machine.kept(length: length, position: position)
        guard length <= AlignedRangeMachine.longestCopy, machine.copy(from: position, length: length, states) else {
            return nil
        }
        let isLast = machine.history[(machine.end &+ length &- 1) & 0xFFFF] == 0
        machine.emit(length: length, kept: kept)
        return (length, isLast)
    }
}

extension AlignedRangeMachine {
    fileprivate func appendOutput(from position: Int, count: Int, to output: inout [UInt8]) {
        let first = min(count, Self.positions - position)
        output.append(contentsOf: UnsafeBufferPointer(start: history + position, count: first))
        output.append(contentsOf: UnsafeBufferPointer(start: history, count: count - first))
    }
}

extension ReturnedParameters {
    /// Reads them as END-MESSAGE does, from bytes behind which the memory is 0.
    init(reading bytes: [UInt8]) {
        let byte = { (index: Int) in index < bytes.count ? bytes[index] : 0 }
        self.init(resources: Int(byte(0)), version: byte(1))
        var next = 2
        while PartialStateIdentifier.lengths.contains(Int(byte(next))) {
            let length = Int(byte(next))
            let identifier = (next + 1...next + length).map(byte)
            if let identifier = PartialStateIdentifier(identifier) { stateIdentifiers.append(identifier) }
            next += 1 + length
        }
    }
}
