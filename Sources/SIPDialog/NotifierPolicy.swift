public import LinkProfiles

/// What a notifier decides for all its subscriptions.
public struct NotifierPolicy: Hashable, Sendable {
    public var rates: RatePolicy
    /// Wait after the first NOTIFY that failed for a passing reason; doubles with each.
    public var firstRetry: TimeSpan
    /// No wait is longer, but for a Retry-After.
    public var longestRetry: TimeSpan

    public init(
        rates: RatePolicy = RatePolicy(), firstRetry: TimeSpan = .seconds(4 as Int64),
        longestRetry: TimeSpan = .seconds(300 as Int64)
    ) {
        self.rates = rates
        self.firstRetry = firstRetry
        self.longestRetry = longestRetry
    }

    func wait(afterFailures failures: UInt8, retryAfter: UInt32?) -> TimeSpan {
        let doublings = Int64(min(max(1, failures), 32) - 1)
        let ceiling = max(1, longestRetry.microseconds)
        let first = min(max(1, firstRetry.microseconds), ceiling)
        let wait = first > ceiling >> doublings ? ceiling : first << doublings
        return max(TimeSpan(microseconds: wait), .seconds(Int64(retryAfter ?? 0)))
    }
}
