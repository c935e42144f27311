import Foundation
public import Logging

/// Writes log lines to standard error, as text or as one JSON object a line.
public struct StandardErrorLog: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var logLevel: Logger.Level
    private let label: String
    private let format: LogSettings.Format

    public init(label: String, settings: LogSettings) {
        self.label = label
        logLevel = settings.level
        format = settings.format
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        let level = event.level
        let message = "\(event.message)"
        let pairs = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let text =
            switch format {
            case .text: Self.text(level, message, pairs)
            case .json: Self.json(level, label, message, pairs)
            }
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    static func text(_ level: Logger.Level, _ message: String, _ pairs: [(String, Logger.Metadata.Value)]) -> String {
        var text = "\(timestamp()) \(level) \(oneLine(message))"
        for (key, value) in pairs {
            let value = oneLine("\(value)")
            text += value.contains(" ") || value.isEmpty ? " \(key)=\"\(value)\"" : " \(key)=\(value)"
        }
        return text
    }

    static func json(
        _ level: Logger.Level, _ label: String, _ message: String, _ pairs: [(String, Logger.Metadata.Value)]
    ) -> String {
        var object: [String: String] = [:]
        for (key, value) in pairs { object[key] = "\(value)" }
        object["time"] = timestamp()
        object["level"] = "\(level)"
        object["logger"] = label
        object["message"] = message
        return JSONText.line(object)
    }

    /// Peers' bytes may be in a message: nothing in it may look like another log line.
    private static func oneLine(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 || $0 == "\"" }) else {
            return text
        }
        return text.unicodeScalars.map { scalar in
            if scalar == "\"" { return "'" }
            return scalar.value < 32 || scalar.value == 127 ? "\\x" + String(scalar.value, radix: 16) : String(scalar)
        }.joined()
    }

    private static func timestamp() -> String {
        Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}

/// One-line JSON with sorted keys.
enum JSONText {
    static func line(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }
}
