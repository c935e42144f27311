import Foundation
import Yams

/// A configuration file being read: the YAML tree, the environment that overrides it, and what was found wrong so far.
///
/// Reading never stops at the first mistake; ``finish()`` throws them all. Used by one thread while it reads.
public final class SettingsFile {
    /// Path as the user gave it.
    public let name: String
    /// The top of the file. Empty when the file could not be read or parsed.
    public private(set) var root: SettingsSection
    private(set) var problems: [SettingsProblem] = []
    private let variablePrefix: String
    private var variables: [String: String]
    private var taken: Set<String> = []

    /// Variables that begin like this belong to tests and scripts and are never taken for settings.
    static let ignoredVariablePrefix = "GODWIT_TEST_"

    /// - Parameters:
    ///   - text: the YAML text.
    ///   - variablePrefix: `GODWIT_` for the server's configuration: variable `GODWIT_TLS_KEY` then overrides key
    ///     `tls.key`. Empty: the environment is not looked at.
    public init(name: String, text: String, variablePrefix: String = "", environment: [String: String] = [:]) {
        self.name = name
        self.variablePrefix = variablePrefix
        variables = environment.filter {
            !variablePrefix.isEmpty && $0.key.hasPrefix(variablePrefix)
                && !$0.key.hasPrefix(Self.ignoredVariablePrefix)
        }
        root = SettingsSection(path: "", line: 0, entries: [:])
        root.file = self
        parse(text)
    }

    /// Reads the file at `path`; a file that cannot be read is a problem like any other.
    public convenience init(
        path: String, variablePrefix: String = "", environment: [String: String] = [:]
    ) {
        let data = FileManager.default.contents(atPath: path)
        let text = data.flatMap { String(data: $0, encoding: .utf8) }
        self.init(name: path, text: text ?? "", variablePrefix: variablePrefix, environment: environment)
        if data == nil {
            report(
                key: "", line: 0,
                FileManager.default.fileExists(atPath: path)
                    ? "cannot be read; check its permissions" : "no such file")
        } else if text == nil {
            report(key: "", line: 0, "is not UTF-8 text")
        }
    }

    /// Records a mistake that the reader itself cannot see, such as two keys that contradict each other.
    public func report(key: String, line: Int = 0, _ reason: String) {
        problems.append(SettingsProblem(file: name, line: line, key: key, reason: reason))
    }

    func reportVariable(_ variable: String, _ reason: String) {
        problems.append(SettingsProblem(file: "environment", line: 0, key: variable, reason: reason))
    }

    /// Throws everything found wrong, keys and variables nobody asked for included.
    public func finish() throws(SettingsFailure) {
        root.rejectUnknown()
        for variable in variables.keys.sorted() {
            reportVariable(variable, "there is no such setting; unset the variable or correct its name")
        }
        guard problems.isEmpty else {
            throw SettingsFailure(problems: problems.sorted { ($0.file, $0.line) < ($1.file, $1.line) })
        }
    }

    /// The variable that overrides a key: `tls.client-certificate` → `GODWIT_TLS_CLIENT_CERTIFICATE`.
    func variable(for key: String) -> String? {
        guard !variablePrefix.isEmpty else { return nil }
        return variablePrefix
            + key.uppercased().map { $0 == "." || $0 == "-" ? "_" : String($0) }.joined()
    }

    /// The overriding value, if the environment has one; it counts as used.
    func takeVariable(for key: String) -> (name: String, value: String)? {
        guard let name = variable(for: key), let value = variables.removeValue(forKey: name) else { return nil }
        taken.insert(name)
        return (name, value)
    }

    func hasVariable(for key: String) -> Bool {
        variable(for: key).map { variables[$0] != nil || taken.contains($0) } ?? false
    }

    private func parse(_ text: String) {
        do {
            guard let node = try compose(yaml: text) else { return }
            guard case .mapping(let mapping) = node else {
                if case .scalar(let scalar) = node, scalar.string.isEmpty { return }
                report(key: "", line: 1, "must be a list of `key: value` lines")
                return
            }
            root = SettingsSection(path: "", line: 1, mapping: mapping, file: self)
        } catch let error as YamlError {
            let (line, reason) = Self.explain(error)
            report(key: "", line: line, reason)
        } catch {
            report(key: "", line: 0, "is not valid YAML")
        }
    }

    private static func explain(_ error: YamlError) -> (Int, String) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            (mark.line, "is not valid YAML: \(problem) (column \(mark.column))")
        case .duplicatedKeysInMapping(let duplicates, let context):
            (context.mark.line, "has the same key twice: \(duplicates.map(\.description).joined(separator: ", "))")
        default:
            (0, "is not valid YAML: \(error)")
        }
    }
}
