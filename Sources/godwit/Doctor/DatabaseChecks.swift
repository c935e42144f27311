import Engine
import Foundation
import GodwitServer
import MessageStore
import MessageStoreSQLite

/// The Message Store and the accounts in it.
enum DatabaseChecks {
    static func run(_ configuration: ServerConfiguration, isRunning: Bool, isQuick: Bool) -> [Finding] {
        let path = configuration.databasePath
        guard FileManager.default.fileExists(atPath: path) else {
            return [Finding(.note, "database", "\(path) is not there yet; the server's first start makes it")]
        }
        var findings: [Finding] = []
        do throws(StoreFailure) {
            if isRunning {
                findings.append(
                    Finding(.good, "durability", "the running server has asserted synchronous=FULL at its start"))
            } else {
                // Opening for writing reads the pragmas back and refuses anything but WAL with synchronous=FULL.
                _ = try QueueInspector(path: path, access: .exclusive)
                findings.append(
                    Finding(.good, "durability", "the database opens with journal_mode=WAL, synchronous=FULL"))
            }
            let inspector = try QueueInspector(path: path)
            if !isQuick {
                let problems = try inspector.integrityCheck()
                findings += problems.map {
                    Finding(.wrong, "database", "\(path): \($0)", "stop the server and restore a backup")
                }
                if problems.isEmpty { findings.append(Finding(.good, "database", "\(path) is whole")) }
            }
            let live = try inspector.statistics(busiest: 0).live
            findings.append(
                Finding(.good, "queue", "\(live.messages) messages (\(live.bytes) bytes) wait in the queue"))
            findings += accounts(try inspector.accounts(), configuration)
        } catch {
            findings.append(Finding(.wrong, "database", error.text))
        }
        return findings
    }

    private static func accounts(_ records: [AccountRecord], _ configuration: ServerConfiguration) -> [Finding] {
        if records.isEmpty {
            return configuration.authentication.isRequired
                ? [
                    Finding(
                        .warning, "accounts", "there are no accounts: nobody can register",
                        "godwit user add alice@\(configuration.domains.first ?? "example.com")")
                ] : []
        }
        let others = records.filter { $0.account.realm != configuration.realm }
        if !others.isEmpty {
            return [
                Finding(
                    .wrong, "accounts",
                    "\(others.count) of \(records.count) accounts were made for another realm than \(configuration.realm)",
                    "set authentication.realm back to \(others[0].account.realm), or set their passwords again")
            ]
        }
        return [Finding(.good, "accounts", "\(records.count) accounts")]
    }
}
