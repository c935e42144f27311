import ArgumentParser
import Foundation
import GodwitServer
import LinkProfiles
import MessageStore
import MessageStoreSQLite

/// `--config`, and what follows from the file it names.
struct ConfigurationOption: ParsableArguments {
    @Option(
        name: [.short, .customLong("config")],
        help: ArgumentHelp("The server's configuration file.", valueName: "file"),
        completion: .file(extensions: ["yaml"]))
    var file = "godwit.yaml"

    /// - Throws: the exit code, with everything wrong printed.
    func load() throws -> ServerConfiguration {
        do throws(SettingsFailure) {
            return try ServerConfiguration.load(path: file, environment: ProcessInfo.processInfo.environment)
        } catch {
            if !FileManager.default.fileExists(atPath: file) {
                throw failing(
                    ExitStatus.configuration,
                    "\(file): no such file; `godwit serve --print-default-config > godwit.yaml` writes one to begin with"
                )
            }
            throw failing(error)
        }
    }

    /// Opens the database of the configuration.
    func inspector(_ configuration: ServerConfiguration, _ access: QueueInspector.Access) throws -> QueueInspector {
        if access == .reading, !FileManager.default.fileExists(atPath: configuration.databasePath) {
            throw failing(
                ExitStatus.noInput,
                "\(configuration.databasePath): no such file; the server makes it at its first start, `godwit user add` too"
            )
        }
        if access != .reading {
            try? FileManager.default.createDirectory(
                atPath: configuration.dataDirectory, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        }
        do throws(StoreFailure) {
            return try QueueInspector(path: configuration.databasePath, access: access)
        } catch {
            throw failing(error)
        }
    }
}
