import Metrics

/// Publishes the engine's and the sockets' counters through swift-metrics, under `godwit_` and the counter's name in lower
/// case with underscores.
struct MetricsPublisher {
    private var published: [String: Int64] = [:]

    /// Names of values that go down as well as up.
    static let gauges: Set<String> = [
        "open_contexts", "server_transactions", "client_transactions", "users", "bindings", "messages_queued",
        "bytes_queued", "connections_open",
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

    private static func snakeCase(_ name: String) -> String {
        var text = ""
        for character in name {
            if character.isUppercase { text += "_" }
            text += character.lowercased()
        }
        return text
    }
}
