import ArgumentParser
import Foundation
import GodwitServer
import LinkProfiles

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Check configuration, ports, certificates, clock, database and DNS; say what is wrong and what to do.",
        discussion: """
            Works beside a running server and without one. Changes nothing. Reading the
            whole database takes a while when it is large; --quick leaves that out.

            Exit codes: 0 nothing is wrong (there may be warnings), 1 something is, 78 the
            configuration is wrong.
            """)

    @Flag(help: "Leave out the check of the whole database.") var quick = false
    @Flag(help: "One JSON object a line.") var json = false
    @OptionGroup var options: ConfigurationOption

    func run() async throws {
        let configuration: ServerConfiguration
        do throws(SettingsFailure) {
            configuration = try ServerConfiguration.load(
                path: options.file, environment: ProcessInfo.processInfo.environment)
        } catch {
            for problem in error.problems {
                show(Finding(.wrong, "configuration", problem.description, "see docs/configuration.md"))
            }
            throw ExitStatus.configuration
        }
        var findings = [Finding(.good, "configuration", "\(options.file) is good")]
        findings.append(
            Finding(.good, "profiles", "profiles: \(configuration.profiles.keys.sorted().joined(separator: ", "))"))
        findings.forEach(show)
        var isWrong = false
        func take(_ more: [Finding]) {
            more.forEach(show)
            isWrong = isWrong || more.contains { $0.verdict == .wrong }
        }
        let isRunning = (try? AdminClient(path: configuration.adminSocket)) != nil
        take([
            isRunning
                ? Finding(.good, "server", "the server is running")
                : Finding(.note, "server", "no server is running (nothing listens at \(configuration.adminSocket))")
        ])
        take(HostChecks.clock())
        take(HostChecks.limits(configuration))
        take(HostChecks.directory(configuration))
        take(DatabaseChecks.run(configuration, isRunning: isRunning, isQuick: quick))
        take(NetworkChecks.points(configuration, isRunning: isRunning))
        take(NetworkChecks.certificates(configuration))
        take(await NetworkChecks.names(configuration))
        if isWrong { throw ExitStatus.failed }
    }

    private func show(_ finding: Finding) {
        print(json ? JSONLine.text(finding) : finding.text)
    }
}

/// What a check found, and what to do about it.
struct Finding: Encodable {
    enum Verdict: String, Encodable { case good, note, warning, wrong }

    var verdict: Verdict
    var subject: String
    var finding: String
    var remedy: String?

    init(_ verdict: Verdict, _ subject: String, _ finding: String, _ remedy: String? = nil) {
        self.verdict = verdict
        self.subject = subject
        self.finding = finding
        self.remedy = remedy
    }

    var text: String {
        let mark =
            switch verdict {
            case .good: "ok     "
            case .note: "note   "
            case .warning: "warning"
            case .wrong: "WRONG  "
            }
        return "\(mark) \(finding)" + (remedy.map { "\n        -> \($0)" } ?? "")
    }
}
