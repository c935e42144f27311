/// A part of every day in UTC, such as 22:00-06:00; the end is not part of it.
public struct DayPeriod: Hashable, Sendable {
    /// Minutes after midnight, 0 to 1439.
    public let start: Int
    /// Minutes after midnight, 1 to 1440; not above `start` when the period runs over midnight.
    public let end: Int

    /// Reads `22:00-06:00`; `24:00` may end a period. Nil for anything else, and for a period without length.
    public init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let start = Self.minutes(parts[0]), let end = Self.minutes(parts[1]), start != end,
            start < Self.minutesPerDay
        else { return nil }
        self.start = start
        self.end = end == 0 ? Self.minutesPerDay : end
    }

    private static let minutesPerDay = 1_440

    private static func minutes(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.count == 2 && $0.allSatisfy { $0.isASCII && $0.isNumber } }),
            let hours = Int(parts[0]), let minutes = Int(parts[1]), minutes < 60
        else { return nil }
        let total = hours * 60 + minutes
        return total <= minutesPerDay ? total : nil
    }

    /// Microseconds from that moment to the end of the period; nil when the moment lies outside it.
    func remaining(at time: Instant) -> TimeSpan? {
        let day: Int64 = 86_400_000_000
        let minute: Int64 = 60_000_000
        let sinceMidnight = (time.microseconds % day + day) % day
        let (from, to) = (Int64(start) * minute, Int64(end) * minute)
        if from < to {
            return (from..<to).contains(sinceMidnight) ? TimeSpan(microseconds: to - sinceMidnight) : nil
        }
        if sinceMidnight >= from { return TimeSpan(microseconds: day - sinceMidnight + to) }
        return sinceMidnight < to ? TimeSpan(microseconds: to - sinceMidnight) : nil
    }

    /// As the file writes it.
    public var text: String { "\(Self.text(start))-\(Self.text(end))" }

    private static func text(_ minutes: Int) -> String {
        let (hours, rest) = (minutes / 60, minutes % 60)
        return "\(hours < 10 ? "0" : "")\(hours):\(rest < 10 ? "0" : "")\(rest)"
    }
}
