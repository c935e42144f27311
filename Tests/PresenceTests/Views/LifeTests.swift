import LinkProfiles
import Presence
import PresenceDocuments
import Testing

/// Everything at once: publications, rules, spheres, filters and watchers of all kinds change at random, answers get lost. Whoever is
/// active has, when all is quiet, what a new watcher with the same identity and filter would be shown, and when all are gone nothing is
/// left.
@Suite struct LifeTests {
    private struct Client {
        let watcher: WatcherID
        let identity: WatcherIdentity
        let filter: String?
        let isPartial: Bool
        var partial = PartialWatcher()
        var plain: XMLElement?
        var isPending = false

        var state: XMLElement? { isPartial ? partial.state : plain }

        mutating func receive(_ body: NotificationBody) throws {
            if body.count == 0 { return }
            if isPartial { partial.receive(body) } else { plain = try parsed(body.bytes) }
        }
    }

    private static let identities = [
        bob, carol, WatcherIdentity.unauthenticated, WatcherIdentity(Array("tel:+1".utf8)),
    ]
    private static let filters: [String?] = [
        nil, nil, filterSet(what("<include>//p:basic</include>")),
        filterSet(what(#"<exclude type="namespace">urn:ietf:params:xml:ns:pidf:rpid</exclude>"#)),
    ]

    private static func rules(_ random: inout SeededGenerator) -> String? {
        guard Int.random(in: 0..<5, using: &random) > 0 else { return nil }
        let conditions = [
            "", one("sip:bob@example.com"), "<cr:identity><cr:many/></cr:identity>",
            #"<cr:identity><cr:many domain="example.org"/></cr:identity>"#, #"<cr:sphere value="work"/>"#,
        ]
        let grants = [everything, "<pr:provide-services><pr:all-services/></pr:provide-services>", ""]
        let chosen = (0..<Int.random(in: 1...3, using: &random)).map { _ in
            rule(
                conditions.randomElement(using: &random) ?? "",
                ["block", "confirm", "polite-block", "allow", "allow"].randomElement(using: &random),
                grants.randomElement(using: &random) ?? "")
        }
        return ruleset(chosen.joined())
    }

    private static func document(_ random: inout SeededGenerator) -> [UInt8] {
        let sphere = ["", "<r:sphere>work</r:sphere>", "<r:sphere>home</r:sphere>"].randomElement(using: &random) ?? ""
        let text = String(decoding: RandomPresence.document(&random), as: UTF8.self)
        return Array(text.replacing("</presence>", with: #"<dm:person id="s">\#(sphere)</dm:person></presence>"#).utf8)
    }

    @Test(arguments: 0..<12 as Range<UInt64>) func everybodyEndsUpWithWhatThereIsToSee(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let scene = Scene()
        var tag = try scene.publish(Self.document(&random)).tag
        var clients: [UInt32: Client] = [:]
        func take(_ changes: PresenceChanges) {
            for change in changes.handling {
                #expect(clients[change.subscription] != nil)
                guard let client = clients[change.subscription] else { continue }
                clients[change.subscription]?.isPending = change.handling == .confirm
                if change.handling == .block {
                    _ = scene.agent.unwatch(client.watcher, because: .rejected, at: at(0))
                    clients[change.subscription] = nil
                }
            }
        }
        func notify(_ number: UInt32, full: Bool) throws {
            guard let client = clients[number], let body = scene.agent.body(for: client.watcher, full: full) else {
                return
            }
            let isAnswered = Int.random(in: 0..<5, using: &random) > 0
            if isAnswered || Bool.random(using: &random) { try clients[number]?.receive(body) }
            if isAnswered { scene.agent.delivered(client.watcher) } else { scene.agent.undelivered(client.watcher) }
        }
        for step in 1...150 as ClosedRange<UInt32> {
            let now = at(Double(step))
            switch Int.random(in: 0..<10, using: &random) {
            case 0...1 where clients.count < 10:
                let identity = Self.identities.randomElement(using: &random) ?? bob
                let filter = Self.filters.randomElement(using: &random) ?? nil
                let isPartial = Bool.random(using: &random)
                let request = WatchRequest(
                    subscription: step, identity: identity, formats: isPartial ? .pidfDiff : .pidf,
                    filter: filter.map { Array($0.utf8) }, expires: at(9_999))
                let admission = try scene.agent.watch(request, of: scene.presentity, at: now)
                guard let watcher = admission.watcher else { continue }
                clients[step] = Client(watcher: watcher, identity: identity, filter: filter, isPartial: isPartial)
                clients[step]?.isPending = admission.handling == .confirm
                try notify(step, full: true)
            case 2:
                guard let number = clients.keys.sorted().randomElement(using: &random), let client = clients[number]
                else { continue }
                _ = scene.agent.unwatch(client.watcher, because: .timeout, at: now)
                clients[number] = nil
            case 3: take(try scene.setRules(Self.rules(&random), at: now))
            case 4...6:
                let publication = try scene.publish(Self.document(&random), ifMatch: tag, at: now)
                tag = publication.tag
                take(publication.changes)
            default:
                guard let number = clients.keys.sorted().randomElement(using: &random) else { continue }
                try notify(number, full: Int.random(in: 0..<6, using: &random) == 0)
            }
        }
        for number in clients.keys.sorted() {
            guard let client = clients[number] else { continue }
            if let body = scene.received(by: client.watcher) { try clients[number]?.receive(body) }
            let settled = try #require(clients[number])
            #expect(settled.partial.problems == [])
            let truth = try scene.seen(by: settled.identity, filter: settled.filter, at: at(200))
            if settled.isPending { #expect(truth == nil) } else if let truth { #expect(settled.state == truth) }
            #expect(!scene.agent.hasNews(for: settled.watcher))
        }
        for client in clients.values { _ = scene.agent.unwatch(client.watcher, because: .noresource, at: at(300)) }
        _ = try scene.setRules(nil, at: at(301))
        _ = scene.advance(to: at(1_000_000))
        #expect(scene.agent.presentityCount == 0)
        #expect(scene.agent.nextDeadline == nil)
    }
}
