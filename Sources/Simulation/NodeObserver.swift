import LinkProfiles
import MessageStore

/// Reads along at the node's door: which message arrives, which answer and which delivery leaves.
final class NodeObserver {
    enum Kind { case delivery, acknowledgement, other }

    private unowned let world: World
    /// Messages of which a copy left after expiry; said once for each.
    private var lateDeliveries: Set<Int> = []
    /// Branches with which each message left first in the node's present life.
    private var firstDeliveries: [Int: (life: Int, at: Instant, branches: Set<String>)] = [:]

    init(world: World) { self.world = world }

    func nodeReceived(_ bytes: [UInt8]) {
        guard bytes.starts(with: "MESSAGE ".utf8), let token = token(of: bytes) else { return }
        if world.ledger.messages[token].firstArrival == nil { world.ledger.messages[token].firstArrival = world.now }
    }

    func nodeSends(_ bytes: [UInt8]) {
        switch kind(of: bytes) {
        case .acknowledgement: acknowledged(bytes)
        case .delivery: delivers(bytes)
        case .other: break
        }
    }

    func kind(of bytes: [UInt8]) -> Kind {
        if bytes.starts(with: "MESSAGE ".utf8) { return .delivery }
        guard bytes.starts(with: "SIP/2.0 2".utf8), Self.isForMessage(bytes) else { return .other }
        return .acknowledgement
    }

    func isFinalForMessage(_ bytes: [UInt8]) -> Bool {
        bytes.starts(with: "SIP/2.0 2".utf8) && Self.isForMessage(bytes)
    }

    private func acknowledged(_ bytes: [UInt8]) {
        guard let message = PlainMessage(bytes), let token = Ledger.token(ofCallID: message.callID),
            world.ledger.messages.indices.contains(token)
        else { return }
        let record = world.ledger.messages[token]
        if record.showings.isEmpty && !record.isDurable {
            world.ledger.violated(
                .acknowledgedBeforeCommit, token: token, at: world.now,
                "\(message.status) left the node, and the message is neither durable nor shown")
        }
        if record.acknowledgedAt == nil {
            world.ledger.totals.acknowledged += 1
            world.ledger.messages[token].acknowledgedAt = world.now
            world.ledger.messages[token].acknowledgedWith = message.status
        }
    }

    /// Whether the message first left in this life with that branch, its delivery having been interrupted by a crash.
    func isRedelivery(of token: Int, branch: String, since shown: Instant) -> Bool {
        guard let first = firstDeliveries[token], first.life == world.node.incarnation, world.node.startedAt > shown,
            world.ledger.messages[token].numbers.contains(where: world.node.interrupted.contains)
        else { return false }
        return first.branches.contains(branch)
    }

    private func noteBranch(_ token: Int, _ branch: String) {
        let life = world.node.incarnation
        if let first = firstDeliveries[token], first.life == life {
            if first.at == world.now { firstDeliveries[token]?.branches.insert(branch) }
        } else {
            firstDeliveries[token] = (life, world.now, [branch])
        }
    }

    private func delivers(_ bytes: [UInt8]) {
        guard let message = PlainMessage(bytes), let token = token(of: bytes) else { return }
        noteBranch(token, message.branch)
        guard let expires = world.scenario.messages[token].expires,
            let acknowledged = world.ledger.messages[token].acknowledgedAt,
            world.ledger.messages[token].acknowledgedWith == 202
        else { return }
        let end = acknowledged + .seconds(expires)
        if world.now > end, !lateDeliveries.contains(token) {
            lateDeliveries.insert(token)
            world.ledger.violated(
                .deliveredAfterExpiry, token: token, at: world.now,
                "a copy left the node \((world.now - end).inSeconds) s after its expiry")
        }
    }

    private func token(of bytes: [UInt8]) -> Int? {
        guard let message = PlainMessage(bytes), let token = Ledger.token(ofCallID: message.callID),
            world.ledger.messages.indices.contains(token)
        else { return nil }
        return token
    }

    private static func isForMessage(_ bytes: [UInt8]) -> Bool {
        PlainMessage(bytes)?.cseqMethod == "MESSAGE"
    }
}
