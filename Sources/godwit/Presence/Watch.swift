import ArgumentParser
import Foundation
import GodwitServer
import LinkProfiles
import SIPCore

struct Watch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Subscribe as a SIP client does, and print the notifications that arrive (RFC 6665).",
        discussion: """
            Watches a user's presence, or with --event presence.winfo who watches it, or
            with --event reg where it is registered. Refreshes the subscription until it
            ends: by --once, --count, --for, a signal or the server; then it unsubscribes.
            Prints `subscribed` on standard error when the server has accepted.

            Exit codes: 0 ended as asked, 1 refused, or the time was up before --count
            notifications came, 69 no answer or the connection broke, 77 the password is
            missing or was refused.

            Example: godwit watch --as bob@example.com --password-file pw --server
            udp:127.0.0.1:5060 alice@example.com
            """)

    @Argument(help: "Whom to watch, as alice@example.com.") var resource: UserName
    @Option(help: "presence, presence.winfo or reg.") var event = "presence"
    @Flag(help: "Ask once and end (a subscription with Expires: 0).") var once = false
    @Option(help: "End after this many notifications.") var count: Int?
    @Option(name: .customLong("for"), help: ArgumentHelp("End after this time, as 30s.", valueName: "duration"))
    var time: String?
    @Option(help: ArgumentHelp("Life of the subscription to ask for.", valueName: "duration")) var expires = "1h"
    @Flag(help: "Take partial notifications (RFC 5263) too.") var partial = false
    @Option(help: ArgumentHelp("At most this many notifications a second (RFC 6446).", valueName: "rate"))
    var maxRate: String?
    @Flag(help: "One JSON object a line.") var json = false
    @OptionGroup var options: ClientOptions

    private enum Ending: Sendable { case counted, timeUp, signal, broken, terminated, refused(UInt16, String) }

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
        let rate = maxRate.map { ";max-rate=\($0)" } ?? ""
        var subscription = UserAgent.Subscription(
            resource: "sip:\(resource.username)@\(resource.domain)", event: event + rate)
        let seconds = once ? 0 : life.microseconds / 1_000_000
        do {
            let first = try await agent.subscribe(&subscription, expires: seconds, headers: acceptance)
            guard 200..<300 ~= first.status else {
                throw failing(ExitStatus.failed, "the subscription was refused: \(first.status) \(first.reason)")
            }
            printError("subscribed")
            let ending = await work(
                agent, subscription, granted: first.expires ?? seconds, asked: seconds, limit, signals)
            try await end(ending, subscription, agent)
        } catch let failure as UserAgent.Failure {
            throw failing(failure)
        }
    }

    /// Types that are understood; the default of the package where only that is wanted.
    private var acceptance: String {
        event == "presence" && partial ? "Accept: application/pidf+xml, application/pidf-diff+xml\r\n" : ""
    }

    private func work(
        _ agent: UserAgent, _ subscription: UserAgent.Subscription, granted: Int64, asked: Int64, _ limit: TimeSpan?,
        _ signals: AsyncStream<ServerSignal>
    ) async -> Ending {
        await withTaskGroup(of: Ending?.self) { group in
            group.addTask { await printNotifications(of: agent) }
            if !once { group.addTask { await refresh(agent, subscription, granted: granted, asked: asked) } }
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

    private func end(_ ending: Ending, _ subscription: UserAgent.Subscription, _ agent: UserAgent) async throws {
        switch ending {
        case .counted, .signal, .timeUp:
            if !once {
                var subscription = subscription
                subscription.sequence += 1_000
                _ = try await agent.subscribe(&subscription, expires: 0, headers: acceptance)
            }
            await agent.stop()
            if case .timeUp = ending, count != nil || once { throw ExitStatus.failed }
        case .terminated:
            await agent.stop()
            if !once { throw failing(ExitStatus.failed, "the server ended the subscription") }
        case .broken:
            throw failing(ExitStatus.unavailable, "the connection broke")
        case .refused(let status, let reason):
            throw failing(ExitStatus.failed, "the subscription was not renewed: \(status) \(reason)")
        }
    }

    private func printNotifications(of agent: UserAgent) async -> Ending? {
        var seen = 0
        for await message in agent.notifications {
            let line = NotificationLine(message)
            print(json ? JSONLine.text(line) : line.text)
            fflush(nil)
            seen += 1
            if line.state.hasPrefix("terminated") { return .terminated }
            if seen == count { return .counted }
        }
        return Task.isCancelled ? nil : .broken
    }

    /// Keep-alives every 25 seconds, and the subscription again before it ends.
    private func refresh(
        _ agent: UserAgent, _ subscription: UserAgent.Subscription, granted: Int64, asked: Int64
    ) async -> Ending? {
        var subscription = subscription
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
            guard let answer = try? await agent.subscribe(&subscription, expires: asked, headers: acceptance) else {
                return .broken
            }
            guard 200..<300 ~= answer.status else { return .refused(answer.status, answer.reason) }
            left = max((answer.expires ?? asked) * 4 / 5, 1)
        }
        return nil
    }
}

/// A notification as `watch` prints it.
struct NotificationLine: Encodable {
    /// Value of Subscription-State.
    var state: String
    var sequence: UInt32
    var contentType: String?
    var body: String?

    init(_ message: SIPMessage) {
        state = message.first(.subscriptionState).map { message.text($0.value) } ?? ""
        sequence = message.cseqNumber
        contentType = message.first(.contentType).map { message.text($0.value) }
        body = message.body.isEmpty ? nil : message.text(message.body)
    }

    var text: String { "\(state)" + (body.map { "\n" + Printable.text(Array($0.utf8)) } ?? "") }
}
