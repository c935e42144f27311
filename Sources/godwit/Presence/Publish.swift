import ArgumentParser
import Foundation
import LinkProfiles
import SIPCore

struct Publish: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Publish a user's presence as a SIP client does (RFC 3903).",
        discussion: """
            Makes a document of --status, --activity and --note, or takes one from --file,
            and prints the server's answer with the entity-tag by which the publication is
            refreshed, changed and removed. Sources other than the user's own devices
            publish in the same way: --for names whose presence it is; the server's
            configuration must list the publisher (presence.publishers).

            Exit codes: 0 published, 1 refused, 64 wrong usage, 69 no answer, 77 the
            password is missing or was refused.

            Example: godwit publish --as alice@example.com --password-file pw --server
            udp:127.0.0.1:5060 --status open --activity meeting --note "Back at three"
            """)

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("Whose presence it is. Default: the publisher's own.", valueName: "user"))
    var presentity: UserName?
    @Option(help: "open or closed.") var status: BasicStatus = .open
    @Option(help: ArgumentHelp("An activity of RFC 4480, as meeting or away.", valueName: "name")) var activity: String?
    @Option(help: "A note for people.") var note: String?
    @Option(help: "Id of the tuple, the same each time for one device or source.") var tuple = "godwit"
    @Option(help: "A document to publish instead; - is standard input.", completion: .file()) var file: String?
    @Option(help: ArgumentHelp("Media type of --file.", valueName: "type")) var contentType = "application/pidf+xml"
    @Option(help: ArgumentHelp("Entity-tag of the publication to change or refresh.", valueName: "tag"))
    var etag = ""
    @Flag(help: "Only lengthen the life of the publication --etag names.") var refresh = false
    @Flag(help: "Remove the publication --etag names.") var remove = false
    @Option(help: ArgumentHelp("Life to ask for, as 1h.", valueName: "duration")) var expires = "1h"
    @Flag(help: "Print the answer as a JSON object.") var json = false
    @OptionGroup var options: ClientOptions

    enum BasicStatus: String, ExpressibleByArgument, CaseIterable { case open, closed }

    private struct Line: Encodable {
        var status: UInt16
        var reason: String
        var etag: String?
        var expires: Int64?
    }

    func validate() throws {
        if remove || refresh, etag.isEmpty { throw ValidationError("--remove and --refresh need --etag") }
        if remove, refresh { throw ValidationError("--remove and --refresh exclude each other") }
        if let activity, !activity.allSatisfy({ $0.isASCII && ($0.isLetter || $0 == "-") }) || activity.isEmpty {
            throw ValidationError("--activity: `\(activity)` is no name such as on-the-phone")
        }
    }

    func run() async throws {
        guard let life = TimeSpan(expires) else {
            throw failing(ExitStatus.usage, "--expires: `\(expires)` is not a duration such as 1h")
        }
        let whom = presentity ?? options.identity
        let uri = "sip:\(whom.username)@\(whom.domain)"
        let body = remove || refresh ? [] : try readDocument(of: uri)
        let agent = try await options.agent()
        let reading = Task { await agent.run() }
        defer { reading.cancel() }
        let answer: UserAgent.Answer
        do {
            answer = try await agent.publish(
                for: uri, event: "presence", entityTag: etag, expires: remove ? 0 : life.microseconds / 1_000_000,
                contentType: file == nil ? "application/pidf+xml" : contentType, body: body)
        } catch let failure as UserAgent.Failure {
            throw failing(failure)
        }
        await agent.stop()
        let tag = answer.message.first(.sipETag).map { answer.message.text($0.value) }
        print(
            json
                ? JSONLine.text(
                    Line(status: answer.status, reason: answer.reason, etag: tag, expires: answer.expires))
                : "\(answer.status) \(answer.reason)" + (tag.map { " \($0)" } ?? ""))
        guard 200..<300 ~= answer.status else { throw ExitStatus.failed }
    }

    private func readDocument(of uri: String) throws -> [UInt8] {
        guard let file else { return Array(document(of: uri).utf8) }
        if file == "-" {
            guard options.passwordFile != "-" else {
                throw failing(ExitStatus.usage, "standard input cannot be the password and the document")
            }
            return [UInt8](FileHandle.standardInput.readDataToEndOfFile())
        }
        guard let data = FileManager.default.contents(atPath: file) else {
            throw failing(ExitStatus.noInput, "\(file) cannot be read")
        }
        return [UInt8](data)
    }

    /// A PIDF document (RFC 3863) with the person's activity and note (RFC 4479, RFC 4480).
    private func document(of uri: String) -> String {
        var text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" \
            xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="\(Self.escaped(uri))">\
            <tuple id="\(Self.escaped(tuple))"><status><basic>\(status.rawValue)</basic></status></tuple>
            """
        if activity != nil || note != nil {
            text += "<dm:person id=\"person\">"
            if let activity { text += "<rpid:activities><rpid:\(activity)/></rpid:activities>" }
            if let note { text += "<dm:note>\(Self.escaped(note))</dm:note>" }
            text += "</dm:person>"
        }
        return text + "</presence>\n"
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
    }
}
