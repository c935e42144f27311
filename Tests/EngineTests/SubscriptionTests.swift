import LinkProfiles
import MessageStore
import SIPCore
import Simulation
import Testing

@testable import Engine

@Suite("SUBSCRIBE and NOTIFY")
struct SubscriptionTests {
    let scene: EngineScene

    init() throws { scene = try EngineScene() }

    private func publish(_ status: String, id: String, etag: String? = nil) {
        scene.receive(
            EngineScene.publish(
                for: "alice", body: EngineScene.document(of: "alice", status: status), id: id, etag: etag))
        scene.settle()
    }

    private func watch(_ watcher: String = "bob", id: String = "s1", port: UInt16 = 6001, expires: Int = 3_600) {
        scene.receive(
            EngineScene.subscribe(to: "alice", from: watcher, id: id, port: port, expires: expires),
            on: EngineScene.udp(port))
        scene.settle()
    }

    @Test func isAnsweredOnceItIsDurableAndToldTheState() throws {
        publish("open", id: "p1")
        _ = scene.take()
        scene.receive(EngineScene.subscribe(to: "alice", id: "s1"), on: EngineScene.udp(6001))
        #expect(scene.sent.isEmpty)
        scene.settle()
        let answer = try #require(scene.sent.first)
        #expect(answer.status == 200)
        #expect(answer.header(.expires) == "3600")
        #expect(answer.header(.contact) == "<sip:192.0.2.1:5060>")
        let notify = try #require(scene.notifications.first)
        #expect(scene.notifications.count == 1)
        #expect(notify.text.hasPrefix("NOTIFY sip:bob@198.51.100.7:6001 SIP/2.0\r\n"))
        #expect(notify.port == 6001)
        #expect(notify.header(.event) == "presence")
        #expect(notify.subscriptionState == "active;expires=3600")
        #expect(notify.header(.callID) == "s1@198.51.100.7")
        #expect(notify.message.text(notify.message.to.tag) == "ws1")
        #expect(notify.message.text(notify.message.from.tag) == answer.message.text(answer.message.to.tag))
        #expect(notify.header(.contentType) == "application/pidf+xml")
        #expect(notify.body.contains("<basic>open</basic>"))
        #expect(scene.store.subscriptions.count == 1)
    }

    @Test func aChangeIsTold() throws {
        publish("open", id: "p1")
        let tag = scene.entityTag
        watch()
        scene.answerNotifications()
        publish("closed", id: "p2", etag: tag)
        let last = try #require(scene.notifications.last)
        #expect(last.body.contains("<basic>closed</basic>"))
        #expect(last.sequence == 2)
        #expect(Set(scene.notifications.map(\.branch)).count == scene.notifications.count)
    }

    @Test func oneNotifyIsUnderWayAndOnlyTheNewestStateFollows() throws {
        publish("open", id: "p1")
        var tag = scene.entityTag
        watch()
        for round in 0..<5 {
            publish(round.isMultiple(of: 2) ? "closed" : "open", id: "q\(round)", etag: tag)
            tag = scene.entityTag
        }
        #expect(scene.notifications.count == 1)
        scene.answer(200, to: try #require(scene.notifications.first))
        #expect(scene.notifications.count == 2)
        #expect(try #require(scene.notifications.last).body.contains("<basic>closed</basic>"))
    }

    @Test func aQuestionIsAnsweredOnceAndLeavesNothing() throws {
        publish("open", id: "p1")
        watch(expires: 0)
        #expect(scene.statuses.last == 200)
        let notify = try #require(scene.notifications.last)
        #expect(notify.subscriptionState == "terminated;reason=timeout")
        #expect(notify.body.contains("<basic>open</basic>"))
        scene.answerNotifications()
        #expect(scene.store.subscriptions.isEmpty)
        #expect(scene.engine.counters.presence.subscriptions == 0)
    }

    @Test func aRefreshLengthensTheLifeAndTellsTheWholeState() throws {
        publish("open", id: "p1")
        watch(expires: 600)
        scene.answerNotifications()
        scene.advance(.seconds(300 as Int64))
        let first = try #require(scene.notifications.first)
        scene.receive(
            EngineScene.subscribe(to: "alice", id: "s1", cseq: 2, expires: 600, dialog: first),
            on: EngineScene.udp(6001))
        #expect(scene.notifications.count == 1)
        scene.settle()
        #expect(scene.statuses.last == 200)
        #expect(scene.notifications.count == 2)
        #expect(try #require(scene.notifications.last).subscriptionState == "active;expires=600")
        scene.answerNotifications()
        scene.advance(.seconds(400 as Int64))
        #expect(scene.engine.counters.presence.subscriptions == 1)
        scene.advance(.seconds(300 as Int64))
        #expect(try #require(scene.notifications.last).subscriptionState == "terminated;reason=timeout")
        #expect(scene.store.subscriptions.isEmpty)
        #expect(scene.engine.counters.presence.subscriptions == 0)
    }

    @Test func takingItBackEndsIt() throws {
        publish("open", id: "p1")
        watch()
        scene.answerNotifications()
        let first = try #require(scene.notifications.first)
        scene.receive(
            EngineScene.subscribe(to: "alice", id: "s1", cseq: 2, expires: 0, dialog: first), on: EngineScene.udp(6001))
        scene.settle()
        let last = try #require(scene.notifications.last)
        #expect(last.subscriptionState == "terminated;reason=timeout")
        #expect(scene.store.subscriptions.isEmpty)
        scene.answerNotifications()
        scene.receive(
            EngineScene.subscribe(to: "alice", id: "s1", cseq: 3, dialog: first), on: EngineScene.udp(6001))
        #expect(scene.statuses.last == 481)
    }

    @Test(arguments: [404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604] as [UInt16])
    func aLastingRefusalEndsTheSubscription(_ status: UInt16) throws {
        watch()
        scene.answer(status, to: try #require(scene.notifications.first))
        scene.settle()
        #expect(scene.engine.counters.presence.subscriptions == 0)
        #expect(scene.store.subscriptions.isEmpty)
    }

    @Test(arguments: [400, 403, 500, 503] as [UInt16])
    func aPassingFailureIsTriedAgainWithTheNewestState(_ status: UInt16) throws {
        publish("open", id: "p1")
        let tag = scene.entityTag
        watch()
        scene.answer(status, to: try #require(scene.notifications.first))
        publish("closed", id: "p2", etag: tag)
        #expect(scene.notifications.count == 1)
        scene.advance(.seconds(10 as Int64))
        #expect(scene.notifications.count == 2)
        #expect(try #require(scene.notifications.last).body.contains("closed"))
        #expect(scene.engine.counters.presence.subscriptions == 1)
    }

    @Test func aWatcherThatDoesNotAnswerLosesItsSubscription() {
        watch()
        scene.advance(.seconds(33 as Int64))
        #expect(scene.notifications.count == 1)
        #expect(scene.engine.counters.retransmissionsSent > 5)
        #expect(scene.engine.counters.presence.subscriptions == 0)
        #expect(scene.store.subscriptions.isEmpty)
    }

    @Test func aClosedConnectionWaitsForARefresh() throws {
        publish("open", id: "p1")
        let tag = scene.entityTag
        let contact = "<sip:bob@198.51.100.7:40001;transport=tcp>"
        scene.receive(
            EngineScene.subscribe(to: "alice", id: "s1", port: 40_001, contact: contact, transport: "TCP"),
            on: EngineScene.tcp(1))
        scene.settle()
        let first = try #require(scene.notifications.first)
        #expect(first.destination == .flow(EngineScene.tcp(1)))
        scene.engine.flowClosed(EngineScene.tcp(1), at: scene.now)
        scene.drain()
        publish("closed", id: "p2", etag: tag)
        #expect(scene.notifications.count == 1)
        scene.receive(
            EngineScene.subscribe(
                to: "alice", id: "s1", cseq: 2, port: 40_002, dialog: first,
                contact: "<sip:bob@198.51.100.7:40002;transport=tcp>", transport: "TCP"), on: EngineScene.tcp(2))
        scene.settle()
        let last = try #require(scene.notifications.last)
        #expect(last.destination == .flow(EngineScene.tcp(2)))
        #expect(last.body.contains("closed"))
        #expect(last.sequence > first.sequence)
    }

    @Test func aRecordRouteIsFollowed() throws {
        let route = "Record-Route: <sip:203.0.113.9;lr>, <sip:203.0.113.8:5070;lr>\r\n"
        scene.receive(
            EngineScene.subscribe(to: "alice", id: "s1", contact: "<sip:bob@10.0.0.1>", recordRoute: route))
        scene.settle()
        let notify = try #require(scene.notifications.first)
        #expect(notify.header(.route) == "<sip:203.0.113.9;lr>,<sip:203.0.113.8:5070;lr>")
        #expect(notify.text.hasPrefix("NOTIFY sip:bob@10.0.0.1 SIP/2.0\r\n"))
        guard case .target(let target) = notify.destination else {
            Issue.record("not sent to the first route")
            return
        }
        #expect(target.address.description == "203.0.113.9:5060")
    }

    @Test func aWatcherByNameIsLookedUp() throws {
        scene.receive(EngineScene.subscribe(to: "alice", id: "s1", contact: "<sip:bob@phone.example.net>"))
        scene.settle()
        #expect(scene.notifications.isEmpty)
        let question = try #require(scene.resolutions.last)
        #expect(question.host == "phone.example.net")
        let target = Target(transport: .udp, address: TransportAddress(ip: IPAddress(v4: 0xCB00_7107), port: 5060))
        scene.engine.resolved(question.id, targets: [target], at: scene.now)
        scene.drain()
        #expect(scene.notifications.last?.destination == .target(target))
    }

    @Test(
        arguments: [
            (EngineScene.subscribe(to: "alice", id: "s1", event: nil), 489),
            (EngineScene.subscribe(to: "alice", id: "s1", event: "conference"), 489),
            (EngineScene.subscribe(to: "alice", id: "s1", event: "Presence"), 489),
            (EngineScene.subscribe(to: "alice", id: "s1", accept: "text/plain"), 406),
            (EngineScene.subscribe(to: "alice", id: "s1", body: "x", type: "text/plain"), 415),
            (EngineScene.subscribe(to: "alice", id: "s1", expires: 10), 423),
            (EngineScene.subscribe(to: "alice", id: "s1", contact: ""), 400),
            (EngineScene.subscribe(to: "alice", id: "s1", extra: "Require: eventlist\r\n"), 420),
            (EngineScene.subscribe(to: "alice", id: "s1", event: "presence.winfo"), 403),
            (EngineScene.subscribe(to: "alice", id: "s1", event: "reg"), 403),
        ] as [(String, UInt16)]) func isRefused(_ request: String, _ status: UInt16)
    {
        scene.receive(request)
        scene.settle()
        #expect(scene.statuses == [status])
        #expect(scene.notifications.isEmpty)
        #expect(scene.store.subscriptions.isEmpty)
        #expect(scene.engine.counters.presence.subscriptions == 0)
    }

    @Test func aRefreshByAnotherIsRefused() throws {
        watch()
        let first = try #require(scene.notifications.first)
        scene.receive(EngineScene.subscribe(to: "alice", from: "eve", id: "s1", cseq: 2, dialog: first))
        scene.settle()
        #expect(scene.statuses.last == 403)
    }

    @Test func anOldRefreshIsOutOfOrder() throws {
        scene.receive(EngineScene.subscribe(to: "alice", id: "s1", cseq: 9), on: EngineScene.udp(6001))
        scene.settle()
        let first = try #require(scene.notifications.first)
        scene.receive(EngineScene.subscribe(to: "alice", id: "s1", cseq: 8, dialog: first))
        scene.settle()
        #expect(scene.statuses.last == 500)
    }

    @Test func aFailingStoreRefusesIt() {
        scene.store.failure = .full("no space")
        watch()
        #expect(scene.statuses == [503])
        #expect(scene.notifications.isEmpty)
        #expect(scene.engine.counters.presence.subscriptions == 0)
    }

    @Test func anUnchangedRefreshCostsNoNotification() throws {
        publish("open", id: "p1")
        let publication = scene.entityTag
        watch()
        scene.answerNotifications()
        let first = try #require(scene.notifications.first)
        let tag = try #require(first.header(.sipETag))
        scene.receive(
            EngineScene.subscribe(
                to: "alice", id: "s1", cseq: 2, extra: "Suppress-If-Match: \(tag)\r\n", dialog: first),
            on: EngineScene.udp(6001))
        scene.settle()
        #expect(scene.statuses.last == 204)
        #expect(scene.notifications.count == 1)
        publish("closed", id: "p2", etag: publication)
        #expect(scene.notifications.count == 2)
        scene.answerNotifications()
        scene.receive(
            EngineScene.subscribe(
                to: "alice", id: "s1", cseq: 3, extra: "Suppress-If-Match: \(tag)\r\n", dialog: first),
            on: EngineScene.udp(6001))
        scene.settle()
        #expect(scene.statuses.last == 200)
        #expect(try #require(scene.notifications.last).body.contains("closed"))
    }

    @Test func aResumedSubscriptionWithTheSameStateHasNoBody() throws {
        publish("open", id: "p1")
        watch(expires: 0)
        let tag = try #require(scene.notifications.last?.header(.sipETag))
        scene.receive(
            EngineScene.subscribe(to: "alice", id: "s2", extra: "Suppress-If-Match: \(tag)\r\n"),
            on: EngineScene.udp(6001))
        scene.settle()
        let notify = try #require(scene.notifications.last)
        #expect(notify.header(.callID) == "s2@198.51.100.7")
        #expect(notify.body.isEmpty)
        #expect(notify.header(.contentType) == nil)
        #expect(notify.header(.sipETag) == tag)
    }

    @Test func aMaximumRateIsKept() throws {
        publish("open", id: "p1")
        var tag = scene.entityTag
        scene.receive(
            EngineScene.subscribe(to: "alice", id: "s1", event: "presence;max-rate=0.1"), on: EngineScene.udp(6001))
        scene.settle()
        scene.answerNotifications()
        #expect(try #require(scene.notifications.last).subscriptionState == "active;expires=3600;max-rate=0.1")
        for second in 1...30 {
            scene.receive(
                EngineScene.publish(
                    for: "alice", body: EngineScene.document(of: "alice", note: "\(second)"), id: "r\(second)",
                    etag: tag))
            scene.settle()
            tag = scene.entityTag
            scene.advance(.seconds(1 as Int64))
            scene.answerNotifications()
        }
        #expect((3...5).contains(scene.notifications.count))
    }

    @Test func partialNotificationsFollowTheFirst() throws {
        publish("open", id: "p1")
        let tag = scene.entityTag
        scene.receive(
            EngineScene.subscribe(
                to: "alice", id: "s1", accept: "application/pidf+xml, application/pidf-diff+xml"),
            on: EngineScene.udp(6001))
        scene.settle()
        scene.answerNotifications()
        #expect(try #require(scene.notifications.last).body.contains(":pidf-full"))
        publish("closed", id: "p2", etag: tag)
        let last = try #require(scene.notifications.last)
        #expect(last.header(.contentType) == "application/pidf-diff+xml")
        #expect(last.body.contains("closed"))
    }

    @Test func numbersAreReservedBeforeTheyAreUsed() throws {
        publish("open", id: "p0")
        var tag = scene.entityTag
        watch()
        scene.answerNotifications()
        for round in 1...1_500 {
            publish(round.isMultiple(of: 2) ? "open" : "closed", id: "p\(round)", etag: tag)
            tag = scene.entityTag
            let notify = try #require(scene.notifications.last)
            #expect(notify.sequence == UInt32(round + 1))
            let ceiling = try #require(scene.store.subscriptions.first).progress.sequenceCeiling
            #expect(ceiling >= notify.sequence)
            scene.answer(200, to: notify)
            scene.sent = scene.sent.suffix(2)
        }
    }

    @Test func afterARestartEachIsToldUnderAHigherNumber() throws {
        publish("open", id: "p1")
        for n in 1...50 { watch("w\(n)", id: "s\(n)", port: UInt16(7_000 + n)) }
        scene.answerNotifications()
        let before = try #require(scene.notifications.map(\.sequence).max())
        try scene.restart()
        _ = scene.take()
        scene.advance(.seconds(1 as Int64))
        #expect(scene.notifications.count == 50)
        #expect(scene.notifications.allSatisfy { $0.sequence > before && $0.body.contains("open") })
        #expect(Set(scene.notifications.map(\.port)).count == 50)
        #expect(scene.notifications.allSatisfy { $0.subscriptionState.hasPrefix("active;expires=3") })
    }

    @Test func aSubscriptionThatExpiredWhileTheServerWasAwayIsEnded() throws {
        watch(expires: 600)
        scene.answerNotifications()
        scene.now = scene.now + .seconds(700 as Int64)
        try scene.restart()
        _ = scene.take()
        scene.advance(.seconds(1 as Int64))
        #expect(scene.notifications.map(\.subscriptionState) == ["terminated;reason=timeout"])
        #expect(scene.store.subscriptions.isEmpty)
    }

    @Test func theSameRequestAfterARestartMakesNoSecondSubscription() throws {
        let request = EngineScene.subscribe(to: "alice", id: "s1")
        scene.receive(request, on: EngineScene.udp(6001))
        scene.settle()
        try scene.restart()
        scene.receive(request, on: EngineScene.udp(6001))
        scene.settle()
        #expect(scene.statuses == [200, 200])
        #expect(scene.store.subscriptions.count == 1)
        #expect(scene.engine.counters.presence.subscriptions == 1)
    }

    @Test func aPackageNobodyKnowsHereGoesToTheUsersDevice() throws {
        scene.register("alice", port: 6005)
        scene.receive(EngineScene.subscribe(to: "alice", id: "s1", event: "conference"))
        #expect(try #require(scene.requests(.subscribe).last).port == 6005)
    }

    @Test func optionsNameThePackages() throws {
        scene.receive(
            """
            OPTIONS sip:example.com SIP/2.0\r
            Via: SIP/2.0/UDP 198.51.100.7:5060;rport;branch=z9hG4bKo1\r
            From: <sip:bob@example.com>;tag=o\r
            To: <sip:example.com>\r
            Call-ID: o1\r
            CSeq: 1 OPTIONS\r
            Content-Length: 0\r
            \r\n
            """)
        #expect(scene.sent.last?.header(.allowEvents) == "presence, presence.winfo, reg")
        #expect(scene.sent.last?.header(.allow)?.contains("PUBLISH") == true)
    }
}
