import LinkProfiles
import Presence
import PresenceDocuments
import Testing

/// RFC 3903 sections 4 and 6.
@Suite struct PublicationTests {
    @Test func aPublicationIsCreatedRefreshedModifiedAndRemoved() throws {
        let scene = Scene()
        let created = try scene.publish(pidf(tuple("a")))
        #expect(try scene.seen()?.tupleIDs == ["a"])

        let refreshed = try scene.publish([], ifMatch: created.tag, at: at(1_000))
        #expect(refreshed.tag != created.tag)
        #expect(try scene.seen(at: at(3_700))?.tupleIDs == ["a"])

        let modified = try scene.publish(pidf(tuple("b")), ifMatch: refreshed.tag, at: at(2_000))
        #expect(try scene.seen()?.tupleIDs == ["b"])

        _ = try scene.publish([], ifMatch: modified.tag, expires: 0, at: at(2_001))
        #expect(try scene.seen()?.tupleIDs == [])
    }

    @Test func whatBecomesDurableIsWhatHappened() throws {
        var agent = PresenceAgent(firstEntityTag: 7, lastPublication: 41)
        let presentity = agent.presentity(for: alice)
        let create = try agent.prepare(
            PublishRequest(format: .pidf, body: pidf(tuple("a"))), for: presentity, at: at(0))
        guard case .store(let record) = create.change else {
            Issue.record("a first publication is stored whole")
            return
        }
        #expect(record.number == PublicationID(42))
        #expect(record.addressOfRecord == alice)
        #expect(record.entityTag == create.entityTag)
        #expect(record.expires == at(3_600))
        #expect(try parsed(record.document).tupleIDs == ["a"])
        _ = agent.apply(create, at: at(0))

        let refresh = try agent.prepare(
            PublishRequest(format: nil, body: [], ifMatch: create.entityTag.text, expires: 600), for: presentity,
            at: at(9))
        #expect(refresh.change == .refresh(record.number, entityTag: refresh.entityTag, expires: at(609)))
        _ = agent.apply(refresh, at: at(9))

        let remove = try agent.prepare(
            PublishRequest(format: nil, body: [], ifMatch: refresh.entityTag.text, expires: 0), for: presentity,
            at: at(10))
        #expect(remove.change == .remove(record.number))
        #expect(remove.expires == 0)
    }

    @Test(arguments: ["", "zzzzzzzzzzzzz", "nonsense!", "0", "01"])
    func anEntityTagOfNobodyFailsTheCondition(text: String) throws {
        let scene = Scene()
        let tag = try scene.publish(pidf(tuple("a"))).tag
        let request = PublishRequest(format: nil, body: [], ifMatch: Array(text.utf8), expires: 60)
        #expect(throws: PublicationRefusal.conditionFailed) {
            try scene.prepare(request, at: at(1))
        }
        #expect(PublicationRefusal.conditionFailed.statusCode == 412)
        #expect(throws: Never.self) { try scene.publish([], ifMatch: tag, at: at(2)) }
    }

    @Test func anEntityTagSucceedsOnce() throws {
        let scene = Scene()
        let first = try scene.publish(pidf(tuple("a"))).tag
        try scene.publish([], ifMatch: first, at: at(1))
        #expect(throws: PublicationRefusal.conditionFailed) { try scene.publish([], ifMatch: first, at: at(2)) }
    }

    @Test func whatHasExpiredIsGoneAndCannotBeRefreshed() throws {
        let scene = Scene()
        let tag = try scene.publish(pidf(tuple("a")), expires: 60).tag
        #expect(scene.agent.nextDeadline == at(60))
        #expect(scene.advance(to: at(59.9)).isEmpty)
        #expect(throws: PublicationRefusal.conditionFailed) { try scene.publish([], ifMatch: tag, at: at(60)) }
        let changes = scene.advance(to: at(60))
        #expect(changes.durable == [.remove(PublicationID(1))])
        #expect(scene.agent.nextDeadline == nil)
    }

    @Test(
        arguments: [(nil, 3_600), (60, 60), (59, nil), (1, nil), (86_400, 86_400), (4_000_000_000, 86_400)]
            as [(UInt32?, UInt32?)])
    func expiresIsChosenWithinTheLimits(requested: UInt32?, granted: UInt32?) throws {
        let scene = Scene()
        let request = PublishRequest(format: .pidf, body: pidf(tuple("a")), expires: requested)
        guard let granted else {
            #expect(throws: PublicationRefusal.intervalTooBrief(minimum: 60)) {
                try scene.prepare(request, at: at(0))
            }
            return
        }
        #expect(try scene.prepare(request, at: at(0)).expires == granted)
    }

    @Test func aFirstPublicationThatEndsAtOnceLeavesNothing() throws {
        let scene = Scene()
        try scene.publish(pidf(tuple("a")), expires: 0)
        #expect(try scene.seen()?.tupleIDs == [])
        #expect(scene.agent.existingPresentity(for: alice) == nil)
    }

    @Test func aFailedCommitChangesNothing() throws {
        let scene = Scene()
        let tag = try scene.publish(pidf(tuple("a"))).tag
        let request = PublishRequest(format: .pidf, body: pidf(tuple("b")), ifMatch: tag.text)
        let prepared = try scene.prepare(request, at: at(1))
        #expect(throws: PublicationRefusal.inProgress) { try scene.prepare(request, at: at(1)) }
        scene.agent.abandon(prepared, at: at(2))
        #expect(try scene.seen()?.tupleIDs == ["a"])
        #expect(throws: Never.self) { try scene.publish([], ifMatch: tag, at: at(3)) }
    }

    @Test func whatExpiresDuringItsCommitIsRemovedWhenTheCommitFails() throws {
        let scene = Scene()
        let tag = try scene.publish(pidf(tuple("a")), expires: 60).tag
        let request = PublishRequest(format: nil, body: [], ifMatch: tag.text, expires: 600)
        let prepared = try scene.prepare(request, at: at(59))
        #expect(scene.advance(to: at(61)).durable.isEmpty)
        scene.agent.abandon(prepared, at: at(61))
        #expect(scene.advance(to: at(62)).durable == [.remove(PublicationID(1))])
    }

    @Test func aPresentityHasSoManyPublicationsAndNoMore() throws {
        var settings = PresenceSettings()
        settings.publicationsPerPresentity = 2
        let scene = Scene(settings)
        try scene.publish(pidf(tuple("a")), expires: 100)
        try scene.publish(pidf(tuple("b")), expires: 200)
        #expect(throws: PublicationRefusal.tooManyPublications(retryAfter: 60)) {
            try scene.publish(pidf(tuple("c")), at: at(40))
        }
        #expect(PublicationRefusal.tooManyPublications(retryAfter: 1).statusCode == 503)
        #expect(throws: Never.self) { try scene.publish(pidf(tuple("c")), at: at(100)) }
    }

    @Test func publicationsComeBackFromTheStore() throws {
        let scene = Scene()
        let body = pidf(tuple("a", more: "<!-- x -->") + "<note>so\n  it is</note>")
        let request = PublishRequest(format: .pidfDiff, body: full(body), expires: 600)
        let prepared = try scene.prepare(request, at: at(0))
        guard case .store(let record) = prepared.change else { return }
        _ = scene.agent.apply(prepared, at: at(0))

        let later = Scene(firstEntityTag: 5)
        #expect(later.restore(record, at: at(100)))
        #expect(!later.restore(record, at: at(100)))
        #expect(try later.seen(at: at(100)) == scene.seen(at: at(100)))
        #expect(throws: Never.self) { try later.publish([], ifMatch: prepared.entityTag, at: at(101)) }
        #expect(!later.restore(record, at: at(600)))
    }

    private func full(_ body: [UInt8]) -> [UInt8] {
        Array(
            String(decoding: body, as: UTF8.self)
                .replacing("<presence ", with: #"<pd:pidf-full xmlns:pd="urn:ietf:params:xml:ns:pidf-diff" "#)
                .replacing("</presence>", with: "</pd:pidf-full>").utf8)
    }
}

/// Entity-tags as tokens.
@Suite struct EntityTagTests {
    @Test(arguments: [0, 1, 31, 32, 1_234_567_890_123, (1 << 60) - 1] as [UInt64])
    func tagsRoundTrip(value: UInt64) {
        let tag = EntityTag(value)
        #expect(EntityTag(tag.text) == tag)
        #expect(tag.text.count <= 12)
    }
}
