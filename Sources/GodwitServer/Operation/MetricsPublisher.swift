import Metrics
import SIPCore
import SigComp
import Transport

/// Publishes the engine's and the sockets' counters through swift-metrics, under `godwit_` and the counter's name in lower
/// case with underscores.
struct MetricsPublisher {
    private var published: [String: Int64] = [:]

    /// Names of values that go down as well as up.
    static let gauges: Set<String> = [
        "open_contexts", "server_transactions", "client_transactions", "users", "bindings", "subscriptions",
        "messages_queued", "bytes_queued", "downlinks", "downlink_waiting", "connections_open", "sigcomp_compartments",
        "sigcomp_state_bytes",
    ]

    mutating func publish(_ values: [String: Int64]) {
        for (name, value) in values {
            if Self.gauges.contains(name) {
                Gauge(label: "godwit_\(name)").record(value)
            } else {
                let before = published[name] ?? 0
                if value > before { Counter(label: "godwit_\(name)").increment(by: value - before) }
            }
        }
        published = values
    }

    /// All integer properties of counter structures by their names in snake case.
    static func values(of structures: any Sendable...) -> [String: Int64] {
        var values: [String: Int64] = [:]
        for structure in structures {
            for child in Mirror(reflecting: structure).children {
                guard let label = child.label else { continue }
                if let count = child.value as? UInt64 {
                    values[snakeCase(label)] = Int64(clamping: count)
                } else if let size = child.value as? Int {
                    values[snakeCase(label)] = Int64(size)
                }
            }
        }
        return values
    }

    /// SigComp's counters by name: sums, and the same by method and by reason for those that are not 0.
    static func compressionValues(_ counters: CompressionCounters) -> [String: Int64] {
        var values = Self.values(of: counters)
        values.merge(Self.values(of: counters.traffic)) { first, _ in first }
        for (method, traffic) in counters.byMethod {
            let name = method == .other ? "other" : "\(method.text)".lowercased()
            for (key, value) in Self.values(of: traffic) { values["\(name)_\(key)"] = value }
        }
        for (reason, count) in counters.failures {
            values["failures_\(reason.name.lowercased())"] = Int64(clamping: count)
        }
        for (reason, count) in counters.negativeAcknowledgementsReceived {
            values["negative_acknowledgements_received_\(reason.name.lowercased())"] = Int64(clamping: count)
        }
        return Dictionary(uniqueKeysWithValues: values.map { ("sigcomp_\($0.key)", $0.value) })
    }

    private static func snakeCase(_ name: String) -> String {
        var text = ""
        for character in name {
            if character.isUppercase { text += "_" }
            text += character.lowercased()
        }
        return text
    }
}
