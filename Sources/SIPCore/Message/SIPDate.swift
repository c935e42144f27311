/// SIP-date: RFC 1123 text, always in GMT (RFC 3261 section 20.17), as seconds since the Unix epoch.
public enum SIPDate {
    private static let monthNames: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"
    private static let dayNames: StaticString = "ThuFriSatSunMonTueWed"

    /// The text for a time, such as `Sat, 13 Nov 2010 23:29:00 GMT`.
    ///
    /// - Parameter unixSeconds: seconds since 1970; outside the years 1 to 9999 the nearest time that can be written.
    public static func format(_ unixSeconds: Int64) -> String {
        var writer = MessageWriter(capacity: 32)
        writer.append(date: unixSeconds)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// The time a text stands for; nil when it is no SIP-date or names another zone than GMT.
    public static func parse(_ text: some StringProtocol) -> Int64? {
        let bytes = Array(text.utf8)
        return read(bytes.span, ByteRange(0, bytes.count))
    }

    /// The time in a header value.
    public static func parse(_ range: ByteRange, of message: SIPMessage) -> Int64? {
        guard range.upper <= message.bytes.count else { return nil }
        return read(message.bytes.span, range)
    }

    static func read(_ span: Span<UInt8>, _ value: ByteRange) -> Int64? {
        let at = value.lower
        guard value.count == 29, value.upper <= span.count, index(of: span, at, in: dayNames) != nil,
            span.equals(", ", at: ByteRange(at + 3, at + 5)), span[at + 7] == 0x20, span[at + 11] == 0x20,
            let month = index(of: span, at + 8, in: monthNames), span[at + 16] == 0x20,
            span.equalsFolded(" GMT", at: ByteRange(at + 25, at + 29)), span[at + 19] == UInt8(ascii: ":"),
            span[at + 22] == UInt8(ascii: ":"), let day = span.decimal(at + 5, at + 7), day >= 1,
            let year = span.decimal(at + 12, at + 16), year >= 1, let hour = span.decimal(at + 17, at + 19), hour < 24,
            let minute = span.decimal(at + 20, at + 22), minute < 60,
            let second = span.decimal(at + 23, at + 25), second <= 60,
            Int64(day) <= daysInMonth(Int64(month) + 1, of: Int64(year))
        else { return nil }
        let days = daysSinceEpoch(year: Int64(year), month: Int64(month) + 1, day: Int64(day))
        return days * 86_400 + Int64(hour * 3_600 + minute * 60 + second)
    }

    private static func index(of span: Span<UInt8>, _ offset: Int, in names: StaticString) -> Int? {
        let table = unsafe UnsafeBufferPointer(start: names.utf8Start, count: names.utf8CodeUnitCount)
        for start in stride(from: 0, to: table.count, by: 3) {
            var isEqual = true
            for letter in 0..<3 where unsafe span[offset + letter] | 0x20 != table[start + letter] | 0x20 {
                isEqual = false
            }
            if isEqual { return start / 3 }
        }
        return nil
    }

    private static func isLeap(_ year: Int64) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private static func daysInMonth(_ month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: isLeap(year) ? 29 : 28
        default: 31
        }
    }

    /// Days between 1970-01-01 and a date of the Gregorian calendar; months counted from March so that the leap day
    /// comes last.
    static func daysSinceEpoch(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    static func date(ofDay days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    static func write(_ unixSeconds: Int64, to writer: inout MessageWriter) {
        let seconds = min(max(unixSeconds, -62_135_596_800), 253_402_300_799)
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let second = seconds - days * 86_400
        let (year, month, day) = date(ofDay: days)
        writer.append(of: dayNames, at: Int(((days % 7) + 7) % 7) * 3, count: 3)
        writer.append(", ")
        writer.append(twoDigits: day)
        writer.append(" ")
        writer.append(of: monthNames, at: Int(month - 1) * 3, count: 3)
        writer.append(" ")
        writer.append(twoDigits: year / 100)
        writer.append(twoDigits: year % 100)
        writer.append(" ")
        writer.append(twoDigits: second / 3_600)
        writer.append(":")
        writer.append(twoDigits: second / 60 % 60)
        writer.append(":")
        writer.append(twoDigits: second % 60)
        writer.append(" GMT")
    }
}
