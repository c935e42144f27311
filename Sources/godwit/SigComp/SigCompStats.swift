import ArgumentParser
import Foundation
import SigComp

struct SigCompStats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Show what each type of SIP message costs with SigComp.",
        discussion: """
            Sends the messages between two endpoints of this program, in their order, and
            prints a table: how many of each type, bytes of SIP, bytes with SigComp, and
            the sizes between. Headers, bytecode, announcements and feedback are counted.
            Every message is decompressed at the other end and compared byte for byte.

            A file's way is in its name, -up- or -down-; else requests go up and responses
            down. Refreshes are REGISTER, SUBSCRIBE and NOTIFY that follow one with the
            same Call-ID.

            Exit codes: 0 done, 1 a message did not arrive as it was, 64 wrong usage, 65
            a file is no SIP message, 66 no such file.

            Example: godwit sigcomp stats ../shared/corpus/sip-day --memory 8192
            --state-memory 8192
            """)

    @OptionGroup var files: SIPMessageFiles
    @OptionGroup var ends: EndpointPairOptions
    @Option(help: ArgumentHelp("Do everything so many times, for the speed.", valueName: "times")) var repeated = 1
    @Flag(help: "One JSON object.") var json = false

    func validate() throws {
        guard repeated > 0 else { throw ValidationError("--repeated is at least 1.") }
    }

    func run() throws {
        let items = try files.items()
        var table = CompressionTable(items: items.count)
        for round in 0..<repeated {
            let pair = ends.makePair()
            var refreshes = RefreshDetector()
            for item in items {
                do throws(EndpointPair.Mistake) {
                    let passage = try pair.pass(item.bytes, isUp: item.isUp)
                    table.addTime(passage)
                    guard round == 0 else { continue }
                    table.add(item, passage, isRefresh: refreshes.isRefresh(item), stream: ends.stream)
                } catch {
                    throw failing(ExitStatus.failed, "\(item.name): \(error)")
                }
            }
            table.memory = max(pair.memoryUse.up, pair.memoryUse.down)
        }
        if json { print(JSONLine.text(table.report)) } else { table.lines.forEach { print($0) } }
    }
}

/// Sizes by type of message, and times.
struct CompressionTable {
    private struct Row {
        var plain: [Int] = []
        var compressed: [Int] = []

        var plainBytes: Int { plain.reduce(0, +) }
        var bytes: Int { compressed.reduce(0, +) }
    }

    /// The table as JSON.
    struct Report: Encodable {
        struct Line: Encodable {
            var type: String
            var messages: Int
            var plainBytes: Int
            var bytes: Int
            var medianBytes: Int
            var smallest: Int
            var largest: Int
        }

        var types: [Line]
        var refreshes: Line?
        var total: Line
        var firstMessage: Int
        var firstPlain: Int
        /// Messages that went as plain SIP.
        var plainMessages: Int
        /// By algorithm.
        var algorithms: [String: Int]
        var messagesCompressedPerSecond: Int
        var messagesDecompressedPerSecond: Int
        /// Bytes kept for the peer at the end, the larger of both sides.
        var compartmentBytes: Int
    }

    private var rows: [MessageType: Row] = [:]
    private var refreshes = Row()
    private var total = Row()
    private var plainMessages = 0
    private var algorithms: [String: Int] = [:]
    private var timed = 0
    private var decompressed = 0
    private var compression = Duration.zero
    private var decompression = Duration.zero
    /// Bytes that an end keeps for its peer.
    var memory = 0

    init(items: Int) { total.plain.reserveCapacity(items) }

    mutating func addTime(_ passage: EndpointPair.Passage) {
        timed += 1
        if passage.wire.isSigComp { decompressed += 1 }
        compression += passage.compression
        decompression += passage.decompression
    }

    mutating func add(
        _ item: SIPMessageFiles.Item, _ passage: EndpointPair.Passage, isRefresh: Bool, stream: Bool
    ) {
        var size = passage.wire.bytes.count
        if stream, passage.wire.isSigComp {
            var marked: [UInt8] = []
            RecordMarking.append(passage.wire.bytes, to: &marked)
            size = marked.count
        }
        func add(to row: inout Row) {
            row.plain.append(item.bytes.count)
            row.compressed.append(size)
        }
        add(to: &rows[item.type, default: Row()])
        add(to: &total)
        if isRefresh { add(to: &refreshes) }
        switch passage.wire.form {
        case .compressed(let algorithm): algorithms[algorithm.rawValue, default: 0] += 1
        case .passedThrough, .plain: plainMessages += 1
        }
    }

    var report: Report {
        Report(
            types: rows.sorted { $0.key < $1.key }.map { line($0.key.text, $0.value) },
            refreshes: refreshes.plain.isEmpty ? nil : line("refreshes", refreshes), total: line("all", total),
            firstMessage: total.compressed.first ?? 0, firstPlain: total.plain.first ?? 0, plainMessages: plainMessages,
            algorithms: algorithms, messagesCompressedPerSecond: Self.rate(timed, compression),
            messagesDecompressedPerSecond: Self.rate(decompressed, decompression), compartmentBytes: memory)
    }

    private static func rate(_ count: Int, _ time: Duration) -> Int {
        let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
        return seconds > 0 ? Int(Double(count) / seconds) : 0
    }

    private func line(_ name: String, _ row: Row) -> Report.Line {
        let sizes = row.compressed.sorted()
        return Report.Line(
            type: name, messages: row.plain.count, plainBytes: row.plainBytes, bytes: row.bytes,
            medianBytes: sizes.isEmpty ? 0 : sizes[sizes.count / 2], smallest: sizes.first ?? 0,
            largest: sizes.last ?? 0)
    }

    var lines: [String] {
        let report = report
        var lines = [Self.columns("type", "messages", "SIP", "SigComp", "ratio", "median", "least", "most")]
        lines += report.types.map(Self.text)
        lines += [report.refreshes, report.total].compactMap { $0.map(Self.text) }
        let names = report.algorithms.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        lines += [
            "",
            "first message: \(report.firstPlain) bytes as SIP, \(report.firstMessage) with SigComp",
            "algorithms: \((names + ["plain \(report.plainMessages)"]).joined(separator: ", "))",
            "speed: \(report.messagesCompressedPerSecond) compressed and \(report.messagesDecompressedPerSecond) decompressed a second",
            "memory for the peer: \(report.compartmentBytes) bytes",
        ]
        return lines
    }

    private static func text(_ line: Report.Line) -> String {
        let ratio = line.bytes == 0 ? "" : String(format: "%.2f", Double(line.plainBytes) / Double(line.bytes))
        return columns(
            line.type, "\(line.messages)", "\(line.plainBytes)", "\(line.bytes)", ratio, "\(line.medianBytes)",
            "\(line.smallest)", "\(line.largest)")
    }

    private static func columns(_ name: String, _ values: String...) -> String {
        values.reduce(name.padding(toLength: 16, withPad: " ", startingAt: 0)) { line, value in
            line + String(repeating: " ", count: max(1, 10 - value.count)) + value
        }
    }
}
