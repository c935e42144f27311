public import LinkProfiles
public import MessageStore
import Policy
import SIPCore

/// Taking over what the store holds, once, before traffic.
extension Engine {
    public func recover(from store: some MessageStore, at time: Instant) throws(StoreFailure) {
        tick(time)
        var visitor = EngineRecovery(engine: self)
        let numbering = try store.recover(
            duplicatesSince: now - configuration.limits.duplicateWindow, into: &visitor)
        lastMessage = numbering.lastMessage
        location.continueNumbering(lastAddress: numbering.lastAddress, lastBinding: numbering.lastBinding)
        presence.continueNumbering(numbering)
        restore(visitor.presence)
        location.endRecovery()
        extendHistory(by: 1_000_000)
        resumeFlushes()
    }

    /// Recipients who are still registered get what waits for them, a millisecond apart from each other.
    private func resumeFlushes() {
        var delay: Int64 = 0
        for slot in queues.indices where !queues[slot].isEmpty {
            watchOutside(queues[slot].user)
            guard location.bindings(of: queues[slot].user).first != nil else { continue }
            delay += 1_000
            arm(slot, at: max(queues[slot].notBefore, now + .microseconds(delay)))
        }
    }

    fileprivate func restore(_ message: RecoveredMessage) {
        guard let user = location.user(numbered: message.recipient) else {
            output.notices.append(
                Notice(
                    .error, "stored message has no recipient",
                    [
                        ("number", String(message.number.rawValue))
                    ]))
            return
        }
        let slot = ensureQueue(of: user)
        var entry = QueueEntry(
            number: message.number, expires: UInt32(clamping: message.expiresAt.unixSeconds),
            sender: senderHash(Array(message.sender.utf8)[...]), size: UInt32(clamping: message.size),
            attempts: UInt16(clamping: max(1, message.attempts)), state: .queued, isUrgent: message.isUrgent)
        switch message.state {
        case .claimed:
            // The endpoint may have it already. While its transaction can live the same branch is used again.
            if now - message.due > longestLifetime { entry.countAttempt() }
        case .waiting:
            entry.countAttempt()
            entry.state = .waiting
            queues[slot].failures = max(queues[slot].failures, UInt32(entry.attempts) - 1)
            queues[slot].notBefore = max(queues[slot].notBefore, message.due)
        case .queued:
            if message.attempts > 0 { entry.countAttempt() }
        case .delivered, .expired, .refused:
            return
        }
        queues[slot].append(entry)
        senders.add(message.size, of: entry.sender)
        tally.messagesQueued += 1
        tally.bytesQueued += message.size
        if message.acceptedAt > now - configuration.limits.duplicateWindow { identities.insert(message.identity) }
    }

    fileprivate func restore(_ binding: StoredBinding) {
        _ = registrar.restore(binding)
    }
}

private struct EngineRecovery: RecoveryVisitor {
    let engine: Engine
    var presence = RecoveredPresence()

    mutating func address(_ number: AddressNumber, addressOfRecord: String) {
        engine.location.restore(number, addressOfRecord: addressOfRecord)
    }

    mutating func binding(_ binding: StoredBinding) { engine.restore(binding) }
    mutating func message(_ message: RecoveredMessage) { engine.restore(message) }
    mutating func settled(_ identity: MessageIdentity, acceptedAt: Instant) { engine.identities.insert(identity) }

    mutating func document(_ document: StoredDocument) { presence.documents.append(document) }
    mutating func publication(_ publication: StoredPublication) { presence.publications.append(publication) }
    mutating func subscription(_ subscription: StoredSubscription) { presence.subscriptions.append(subscription) }
}
