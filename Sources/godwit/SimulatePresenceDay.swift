import ArgumentParser
import LinkProfiles
import Simulation

/// `godwit simulate --presence-day`: what a day of presence costs on a slow link, by each means of sending less.
struct PresenceDayOptions: ParsableArguments {
    @Flag(help: "Simulate a day of presence on one link (gprs, or --profile) and count bytes.") var presenceDay = false
    @Option(help: "How many contacts the watcher has.") var contacts = 50
    @Option(help: "How often each contact's presence changes.") var changesPerHour = 6.0
    @Option(help: "How long the day is.") var hours = 24.0
    @Option(help: "Shortest time in seconds between two notifications of a contact that the watcher asks for.")
    var interval = 300.0

    private struct Line: Encodable {
        var stage: String
        var notifications: Int
        var bytes: Int
        var plainBytes: Int
        var bytesBack: Int
        var wakeUps: Int
        var savedHere: Double
        var savedSoFar: Double
        var faults: [String]
    }

    func validate() throws {
        guard (1...10_000).contains(contacts), changesPerHour > 0, hours > 0, interval >= 1,
            Double(contacts) * changesPerHour * hours <= 5_000_000
        else { throw ValidationError("contacts, changes per hour, hours and interval must be above 0 and not absurd") }
    }

    func run(on profile: LinkProfile, seed: UInt64, json: Bool) throws {
        var day = PresenceDay(profile: profile)
        day.seed = seed
        day.contacts = contacts
        day.changesPerHour = changesPerHour
        day.hours = hours
        day.interval = .seconds(interval)
        let meter = ProgressMeter("days")
        var lines: [Line] = []
        for stage in PresenceDay.Stage.allCases {
            meter.show(stage.rawValue, of: PresenceDay.Stage.allCases.count)
            lines.append(Self.line(day.run(stage), after: lines))
        }
        meter.finish()
        if json {
            for line in lines { print(JSONLine.text(line)) }
        } else {
            show(lines, profile)
        }
        let faults = lines.flatMap(\.faults)
        for fault in faults.prefix(20) { printError(fault) }
        if !faults.isEmpty { throw ExitStatus.failed }
    }

    private static func line(_ outcome: PresenceDay.Outcome, after lines: [Line]) -> Line {
        let first = Double(lines.first?.bytes ?? outcome.bytes)
        let before = Double(lines.last?.bytes ?? outcome.bytes)
        return Line(
            stage: outcome.stage.name, notifications: outcome.notifications, bytes: outcome.bytes,
            plainBytes: outcome.plainBytes, bytesBack: outcome.bytesBack, wakeUps: outcome.wakeUps,
            savedHere: first > 0 ? (before - Double(outcome.bytes)) / first : 0,
            savedSoFar: first > 0 ? 1 - Double(outcome.bytes) / first : 0, faults: outcome.faults)
    }

    private func show(_ lines: [Line], _ profile: LinkProfile) {
        print(
            "\(contacts) contacts, \(changesPerHour) changes an hour each, \(hours) h, on \(profile.name); "
                + "bytes towards the watcher with packet headers")
        print(Self.row("each row with those above", "NOTIFYs", "bytes", "saves", "in all", "wake-ups"))
        for line in lines {
            print(
                Self.row(
                    line.stage, String(line.notifications), String(line.bytes), Self.percent(line.savedHere),
                    Self.percent(line.savedSoFar), String(line.wakeUps)))
        }
    }

    private static func row(_ name: String, _ columns: String...) -> String {
        func padded(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.count)) + text
        }
        return name + padded("", 26 - name.count) + columns.map { padded($0, 11) }.joined()
    }

    private static func percent(_ share: Double) -> String {
        let tenths = Int((share * 1_000).rounded())
        return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10) %"
    }
}
