public import LinkProfiles

/// What one direction of a link does to what it carries.
public struct LinkConditions: Hashable, Sendable {
    /// Share of datagrams that vanish, 0 to 1.
    public var loss: Double
    /// Share of datagrams that arrive twice.
    public var duplication: Double
    /// Share of datagrams held back so that later ones overtake them.
    public var reordering: Double
    /// How far a reordered datagram is held back at most.
    public var reorderDelay: TimeSpan
    /// Propagation time.
    public var delay: TimeSpan
    /// Added to the delay, uniform from zero; by itself it reorders only datagrams that are this close.
    public var jitter: TimeSpan
    /// Serialisation rate in bytes a second; 0 is without limit.
    public var bytesPerSecond: Int
    /// Longest time a datagram may wait for its turn; one that would wait longer is dropped.
    public var queueLimit: TimeSpan

    public init(
        loss: Double = 0, duplication: Double = 0, reordering: Double = 0, reorderDelay: TimeSpan = .milliseconds(200),
        delay: TimeSpan = .milliseconds(1), jitter: TimeSpan = .zero, bytesPerSecond: Int = 0,
        queueLimit: TimeSpan = .seconds(30 as Int64)
    ) {
        self.loss = loss
        self.duplication = duplication
        self.reordering = reordering
        self.reorderDelay = reorderDelay
        self.delay = delay
        self.jitter = jitter
        self.bytesPerSecond = bytesPerSecond
        self.queueLimit = queueLimit
    }

    /// The same link on a good day: delay and rate stay, faults go.
    public var withoutFaults: LinkConditions {
        var calm = self
        calm.loss = 0
        calm.duplication = 0
        calm.reordering = 0
        calm.queueLimit = .seconds(3_600 as Int64)
        return calm
    }

    /// Typical figures for the links `profiles/` describes, by profile name; an unknown name gets `lan`.
    public static func typical(of profile: String) -> LinkConditions {
        switch profile {
        case "gprs":
            LinkConditions(
                loss: 0.02, duplication: 0.002, reordering: 0.01, reorderDelay: .seconds(2 as Int64),
                delay: .milliseconds(350), jitter: .milliseconds(400), bytesPerSecond: 4_000)
        case "vsat-geo":
            LinkConditions(
                loss: 0.01, duplication: 0.002, reordering: 0.005, delay: .milliseconds(280),
                jitter: .milliseconds(30), bytesPerSecond: 16_000)
        case "hf-radio":
            LinkConditions(
                loss: 0.1, duplication: 0.005, delay: .milliseconds(1_500), jitter: .seconds(3 as Int64),
                bytesPerSecond: 300, queueLimit: .seconds(120 as Int64))
        default:
            LinkConditions(loss: 0.001, delay: .microseconds(300), jitter: .microseconds(400))
        }
    }
}

/// One direction of a link in virtual time: says when each thing put on it arrives, if it does.
public struct SimulatedLink: Sendable {
    public var conditions: LinkConditions
    /// Nothing gets through before this moment.
    public var downUntil = Instant(microseconds: 0)
    /// Datagrams lost so far, for whatever reason.
    public private(set) var lost = 0
    /// Bytes put on the wire, with 28 bytes of IP and UDP a datagram.
    public private(set) var bytesCarried = 0

    private var random: SimulationRandom
    private var busyUntil = Instant(microseconds: 0)
    private var lastReliableArrival = Instant(microseconds: 0)

    public init(conditions: LinkConditions, random: SimulationRandom) {
        self.conditions = conditions
        self.random = random
    }

    /// Puts a datagram of so many bytes on the link.
    /// - Returns: when it arrives: never, once or twice.
    public mutating func carry(bytes: Int, at now: Instant) -> [Instant] {
        guard now >= downUntil, let sent = serialise(bytes + 28, at: now) else {
            lost += 1
            return []
        }
        if random.chance(conditions.loss) {
            lost += 1
            return []
        }
        var arrivals = [sent + flight()]
        if random.chance(conditions.reordering) {
            arrivals[0] = arrivals[0] + .microseconds(random.within(0...max(0, conditions.reorderDelay.microseconds)))
        }
        if random.chance(conditions.duplication) { arrivals.append(sent + flight()) }
        return arrivals
    }

    /// Puts bytes of a connection on the link: loss and outages become delay, order is kept.
    /// - Returns: when they arrive; nil when the link stays down so long that the connection breaks.
    public mutating func carryReliably(bytes: Int, at now: Instant, patience: TimeSpan) -> Instant? {
        let start = max(now, downUntil)
        guard start - now <= patience else { return nil }
        busyUntil = max(busyUntil, start)
        bytesCarried += bytes + 40
        let sent = busyUntil + serialisation(bytes + 40)
        busyUntil = sent
        var arrival = sent + flight()
        var lostSegments: Int64 = 0
        while lostSegments < 6, random.chance(conditions.loss) { lostSegments += 1 }
        if lostSegments > 0 {
            arrival = arrival + (conditions.delay * 3 + .milliseconds(200)) * lostSegments
        }
        lastReliableArrival = max(arrival, lastReliableArrival)
        return lastReliableArrival
    }

    private mutating func flight() -> TimeSpan {
        conditions.delay + .microseconds(random.within(0...max(0, conditions.jitter.microseconds)))
    }

    private func serialisation(_ bytes: Int) -> TimeSpan {
        guard conditions.bytesPerSecond > 0 else { return .zero }
        return .microseconds(Int64(bytes) * 1_000_000 / Int64(conditions.bytesPerSecond))
    }

    private mutating func serialise(_ bytes: Int, at now: Instant) -> Instant? {
        let begin = max(now, busyUntil)
        guard begin - now <= conditions.queueLimit else { return nil }
        bytesCarried += bytes
        busyUntil = begin + serialisation(bytes)
        return busyUntil
    }
}
