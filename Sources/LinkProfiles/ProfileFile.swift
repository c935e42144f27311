extension LinkProfile {
    /// Reads a profile from a file in `profiles/`; keys that are absent keep the values of `lan`.
    ///
    /// - Throws: ``SettingsFailure`` with every unknown key, wrong value and contradiction in it.
    public static func load(path: String) throws(SettingsFailure) -> LinkProfile {
        try read(SettingsFile(path: path), name: baseName(of: path))
    }

    /// Reads a profile from YAML text.
    public static func parse(_ text: String, name: String, file: String) throws(SettingsFailure) -> LinkProfile {
        try read(SettingsFile(name: file, text: text), name: name)
    }

    /// The profile as a file would hold it, every key included.
    public var yaml: String {
        var text = "summary: \"\(summary.filter { $0 != "\"" && $0 != "\\" })\"\n"
        var current = ""
        for key in ProfileKey.all {
            let parts = key.name.split(separator: ".", maxSplits: 1)
            if parts[0] != current {
                current = String(parts[0])
                text += "\(current):\n"
            }
            text += "  \(parts[1]): \(key.text(of: self))\n"
        }
        return text
    }

    private static func read(_ file: SettingsFile, name: String) throws(SettingsFailure) -> LinkProfile {
        var profile = LinkProfile()
        profile.name = name
        profile.summary = file.root.string("summary") ?? ""
        var sections: [Substring: SettingsSection] = [:]
        for key in ProfileKey.all {
            let parts = key.name.split(separator: ".", maxSplits: 1)
            let section = sections[parts[0]] ?? file.root.section(String(parts[0]))
            sections[parts[0]] = section
            key.read(String(parts[1]), from: section, into: &profile)
        }
        let report = { (key: String, reason: String) in
            let parts = key.split(separator: ".", maxSplits: 1)
            if let section = sections[parts[0]] { section.refuse(String(parts[1]), reason) }
        }
        profile.reportContradictions(report)
        try file.finish()
        return profile
    }

    /// Values that are each in range but cannot hold together.
    private func reportContradictions(_ report: (_ key: String, _ reason: String) -> Void) {
        if t2 < t1 {
            report(
                "transactions.t2", "\(t2.text) is shorter than t1 (\(t1.text)); retransmissions would never slow down")
        }
        if relayPatience > transactionLifetime {
            report(
                "relay.patience",
                "\(relayPatience.text) is longer than a transaction lives (t1 × lifetime-in-t1: \(transactionLifetime.text))"
            )
        }
        if sizesContradict {
            report("sizes.datagram-limit", "\(datagramLimit) is larger than message-limit (\(messageLimit))")
        }
        budget.reportContradictions { report("downlink.\($0)", $1) }
        if retryMaximum < retryInitial {
            report("retry.maximum", "\(retryMaximum.text) is shorter than initial (\(retryInitial.text))")
        }
        if registrationMinimum > registrationDefault || registrationDefault > registrationMaximum {
            report(
                "registration.default",
                "minimum (\(registrationMinimum.text)), default (\(registrationDefault.text)) and maximum "
                    + "(\(registrationMaximum.text)) must not decrease in this order")
        }
        if messageCompletion > connectionIdle {
            report(
                "streams.message-completion",
                "\(messageCompletion.text) is longer than idle (\(connectionIdle.text)), which would come first"
            )
        }
    }

    private var sizesContradict: Bool { datagramLimit > messageLimit }

    private static func baseName(of path: String) -> String {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        return file.hasSuffix(".yaml") ? String(file.dropLast(5)) : file
    }
}
