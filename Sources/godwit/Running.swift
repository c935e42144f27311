import ArgumentParser
import Foundation
import GodwitServer
import MessageStoreSQLite

struct Running: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server", abstract: "Talk to the running server: counters, SigComp, reload, backup, end.",
        discussion: """
            Uses the server's admin socket, which only its user may open.

            Exit codes: 0 done, 1 the server could not do it, 69 no server is running, 77
            not permitted.
            """,
        subcommands: [
            RunningStats.self, RunningSigComp.self, RunningReload.self, RunningBackup.self, RunningDrain.self,
        ])
}

struct RunningSigComp: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sigcomp", abstract: "Print the peers with which SigComp is used, those with most bytes first.",
        discussion: """
            A line for each: its SIP/SigComp identifier, or its address where it has none;
            where it was met last; messages, bytes on the wire and their share of the bytes
            of SIP, to it and from it; bytes of states kept for it.
            """)

    @Option(help: "At most so many.") var count = 50
    @Flag(help: "One JSON array.") var json = false
    @OptionGroup var options: ConfigurationOption

    func run() throws {
        let peers = try askServer(options.load(), AdminRequest(.sigcomp)).compressionPeers ?? []
        let shown = Array(peers.prefix(max(0, count)))
        if json { return print(JSONLine.text(shown)) }
        for peer in shown {
            let out = Self.share(peer.bytesSent, of: peer.plainBytesSent)
            let back = Self.share(peer.bytesReceived, of: peer.plainBytesReceived)
            print(
                "\(peer.name)  \(peer.address)  out \(peer.messagesSent) \(peer.bytesSent) \(out)  "
                    + "in \(peer.messagesReceived) \(peer.bytesReceived) \(back)  states \(peer.stateBytes)")
        }
    }

    private static func share(_ bytes: UInt64, of plain: UInt64) -> String {
        plain == 0 ? "-" : "\(bytes * 100 / plain)%"
    }
}

struct RunningStats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Print the server's counters and present sizes.")

    @Flag(help: "One JSON object.") var json = false
    @OptionGroup var options: ConfigurationOption

    func run() throws {
        let counters = try askServer(options.load(), AdminRequest(.stats)).counters ?? [:]
        if json {
            print(JSONLine.text(counters))
        } else {
            let width = counters.keys.map(\.count).max() ?? 0
            for (name, value) in counters.sorted(by: { $0.key < $1.key }) {
                print(name.padding(toLength: width + 2, withPad: " ", startingAt: 0) + String(value))
            }
        }
    }
}

struct RunningReload: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Read accounts and certificates again, as SIGHUP does.")

    @OptionGroup var options: ConfigurationOption

    func run() throws {
        let response = try askServer(options.load(), AdminRequest(.reload))
        print("\(response.affected ?? 0) accounts and the certificates were read")
    }
}

struct RunningBackup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy the database to a new file while the server goes on.",
        discussion: """
            Works without a running server too. To restore: stop the server, put the copy
            in the place of godwit.sqlite, remove godwit.sqlite-wal and godwit.sqlite-shm,
            start the server.
            """)

    @Argument(help: "The file to write; it must not exist.", completion: .file()) var path: String
    @OptionGroup var options: ConfigurationOption

    func run() throws {
        let configuration = try options.load()
        let inspector = try options.inspector(configuration, .reading)
        let meter = ProgressMeter("pages")
        try withStore {
            try inspector.backup(to: path) { left, all in meter.show(all - left, of: all) }
        }
        meter.finish()
        print("\(configuration.databasePath) was copied to \(path)")
    }
}

struct RunningDrain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "End the server as SIGTERM does: finish what is open, commit, end.")

    @OptionGroup var options: ConfigurationOption

    func run() throws {
        _ = try askServer(options.load(), AdminRequest(.drain))
    }
}

/// - Throws: the exit code, with the reason printed, when no server answers or it could not do what it was asked.
func askServer(_ configuration: ServerConfiguration, _ request: AdminRequest) throws -> AdminResponse {
    do throws(AdminClient.Failure) {
        let response = try AdminClient(path: configuration.adminSocket).ask(request)
        if response.ok { return response }
        throw AdminClient.Failure.broken(response.error ?? "without a reason")
    } catch {
        throw failing(error)
    }
}
