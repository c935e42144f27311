/// A histogram of microseconds: exact below 128, then 64 steps to an octave (1.6 %).
struct Latency {
    private var buckets = [UInt32](repeating: 0, count: 128 + 40 * 64)
    private(set) var count = 0
    private(set) var longest: UInt64 = 0

    mutating func add(nanoseconds: UInt64) {
        let value = nanoseconds / 1_000
        buckets[min(Self.bucket(of: value), buckets.count - 1)] += 1
        count += 1
        longest = max(longest, value)
    }

    /// Milliseconds below which the share of all values lies.
    func quantile(_ share: Double) -> Double {
        guard count > 0 else { return 0 }
        var left = min(Int(Double(count) * share), count - 1)
        for (place, number) in buckets.enumerated() {
            left -= Int(number)
            if left < 0 { return min(Self.middle(of: place), Double(longest)) / 1_000 }
        }
        return Double(longest) / 1_000
    }

    private static func bucket(of value: UInt64) -> Int {
        guard value >= 128 else { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount
        return 128 + (exponent - 7) * 64 + Int(value >> UInt64(exponent - 6)) - 64
    }

    private static func middle(of bucket: Int) -> Double {
        guard bucket >= 128 else { return Double(bucket) + 0.5 }
        let exponent = (bucket - 128) / 64 + 7
        let mantissa = UInt64((bucket - 128) % 64 + 64)
        return Double(mantissa << UInt64(exponent - 6)) + Double(UInt64(1) << UInt64(exponent - 6)) / 2
    }
}
