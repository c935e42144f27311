import LinkProfiles
import MessageStore

/// What the child does to its store: accepts, claims, delivers, postpones and forgets, drawn from a seed.
struct Workload: RecoveryVisitor {
    var numbering = StoreNumbering(
        lastMessage: MessageNumber(0), lastAddress: AddressNumber(0), lastBinding: BindingNumber(0))
    private var random: UInt64
    private var idle: [MessageNumber] = []
    private var claimed: [MessageNumber] = []
    private var ticks: Int64 = 1_790_000_000_000_000

    init(seed: UInt64) { random = seed }

    /// One group and its line in the journal.
    struct Group {
        var kind: Kind
        var numbers: [MessageNumber]
        var commands: [StoreCommand]

        enum Kind: String { case accept, claim, deliver, postpone, forget }
        var description: String {
            kind.rawValue + numbers.map { " \($0.rawValue)" }.joined()
        }
    }

    mutating func next() -> Group {
        let now = tick()
        switch draw(10) {
        case 0..<4: return accept(now)
        case 4..<6 where !idle.isEmpty:
            let numbers = take(from: \.idle)
            return Group(
                kind: .claim, numbers: numbers, commands: numbers.map { .claim($0, attempts: 1, at: now) })
        case 6..<8 where !claimed.isEmpty:
            let numbers = take(from: \.claimed)
            return Group(kind: .deliver, numbers: numbers, commands: numbers.map { .deliver($0, at: now) })
        case 8 where !claimed.isEmpty:
            let numbers = take(from: \.claimed)
            return Group(
                kind: .postpone, numbers: numbers,
                commands: numbers.map { .retry($0, due: now, cause: .timeout) })
        case 9 where draw(4) == 0:
            return Group(kind: .forget, numbers: [], commands: [.forget(before: now, limit: 50)])
        default: return accept(now)
        }
    }

    mutating func committed(_ group: Group, _ payloads: [ClaimedMessage]) {
        switch group.kind {
        case .accept, .postpone: idle += group.numbers
        case .claim: claimed += group.numbers
        case .deliver, .forget: break
        }
    }

    private mutating func accept(_ now: Instant) -> Group {
        var commands: [StoreCommand] = []
        if numbering.lastAddress.rawValue == 0 {
            numbering.lastAddress = AddressNumber(1)
            commands.append(.name(AddressNumber(1), addressOfRecord: "sip:bob@example.org"))
        }
        var numbers: [MessageNumber] = []
        for _ in 0...draw(60) {
            numbering.lastMessage.rawValue += 1
            let number = numbering.lastMessage
            numbers.append(number)
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
}
