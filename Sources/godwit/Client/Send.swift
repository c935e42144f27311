import ArgumentParser
import Foundation
import LinkProfiles
import SIPCore

struct Send: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Send a message as a SIP client does.",
        discussion: """
            Prints the server's final answer. Exit codes say what became of the message:

              0   delivered: a device of the recipient took it (200)
              2   stored: the server delivers it later (202)
              1   refused by the recipient or the server
              64  wrong usage   69  no answer   77  the password is missing or was refused

            Example: godwit send --as alice@example.com --password-file pw --server
            udp:127.0.0.1:5060 bob@example.com "Hello"
            """)

    @Argument(help: "The recipient, as bob@example.com.") var recipient: UserName
    @Argument(help: "The text. Without it and --file, standard input is sent.") var text: String?
    @Option(help: "A file to send instead of a text.", completion: .file()) var file: String?
    @Option(help: ArgumentHelp("Media type of the body.", valueName: "type"))
    var contentType = "text/plain;charset=UTF-8"
    @Option(help: ArgumentHelp("How long the message is worth delivering, as 2h.", valueName: "duration"))
    var expires: String?
    @Flag(help: "Print the answer as a JSON object.") var json = false
    @OptionGroup var options: ClientOptions

    private struct Line: Encodable {
        var status: UInt16
        var reason: String
    }

    func run() async throws {
        let body = try readBody()
        var seconds: Int64?
        if let expires {
            guard let span = TimeSpan(expires) else {
                throw failing(ExitStatus.usage, "--expires: `\(expires)` is not a duration such as 2h or 7d")
            }
            seconds = span.microseconds / 1_000_000
        }
        let agent = try await options.agent()
        let reading = Task { await agent.run() }
        defer { reading.cancel() }
        let answer: UserAgent.Answer
        do {
            answer = try await agent.message(
                to: "sip:\(recipient.username)@\(recipient.domain)", body: body, contentType: contentType,
                expires: seconds)
        } catch let failure as UserAgent.Failure {
            throw failing(failure)
        }
        await agent.stop()
        print(
            json
                ? JSONLine.text(Line(status: answer.status, reason: answer.reason))
                : "\(answer.status) \(answer.reason)")
        switch answer.status {
        case 202: throw ExitCode(2)
        case 200..<300: return
        default: throw ExitStatus.failed
        }
    }

    private func readBody() throws -> [UInt8] {
        if let text, file == nil { return Array(text.utf8) }
        guard text == nil else { throw failing(ExitStatus.usage, "give a text or --file, not both") }
        guard let file else {
            guard options.passwordFile != "-" else {
                throw failing(ExitStatus.usage, "standard input cannot be the password and the text")
            }
            return [UInt8](FileHandle.standardInput.readDataToEndOfFile())
        }
        guard let data = FileManager.default.contents(atPath: file) else {
            throw failing(ExitStatus.noInput, "\(file) cannot be read")
        }
        return [UInt8](data)
    }
}
