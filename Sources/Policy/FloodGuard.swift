public import LinkProfiles
public import SIPCore

/// What to do with a message as far as its rate is concerned.
public enum FloodDecision: Hashable, Sendable {
    case admit
    /// Answer with this status and Retry-After in seconds.
    case answer(UInt16, retryAfter: UInt32)
    /// Say nothing.
    case drop
}

/// A rate and how far it may be exceeded for a moment.
public struct RateLimit: Hashable, Sendable {
    /// Messages a second; 0 for no limit.
    public var perSecond: Int
    /// Messages that may come at once; 0 stands for one second's worth.
    public var burst: Int

    public init(perSecond: Int, burst: Int = 0) {
        self.perSecond = perSecond
        self.burst = burst
    }

    /// No limit.
    public static let none = RateLimit(perSecond: 0)
}

/// What a ``FloodGuard`` has decided so far.
public struct FloodCounters: Hashable, Sendable {
    public var admitted: UInt64 = 0
    public var answered: UInt64 = 0
    public var dropped: UInt64 = 0
    /// Sources or identities whose history was lost because too many others were active.
    public var displaced: UInt64 = 0

    public init() {}
}

/// Keeps one source, or one identity, from taking what belongs to all: a token bucket for each of them.
///
/// Buckets live in a table of fixed size, so that any number of sources costs the same memory. An IPv4 source is one address, an
/// IPv6 source a /64, of which a host has as many addresses as it likes. What exceeds a bucket is answered with 503 at a tenth
/// of its rate and otherwise dropped, so that an honest client learns of it and a flood is not mirrored.
public struct FloodGuard: Sendable {
    private var sources: BucketTable
    private var identities: BucketTable
    private let exempt: [NetworkPrefix]
    public private(set) var sourceCounters = FloodCounters()
    public private(set) var identityCounters = FloodCounters()

    /// - Parameters:
    ///   - exempt: networks whose messages are never counted.
    ///   - entries: buckets kept for sources and for identities, at 24 bytes each; rounded up to a power of two.
    ///   - key: secret, so that nobody can choose addresses that displace each other.
    public init(
        source: RateLimit, identity: RateLimit, exempt: [NetworkPrefix] = [], entries: Int = 16_384, key: UInt64
    ) {
        sources = BucketTable(source, entries: entries, key: key)
        identities = BucketTable(identity, entries: entries, key: key &+ 0x9E37_79B9_7F4A_7C15)
        self.exempt = exempt
    }

    /// Counts a message from this address.
    public mutating func receive(from ip: IPAddress, at now: Instant) -> FloodDecision {
        guard sources.isLimited else { return .admit }
        for network in exempt where network.contains(high: ip.high, low: ip.low) { return .admit }
        return sources.receive(ip.isV4 ? ip.low : ip.high, at: now, counters: &sourceCounters)
    }

    /// Counts a message of this identity: a hash of its address, or the number of its account.
    public mutating func receive(identity: UInt64, at now: Instant) -> FloodDecision {
        guard identities.isLimited else { return .admit }
        return identities.receive(identity, at: now, counters: &identityCounters)
    }
}

/// Token buckets in the form of the generic cell rate algorithm, four to a line; the line's least active one gives way.
private struct BucketTable: Sendable {
    private struct Bucket {
        var name: UInt64 = 0
        /// When the bucket would be full again, in microseconds: of messages admitted, and of refusals answered.
        var full: Int64 = 0
        var answersFull: Int64 = 0
    }

    private var buckets: [Bucket] = []
    private let lineMask: UInt64
    private let key: UInt64
    /// Microseconds one message costs, and how much may be owed.
    private let cost: Int64
    private let depth: Int64
    private let answerCost: Int64
    private let answerDepth: Int64

    var isLimited: Bool { cost > 0 }

    init(_ limit: RateLimit, entries: Int, key: UInt64) {
        var lines = 1
        while lines * 4 < min(max(entries, 4), 1 << 24) { lines *= 2 }
        lineMask = UInt64(lines - 1)
        self.key = key
        let perSecond = Int64(max(0, min(limit.perSecond, 1_000_000)))
        cost = perSecond == 0 ? 0 : 1_000_000 / perSecond
        depth = cost * Int64(max(0, min(limit.burst > 0 ? limit.burst : Int(perSecond), 1 << 24)))
        answerCost = min(cost * 10, 1_000_000)
        answerDepth = answerCost * 10
        if cost > 0 { buckets = [Bucket](repeating: Bucket(), count: lines * 4) }
    }

    mutating func receive(_ id: UInt64, at now: Instant, counters: inout FloodCounters) -> FloodDecision {
        let time = now.microseconds
        let name = mix(id)
        let place = find(name, time: time, counters: &counters)
        let full = max(buckets[place].full, time)
        if full - time + cost <= depth {
            buckets[place].full = full + cost
            counters.admitted &+= 1
            return .admit
        }
        let answersFull = max(buckets[place].answersFull, time)
        guard answersFull - time + answerCost <= answerDepth else {
            counters.dropped &+= 1
            return .drop
        }
        buckets[place].answersFull = answersFull + answerCost
        counters.answered &+= 1
        let wait = (full - time + cost - depth + 999_999) / 1_000_000
        return .answer(503, retryAfter: UInt32(clamping: max(1, wait)))
    }

    private mutating func find(_ name: UInt64, time: Int64, counters: inout FloodCounters) -> Int {
        let line = Int(truncatingIfNeeded: name & lineMask) * 4
        var victim = line
        var place = line
        while place < line + 4 {
            if buckets[place].name == name { return place }
            if buckets[place].full < buckets[victim].full { victim = place }
            place += 1
        }
        if buckets[victim].full > time { counters.displaced &+= 1 }
        buckets[victim] = Bucket(name: name)
        return victim
    }

    private func mix(_ id: UInt64) -> UInt64 {
        let product = (id ^ key).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93 ^ (key | 1))
        let folded = product.high ^ product.low
        return folded == 0 ? 1 : folded
    }
}
