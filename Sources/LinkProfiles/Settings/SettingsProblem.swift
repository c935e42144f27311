/// One thing wrong with a configuration file: where it is, which key, and why it cannot be accepted.
public struct SettingsProblem: Hashable, Sendable, CustomStringConvertible {
    /// Path of the file as it was given, or `environment`.
    public var file: String
    /// Line in the file, from 1; 0 when it has none.
    public var line: Int
    /// Full key with dots, `tls.certificate`, `routes[2].domain`; the variable's name for the environment; empty for the whole file.
    public var key: String
    public var reason: String

    public init(file: String, line: Int, key: String, reason: String) {
        self.file = file
        self.line = line
        self.key = key
        self.reason = reason
    }

    /// `godwit.yaml:12: tls.certificate: no such file: cert.pem`
    public var description: String {
        var text = file
        if line > 0 { text += ":\(line)" }
        text += ": "
        if !key.isEmpty { text += "\(key): " }
        return text + reason
    }
}

/// A configuration that was refused, with everything found wrong in it.
public struct SettingsFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public var problems: [SettingsProblem]

    public init(problems: [SettingsProblem]) { self.problems = problems }

    /// One problem a line.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
