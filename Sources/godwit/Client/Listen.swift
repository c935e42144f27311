import ArgumentParser
import Foundation
import GodwitServer
import LinkProfiles
import SIPCore

struct Listen: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Register as a SIP client does, and print the messages that arrive.",
        discussion: """
            Answers every message with 200, prints it once, and keeps the registration
            fresh until it ends: by --count, --for or a signal. Then it takes the
            registration back, unless --stay says that the device only went out of reach.
            Prints `registered` on standard error when the server has accepted it.

            Exit codes: 0 ended as asked, 1 the time was up before --count messages came,
            69 no answer or the connection broke, 77 the password is missing or was
            refused.
            """)

    @Option(help: "End after this many messages.") var count: Int?
    @Option(name: .customLong("for"), help: ArgumentHelp("End after this time, as 30s.", valueName: "duration"))
    var time: String?
    @Option(help: ArgumentHelp("Life of the registration to ask for.", valueName: "duration")) var expires = "1h"
    @Flag(help: "Leave the registration in place at the end.") var stay = false
    @Flag(help: "One JSON object a line; bodies that are not text in base64.") var json = false
    @OptionGroup var options: ClientOptions

    private enum Ending: Sendable { case counted, timeUp, signal, broken, refused(UInt16, String) }

    func run() async throws {
        guard let life = TimeSpan(expires) else {
            throw failing(ExitStatus.usage, "--expires: `\(expires)` is not a duration such as 1h")
        }
        let limit = try time.map { text in
            guard let span = TimeSpan(text) else {
                throw failing(ExitStatus.usage, "--for: `\(text)` is not a duration such as 30s")
            }
            return span
        }
        let signals = ServerSignal.all()
        let agent = try await options.agent()
        let reading = Task { await agent.run() }
        defer { reading.cancel() }
        let seconds = life.microseconds / 1_000_000
        do {
            let first = try await agent.register(expires: seconds)
            guard first.status == 200 else {
                throw failing(ExitStatus.failed, "the registration was refused: \(first.status) \(first.reason)")
            }
            printError("registered")
            let ending = await work(agent, granted: first.expires ?? seconds, asked: seconds, limit, signals)
            if !stay, case .broken = ending {} else if !stay { _ = try await agent.register(expires: 0) }
            await agent.stop()
            switch ending {
            case .counted, .signal: return
            case .timeUp: if count != nil { throw ExitStatus.failed }
            case .broken: throw failing(ExitStatus.unavailable, "the connection broke")
            case .refused(let status, let reason):
                throw failing(ExitStatus.failed, "the registration was not renewed: \(status) \(reason)")
            }
        } catch let failure as UserAgent.Failure {
            throw failing(failure)
        }
    }

    private func work(
        _ agent: UserAgent, granted: Int64, asked: Int64, _ limit: TimeSpan?, _ signals: AsyncStream<ServerSignal>
    ) async -> Ending {
        await withTaskGroup(of: Ending?.self) { group in
            group.addTask { await printMessages(of: agent) }
            group.addTask { await refresh(agent, granted: granted, asked: asked) }
            group.addTask {
                for await signal in signals where signal == .stop { return .signal }
                return nil
            }
            if let limit {
                group.addTask {
                    try? await Task.sleep(for: .microseconds(limit.microseconds))
                    return .timeUp
                }
            }
            var ending: Ending?
            while ending == nil, let next = await group.next() { ending = next }
            group.cancelAll()
            return ending ?? .broken
        }
    }

    private func printMessages(of agent: UserAgent) async -> Ending? {
        var seen = 0
        for await message in agent.messages {
            print(json ? JSONLine.text(ReceivedLine(message)) : ReceivedLine(message).text)
            fflush(nil)
            seen += 1
            if seen == count { return .counted }
        }
        return Task.isCancelled ? nil : .broken
    }

    /// Keep-alives every 25 seconds, and the registration again before it ends.
    private func refresh(_ agent: UserAgent, granted: Int64, asked: Int64) async -> Ending? {
        var left = max(granted * 4 / 5, 1)
        while !Task.isCancelled {
            let pause = min(left, 25)
            try? await Task.sleep(for: .seconds(pause))
            if Task.isCancelled { return nil }
            left -= pause
            guard left <= 0 else {
                await agent.keepAlive()
                continue
            }
            guard let answer = try? await agent.register(expires: asked) else { return .broken }
            guard answer.status == 200 else { return .refused(answer.status, answer.reason) }
            left = max((answer.expires ?? asked) * 4 / 5, 1)
        }
        return nil
    }
}

/// A message as `listen` prints it.
struct ReceivedLine: Encodable {
    var from: String
    var to: String
    var callID: String
    var date: String?
    var contentType: String?
    /// The body when it is UTF-8.
    var body: String?
    /// The body in base64 otherwise.
    var base64: String?

    init(_ message: SIPMessage) {
        from = message.text(message.from.uri)
        to = message.text(message.to.uri)
        callID = message.text(message.callID)
        date = message.first(.date).map { message.text($0.value) }
        contentType = message.first(.contentType).map { message.text($0.value) }
        let bytes = Array(message[message.body])
        body = String(validating: bytes, as: UTF8.self)
        if body == nil { base64 = Data(bytes).base64EncodedString() }
    }

    /// `sip:alice@example.com: Hello`
    var text: String {
        "\(from): " + (body.map { Printable.text(Array($0.utf8)) } ?? "(\(contentType ?? "a body") that is not text)")
    }
}
