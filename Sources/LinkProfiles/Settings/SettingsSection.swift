import Yams

/// A mapping in a configuration file. Every reader returns nil for a key that is absent or wrong; what is wrong is recorded
/// in the file with key, line and reason.
public final class SettingsSection {
    /// Full key of the section; empty at the top.
    public let path: String
    /// Line where it begins.
    public let line: Int
    /// Whether the file holds it (an empty one stands in for a section that is only in the environment, or nowhere).
    public let isPresent: Bool
    weak var file: SettingsFile?
    private let entries: [String: Node]
    private var asked: Set<String> = []
    private var children: [SettingsSection] = []

    init(path: String, line: Int, entries: [String: Node]) {
        self.path = path
        self.line = line
        self.entries = entries
        isPresent = !entries.isEmpty
    }

    init(path: String, line: Int, mapping: Node.Mapping, file: SettingsFile) {
        self.path = path
        self.line = line
        self.file = file
        isPresent = true
        var entries: [String: Node] = [:]
        for (key, value) in mapping {
            guard let name = key.scalar?.string else {
                file.report(key: path, line: key.mark?.line ?? line, "has a key that is not plain text")
                continue
            }
            entries[name] = value
        }
        self.entries = entries
    }

    /// Full name of a key in this section.
    public func fullKey(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// Line of a key's value, or of the section when it is absent.
    public func line(of key: String) -> Int { entries[key]?.mark?.line ?? line }

    /// Whether the file or the environment holds the key.
    public func has(_ key: String) -> Bool {
        entries[key] != nil || file?.hasVariable(for: fullKey(key)) == true
    }

    /// Records that the value of `key` cannot be accepted.
    public func refuse(_ key: String, _ reason: String) {
        file?.report(key: fullKey(key), line: line(of: key), reason)
    }

    /// The value of a key with its place, environment first; nil when neither has it.
    func value(_ key: String) -> SettingsValue? {
        asked.insert(key)
        let full = fullKey(key)
        if let file, let variable = file.takeVariable(for: full) {
            var node = Node(variable.value)
            if variable.value.hasPrefix("[") || variable.value.hasPrefix("{") {
                guard let parsed = try? compose(yaml: variable.value) else {
                    file.reportVariable(variable.name, "is not valid YAML")
                    return nil
                }
                node = parsed
            }
            return SettingsValue(node: node, key: variable.name, line: 0, isVariable: true, file: file)
        }
        guard let file, let node = entries[key] else { return nil }
        return SettingsValue(node: node, key: full, line: node.mark?.line ?? line, isVariable: false, file: file)
    }

    /// A nested section; an empty one when it is absent.
    public func section(_ key: String) -> SettingsSection {
        asked.insert(key)
        let full = fullKey(key)
        var child = SettingsSection(path: full, line: line, entries: [:])
        if let node = entries[key], let file {
            if case .mapping(let mapping) = node {
                child = SettingsSection(path: full, line: node.mark?.line ?? line, mapping: mapping, file: file)
            } else if case .scalar(let scalar) = node, scalar.string.isEmpty {
                // `key:` with nothing behind it, as in a file whose lines are commented out.
            } else {
                refuse(key, "must be a section of `key: value` lines")
            }
        }
        child.file = file
        children.append(child)
        return child
    }

    /// A list of sections; nil when the key is absent.
    ///
    /// - Parameter shorthand: an item that is a single text stands for a section with this one key.
    public func sections(_ key: String, shorthand: String? = nil) -> [SettingsSection]? {
        guard let value = value(key), let file else { return nil }
        var nodes: [Node] = []
        switch value.node {
        case .sequence(let sequence): nodes = Array(sequence)
        case .scalar(let scalar) where shorthand != nil && value.isVariable:
            nodes = scalar.string.split(separator: ",").map { Node(String($0.drop { $0 == " " })) }
        case .scalar where shorthand != nil: nodes = [value.node]
        default:
            value.refuse("must be a list")
            return nil
        }
        var found: [SettingsSection] = []
        for (index, node) in nodes.enumerated() {
            let path = "\(value.key)[\(index + 1)]"
            let line = node.mark?.line ?? value.line
            if case .mapping(let mapping) = node {
                found.append(SettingsSection(path: path, line: line, mapping: mapping, file: file))
            } else if case .scalar = node, let shorthand {
                let section = SettingsSection(path: path, line: line, entries: [shorthand: node])
                section.file = file
                found.append(section)
            } else {
                file.report(key: path, line: line, "must be a section of `key: value` lines")
            }
        }
        children += found
        return found
    }

    /// Records every key that no reader asked for, here and below.
    func rejectUnknown() {
        for key in entries.keys.sorted() where !asked.contains(key) {
            var reason = "unknown key"
            if let near = Self.nearest(to: key, among: asked) {
                reason += "; did you mean `\(near)`?"
            } else if !asked.isEmpty {
                reason += "; known here: \(asked.sorted().joined(separator: ", "))"
            }
            refuse(key, reason)
        }
        for child in children { child.rejectUnknown() }
    }

    private static func nearest(to key: String, among known: Set<String>) -> String? {
        known.map { ($0, distance(Array(key.utf8), Array($0.utf8))) }
            .filter { $0.1 <= max(2, key.utf8.count / 4) }
            .min { ($0.1, $0.0) < ($1.1, $1.0) }?.0
    }

    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (x == y ? 0 : 1))
                diagonal = above
            }
        }
        return row[b.count]
    }
}
