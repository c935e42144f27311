import ArgumentParser
import Foundation
import Glibc
import GodwitServer
import LinkProfiles
import Logging
import Transport

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the server.",
        discussion: """
            Reads the configuration, opens the database, binds every listening point,
            reads back what was stored, and prints one line on standard error when all is
            done:

              godwit ready udp:127.0.0.1:5060 tcp:127.0.0.1:5060

            Logs go to standard error. SIGTERM and SIGINT let open transactions finish,
            commit, and end with 0; a second one ends at once. SIGHUP reads accounts and
            certificates again.

            Exit codes: 0 ended by a signal, 65 the database is damaged, 69 a port cannot
            be bound or a certificate not be used, 73 a file cannot be made, 74 the disk
            failed, 75 another server uses the database, 78 the configuration is wrong.
            """)

    @OptionGroup var options: ConfigurationOption

    @Flag(help: "Print a configuration with every key, its meaning and its default, and end.")
    var printDefaultConfig = false

    @Flag(help: "Read the configuration, the profiles and the certificates, say what is wrong with them, and end.")
    var check = false

    func run() async throws {
        if printDefaultConfig {
            print(ServerConfiguration.defaultText, terminator: "")
            return
        }
        let configuration = try options.load()
        if check {
            do throws(TransportFailure) {
                _ = try SecurityContexts(loading: configuration.security)
            } catch {
                throw failing(ExitStatus.configuration, error.description)
            }
            print("\(options.file): good")
            return
        }
        raiseFileLimit()
        signal(SIGPIPE, SIG_IGN)
        let logger = Logger(label: "godwit") { StandardErrorLog(label: $0, settings: configuration.log) }
        let signals = ServerSignal.all()
        let server: Server
        do throws(ServerFailure) {
            server = try await Server.start(configuration, logger: logger)
        } catch {
            throw failing(error)
        }
        printError("godwit ready \(server.points.joined(separator: " "))")
        await wait(for: signals, server)
        logger.notice("ending: no new work is taken", metadata: ["limit": "\(configuration.drainTimeout.text)"])
        Task.detached {
            for await signal in signals where signal == .stop { Glibc.exit(ExitStatus.tryLater.rawValue) }
        }
        let isIdle = await server.stop()
        logger.notice(isIdle ? "ended: everything open had finished" : "ended: the time to finish was up")
    }

    private func wait(for signals: AsyncStream<ServerSignal>, _ server: Server) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await signal in signals {
                    if signal == .stop { return }
                    await server.reload()
                }
            }
            group.addTask { for await _ in server.operatorStops { return } }
            await group.next()
            group.cancelAll()
        }
    }

    /// Every connection is a file; the soft limit is often 1024.
    private func raiseFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
