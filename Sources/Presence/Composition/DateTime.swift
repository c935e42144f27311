import LinkProfiles

/// The date and time of RFC 3339, as PIDF, RPID and common policy write it (`xs:dateTime` with a zone).
enum DateTime {
    /// nil for a text that is none, or has no zone and so names no point in time.
    static func instant(_ text: String) -> Instant? {
        var text = text
        return text.withUTF8 { read($0) }
    }

    private static func read(_ bytes: UnsafeBufferPointer<UInt8>) -> Instant? {
        guard bytes.count >= 20, bytes[4] == 0x2D, bytes[7] == 0x2D, bytes[10] | 0x20 == 0x74, bytes[13] == 0x3A,
            bytes[16] == 0x3A,
            let year = number(bytes, 0, 4), let month = number(bytes, 5, 2), let day = number(bytes, 8, 2),
            let hour = number(bytes, 11, 2), let minute = number(bytes, 14, 2), let second = number(bytes, 17, 2),
            (1...12).contains(month), (1...31).contains(day), hour <= 24, minute <= 59, second <= 60
        else { return nil }
        var at = 19
        let fraction = fraction(bytes, &at)
        guard let offset = zone(bytes, at) else { return nil }
        let days = daysSinceEpoch(year: year, month: month, day: day)
        let seconds = days * 86_400 + Int64(hour * 3_600 + minute * 60 + second) - offset
        return Instant(microseconds: seconds * 1_000_000 + fraction)
    }

    private static func number(_ bytes: UnsafeBufferPointer<UInt8>, _ from: Int, _ count: Int) -> Int? {
        guard from + count <= bytes.count else { return nil }
        var value = 0
        for index in from..<from + count {
            guard bytes[index] >= 0x30, bytes[index] <= 0x39 else { return nil }
            value = value * 10 + Int(bytes[index] - 0x30)
        }
        return value
    }

    /// Microseconds behind the point; `at` moves behind the digits.
    private static func fraction(_ bytes: UnsafeBufferPointer<UInt8>, _ at: inout Int) -> Int64 {
        guard at < bytes.count, bytes[at] == 0x2E else { return 0 }
        at += 1
        var (value, unit): (Int64, Int64) = (0, 100_000)
        while at < bytes.count, bytes[at] >= 0x30, bytes[at] <= 0x39 {
            value += Int64(bytes[at] - 0x30) * unit
            unit /= 10
            at += 1
        }
        return value
    }

    /// Seconds east of Greenwich.
    private static func zone(_ bytes: UnsafeBufferPointer<UInt8>, _ at: Int) -> Int64? {
        guard at < bytes.count else { return nil }
        if bytes[at] | 0x20 == 0x7A { return at + 1 == bytes.count ? 0 : nil }
        guard bytes[at] == 0x2B || bytes[at] == 0x2D, at + 6 == bytes.count, bytes[at + 3] == 0x3A,
            let hours = number(bytes, at + 1, 2), let minutes = number(bytes, at + 4, 2), hours <= 14, minutes <= 59
        else { return nil }
        return Int64(hours * 3_600 + minutes * 60) * (bytes[at] == 0x2D ? -1 : 1)
    }

    /// Of the proleptic Gregorian calendar.
    private static func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return Int64(era) * 146_097 + Int64(dayOfEra) - 719_468
    }
}
