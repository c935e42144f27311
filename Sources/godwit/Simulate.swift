import ArgumentParser
import Foundation
import LinkProfiles
import Simulation

struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Run the server's engine with devices, links and crashes in virtual time, and check that nothing is lost.",
        discussion: """
            Every seed makes a scenario of its own: users, devices, links that lose,
            double, delay and break, a store that forgets what was not committed when the
            node crashes. At its end nothing acknowledged may be lost, shown twice or out
            of order, queues must be empty and memory back at its floor. The same seed
            gives the same run, always.

            With --presence-day: a day of one watcher of many contacts on a slow link
            instead, and what it costs with each means of sending less.

            Exit codes: 0 every seed is good, 1 at least one is not (its command to replay
            is printed), or the watcher's state was wrong, 78 a profile is wrong.
            """)

    @Option(help: "The first seed.") var seed: UInt64 = 1
    @Option(help: "How many seeds, counting up.") var seeds = 100
    @Option(help: "Only devices on this link profile; else a mixture.") var profile: String?
    @Option(help: ArgumentHelp("How much goes wrong: 0 nothing, 1 a normal share, 2 twice that.", valueName: "factor"))
    var severity = 1.0
    @Option(help: ArgumentHelp("Directory with link profiles.", valueName: "directory"), completion: .directory)
    var profiles: String?
    @OptionGroup(title: "A day of presence") var day: PresenceDayOptions
    @Flag(help: "Print every event of the runs.") var trace = false
    @Flag(help: "Stop at the first seed that fails.") var stop = false
    @Flag(help: "One JSON object at the end.") var json = false

    private struct Line: Encodable {
        var runs: Int
        var failures: [UInt64]
        var virtualSeconds: Double
        var acknowledged: Int
        var stored: Int
        var shown: Int
        var crashes: Int
        var datagrams: Int
    }

    func run() throws {
        var options = SimulationOptions()
        options.firstSeed = seed
        options.seeds = seeds
        options.stopsAtFailure = stop
        options.workload.severity = severity
        options.workload.onlyProfile = profile
        if let profiles {
            do throws(SettingsFailure) {
                options.workload.profiles = try LinkProfileDirectory.load(path: profiles)
            } catch {
                throw failing(error)
            }
        }
        if let profile, options.workload.profiles[profile] == nil {
            throw failing(ExitStatus.usage, "there is no profile `\(profile)`; give its directory with --profiles")
        }
        if day.presenceDay {
            let link = options.workload.profiles[profile ?? "gprs"] ?? LinkProfile()
            return try day.run(on: link, seed: seed, json: json)
        }
        let meter = ProgressMeter("seeds")
        var done = 0
        let report = SimulationRunner.run(
            options,
            finished: { result in
                done += 1
                meter.show(done, of: seeds)
                guard !result.isGood else { return }
                for violation in result.violations { printError("seed \(result.seed): \(violation)") }
                printError("replay with: \(result.replay)\(extraOptions)")
            },
            trace: trace ? { print($0) } : nil)
        meter.finish()
        show(report)
        if !report.failures.isEmpty { throw ExitStatus.failed }
    }

    /// The options a replay needs besides the seed.
    private var extraOptions: String {
        var text = ""
        if let profiles { text += " --profiles \(profiles)" }
        if let profile { text += " --profile \(profile)" }
        if severity != 1 { text += " --severity \(severity)" }
        return text
    }

    private func show(_ report: SimulationReport) {
        let totals = report.totals
        if json {
            print(
                JSONLine.text(
                    Line(
                        runs: report.runs, failures: report.failures.map(\.seed),
                        virtualSeconds: report.span.inSeconds, acknowledged: totals.acknowledged,
                        stored: totals.stored, shown: totals.shown, crashes: totals.crashes,
                        datagrams: totals.datagramsToNode + totals.datagramsFromNode)))
            return
        }
        print(
            "\(report.runs) seeds, \(report.failures.count) failed; \(Int(report.span.inSeconds / 3_600)) hours of virtual time"
        )
        print("\(totals.acknowledged) messages acknowledged, \(totals.stored) of them stored, \(totals.shown) shown")
        print("\(totals.crashes) crashes, \(totals.storeFailures) store failures")
    }
}
