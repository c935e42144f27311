import LinkProfiles
import Presence
import PresenceDocuments
import Testing

/// What watchers are sent (RFC 3856 section 6.7, RFC 5263 section 4.4).
@Suite struct NotificationTests {
    @Test func aWatcherIsToldOfEveryChangeAndOfNothingElse() throws {
        let scene = Scene()
        var tag = try scene.publish(pidf(tuple("a"))).tag
        let watcher = try #require(try scene.watch(7))
        let first = try #require(scene.received(by: watcher, full: true))
        #expect(first.format == .pidf)
        #expect(try parsed(first.bytes)[attribute: "entity"] == "sip:alice@example.com")
        #expect(scene.received(by: watcher) == nil)

        let unchanged = try scene.publish(pidf(tuple("a")), ifMatch: tag, at: at(1))
        #expect(unchanged.changes.notify.isEmpty)
        #expect(scene.received(by: watcher) == nil)

        let changed = try scene.publish(pidf(tuple("a", "closed")), ifMatch: unchanged.tag, at: at(2))
        #expect(changed.changes.notify == [7])
        tag = changed.tag
        let second = try #require(scene.received(by: watcher))
        #expect(try parsed(second.bytes).first("basic")?.trimmedText == "closed")
        #expect(second.entityTag != first.entityTag)
    }

    @Test func oneNotificationIsUnderWayAtATimeAndOnlyTheNewestStateIsSent() throws {
        let scene = Scene()
        var tag = try scene.publish(pidf(tuple("a"))).tag
        let watcher = try #require(try scene.watch(1))
        _ = scene.agent.body(for: watcher, full: true)
        for step in 1...3 {
            tag = try scene.publish(pidf(tuple("a") + "<note>\(step)</note>"), ifMatch: tag, at: at(Double(step))).tag
            #expect(scene.agent.body(for: watcher, full: false) == nil)
            #expect(!scene.agent.hasNews(for: watcher))
        }
        scene.agent.delivered(watcher)
        #expect(scene.agent.hasNews(for: watcher))
        let body = try #require(scene.received(by: watcher))
        #expect(try parsed(body.bytes).first("note")?.trimmedText == "3")
        #expect(!scene.agent.hasNews(for: watcher))
    }

    @Test func aStateThatReturnsBeforeItWasSentIsNoNews() throws {
        let scene = Scene()
        let tag = try scene.publish(pidf(tuple("a"))).tag
        let watcher = try #require(try scene.watch(1, formats: .pidfDiff))
        _ = scene.received(by: watcher, full: true)
        let other = try scene.publish(pidf(tuple("a", "closed")), ifMatch: tag, at: at(1)).tag
        try scene.publish(pidf(tuple("a")), ifMatch: other, at: at(2))
        #expect(!scene.agent.hasNews(for: watcher))
        #expect(scene.received(by: watcher) == nil)
    }

    @Test func watchersOfAViewShareTheBytes() throws {
        let scene = Scene()
        try scene.publish(pidf(tuple("a")))
        let watchers = try (1...5).map { try #require(try scene.watch(UInt32($0), as: $0 % 2 == 0 ? bob : carol)) }
        let bodies = watchers.compactMap { scene.received(by: $0, full: true) }
        #expect(bodies.count == 5)
        #expect(Set(bodies.map(\.bytes)).count == 1)
        #expect(Set(bodies.map(\.entityTag)).count == 1)
    }

    @Test func theEntityTagSurvivesARestart() throws {
        let tags = try (0..<2).map { run in
            let scene = Scene(firstEntityTag: UInt64(run) * 1_000)
            try scene.publish(pidf(tuple("a")), at: at(Double(run)))
            let watcher = try #require(try scene.watch(1))
            return scene.agent.entityTag(for: watcher)
        }
        #expect(tags[0] != nil)
        #expect(tags[0] == tags[1])
    }

    @Test func anEndedSubscriptionIsForgotten() throws {
        let scene = Scene()
        try scene.publish(pidf(tuple("a")))
        let gone = try #require(try scene.watch(1))
        _ = scene.agent.unwatch(gone, because: .timeout, at: at(1))
        let stays = try #require(try scene.watch(2))
        #expect(gone != stays)
        #expect(scene.agent.body(for: gone, full: true) == nil)
        scene.agent.delivered(gone)
        #expect(scene.agent.body(for: stays, full: true) != nil)
    }

    @Test func membersKeepTheirPlacesWhenOthersLeave() throws {
        let scene = Scene()
        var tag = try scene.publish(pidf(tuple("a"))).tag
        var watchers: [UInt32: WatcherID] = [:]
        for number in 1...9 as ClosedRange<UInt32> { watchers[number] = try scene.watch(number) }
        for number in [1, 5, 9] as [UInt32] {
            let leaving = try #require(watchers[number])
            watchers[number] = nil
            _ = scene.agent.unwatch(leaving, because: .timeout, at: at(1))
        }
        let changes = try scene.publish(pidf(tuple("a", "closed")), ifMatch: tag, at: at(2))
        tag = changes.tag
        #expect(Set(changes.changes.notify) == Set(watchers.keys))
        for watcher in watchers.values { #expect(scene.received(by: watcher) != nil) }
    }
}

/// RFC 5263 with the documents of RFC 5262.
@Suite struct PartialNotificationTests {
    private let person =
        #"<dm:person id="p"><r:activities><r:busy/></r:activities><dm:note>in the office today, and for long</dm:note></dm:person>"#

    @Test func theFirstIsFullThenComeDifferences() throws {
        let scene = Scene()
        let tag = try scene.publish(pidf(tuple("a", contact: "sip:alice@device.example.com") + person)).tag
        let watcher = try #require(try scene.watch(1, formats: .pidfDiff))
        var client = PartialWatcher()
        client.receive(try #require(scene.received(by: watcher, full: true)))
        #expect(client.wasFull)

        try scene.publish(
            pidf(tuple("a", "closed", contact: "sip:alice@device.example.com") + person), ifMatch: tag, at: at(1))
        let body = try #require(scene.received(by: watcher))
        #expect(body.format == .pidfDiff)
        client.receive(body)
        #expect(!client.wasFull)
        #expect(client.problems == [])
        #expect(client.state == (try scene.seen(at: at(1))))
    }

    @Test func afterAnUnansweredNotificationTheNextIsFull() throws {
        let scene = Scene()
        var tag = try scene.publish(pidf(tuple("a") + person)).tag
        let watcher = try #require(try scene.watch(1, formats: .pidfDiff))
        var client = PartialWatcher()
        client.receive(try #require(scene.received(by: watcher, full: true)))
        tag = try scene.publish(pidf(tuple("a", "closed") + person), ifMatch: tag, at: at(1)).tag
        _ = scene.agent.body(for: watcher, full: false)
        scene.agent.undelivered(watcher)
        #expect(scene.agent.hasNews(for: watcher))
        let body = try #require(scene.received(by: watcher))
        #expect(body.isFull)
        client.receive(body)
        #expect(client.problems == [])
        #expect(client.state == (try scene.seen(at: at(1))))
    }

    @Test func aRefreshIsAnsweredInFullWithTheNextVersion() throws {
        let scene = Scene()
        try scene.publish(pidf(tuple("a") + person))
        let watcher = try #require(try scene.watch(1, formats: .pidfDiff))
        for version in 1...12 {
            let body = try #require(scene.received(by: watcher, full: true))
            #expect(body.isFull)
            #expect(body.count == body.bytes.count)
            #expect(try parsed(body.bytes)[attribute: "version"] == "\(version)")
        }
    }

    @Test func afterARestartVersionsGoOnAndTheFirstIsFull() throws {
        let scene = Scene()
        try scene.publish(pidf(tuple("a") + person))
        let request = WatchRequest(
            subscription: 1, identity: bob, formats: .pidfDiff, expires: at(3_600), lastVersion: 4_000)
        let watcher = try #require(try scene.agent.watch(request, of: scene.presentity, at: at(0)).watcher)
        let body = try #require(scene.received(by: watcher))
        #expect(body.isFull)
        #expect(try parsed(body.bytes)[attribute: "version"] == "4001")
    }

    @Test func anotherFormatBeginsInFullAndTheVersionGoesOn() throws {
        let scene = Scene()
        var tag = try scene.publish(pidf(tuple("a") + person)).tag
        let watcher = try #require(try scene.watch(1, formats: .pidfDiff))
        var versions: [String?] = []
        for formats in [AcceptedFormats.pidfDiff, .pidf, .pidfDiff] {
            let request = WatchRequest(subscription: 1, identity: bob, formats: formats, expires: at(3_600))
            _ = try scene.agent.rewatch(watcher, request, at: at(1))
            tag = try scene.publish(
                pidf(tuple("a") + person + "<note>\(versions.count)</note>"), ifMatch: tag, at: at(2)
            ).tag
            let body = try #require(scene.received(by: watcher))
            #expect(body.isFull)
            versions.append(try parsed(body.bytes)[attribute: "version"])
        }
        #expect(versions == ["1", nil, "2"])
    }

    /// Random publications, random losses and delays, watchers that come at random: whoever applies what it gets always has what a new
    /// watcher would be shown, and never sees a version out of order.
    @Test(arguments: 0..<12 as Range<UInt64>) func whoeverAppliesDifferencesHasTheState(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var settings = PresenceSettings()
        settings.statesPerView = 1 + Int(seed % 4)
        let scene = Scene(settings)
        var tag = try scene.publish(RandomPresence.document(&random)).tag
        var clients: [(watcher: WatcherID, client: PartialWatcher, underWay: NotificationBody?)] = []
        for step in 1...120 {
            let now = at(Double(step))
            switch Int.random(in: 0..<10, using: &random) {
            case 0 where clients.count < 8:
                let watcher = try #require(try scene.watch(UInt32(step), formats: .pidfDiff, at: now))
                clients.append((watcher, PartialWatcher(), scene.agent.body(for: watcher, full: true)))
            case 1..<5:
                tag = try scene.publish(RandomPresence.document(&random), ifMatch: tag, at: now).tag
            default:
                guard let index = clients.indices.randomElement(using: &random) else { continue }
                if let body = clients[index].underWay {
                    // One in four answers is lost; the NOTIFY itself may have arrived or not.
                    let isAnswered = Int.random(in: 0..<4, using: &random) > 0
                    if isAnswered || Bool.random(using: &random) { clients[index].client.receive(body) }
                    if isAnswered {
                        scene.agent.delivered(clients[index].watcher)
                    } else {
                        scene.agent.undelivered(clients[index].watcher)
                    }
                    clients[index].underWay = nil
                } else {
                    let full = Int.random(in: 0..<8, using: &random) == 0
                    clients[index].underWay = scene.agent.body(for: clients[index].watcher, full: full)
                }
            }
        }
        let truth = try scene.seen(at: at(121))
        for index in clients.indices {
            if let body = clients[index].underWay {
                clients[index].client.receive(body)
                scene.agent.delivered(clients[index].watcher)
            }
            if let body = scene.received(by: clients[index].watcher) { clients[index].client.receive(body) }
            #expect(clients[index].client.problems == [])
            #expect(clients[index].client.state == truth)
        }
    }
}

/// A watcher that does what RFC 5263 section 4.5 says.
struct PartialWatcher {
    private(set) var state: XMLElement?
    private(set) var version: UInt32?
    private(set) var wasFull = false
    private(set) var problems: [String] = []

    mutating func receive(_ body: NotificationBody) {
        do {
            try apply(PartialPresence(try DocumentReader().read(body.bytes)))
        } catch {
            problems.append("\(error)")
        }
    }

    private mutating func apply(_ document: PartialPresence) throws {
        let number = document.version ?? 0
        if let version, number <= version { problems.append("version \(number) after \(version)") }
        switch document.content {
        case .full(let presence):
            state = presence
            wasFull = true
        case .difference(let patch):
            wasFull = false
            if number != (version ?? 0) + 1 { problems.append("difference \(number) after \(version ?? 0)") }
            guard let state else {
                problems.append("a difference to nothing")
                return
            }
            self.state = try patch.apply(to: state)
        }
        version = number
    }
}

/// Presence documents at random, alike enough for differences to make sense.
enum RandomPresence {
    static func document(_ random: inout SeededGenerator) -> [UInt8] {
        var content = ""
        for id in ["phone", "laptop", "desk"] where Int.random(in: 0..<4, using: &random) > 0 {
            let basic = Bool.random(using: &random) ? "open" : "closed"
            let notes = (0..<Int.random(in: 0..<3, using: &random)).map {
                "<note>n\($0) &lt;\(Int.random(in: 0..<3, using: &random))</note>"
            }
            content += #"<tuple id="\#(id)"><status><basic>\#(basic)</basic></status>"#
            content +=
                "<contact priority=\"0.\(Int.random(in: 0...9, using: &random))\">sip:alice@\(id).example.com</contact>"
            content += notes.joined() + "</tuple>"
        }
        if Bool.random(using: &random) { content += "<note>all</note>" }
        if Bool.random(using: &random) {
            let activities = ["busy", "away", "meal"].filter { _ in Bool.random(using: &random) }.map { "<r:\($0)/>" }
            content += #"<dm:person id="p"><r:activities>\#(activities.joined())</r:activities>"#
            if Bool.random(using: &random) { content += "<r:mood><r:happy/></r:mood>" }
            content += "</dm:person>"
        }
        return pidf(content)
    }
}
