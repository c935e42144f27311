/// The rates of RFC 6446 that an Event or Subscription-State header carries, in millionths of a notification per second; 0
/// where a parameter is absent.
///
/// The grammar (section 9.2) allows 0.0000000001 to 99.9999999999. What is finer than a millionth is rounded up to the next
/// one: a notifier may adjust rates as it likes.
public struct EventRates: Hashable, Sendable {
    /// `max-rate` (section 5).
    public var maximum: UInt32
    /// `min-rate` (section 6).
    public var minimum: UInt32
    /// `adaptive-min-rate` (section 7).
    public var adaptiveMinimum: UInt32

    public init(maximum: UInt32 = 0, minimum: UInt32 = 0, adaptiveMinimum: UInt32 = 0) {
        self.maximum = maximum
        self.minimum = minimum
        self.adaptiveMinimum = adaptiveMinimum
    }

    public static let none = EventRates()

    /// Whether no rate is given.
    public var isEmpty: Bool { self == .none }

    /// Takes a parameter if it is one of the three.
    /// - Returns: false when it is one but its value is no rate.
    mutating func read(_ parameter: ParameterScanner.Parameter, _ bytes: Span<UInt8>) -> Bool {
        let path: WritableKeyPath<EventRates, UInt32>
        if bytes.equalsFolded("max-rate", at: parameter.name) {
            path = \.maximum
        } else if bytes.equalsFolded("min-rate", at: parameter.name) {
            path = \.minimum
        } else if bytes.equalsFolded("adaptive-min-rate", at: parameter.name) {
            path = \.adaptiveMinimum
        } else {
            return true
        }
        guard let rate = Self.rate(bytes, parameter.value) else { return false }
        self[keyPath: path] = rate
        return true
    }

    /// `1*2DIGIT ["." 1*10DIGIT]`, not zero.
    private static func rate(_ bytes: Span<UInt8>, _ range: ByteRange) -> UInt32? {
        var index = range.lower
        var whole: UInt32 = 0
        while index < range.upper, bytes[index].isDigit {
            whole = whole * 10 + UInt32(bytes[index] - 0x30)
            index += 1
            if index - range.lower > 2 { return nil }
        }
        guard index > range.lower else { return nil }
        var millionths: UInt32 = 0
        var isFiner = false
        if index < range.upper {
            guard bytes[index] == UInt8(ascii: "."), range.upper - index - 1 >= 1, range.upper - index - 1 <= 10 else {
                return nil
            }
            var place: UInt32 = 100_000
            for position in (index + 1)..<range.upper {
                guard bytes[position].isDigit else { return nil }
                let digit = UInt32(bytes[position] - 0x30)
                millionths += digit * place
                if place == 0, digit > 0 { isFiner = true }
                place /= 10
            }
        }
        let rate = whole * 1_000_000 + millionths + (isFiner ? 1 : 0)
        return rate == 0 ? nil : min(rate, 99_999_999)
    }
}

extension MessageWriter {
    /// Writes the rates that there are, as `;max-rate=0.05;min-rate=0.002`.
    public mutating func append(_ rates: EventRates) {
        appendRate(";max-rate=", rates.maximum)
        appendRate(";min-rate=", rates.minimum)
        appendRate(";adaptive-min-rate=", rates.adaptiveMinimum)
    }

    private mutating func appendRate(_ name: StaticString, _ rate: UInt32) {
        guard rate > 0 else { return }
        append(name)
        append(decimal: min(rate, 99_999_999) / 1_000_000)
        var rest = min(rate, 99_999_999) % 1_000_000
        guard rest > 0 else { return }
        append(byte: UInt8(ascii: "."))
        var place: UInt32 = 100_000
        while rest > 0 {
            append(byte: 0x30 + UInt8(truncatingIfNeeded: rest / place))
            rest %= place
            place /= 10
        }
    }
}
