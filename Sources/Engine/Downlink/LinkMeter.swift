import LinkProfiles

/// When a link is free again, by bytes and by packets.
///
/// Each rate is kept as the one moment at which everything sent so far is paid for. A packet may leave at that moment or later, and
/// moves it on by its own cost. In any window of length T so no more leaves than rate × T, the burst, and not above it, or one
/// packet where the burst is smaller.
struct LinkMeter {
    private let budget: LinkBudget
    /// What may be paid late: the burst less one packet, since a packet leaves whole.
    private let byteCredit: TimeSpan
    private let packetCredit: TimeSpan
    private let packetTime: TimeSpan
    private var bytesPaid: Instant
    private var packetsPaid: Instant

    /// - Parameters:
    ///   - largestPacket: the largest packet there is on the link, without its headers.
    ///   - notBefore: until when a link that was reckoned otherwise before is busy.
    init(_ budget: LinkBudget, largestPacket: Int, notBefore: Instant? = nil, at now: Instant) {
        self.budget = budget
        byteCredit = TimeSpan(
            microseconds: budget.byteRate == 0
                ? 0
                : Int64(max(0, budget.burst - largestPacket - budget.packetOverhead)) * 1_000_000
                    / Int64(budget.byteRate))
        packetTime =
            budget.packetRate > 0
            ? TimeSpan(microseconds: Int64((1_000_000 / budget.packetRate).rounded(.up))) : .zero
        packetCredit = packetTime * Int64(max(0, budget.packetBurst - 1))
        bytesPaid = max(notBefore ?? now - byteCredit, now - byteCredit)
        packetsPaid = now - packetCredit
    }

    /// The next packet may leave at this moment.
    var freeAt: Instant { max(bytesPaid, packetsPaid) }

    /// A packet of so many bytes leaves; its headers come on top.
    mutating func take(_ bytes: Int, at now: Instant) {
        bytesPaid = max(bytesPaid, now - byteCredit) + budget.airtime(bytes: bytes + budget.packetOverhead)
        packetsPaid = max(packetsPaid, now - packetCredit) + packetTime
    }

    /// A packet that was taken for `reckoned` bytes has turned out to be another size.
    mutating func correct(reckoned: Int, actual: Int) {
        let difference = budget.airtime(bytes: abs(actual - reckoned))
        bytesPaid = actual >= reckoned ? bytesPaid + difference : bytesPaid - difference
    }

    /// From when on nothing of what was sent counts any more.
    var restedAt: Instant { max(bytesPaid + byteCredit, packetsPaid + packetCredit) }
}
