import Yams

/// One value in a configuration file (or the environment) with its place.
struct SettingsValue {
    let node: Node
    let key: String
    let line: Int
    let isVariable: Bool
    let file: SettingsFile

    /// Records that the value cannot be accepted.
    func refuse(_ reason: String) {
        if isVariable {
            file.reportVariable(key, reason)
        } else {
            file.report(key: key, line: line, reason)
        }
    }

    /// The text of a single value; lists and sections are refused.
    var text: String? {
        guard case .scalar(let scalar) = node else {
            refuse("must be a single value")
            return nil
        }
        if scalar.style == .plain, scalar.string.isEmpty || scalar.string == "~" || scalar.string == "null" {
            refuse("has no value")
            return nil
        }
        return scalar.string
    }
}

extension SettingsSection {
    /// A text that is not empty.
    public func string(_ key: String) -> String? {
        guard let value = value(key), let text = value.text else { return nil }
        guard !text.isEmpty else {
            value.refuse("must not be empty")
            return nil
        }
        return text
    }

    /// A text that may be empty.
    public func text(_ key: String) -> String? { value(key)?.text }

    /// A list of texts. A single text stands for a list of one; in the environment commas separate the items.
    public func strings(_ key: String) -> [String]? {
        guard let value = value(key) else { return nil }
        switch value.node {
        case .sequence(let sequence):
            var items: [String] = []
            for (index, node) in sequence.enumerated() {
                let item = SettingsValue(
                    node: node, key: "\(value.key)[\(index + 1)]", line: node.mark?.line ?? value.line,
                    isVariable: value.isVariable, file: value.file)
                guard let text = item.text else { return nil }
                items.append(text)
            }
            return items
        case .scalar(let scalar) where value.isVariable:
            return scalar.string.split(separator: ",").map { String($0.drop { $0 == " " }) }
        case .scalar:
            return value.text.map { [$0] }
        default:
            value.refuse("must be a list")
            return nil
        }
    }

    /// `true` or `false`.
    public func flag(_ key: String) -> Bool? {
        guard let value = value(key), let text = value.text else { return nil }
        switch text {
        case "true", "yes", "on": return true
        case "false", "no", "off": return false
        default:
            value.refuse("`\(text)` is neither true nor false")
            return nil
        }
    }

    /// A whole number within bounds.
    public func integer(_ key: String, in bounds: ClosedRange<Int>) -> Int? {
        guard let value = value(key), let text = value.text else { return nil }
        guard let number = Int(text) else {
            value.refuse("`\(text)` is not a whole number")
            return nil
        }
        return checked(number, in: bounds, of: value) { String($0) }
    }

    /// A decimal number within bounds.
    public func number(_ key: String, in bounds: ClosedRange<Double>) -> Double? {
        guard let value = value(key), let text = value.text else { return nil }
        guard let number = Double(text), number.isFinite else {
            value.refuse("`\(text)` is not a number")
            return nil
        }
        return checked(number, in: bounds, of: value) { String($0) }
    }

    /// A length of time with its unit, within bounds: `500ms`, `4s`, `1h30m`, `7d`.
    public func duration(_ key: String, in bounds: ClosedRange<TimeSpan>) -> TimeSpan? {
        guard let value = value(key), let text = value.text else { return nil }
        guard let span = TimeSpan(text) else {
            value.refuse("`\(text)` is not a duration; write number and unit (us, ms, s, m, h, d), such as 500ms or 7d")
            return nil
        }
        return checked(span, in: bounds, of: value) { $0.text }
    }

    /// A number of bytes with or without a unit, within bounds: `1300`, `64KiB`, `10MB`.
    public func size(_ key: String, in bounds: ClosedRange<Int>) -> Int? {
        guard let value = value(key), let text = value.text else { return nil }
        guard let bytes = ByteSize.parse(text) else {
            value.refuse("`\(text)` is not a size; write a number of bytes or use kB, MB, GB, KiB, MiB, GiB")
            return nil
        }
        return checked(bytes, in: bounds, of: value) { ByteSize.text($0) }
    }

    /// One of a fixed set of words.
    public func choice<Word>(_ key: String, _ type: Word.Type = Word.self) -> Word?
    where Word: RawRepresentable & CaseIterable, Word.RawValue == String {
        guard let value = value(key), let text = value.text else { return nil }
        if let word = Word(rawValue: text) { return word }
        value.refuse("`\(text)` is none of \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
        return nil
    }

    private func checked<T: Comparable>(
        _ number: T, in bounds: ClosedRange<T>, of value: SettingsValue, text: (T) -> String
    ) -> T? {
        guard bounds.contains(number) else {
            value.refuse(
                "\(text(number)) is out of range; it must be \(text(bounds.lowerBound)) to \(text(bounds.upperBound))")
            return nil
        }
        return number
    }
}
