public import LinkProfiles
public import SIPCore

/// What an operator allows of the rates that watchers ask for (RFC 6446 sections 5.3, 6.3, 7.3).
public struct RatePolicy: Hashable, Sendable {
    /// No subscription is notified more often, asked for or not, in millionths of a notification per second; 0: no limit.
    public var maximum: UInt32
    /// No subscription is promised more than this by `min-rate` or `adaptive-min-rate`; 0: nothing is promised.
    public var highestMinimum: UInt32

    public init(maximum: UInt32 = 0, highestMinimum: UInt32 = 1_000_000) {
        self.maximum = maximum
        self.highestMinimum = highestMinimum
    }

    /// The rates a notifier adopts and reflects in Subscription-State.
    ///
    /// - A rate that would let nothing through before the subscription ends becomes the reciprocal of what is left of it
    ///   (section 5.3).
    /// - Minimum rates are at most the maximum rate; a `min-rate` that is not lower than the adaptive one is not considered
    ///   (section 8).
    public func agreed(_ requested: EventRates, remaining: TimeSpan) -> EventRates {
        var rates = requested
        if maximum > 0 { rates.maximum = rates.maximum == 0 ? maximum : min(rates.maximum, maximum) }
        if rates.maximum > 0, remaining > .zero {
            let slowest = (1_000_000_000_000 + remaining.microseconds - 1) / remaining.microseconds
            rates.maximum = max(rates.maximum, UInt32(clamping: min(slowest, 99_999_999)))
        }
        let ceiling = rates.maximum > 0 ? min(rates.maximum, highestMinimum) : highestMinimum
        rates.minimum = min(rates.minimum, ceiling)
        rates.adaptiveMinimum = min(rates.adaptiveMinimum, ceiling)
        if rates.adaptiveMinimum > 0, rates.minimum >= rates.adaptiveMinimum { rates.minimum = 0 }
        return rates
    }
}
