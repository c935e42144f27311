import ArgumentParser
import Foundation
import GodwitServer
import LinkProfiles
import MessageStore
import MessageStoreSQLite

struct QueueList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List messages in the order they were accepted.")

    @OptionGroup var selection: SelectionOptions
    @Flag(help: "One JSON object a line.") var json = false
    @OptionGroup var options: ConfigurationOption

    func run() throws {
        let configuration = try options.load()
        let inspector = try options.inspector(configuration, .reading)
        let now = Instant.present
        let query = try selection.query(at: now)
        if !json { print("NUMBER  STATE      AGE      TRIES  SIZE   TO  FROM  CAUSE") }
        try withStore {
            try inspector.forEach(query) { record in
                print(json ? JSONLine.text(MessageLine(record)) : Self.line(record, now))
                return true
            }
        }
    }

    private static func line(_ record: QueueRecord, _ now: Instant) -> String {
        func column(_ text: String, _ width: Int) -> String {
            text.count >= width ? text + " " : text.padding(toLength: width, withPad: " ", startingAt: 0)
        }
        let age = max(TimeSpan.zero, now - record.acceptedAt)
        let shortAge = TimeSpan.seconds(age.microseconds / 1_000_000).text
        return column(String(record.number.rawValue), 8) + column(record.state.word, 11)
            + column(shortAge == "0" ? "0s" : shortAge, 9) + column(String(record.attempts), 7)
            + column(String(record.size), 7) + "\(record.recipient)  \(record.sender)  \(record.cause.words)"
    }
}

struct QueueShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one message with its header fields and body.")

    @Argument(help: "The message's number.") var number: Int64
    @Flag(help: "One JSON object; the payload in base64.") var json = false
    @OptionGroup var options: ConfigurationOption

    func run() throws {
        let configuration = try options.load()
        let inspector = try options.inspector(configuration, .reading)
        try withStore {
            guard let record = try inspector.record(of: MessageNumber(number)) else {
                throw failing(ExitStatus.noInput, "there is no message \(number), or no longer")
            }
            let payload = try inspector.payload(of: record.number)
            if json {
                print(JSONLine.text(ExportLine(record, payload: payload)))
                return
            }
            let line = MessageLine(record)
            print("number:    \(line.number)")
            print("to:        \(line.recipient)")
            print("from:      \(line.sender)")
            print("state:     \(line.state)\(line.cause.map { " (\($0))" } ?? "")")
            print("accepted:  \(line.acceptedAt)")
            print("expires:   \(line.expiresAt)")
            if record.state == .waiting, let due = line.dueAt { print("next try:  \(due)") }
            if let claimed = line.claimedAt { print("tried:     \(claimed)") }
            if let ended = line.endedAt { print("ended:     \(ended)") }
            print("attempts:  \(line.attempts)")
            print("size:      \(line.size) bytes")
            guard let payload else { return print("\n(the payload is gone: the message has ended)") }
            print("\n" + Printable.text(payload))
        }
    }
}

/// A message as `export` writes it.
struct ExportLine: Encodable {
    var message: MessageLine
    /// Header fields from From on, an empty line and the body, in base64; absent when the message has ended.
    var payload: String?

    init(_ record: QueueRecord, payload: [UInt8]?) {
        message = MessageLine(record)
        self.payload = payload.map { Data($0).base64EncodedString() }
    }
}

struct QueueExport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write messages with their payloads, one JSON object a line.",
        discussion: "Goes to standard output, or to a new file with --output. Progress is shown on standard error.")

    @OptionGroup var selection: SelectionOptions
    @Option(name: [.short, .long], help: "A file to write; it must not exist.", completion: .file()) var output: String?
    @OptionGroup var options: ConfigurationOption

    func run() throws {
        let configuration = try options.load()
        let inspector = try options.inspector(configuration, .reading)
        let query = try selection.query(at: .present)
        let handle = try destination()
        let meter = ProgressMeter("messages")
        var count = 0
        try withStore {
            try inspector.forEach(query) { record in
                let line = JSONLine.text(ExportLine(record, payload: try inspector.payload(of: record.number)))
                try handle.write(contentsOf: Data((line + "\n").utf8))
                count += 1
                meter.show(count)
                return true
            }
        }
        meter.finish()
        if output != nil { printError("\(count) messages were written") }
    }

    private func destination() throws -> FileHandle {
        guard let output else { return .standardOutput }
        guard !FileManager.default.fileExists(atPath: output) else {
            throw failing(ExitStatus.cannotCreate, "\(output) exists already")
        }
        guard FileManager.default.createFile(atPath: output, contents: nil, attributes: [.posixPermissions: 0o600]),
            let handle = FileHandle(forWritingAtPath: output)
        else { throw failing(ExitStatus.cannotCreate, "\(output) cannot be written") }
        return handle
    }
}

struct QueueStats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Count messages by state, and name the recipients with the most.")

    @Option(help: "How many recipients to name.") var busiest = 10
    @Flag(help: "One JSON object.") var json = false
    @OptionGroup var options: ConfigurationOption

    private struct Line: Encodable {
        struct Tally: Encodable {
            var messages: Int
            var bytes: Int64
        }
        struct Recipient: Encodable {
            var recipient: String
            var messages: Int
            var bytes: Int64
            var oldest: String
        }
        var states: [String: Tally]
        var recipients: Int
        var oldest: String?
        var busiest: [Recipient]
        var databaseBytes: Int64
    }

    func run() throws {
        let configuration = try options.load()
        let inspector = try options.inspector(configuration, .reading)
        try withStore {
            let statistics = try inspector.statistics(busiest: busiest)
            if json {
                print(
                    JSONLine.text(
                        Line(
                            states: Dictionary(
                                uniqueKeysWithValues: statistics.byState.map {
                                    ($0.word, Line.Tally(messages: $1.messages, bytes: $1.bytes))
                                }),
                            recipients: statistics.recipients, oldest: statistics.oldestAcceptedAt?.text,
                            busiest: statistics.busiest.map {
                                Line.Recipient(
                                    recipient: $0.addressOfRecord, messages: $0.tally.messages, bytes: $0.tally.bytes,
                                    oldest: $0.oldestAcceptedAt.text)
                            },
                            databaseBytes: statistics.databaseBytes)))
                return
            }
            for state in DeferredState.allCases {
                let tally = statistics.byState[state] ?? QueueStatistics.Tally()
                print(
                    "\(state.word.padding(toLength: 11, withPad: " ", startingAt: 0))\(tally.messages)\t\(tally.bytes) bytes"
                )
            }
            print("recipients \(statistics.recipients)")
            if let oldest = statistics.oldestAcceptedAt { print("oldest     \(oldest.text)") }
            print("database   \(statistics.databaseBytes) bytes")
            for recipient in statistics.busiest {
                print(
                    "  \(recipient.tally.messages)\t\(recipient.addressOfRecord)\tsince \(recipient.oldestAcceptedAt.text)"
                )
            }
        }
    }
}

/// Bytes of a peer made safe for a terminal.
enum Printable {
    static func text(_ bytes: [UInt8]) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            return "(\(bytes.count) bytes that are not text)"
        }
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.filter {
                    $0 == "\n" || $0 == "\t" || ($0.value >= 32 && !(127..<160).contains($0.value))
                }))
    }
}
