import ArgumentParser
import Foundation
import SigComp

struct SigCompCompress: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compress", abstract: "Compress SIP messages as two endpoints do.",
        discussion: """
            Sends the messages between two endpoints of this program, in their order, and
            writes what goes over the link: as hexadecimal text, a message a line, which
            `decompress` reads; or as a hex dump that text2pcap turns into a capture.
            Every message is decompressed at the other end and compared byte for byte. A
            message that would grow goes as plain SIP in a datagram, and so stands here.

            A file's way is in its name, -up- or -down-; else requests go up and responses
            down. --way writes one of the two; both ends work all the same.

            Exit codes: 0 done, 1 a message did not arrive as it was, 64 wrong usage, 65
            a file is no SIP message, 66 no such file, 73 the output cannot be made.

            Example: godwit sigcomp compress ../shared/corpus/sip-day --format text2pcap
            | text2pcap -D -4 10.0.0.1,10.0.0.2 -u 5060,5060 - day.pcapng
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case hex, text2pcap }
    enum Way: String, ExpressibleByArgument, CaseIterable { case up, down, both }

    @OptionGroup var files: SIPMessageFiles
    @OptionGroup var ends: EndpointPairOptions
    @Option(help: "hex, or text2pcap: a dump with the way of each message (text2pcap -D).") var format = Format.hex
    @Option(help: "Which messages are written: up, down or both.") var way = Way.both
    @Option(help: "The file to write; default: standard output.", completion: .file()) var output: String?

    func run() throws {
        let pair = ends.makePair()
        var text = ""
        for item in try files.items() {
            do throws(EndpointPair.Mistake) {
                let passage = try pair.pass(item.bytes, isUp: item.isUp)
                guard way == .both || item.isUp == (way == .up) else { continue }
                text += lines(item, passage)
            } catch {
                throw failing(ExitStatus.failed, "\(item.name): \(error)")
            }
        }
        guard let output else { return try writeBytes(Data(text.utf8)) }
        guard FileManager.default.createFile(atPath: output, contents: Data(text.utf8)) else {
            throw failing(ExitStatus.cannotCreate, "\(output) cannot be made")
        }
    }

    private func lines(_ item: SIPMessageFiles.Item, _ passage: EndpointPair.Passage) -> String {
        var bytes = passage.wire.bytes
        if ends.stream, passage.wire.isSigComp {
            bytes = []
            RecordMarking.append(passage.wire.bytes, to: &bytes)
        }
        switch format {
        case .hex:
            let form =
                switch passage.wire.form {
                case .compressed(let algorithm): "\(algorithm.rawValue), \(passage.cycles) cycles"
                case .passedThrough: "passed through"
                case .plain: "plain"
                }
            return "; \(item.name): \(item.bytes.count) to \(bytes.count) bytes, \(form)\n\(bytes.hexadecimal)\n"
        case .text2pcap:
            var dump = item.isUp ? "O\n" : "I\n"
            for start in stride(from: 0, to: bytes.count, by: 16) {
                let row = bytes[start..<min(start + 16, bytes.count)].map { [$0].hexadecimal }
                dump += String(format: "%06x ", start) + row.joined(separator: " ") + "\n"
            }
            return dump + "\n"
        }
    }
}
