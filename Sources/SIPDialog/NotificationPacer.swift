public import LinkProfiles
public import SIPCore

/// When a subscription's next notification may leave, and when it must (RFC 6446): 32 bytes, no timer of its own.
///
/// The adaptive minimum rate follows equations (1) and (2) of section 7.4 with a rolling period of fourteen reciprocals of
/// the rate. Notifications are counted in eight stretches of two reciprocals each: the period covers seven of them,
/// the oldest one counts by the share of it that the period still reaches.
public struct NotificationPacer: Hashable, Sendable {
    /// The rates in force, as Subscription-State reflects them.
    public private(set) var rates: EventRates
    /// Number of the newest stretch.
    private var stretch: UInt32 = 0
    /// Notifications in each stretch, the newest in the lowest byte.
    private var counts: UInt64 = 0
    /// Moment of the last notification, or of the subscription's beginning.
    private var last: Instant

    private static let stretches: Int64 = 7
    private static let perStretch: UInt64 = 2

    /// Begins with the subscription. The history is that of a notifier that has just kept to the adaptive rate (section 7.2,
    /// step 1).
    public init(rates: EventRates, at now: Instant) {
        self.rates = rates
        last = now
        beginHistory(at: now)
    }

    /// Takes over other rates, agreed with a refresh or a response to a NOTIFY.
    public mutating func adopt(_ rates: EventRates, at now: Instant) {
        let isOther = rates.adaptiveMinimum != self.rates.adaptiveMinimum
        self.rates = rates
        if isOther { beginHistory(at: now) }
    }

    /// The first moment at which something new may be told: `max-rate` after the last notification (section 5.2), or after
    /// the beginning, whose own notification is exempt.
    public var earliest: Instant {
        guard rates.maximum > 0 else { return Instant(microseconds: .min / 4) }
        return last + Self.reciprocal(rates.maximum, roundedUp: true)
    }

    /// The moment at which a notification is due although nothing is new: `min-rate` (section 6.2) or the adaptive timeout
    /// (section 7.4) after the last one; nil without either.
    public var latest: Instant? {
        var latest: Instant?
        if rates.minimum > 0 { latest = last + Self.reciprocal(rates.minimum, roundedUp: false) }
        if rates.adaptiveMinimum > 0 {
            let adaptive = last + adaptiveTimeout
            latest = min(latest ?? adaptive, adaptive)
        }
        return latest
    }

    /// A notification leaves, whatever for; retransmissions are none.
    public mutating func sent(at now: Instant) {
        last = max(last, now)
        guard rates.adaptiveMinimum > 0 else { return }
        advance(to: Self.stretch(of: last, rates.adaptiveMinimum))
        if counts & 0xff < 0xff { counts += 1 }
    }

    /// `count / (adaptive-min-rate² * period)`, at least the reciprocal of `max-rate`.
    private var adaptiveTimeout: TimeSpan {
        let length = Self.stretchLength(rates.adaptiveMinimum)
        let elapsed = last.microseconds - last.microseconds / length * length
        // Thousandths of a notification.
        var thousandths: Int64 = 0
        for index in 0..<Self.stretches { thousandths += Int64(counts >> UInt64(8 * index) & 0xff) * 1_000 }
        thousandths += Int64(counts >> 56) * (1_000 - elapsed * 1_000 / length)
        let period = Self.stretches * Int64(Self.perStretch)
        let reciprocal = Self.reciprocal(rates.adaptiveMinimum, roundedUp: false).microseconds
        let timeout = TimeSpan(microseconds: reciprocal / 1_000 * thousandths / period)
        guard rates.maximum > 0 else { return max(timeout, .milliseconds(1)) }
        return max(timeout, Self.reciprocal(rates.maximum, roundedUp: true))
    }

    private mutating func beginHistory(at now: Instant) {
        guard rates.adaptiveMinimum > 0 else { return }
        stretch = Self.stretch(of: now, rates.adaptiveMinimum)
        counts = 0
        for _ in 0..<8 { counts = counts << 8 | Self.perStretch }
        // The newest stretch has only begun.
        let length = Self.stretchLength(rates.adaptiveMinimum)
        let isSecondHalf = now.microseconds % length * 2 > length
        counts = counts & ~0xff | (isSecondHalf ? 1 : 0)
    }

    private mutating func advance(to newest: UInt32) {
        let passed = newest &- stretch
        stretch = newest
        counts = passed < 8 ? counts << UInt64(8 * passed) : 0
    }

    private static func stretch(of moment: Instant, _ rate: UInt32) -> UInt32 {
        UInt32(truncatingIfNeeded: moment.microseconds / stretchLength(rate))
    }

    private static func stretchLength(_ rate: UInt32) -> Int64 {
        reciprocal(rate, roundedUp: false).microseconds * Int64(perStretch)
    }

    /// The time between two notifications at a rate above 0.
    private static func reciprocal(_ rate: UInt32, roundedUp: Bool) -> TimeSpan {
        let rate = Int64(max(1, rate))
        return TimeSpan(microseconds: (1_000_000_000_000 + (roundedUp ? rate - 1 : 0)) / rate)
    }
}
