extension TimeSpan {
    private static let units: [(suffix: String, microseconds: Int64)] = [
        ("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1),
    ]

    /// Reads `500ms`, `1.5s`, `1h30m`, `7d`; `0` needs no unit. Nil for anything else, negative spans included.
    public init?(_ text: String) {
        if text == "0" {
            self = .zero
            return
        }
        var total: Double = 0
        var rest = Substring(text)
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(digits.count)
            let suffix = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(suffix.count)
            guard let amount = Double(digits), let unit = Self.units.first(where: { $0.suffix == suffix }) else {
                return nil
            }
            total += amount * Double(unit.microseconds)
        }
        guard total < 9e18 else { return nil }
        self.init(microseconds: Int64(total.rounded()))
    }

    /// The shortest exact form that ``init(_:)`` reads back: `500ms`, `1m30s`, `7d`.
    public var text: String {
        if microseconds == 0 { return "0" }
        var rest = microseconds
        var text = ""
        for unit in Self.units where rest >= unit.microseconds {
            text += "\(rest / unit.microseconds)\(unit.suffix)"
            rest %= unit.microseconds
        }
        return text
    }
}

/// Numbers of bytes as people write them.
public enum ByteSize {
    private static let units: [(suffix: String, bytes: Int)] = [
        ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000),
        ("B", 1), ("", 1),
    ]

    /// Reads `1300`, `64KiB`, `1.5MB`; nil for anything else.
    public static func parse(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let suffix = text.dropFirst(digits.count).drop { $0 == " " }
        guard let amount = Double(digits), let unit = units.first(where: { $0.suffix == suffix }) else { return nil }
        let bytes = amount * Double(unit.bytes)
        guard bytes < 9e18, bytes == bytes.rounded() else { return nil }
        return Int(bytes)
    }

    /// The shortest exact form: `64KiB`, `1300`.
    public static func text(_ bytes: Int) -> String {
        for unit in units where bytes >= unit.bytes && bytes % unit.bytes == 0 && unit.bytes > 1 {
            return "\(bytes / unit.bytes)\(unit.suffix)"
        }
        return String(bytes)
    }
}
