/// A point in time as the engine sees it: microseconds since 1970-01-01T00:00:00Z.
///
/// The engine has no clock. Its driver hands in one `Instant` with every event and guarantees that it never
/// runs backwards while the process lives; a simulation hands in virtual time.
public struct Instant: Hashable, Comparable, Sendable {
    /// Microseconds since the Unix epoch.
    public var microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// Whole seconds since the Unix epoch, rounded down.
    public var unixSeconds: Int64 { microseconds.quotientRoundedDown(by: 1_000_000) }

    public static func < (a: Instant, b: Instant) -> Bool { a.microseconds < b.microseconds }
    public static func + (a: Instant, b: TimeSpan) -> Instant { Instant(microseconds: a.microseconds + b.microseconds) }
    public static func - (a: Instant, b: TimeSpan) -> Instant { Instant(microseconds: a.microseconds - b.microseconds) }
    public static func - (a: Instant, b: Instant) -> TimeSpan {
        TimeSpan(microseconds: a.microseconds - b.microseconds)
    }

    /// Later than every instant that occurs.
    public static let distantFuture = Instant(microseconds: .max / 4)
}

/// A length of time in microseconds. Link profiles, timers and retry schedules are written in it.
public struct TimeSpan: Hashable, Comparable, Sendable {
    public var microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }

    public static func microseconds(_ n: Int64) -> TimeSpan { TimeSpan(microseconds: n) }
    public static func milliseconds(_ n: Int64) -> TimeSpan { TimeSpan(microseconds: n * 1_000) }
    public static func seconds(_ n: Int64) -> TimeSpan { TimeSpan(microseconds: n * 1_000_000) }
    public static func seconds(_ n: Double) -> TimeSpan { TimeSpan(microseconds: Int64(n * 1_000_000)) }
    public static let zero = TimeSpan(microseconds: 0)

    /// The span in seconds, with its fraction.
    public var inSeconds: Double { Double(microseconds) / 1_000_000 }

    public static func < (a: TimeSpan, b: TimeSpan) -> Bool { a.microseconds < b.microseconds }
    public static func + (a: TimeSpan, b: TimeSpan) -> TimeSpan {
        TimeSpan(microseconds: a.microseconds + b.microseconds)
    }
    public static func - (a: TimeSpan, b: TimeSpan) -> TimeSpan {
        TimeSpan(microseconds: a.microseconds - b.microseconds)
    }
    public static func * (a: TimeSpan, n: Int64) -> TimeSpan { TimeSpan(microseconds: a.microseconds * n) }
}

extension Int64 {
    fileprivate func quotientRoundedDown(by divisor: Int64) -> Int64 {
        let (q, r) = quotientAndRemainder(dividingBy: divisor)
        return r < 0 ? q - 1 : q
    }
}
