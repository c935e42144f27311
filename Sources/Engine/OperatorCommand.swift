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
    public func perform(_ command: OperatorCommand, at time: Instant) -> Bool {
        tick(time)
        switch command {
        case .retry(let number):
            guard let (slot, _) = find(number) else { return false }
            wake(queues[slot].user)
        case .retryRecipient(let address):
            guard let user = location.user(address), queueSlot(of: user) != nil else { return false }
            wake(user)
        case .expire(let number):
            guard let (slot, _) = find(number) else { return false }
            expire(number, in: slot, cause: .expiredByOperator)
            pump(slot)
        case .drop(let number):
            guard let (slot, position) = find(number) else { return false }
            tally.messagesRefused += 1
            settle(.refuse(number, at: now, cause: .dropped))
            end(position, in: slot)
            pump(slot)
        }
        return true
    }

    private func find(_ number: MessageNumber) -> (slot: Int, position: Int)? {
        for slot in queues.indices {
            if let position = queues[slot].index(of: number) { return (slot, position) }
        }
        return nil
    }
}
