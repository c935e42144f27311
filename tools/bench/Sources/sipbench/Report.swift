import Glibc

/// One line of JSON, flat or one level deep.
struct Report {
    private var items: [String] = []

    mutating func add(_ key: String, _ value: Int) { items.append("\"\(key)\":\(value)") }
    mutating func add(_ key: String, _ value: UInt32) { add(key, text: hexadecimal(value)) }
    mutating func add(_ key: String, text: String) { items.append("\"\(key)\":\"\(text)\"") }

    /// Three decimals.
    mutating func add(_ key: String, _ value: Double) {
        let thousandths = Int((value * 1_000).rounded())
        let rest = String(abs(thousandths) % 1_000)
        items.append(
            "\"\(key)\":\(thousandths < 0 ? "-" : "")\(abs(thousandths) / 1_000)."
                + String(repeating: "0", count: 3 - rest.count) + rest)
    }

    mutating func add(_ key: String, _ latency: Latency) {
        var inner = Report()
        inner.add("count", latency.count)
        inner.add("p50", latency.quantile(0.5))
        inner.add("p99", latency.quantile(0.99))
        inner.add("p999", latency.quantile(0.999))
        inner.add("max", Double(latency.longest) / 1_000)
        items.append("\"\(key)\":\(inner.line)")
    }

    mutating func add(_ key: String, _ counts: [Int: Int]) {
        let parts = counts.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }
        items.append("\"\(key)\":{\(parts.joined(separator: ","))}")
    }

    var line: String { "{\(items.joined(separator: ","))}" }

    private func hexadecimal(_ value: UInt32) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 8 - text.count) + text
    }
}

/// Processor seconds this process has used.
func ownProcessorTime() -> Double {
    var used = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used)
    return Double(used.tv_sec) + Double(used.tv_nsec) / 1e9
}
