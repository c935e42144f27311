import LinkProfiles
import Presence
import PresenceDocuments
import Testing

/// RFC 3857 and RFC 3858.
@Suite struct WatcherInformationTests {
    /// A subscriber to watcher information that keeps the table of RFC 3858 section 4.
    private struct Subscriber {
        var version = ReportVersion()
        var visibility = PresenceAgent.WatcherVisibility.all
        private(set) var rows: [String: (status: String, event: String, uri: String)] = [:]
        private(set) var last: UInt32?
        private(set) var wasFull = false

        mutating func ask(_ scene: Scene, full: Bool = false, at now: Instant = at(0)) throws -> Bool {
            let presentity = scene.agent.presentity(for: alice)
            guard
                let bytes = scene.agent.watcherInformation(
                    of: presentity, for: &version, visible: visibility, full: full, at: now)
            else { return false }
            let root = try parsed(bytes)
            wasFull = root[attribute: "state"] == "full"
            let number = try #require(root[attribute: "version"].flatMap { UInt32($0) })
            #expect(number == last.map { $0 + 1 } ?? 0)
            last = number
            if wasFull { rows = [:] }
            #expect(root.first("watcher-list")?[attribute: "package"] == "presence")
            for watcher in root.all("watcher") {
                let id = try #require(watcher[attribute: "id"])
                rows[id] = (watcher[attribute: "status"] ?? "", watcher[attribute: "event"] ?? "", watcher.trimmedText)
                if rows[id]?.status == "terminated" { rows[id] = nil }
            }
            return true
        }

        var states: [String] { rows.values.map { "\($0.uri) \($0.status) \($0.event)" }.sorted() }
    }

    @Test func aDecisionIsAskedForAndTold() throws {
        let scene = Scene()
        try scene.publish(pidf(tuple("a")))
        let rules = { (handling: String) in ruleset(rule(one("sip:bob@example.com"), handling, everything)) }
        _ = try scene.setRules(rules("confirm"))
        var owner = Subscriber()
        #expect(try owner.ask(scene, full: true))
        #expect(owner.wasFull)
        #expect(owner.states == [])

        _ = try #require(try scene.watch(1))
        #expect(try owner.ask(scene))
        #expect(!owner.wasFull)
        #expect(owner.states == ["sip:bob@example.com pending subscribe"])
        #expect(try !owner.ask(scene))

        let approved = try scene.setRules(rules("allow"), at: at(1))
        #expect(approved.watcherInformation.count == 1)
        #expect(try owner.ask(scene))
        #expect(owner.states == ["sip:bob@example.com active approved"])

        _ = try scene.setRules(rules("block"), at: at(2))
        #expect(try owner.ask(scene))
        #expect(owner.states == [])
    }

    @Test func whoWasNeverDecidedOnWaitsAndIsGivenUpInTheEnd() throws {
        var settings = PresenceSettings()
        settings.defaultHandling = .confirm
        settings.giveUpAfter = .seconds(1_000.0)
        let scene = Scene(settings)
        let watcher = try #require(try scene.watch(1))
        _ = scene.agent.unwatch(watcher, because: .timeout, at: at(10))
        var owner = Subscriber()
        #expect(try owner.ask(scene, full: true, at: at(20)))
        #expect(owner.states == ["sip:bob@example.com waiting timeout"])
        #expect(scene.agent.nextDeadline == at(1_010))

        let again = try #require(try scene.watch(2, at: at(30)))
        #expect(try owner.ask(scene, at: at(30)))
        #expect(owner.states == ["sip:bob@example.com pending subscribe"])
        _ = scene.agent.unwatch(again, because: .timeout, at: at(40))
        let changes = scene.advance(to: at(1_040))
        #expect(changes.watcherInformation.count == 1)
        #expect(try owner.ask(scene, at: at(1_040)))
        #expect(owner.states == [])
        #expect(scene.agent.nextDeadline == nil)
    }

    @Test func whoeverWaitsIsDecidedOnByNewRules() throws {
        var settings = PresenceSettings()
        settings.defaultHandling = .confirm
        let scene = Scene(settings)
        let watcher = try #require(try scene.watch(1))
        _ = scene.agent.unwatch(watcher, because: .timeout, at: at(1))
        var owner = Subscriber()
        _ = try owner.ask(scene, full: true)
        _ = try scene.setRules(ruleset(rule("", "allow", everything)), at: at(2))
        #expect(try owner.ask(scene))
        #expect(owner.states == [])
    }

    @Test func whoComesAndGoesInBetweenIsNotTold() throws {
        let scene = Scene()
        try scene.publish(pidf(tuple("a")))
        var owner = Subscriber()
        _ = try owner.ask(scene, full: true)
        _ = try scene.seen()
        #expect(try !owner.ask(scene))
    }

    @Test func aWatcherSeesItsOwnSubscriptionsOnly() throws {
        let scene = Scene()
        try scene.publish(pidf(tuple("a")))
        _ = try scene.watch(1, as: bob)
        _ = try scene.watch(2, as: carol)
        var subscriber = Subscriber()
        subscriber.visibility = .own(carol)
        #expect(try subscriber.ask(scene, full: true))
        #expect(subscriber.states == ["sip:carol@example.org active subscribe"])
        _ = try scene.watch(3, as: bob)
        #expect(try !subscriber.ask(scene))
    }

    @Test func aLostDocumentIsFollowedByAFullOne() throws {
        let scene = Scene()
        try scene.publish(pidf(tuple("a")))
        var owner = Subscriber()
        _ = try owner.ask(scene, full: true)
        _ = try scene.watch(1)
        owner.version.undelivered()
        #expect(try owner.ask(scene))
        #expect(owner.wasFull)
        #expect(owner.states.count == 1)
    }

    @Test func theLimitOfUndecidedWatchersHolds() throws {
        var settings = PresenceSettings()
        settings.defaultHandling = .confirm
        settings.undecidedWatchers = 3
        let scene = Scene(settings)
        for number in 0..<10 as Range<UInt32> {
            let watcher = try #require(
                try scene.watch(number, as: WatcherIdentity(Array("sip:w\(number)@example.com".utf8))))
            _ = scene.agent.unwatch(watcher, because: .timeout, at: at(Double(number)))
        }
        var owner = Subscriber()
        _ = try owner.ask(scene, full: true)
        #expect(owner.states == (7...9).map { "sip:w\($0)@example.com waiting timeout" })
    }

    /// Random arrivals, departures and decisions; two owners ask now and then, one of them rarely: their tables are the truth.
    @Test(arguments: 0..<10 as Range<UInt64>) func partialDocumentsAddUp(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let scene = Scene()
        var often = Subscriber()
        var rarely = Subscriber()
        _ = try often.ask(scene, full: true)
        _ = try rarely.ask(scene, full: true)
        var present: [WatcherID] = []
        for step in 0..<300 {
            let now = at(Double(step))
            switch Int.random(in: 0..<8, using: &random) {
            case 0...2:
                let identity = WatcherIdentity(Array("sip:w\(Int.random(in: 0..<6, using: &random))@example.com".utf8))
                if let watcher = try scene.watch(UInt32(step), as: identity, at: now) { present.append(watcher) }
            case 3...4:
                guard let index = present.indices.randomElement(using: &random) else { continue }
                let event: WatcherEvent = Bool.random(using: &random) ? .timeout : .noresource
                _ = scene.agent.unwatch(present.remove(at: index), because: event, at: now)
            case 5:
                let handling = ["confirm", "allow", "polite-block"].randomElement(using: &random) ?? "allow"
                _ = try scene.setRules(ruleset(rule("", handling)), at: now)
            case 6: _ = try often.ask(scene, at: now)
            default: if step % 97 == 0 { _ = try rarely.ask(scene, at: now) }
            }
        }
        _ = try often.ask(scene)
        _ = try rarely.ask(scene)
        var truth = Subscriber()
        _ = try truth.ask(scene, full: true)
        #expect(often.states == truth.states)
        #expect(rarely.states == truth.states)
    }
}
