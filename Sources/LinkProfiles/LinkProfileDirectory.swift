import Foundation

/// The link profiles of a deployment: every `*.yaml` file of one directory, by its base name.
public enum LinkProfileDirectory {
    /// Reads all profiles in a directory. `lan` is there even without a file: its values are the built-in ones.
    ///
    /// - Throws: ``SettingsFailure`` naming the directory when it cannot be read, else every mistake in every file.
    public static func load(path: String) throws(SettingsFailure) -> [String: LinkProfile] {
        var profiles = ["lan": LinkProfile()]
        var problems: [SettingsProblem] = []
        guard let files = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            throw SettingsFailure(problems: [
                SettingsProblem(file: path, line: 0, key: "", reason: "no such directory, or it cannot be read")
            ])
        }
        for file in files.sorted() where file.hasSuffix(".yaml") && !file.hasPrefix(".") {
            do throws(SettingsFailure) {
                let profile = try LinkProfile.load(path: path.hasSuffix("/") ? path + file : "\(path)/\(file)")
                profiles[profile.name] = profile
            } catch {
                problems += error.problems
            }
        }
        guard problems.isEmpty else { throw SettingsFailure(problems: problems) }
        return profiles
    }
}
