public import LinkProfiles

/// When to try again after a passing failure: the delay doubles with each failure up to a ceiling, and a random share
/// keeps messages that failed together from coming back together.
///
/// It has no clock and no randomness: the moment and the random number are arguments.
public struct RetrySchedule: Hashable, Sendable {
    /// Delay after the first failure.
    public var initial: TimeSpan
    /// No delay is longer than this, jitter included.
    public var maximum: TimeSpan
    /// Largest share by which a delay is made shorter or longer, 0 to 0.5.
    public var jitter: Double

    /// 20 s, doubling to 24 h, 20 % either way.
    public init(
        initial: TimeSpan = .seconds(20 as Int64), maximum: TimeSpan = .seconds(86_400 as Int64), jitter: Double = 0.2
    ) {
        self.initial = initial
        self.maximum = maximum
        self.jitter = jitter
    }

    /// The delay without jitter after so many failures in a row; 0 counts as 1.
    public func delay(afterFailures failures: UInt32) -> TimeSpan {
        let ceiling = max(1, maximum.microseconds)
        let first = min(max(1, initial.microseconds), ceiling)
        let doublings = Int64(failures > 1 ? min(failures - 1, 62) : 0)
        guard first <= ceiling >> doublings else { return TimeSpan(microseconds: ceiling) }
        return TimeSpan(microseconds: first << doublings)
    }

    /// The delay with jitter. `random` is uniform in `0 ..< 1`; what lies outside counts as the nearer end.
    public func delay(afterFailures failures: UInt32, random: Double) -> TimeSpan {
        let plain = delay(afterFailures: failures).microseconds
        let share = min(max(0, jitter), 0.5) * (2 * min(max(0, random), 1) - 1)
        let ceiling = max(1, maximum.microseconds)
        let shifted = Double(plain) * (1 + share)
        return TimeSpan(microseconds: shifted < Double(ceiling) ? max(1, Int64(shifted)) : ceiling)
    }
}
