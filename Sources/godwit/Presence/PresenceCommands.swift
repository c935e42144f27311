import ArgumentParser
import Engine
import Foundation
import GodwitServer
import LinkProfiles
import MessageStore
import MessageStoreSQLite

struct PresenceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "presence",
        abstract: "See what users publish and who watches them, and give them rules.",
        discussion: """
            Reading works beside a running server and without one. Rules go to the running
            server, where they hold at once; without one they are written into the database.

            Exit codes: 0 done, 64 wrong usage, 65 the document is no rules document, 66
            there is nothing, 75 the database is in use, 78 the configuration is wrong.
            """,
        subcommands: [PresenceShow.self, PresenceWatchers.self, PresenceRules.self])
}

struct PresenceShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "What is published for a user, or for all.")

    @Argument(help: "The user, as alice@example.com. Default: all.") var user: UserName?
    @Flag(help: "One JSON object a line.") var json = false
    @OptionGroup var options: ConfigurationOption

    private struct Line: Encodable {
        var user: String
        var source: String?
        var entityTag: String
        var modifiedAt: String
        var expiresAt: String
        var document: String
    }

    func run() throws {
        let inspector = try options.inspector(try options.load(), .reading)
        let now = Instant.present
        try withStore {
            try inspector.forEachPublication(PresenceQuery(resource: user?.addressOfRecord)) { record in
                let publication = record.publication
                guard publication.expiresAt > now else { return true }
                let line = Line(
                    user: record.resource, source: publication.source.isEmpty ? nil : publication.source,
                    entityTag: publication.entityTag, modifiedAt: publication.modifiedAt.text,
                    expiresAt: publication.expiresAt.text, document: String(decoding: publication.body, as: UTF8.self))
                guard !json else {
                    print(JSONLine.text(line))
                    return true
                }
                print("\(line.user)  \(line.entityTag)  until \(line.expiresAt)")
                print(Printable.text(publication.body) + "\n")
                return true
            }
        }
    }
}

struct PresenceWatchers: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watchers", abstract: "Who watches a user, or whom all watch.")

    @Argument(help: "The user, as alice@example.com. Default: all.") var user: UserName?
    @Option(name: .customLong("by"), help: "Only subscriptions of this watcher, as bob@example.com.") var watcher:
        UserName?
    @Flag(help: "One JSON object a line.") var json = false
    @OptionGroup var options: ConfigurationOption

    private struct Line: Encodable {
        var number: Int64
        var user: String
        var watcher: String
        var event: String
        var state: String
        var since: String
        var expiresAt: String
        var flow: String?
    }

    func run() throws {
        let inspector = try options.inspector(try options.load(), .reading)
        let now = Instant.present
        let query = PresenceQuery(resource: user?.addressOfRecord, person: watcher?.addressOfRecord)
        if !json { print("NUMBER  EVENT           STATE    UNTIL                 USER  WATCHER") }
        try withStore {
            try inspector.forEachSubscription(query) { record in
                let subscription = record.subscription
                guard subscription.progress.expiresAt > now else { return true }
                print(json ? JSONLine.text(Self.line(record)) : Self.text(Self.line(record)))
                return true
            }
        }
    }

    private static func line(_ record: SubscriptionRecord) -> Line {
        let subscription = record.subscription
        let state =
            switch subscription.progress.state {
            case .pending: "pending"
            case .active: "active"
            case .waiting: "waiting"
            }
        return Line(
            number: subscription.number.rawValue, user: record.resource, watcher: subscription.watcher,
            event: subscription.event, state: state, since: subscription.createdAt.text,
            expiresAt: subscription.progress.expiresAt.text, flow: subscription.flow.isEmpty ? nil : subscription.flow)
    }

    private static func text(_ line: Line) -> String {
        func column(_ text: String, _ width: Int) -> String {
            text.count >= width ? text + " " : text.padding(toLength: width, withPad: " ", startingAt: 0)
        }
        return column(String(line.number), 8) + column(line.event, 16) + column(line.state, 9)
            + column(line.expiresAt, 22) + "\(line.user)  \(line.watcher)"
    }
}

extension UserName {
    var addressOfRecord: String { "sip:\(username)@\(domain)" }
}
