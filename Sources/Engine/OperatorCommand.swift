public import LinkProfiles
public import MessageStore

/// What an operator asks of the deferred queue.
public enum OperatorCommand: Hashable, Sendable {
    /// Forget the back-off of the message's recipient and try now.
    case retry(MessageNumber)
    /// Forget the back-off of one recipient, `sip:user@domain`, and try now.
    case retryRecipient(String)
    /// End the message as expired.
    case expire(MessageNumber)
    /// End the message as refused by the operator.
    case drop(MessageNumber)
}

extension Engine {
    /// Carries an operator's command out.
    ///
    /// - Returns: whether there is such a message or recipient in the queue.
    public func perform(_ command: OperatorCommand, at time: Instant) -> Bool { perform([command], at: time) == 1 }

    /// Carries an operator's commands out, in order. Many at once cost little more than one: the queues are gone through once.
    ///
    /// - Returns: for how many there was such a message or recipient in the queue.
    public func perform(_ commands: [OperatorCommand], at time: Instant) -> Int {
        tick(time)
        let places = locate(commands.compactMap(\.number))
        return commands.count { command in
            guard let number = command.number else { return retryRecipient(of: command) }
            guard let slot = places[number], queues[slot].index(of: number) != nil else { return false }
            perform(command, on: number, in: slot)
            return true
        }
    }

    private func retryRecipient(of command: OperatorCommand) -> Bool {
        guard case .retryRecipient(let address) = command, let user = location.user(address), queueSlot(of: user) != nil
        else {
            return false
        }
        wake(user)
        return true
    }

    private func perform(_ command: OperatorCommand, on number: MessageNumber, in slot: Int) {
        switch command {
        case .retry:
            wake(queues[slot].user)
        case .retryRecipient:
            break
        case .expire:
            expire(number, in: slot, cause: .expiredByOperator)
            pump(slot)
        case .drop:
            guard let position = queues[slot].index(of: number) else { return }
            tally.messagesRefused += 1
            settle(.refuse(number, at: now, cause: .dropped))
            end(position, in: slot)
            pump(slot)
        }
    }

    /// The queues of messages. A queue is in the order of numbers, so it is searched for the numbers in its range, or for its
    /// entries among them, whichever are fewer.
    private func locate(_ numbers: [MessageNumber]) -> [MessageNumber: Int] {
        let wanted = Set(numbers).sorted()
        var places: [MessageNumber: Int] = [:]
        guard let least = wanted.first, let greatest = wanted.last else { return places }
        let set = Set(wanted)
        for slot in queues.indices {
            guard let first = queues[slot].remaining.first, let last = queues[slot].remaining.last,
                first.number <= greatest, last.number >= least
            else { continue }
            if queues[slot].remaining.count <= wanted.count {
                for entry in queues[slot].remaining where set.contains(entry.number) { places[entry.number] = slot }
            } else {
                for number in wanted where queues[slot].index(of: number) != nil { places[number] = slot }
            }
        }
        return places
    }
}

extension OperatorCommand {
    fileprivate var number: MessageNumber? {
        switch self {
        case .retry(let number), .expire(let number), .drop(let number): number
        case .retryRecipient: nil
        }
    }
}
