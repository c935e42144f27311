public import LinkProfiles

/// What a subscriber asks for and how patient it is.
public struct SubscriberPolicy: Hashable, Sendable {
    /// Seconds asked for.
    public var expires: UInt32
    /// 64*T1 of the link (RFC 6665 section 4.1.2.4).
    public var timerN: TimeSpan
    /// Wait after the first attempt that failed for a passing reason; doubles with each.
    public var firstRetry: TimeSpan
    /// No wait is longer, but for a Retry-After. It is also the wait after a lasting refusal.
    public var longestRetry: TimeSpan

    public init(
        expires: UInt32 = 3_600, timerN: TimeSpan = .seconds(32 as Int64), firstRetry: TimeSpan = .seconds(20 as Int64),
        longestRetry: TimeSpan = .seconds(3_600 as Int64)
    ) {
        self.expires = expires
        self.timerN = timerN
        self.firstRetry = firstRetry
        self.longestRetry = longestRetry
    }

    func wait(afterFailures failures: UInt8) -> TimeSpan {
        let doublings = Int64(min(max(1, failures), 32) - 1)
        let ceiling = max(1, longestRetry.microseconds)
        let first = min(max(1, firstRetry.microseconds), ceiling)
        return TimeSpan(microseconds: first > ceiling >> doublings ? ceiling : first << doublings)
    }
}
