/// What may leave towards one endpoint, and when. Everything an endpoint gets shares it: messages, notifications, responses and
/// retransmissions. A budget without any limit is none: such endpoints are sent to at once.
public struct LinkBudget: Hashable, Sendable {
    /// Bytes a second as they are on the wire, packet headers included; 0: no limit.
    public var byteRate = 0
    /// Bytes that may leave back to back before the rate applies. One packet may always leave whole.
    public var burst = 0
    /// Bytes that each packet costs beside its own, 28 for IPv4 and UDP.
    public var packetOverhead = 28
    /// Packets a second; 0: no limit.
    public var packetRate = 0.0
    /// Packets that may leave back to back before the packet rate applies.
    public var packetBurst = 1
    /// Requests that may be unanswered at a time; 0: no limit.
    public var outstanding = 0
    /// Hours in which only answers and urgent messages leave.
    public var quietHours: [DayPeriod] = []
    /// The endpoint's receiver is on once in this time, counted from 1970-01-01T00:00:00Z; zero: always.
    public var listensEvery = TimeSpan.zero
    /// How long it is on each time.
    public var listensFor = TimeSpan.zero
    /// When it goes on the first time.
    public var listensAt = TimeSpan.zero
    /// How long notifications may wait for others while the radio sleeps, so that it is woken once for all of them.
    public var bundling = TimeSpan.zero
    /// How long the radio stays awake after traffic in either direction.
    public var awake = TimeSpan.zero

    public init() {}

    /// Whether it limits nothing.
    public var isUnlimited: Bool {
        byteRate == 0 && packetRate == 0 && outstanding == 0 && quietHours.isEmpty && listensEvery == .zero
            && bundling == .zero
    }

    /// Whether there are times in which messages do not leave.
    public var hasClosings: Bool { !quietHours.isEmpty || listensEvery > .zero }

    /// When quiet hours that a moment lies in end; the moment itself outside of them, ``Instant/distantFuture`` when they
    /// cover the whole day.
    public func quietEnds(at time: Instant) -> Instant {
        var end = time
        // Periods may meet or overlap: after as many steps as there are periods the day has no gap.
        for _ in 0...quietHours.count {
            guard let remaining = quietHours.compactMap({ $0.remaining(at: end) }).max() else { return end }
            end = end + remaining
        }
        return .distantFuture
    }

    /// When the endpoint's receiver is on next; the moment itself while it is.
    public func listens(at time: Instant) -> Instant {
        guard listensEvery > .zero else { return time }
        let period = listensEvery.microseconds
        let phase = ((time.microseconds - listensAt.microseconds) % period + period) % period
        return phase < listensFor.microseconds ? time : time + TimeSpan(microseconds: period - phase)
    }

    /// How long so many bytes keep the link busy, rounded up; zero without a byte rate.
    public func airtime(bytes: Int) -> TimeSpan {
        guard byteRate > 0 else { return .zero }
        let (seconds, rest) = bytes.quotientAndRemainder(dividingBy: byteRate)
        let fraction = (rest * 1_000_000 + byteRate - 1) / byteRate
        return TimeSpan(microseconds: Int64(seconds) * 1_000_000 + Int64(fraction))
    }

    /// Values that are each in range but cannot hold together.
    func reportContradictions(_ report: (_ key: String, _ reason: String) -> Void) {
        if listensEvery > .zero, listensFor == .zero {
            report("listens-for", "is missing; without it nothing would ever leave")
        }
        if listensEvery == .zero, listensFor > .zero || listensAt > .zero {
            report("listens-every", "is missing; listens-for and listens-at mean nothing without it")
        }
        if listensEvery > .zero, listensFor > listensEvery {
            report("listens-for", "\(listensFor.text) is longer than listens-every (\(listensEvery.text))")
        }
        if bundling > .zero, awake == .zero {
            report("awake", "is missing; without it every notification would wait for the whole of bundle")
        }
        if quietEnds(at: Instant(microseconds: 0)) == .distantFuture {
            report("quiet-hours", "cover the whole day")
        }
    }
}
