import LinkProfiles
import MessageStore

/// What the child does to its store, drawn from a seed: accepts, claims, delivers, postpones and forgets messages;
/// makes, renews and ends subscriptions; publishes, modifies and removes publications.
struct Workload: RecoveryVisitor {
    var numbering = StoreNumbering(
        lastMessage: MessageNumber(0), lastAddress: AddressNumber(0), lastBinding: BindingNumber(0))
    private var random: UInt64
    private var idle: [MessageNumber] = []
    private var claimed: [MessageNumber] = []
    private var subscriptions: [StoredSubscription] = []
    /// Publications by number, and how often each was published.
    private var publications: [Int64: Int64] = [:]
    private var ticks: Int64 = 1_790_000_000_000_000

    init(seed: UInt64) { random = seed }

    /// One group and its line in the journal.
    struct Group {
        var kind: Kind
        var numbers: [Int64]
        var commands: [StoreCommand]

        enum Kind: String {
            case accept, claim, deliver, postpone, forget, subscribe, renew, unsubscribe, publish, unpublish
        }
        var description: String {
            kind.rawValue + numbers.map { " \($0)" }.joined()
        }
    }

    mutating func next() -> Group {
        let now = tick()
        switch draw(17) {
        case 0..<4: return accept(now)
        case 4..<6 where !idle.isEmpty:
            let numbers = take(from: \.idle)
            return Group(
                kind: .claim, numbers: numbers.map(\.rawValue),
                commands: numbers.map { .claim($0, attempts: 1, at: now) })
        case 6..<8 where !claimed.isEmpty:
            let numbers = take(from: \.claimed)
            return Group(
                kind: .deliver, numbers: numbers.map(\.rawValue), commands: numbers.map { .deliver($0, at: now) })
        case 8 where !claimed.isEmpty:
            let numbers = take(from: \.claimed)
            return Group(
                kind: .postpone, numbers: numbers.map(\.rawValue),
                commands: numbers.map { .retry($0, due: now, cause: .timeout) })
        case 9 where draw(4) == 0:
            return Group(kind: .forget, numbers: [], commands: [.forget(before: now, limit: 50)])
        case 10, 11: return subscribe(now)
        case 12 where !subscriptions.isEmpty: return renew(now)
        case 13 where !subscriptions.isEmpty: return unsubscribe()
        case 14, 15: return publish(now)
        case 16 where !publications.isEmpty: return unpublish()
        default: return accept(now)
        }
    }

    mutating func committed(_ group: Group, _ payloads: [ClaimedMessage]) {
        switch group.kind {
        case .accept, .postpone: idle += group.numbers.map(MessageNumber.init)
        case .claim: claimed += group.numbers.map(MessageNumber.init)
        case .deliver, .forget, .subscribe, .renew, .unsubscribe, .publish, .unpublish: break
        }
    }

    private mutating func subscribe(_ now: Instant) -> Group {
        var group = Group(kind: .subscribe, numbers: [], commands: nameIfNeeded())
        for _ in 0...draw(30) {
            numbering.lastSubscription.rawValue += 1
            let number = numbering.lastSubscription
            let subscription = StoredSubscription(
                number: number, resource: AddressNumber(1), event: "presence", watcher: "sip:w@example.org",
                createdAt: now, accept: 1, flow: "", dialog: Workload.payload(of: MessageNumber(number.rawValue)),
                progress: SubscriptionProgress(
                    state: .active, remoteSequence: 1, sequenceCeiling: 100, version: 0, expiresAt: now))
            subscriptions.append(subscription)
            group.numbers.append(number.rawValue)
            group.commands.append(.presence(.subscribe(subscription)))
        }
        return group
    }

    /// Each renewal reserves a hundred numbers more; CrashTests counts them.
    private mutating func renew(_ now: Instant) -> Group {
        var group = Group(kind: .renew, numbers: [], commands: [])
        for index in subscriptions.indices where draw(3) == 0 {
            subscriptions[index].progress.sequenceCeiling += 100
            subscriptions[index].progress.expiresAt = now
            let subscription = subscriptions[index]
            group.numbers.append(subscription.number.rawValue)
            group.commands.append(.presence(.renew(subscription.number, subscription.progress)))
        }
        return group
    }

    private mutating func unsubscribe() -> Group {
        let gone = subscriptions.prefix(1 + draw(20)).map(\.number)
        subscriptions.removeFirst(gone.count)
        return Group(
            kind: .unsubscribe, numbers: gone.map(\.rawValue), commands: gone.map { .presence(.unsubscribe($0)) })
    }

    /// New publications, and new bodies of some that are there.
    private mutating func publish(_ now: Instant) -> Group {
        var group = Group(kind: .publish, numbers: [], commands: nameIfNeeded())
        for number in publications.keys.sorted() where draw(8) == 0 { group.numbers.append(number) }
        for _ in 0...draw(10) {
            numbering.lastPublication.rawValue += 1
            group.numbers.append(numbering.lastPublication.rawValue)
        }
        for number in group.numbers {
            let edition = publications[number, default: 0] + 1
            publications[number] = edition
            group.commands.append(
                .presence(
                    .publish(
                        StoredPublication(
                            number: PublicationNumber(number), resource: AddressNumber(1), event: "presence",
                            entityTag: String(edition), source: "sip:bob@example.org", createdAt: now, modifiedAt: now,
                            expiresAt: now, contentType: "application/pidf+xml",
                            body: Workload.payload(of: MessageNumber(number * 1_000 + edition))))))
        }
        return group
    }

    private mutating func unpublish() -> Group {
        let gone = publications.keys.sorted().prefix(1 + draw(10))
        for number in gone { publications[number] = nil }
        return Group(
            kind: .unpublish, numbers: Array(gone),
            commands: gone.map { .presence(.unpublish(PublicationNumber($0))) })
    }

    private mutating func nameIfNeeded() -> [StoreCommand] {
        guard numbering.lastAddress.rawValue == 0 else { return [] }
        numbering.lastAddress = AddressNumber(1)
        return [.name(AddressNumber(1), addressOfRecord: "sip:bob@example.org")]
    }

    private mutating func accept(_ now: Instant) -> Group {
        var commands = nameIfNeeded()
        var numbers: [Int64] = []
        for _ in 0...draw(60) {
            numbering.lastMessage.rawValue += 1
            let number = numbering.lastMessage
            numbers.append(number.rawValue)
            commands.append(
                .enqueue(
                    DeferredMessage(
                        number: number, recipient: AddressNumber(1), sender: "sip:alice@example.org",
                        identity: MessageIdentity(high: 1, low: UInt64(number.rawValue)), acceptedAt: now,
                        expiresAt: now + .seconds(3_600 as Int64), isUrgent: false, state: .queued, attempts: 0,
                        payload: Workload.payload(of: number))))
        }
        return Group(kind: .accept, numbers: numbers, commands: commands)
    }

    /// The bytes that message must have; CrashTests computes them again.
    static func payload(of number: MessageNumber) -> [UInt8] {
        let seed = UInt64(bitPattern: number.rawValue) &* 0x9e37_79b9_7f4a_7c15
        return (0..<(100 + Int(seed >> 54))).map { UInt8(truncatingIfNeeded: (seed >> 8) &+ UInt64($0)) }
    }

    private mutating func take(from list: WritableKeyPath<Workload, [MessageNumber]>) -> [MessageNumber] {
        let count = min(self[keyPath: list].count, 1 + draw(40))
        defer { self[keyPath: list].removeFirst(count) }
        return Array(self[keyPath: list].prefix(count))
    }

    private mutating func tick() -> Instant {
        ticks += 1_000
        return Instant(microseconds: ticks)
    }

    /// SplitMix64.
    private mutating func draw(_ bound: UInt64) -> Int {
        random &+= 0x9e37_79b9_7f4a_7c15
        var mixed = random
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int((mixed ^ (mixed >> 31)) % bound)
    }

    // MARK: Recovery

    mutating func address(_ number: AddressNumber, addressOfRecord: String) {}
    mutating func binding(_ binding: StoredBinding) {}
    mutating func message(_ message: RecoveredMessage) {
        ticks = max(ticks, message.acceptedAt.microseconds)
        if message.state == .claimed { claimed.append(message.number) } else { idle.append(message.number) }
    }
    mutating func settled(_ identity: MessageIdentity, acceptedAt: Instant) {
        ticks = max(ticks, acceptedAt.microseconds)
    }
    mutating func publication(_ publication: StoredPublication) {
        ticks = max(ticks, publication.modifiedAt.microseconds)
        publications[publication.number.rawValue] = Int64(publication.entityTag)
    }
    mutating func subscription(_ subscription: StoredSubscription) {
        ticks = max(ticks, subscription.progress.expiresAt.microseconds)
        subscriptions.append(subscription)
    }
}
