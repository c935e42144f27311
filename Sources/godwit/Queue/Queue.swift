import ArgumentParser
import Foundation
import GodwitServer
import LinkProfiles
import MessageStore
import MessageStoreSQLite
import SIPCore

struct Queue: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "See and change what is stored for users who are away.",
        discussion: """
            Reading works beside a running server and without one. Changes go through the
            running server; without one they are made in the database.

            States: queued (waits for the recipient), claimed (an attempt is under way),
            waiting (an attempt failed; it is tried again), delivered, expired, refused.
            Ended messages stay visible for store.history.

            Exit codes: 0 done, 64 wrong usage, 66 no such message, 75 the database is in
            use, 78 the configuration is wrong.
            """,
        subcommands: [
            QueueList.self, QueueShow.self, QueueRetry.self, QueueExpire.self, QueueDrop.self, QueueExport.self,
            QueueStats.self,
        ])
}

/// Which messages a command is about.
struct SelectionOptions: ParsableArguments {
    @Option(name: .customLong("to"), help: "Only messages to this recipient, as bob@example.com.") var recipient:
        String?
    @Option(name: .customLong("from"), help: "Only messages of this sender, as alice@example.com.") var sender: String?
    @Option(
        help: ArgumentHelp(
            "Only messages in these states: queued, claimed, waiting, delivered, expired, refused, live (the first three), "
                + "all. Commas between.", valueName: "states"))
    var state = "live"
    @Option(
        name: .customLong("older-than"),
        help: ArgumentHelp("Only messages accepted longer ago than this, as 2h or 7d.", valueName: "duration"))
    var olderThan: String?
    @Option(help: "At most this many.") var limit: Int?

    func query(at now: Instant) throws -> QueueQuery {
        var query = QueueQuery(states: try states(), limit: limit)
        query.recipient = recipient.map(Self.uri)
        query.sender = sender.map(Self.uri)
        if let olderThan {
            guard let span = TimeSpan(olderThan) else {
                throw failing(ExitStatus.usage, "--older-than: `\(olderThan)` is not a duration such as 2h or 7d")
            }
            query.acceptedBefore = now - span
        }
        return query
    }

    private func states() throws -> Set<DeferredState> {
        var states: Set<DeferredState> = []
        for word in state.split(separator: ",") {
            switch word {
            case "live": states.formUnion(QueueQuery.live)
            case "all": states.formUnion(DeferredState.allCases)
            default:
                guard let state = DeferredState.allCases.first(where: { $0.word == word }) else {
                    throw failing(ExitStatus.usage, "--state: `\(word)` is no state; see --help")
                }
                states.insert(state)
            }
        }
        return states
    }

    /// An address-of-record as the store writes it.
    static func uri(_ text: String) -> String {
        let plain = text.hasPrefix("sip:") ? String(text.dropFirst(4)) : text
        guard let at = plain.lastIndex(of: "@") else { return "sip:\(plain)" }
        return "sip:\(plain[..<at])@\(plain[plain.index(after: at)...].lowercased())"
    }
}

extension DeferredState {
    /// The state in output and options.
    var word: String {
        switch self {
        case .queued: "queued"
        case .claimed: "claimed"
        case .waiting: "waiting"
        case .delivered: "delivered"
        case .expired: "expired"
        case .refused: "refused"
        }
    }
}

extension DeliveryCause {
    /// The cause in words; empty for none.
    var words: String {
        switch self {
        case .none: ""
        case .timeout: "no answer"
        case .flowGone: "connection gone"
        case .dropped: "dropped by an operator"
        case .expiredByOperator: "expired by an operator"
        default: "\(code) \(StatusCode.reasonPhrase(code))"
        }
    }
}

extension Instant {
    /// The wall clock's present time; for commands, not for the engine.
    static var present: Instant { Instant(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) }

    /// `2026-11-23T23:59:59Z`
    var text: String {
        Date(timeIntervalSince1970: Double(microseconds) / 1_000_000).formatted(.iso8601)
    }
}

/// A message as `--json` prints it.
struct MessageLine: Encodable {
    var number: Int64
    var recipient: String
    var sender: String
    var state: String
    var acceptedAt: String
    var expiresAt: String
    var dueAt: String?
    var claimedAt: String?
    var endedAt: String?
    var attempts: UInt32
    var cause: String?
    var urgent: Bool
    var size: Int

    init(_ record: QueueRecord) {
        number = record.number.rawValue
        recipient = record.recipient
        sender = record.sender
        state = record.state.word
        acceptedAt = record.acceptedAt.text
        expiresAt = record.expiresAt.text
        dueAt = record.dueAt?.text
        claimedAt = record.claimedAt?.text
        endedAt = record.endedAt?.text
        attempts = record.attempts
        cause = record.cause == .none ? nil : record.cause.words
        urgent = record.isUrgent
        size = record.size
    }
}
