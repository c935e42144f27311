import LinkProfiles
import MessageStore
import Testing

@Suite("Subscriptions, publications and documents in a store")
struct PresenceStoreTests {
    @Test("come back as they were written, behind the messages and in order", arguments: StoreKind.allCases)
    func recovery(_ kind: StoreKind) throws {
        let subject = try StoreUnderTest(kind)
        _ = try subject.store.commit(
            names + [
                .presence(.subscribe(sampleSubscription(12))), .presence(.put(sampleDocument("sip:bob@example.org"))),
                .presence(.publish(samplePublication(4))), .enqueue(sample(1)), .bind(sampleBinding(1)),
                .presence(.subscribe(sampleSubscription(3, of: alice))), .presence(.put(sampleDocument(""))),
                .presence(.publish(samplePublication(2, of: alice, body: []))),
            ])
        try subject.reopen()
        let content = try subject.content()
        #expect(content.order == "aabmddppss")
        #expect(content.subscriptions == [sampleSubscription(3, of: alice), sampleSubscription(12)])
        #expect(content.publications == [samplePublication(2, of: alice, body: []), samplePublication(4)])
        #expect(content.documents == [sampleDocument(""), sampleDocument("sip:bob@example.org")])
    }

    @Test("renewing changes a subscription's progress and nothing else", arguments: StoredSubscriptionState.allCases)
    func renewal(_ state: StoredSubscriptionState) throws {
        for kind in StoreKind.allCases {
            let subject = try StoreUnderTest(kind)
            _ = try subject.store.commit(names + (1...3).map { .presence(.subscribe(sampleSubscription($0))) })
            let progress = SubscriptionProgress(
                state: state, remoteSequence: 0, sequenceCeiling: 1, version: 2, expiresAt: moment(9))
            try subject.commit(
                .presence(.renew(SubscriptionNumber(2), progress)), .presence(.renew(SubscriptionNumber(9), progress)))
            try subject.reopen()
            var expected = (1...3).map { sampleSubscription($0) }
            expected[1].progress = progress
            #expect(try subject.content().subscriptions == expected)
        }
    }

    @Test("a subscription is replaced under its number and removed", arguments: StoreKind.allCases)
    func replacement(_ kind: StoreKind) throws {
        let subject = try StoreUnderTest(kind)
        _ = try subject.store.commit(names + (1...3).map { .presence(.subscribe(sampleSubscription($0))) })
        var changed = sampleSubscription(1, of: alice)
        changed.dialog = []
        changed.filter = Array(repeating: 0xff, count: 9_000)
        changed.flow = ""
        changed.watcher = "sip:bøb@example.org"
        try subject.commit(
            .presence(.subscribe(changed)), .presence(.unsubscribe(SubscriptionNumber(2))),
            .presence(.unsubscribe(SubscriptionNumber(77))))
        try subject.reopen()
        #expect(try subject.content().subscriptions == [changed, sampleSubscription(3)])
    }

    @Test("a refreshed publication keeps its body, a modified one its number", arguments: StoreKind.allCases)
    func publications(_ kind: StoreKind) throws {
        let subject = try StoreUnderTest(kind)
        _ = try subject.store.commit(names + (1...3).map { .presence(.publish(samplePublication($0))) })
        let modified = samplePublication(2, tag: "other", body: Array(repeating: 0x3c, count: 20_000))
        try subject.commit(
            .presence(.refresh(PublicationNumber(1), entityTag: "refreshed", expiresAt: moment(99))),
            .presence(.refresh(PublicationNumber(8), entityTag: "nobody's", expiresAt: moment(99))),
            .presence(.publish(modified)), .presence(.unpublish(PublicationNumber(3))))
        try subject.reopen()
        var refreshed = samplePublication(1, tag: "refreshed")
        refreshed.expiresAt = moment(99)
        #expect(try subject.content().publications == [refreshed, modified])
    }

    @Test("documents are told apart by application, owner and name", arguments: StoreKind.allCases)
    func documents(_ kind: StoreKind) throws {
        let subject = try StoreUnderTest(kind)
        var other = sampleDocument("sip:bob@example.org")
        other.name.application = "resource-lists"
        let documents = [
            sampleDocument(""), sampleDocument("sip:alice@example.org"), sampleDocument("sip:bob@example.org"),
            sampleDocument("sip:bob@example.org", name: "second"), other,
        ]
        _ = try subject.store.commit(documents.map { .presence(.put($0)) })
        let changed = sampleDocument("sip:alice@example.org", body: "")
        try subject.commit(
            .presence(.put(changed)), .presence(.remove(documents[2].name)), .presence(.remove(documents[2].name)))
        try subject.reopen()
        #expect(try subject.content().documents == [documents[0], changed, documents[3], other])
    }

    @Test("a group is one with its messages: an offence undoes all of it", arguments: StoreKind.allCases)
    func atomic(_ kind: StoreKind) throws {
        let subject = try StoreUnderTest(kind)
        _ = try subject.store.commit(
            names + [
                .presence(.subscribe(sampleSubscription(1))), .presence(.publish(samplePublication(1))),
                .presence(.put(sampleDocument(""))),
            ])
        let before = try subject.content()
        var nameless = sampleSubscription(5)
        nameless.event = ""
        let offences: [StoreCommand] = [
            .presence(.subscribe(sampleSubscription(5, of: AddressNumber(3)))), .presence(.subscribe(nameless)),
            .presence(.subscribe(sampleSubscription(0))), .presence(.publish(samplePublication(0))),
            .presence(.publish(samplePublication(5, of: AddressNumber(3)))),
            .presence(.publish(samplePublication(5, tag: ""))), .presence(.put(sampleDocument("", name: ""))),
            .enqueue(sample(9, to: AddressNumber(3))),
        ]
        for offence in offences {
            let group: [StoreCommand] = [
                .enqueue(sample(2)), .presence(.subscribe(sampleSubscription(2))),
                .presence(.renew(SubscriptionNumber(1), sampleProgress(8, state: .pending))),
                .presence(.unsubscribe(SubscriptionNumber(1))), .presence(.publish(samplePublication(2))),
                .presence(.unpublish(PublicationNumber(1))),
                .presence(.remove(DocumentName(application: "pres-rules", owner: ""))), offence,
            ]
            #expect(failureKind { try subject.store.commit(group) } == "misuse")
            #expect(try subject.content() == before)
        }
        #expect(
            failureKind {
                try subject.commit(.presence(.refresh(PublicationNumber(1), entityTag: "", expiresAt: moment(1))))
            } == "misuse")
    }

    @Test("numbers of rows that are gone are not given out again", arguments: StoreKind.allCases)
    func numbering(_ kind: StoreKind) throws {
        let subject = try StoreUnderTest(kind)
        _ = try subject.store.commit(
            names + [.presence(.subscribe(sampleSubscription(41))), .presence(.publish(samplePublication(17)))])
        try subject.commit(
            .presence(.unsubscribe(SubscriptionNumber(41))), .presence(.unpublish(PublicationNumber(17))))
        try subject.commit(.presence(.subscribe(sampleSubscription(40))), .presence(.publish(samplePublication(16))))
        try subject.reopen()
        let numbering = try subject.content().numbering
        #expect(numbering.lastSubscription == SubscriptionNumber(41))
        #expect(numbering.lastPublication == PublicationNumber(17))
    }

    @Test("a row that came and went within one group still counts", arguments: StoreKind.allCases)
    func numberingWithinOneGroup(_ kind: StoreKind) throws {
        let subject = try StoreUnderTest(kind)
        _ = try subject.store.commit(
            names + [
                .presence(.subscribe(sampleSubscription(8))), .presence(.unsubscribe(SubscriptionNumber(8))),
                .presence(.publish(samplePublication(6))), .presence(.unpublish(PublicationNumber(6))),
            ])
        try subject.reopen()
        #expect(try subject.content().numbering.lastSubscription == SubscriptionNumber(8))
        #expect(try subject.content().numbering.lastPublication == PublicationNumber(6))
    }

    @Test(
        "any sequence of groups leaves what dictionaries hold, also after opening again",
        arguments: StoreKind.allCases, [1, 2, 3, 4] as [UInt64])
    func model(_ kind: StoreKind, seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let subject = try StoreUnderTest(kind)
        var model = PresenceModel()
        _ = try subject.store.commit(names)
        for step in 0..<60 {
            let group = (0..<Int.random(in: 0...25, using: &random)).map { _ in PresenceModel.draw(&random) }
            let commands = group.map(StoreCommand.presence)
            if Int.random(in: 0..<8, using: &random) == 0 {
                #expect(throws: StoreFailure.self) {
                    try subject.store.commit(commands + [.presence(.publish(samplePublication(1, tag: "")))])
                }
            } else {
                _ = try subject.store.commit(commands)
                for command in group { model.apply(command) }
            }
            if Int.random(in: 0..<8, using: &random) == 0 { try subject.reopen() }
            let content = try subject.content()
            #expect(content.subscriptions == model.sortedSubscriptions, "seed \(seed), step \(step)")
            #expect(content.publications == model.sortedPublications, "seed \(seed), step \(step)")
            #expect(content.documents == model.sortedDocuments, "seed \(seed), step \(step)")
            #expect(content.numbering.lastSubscription.rawValue == model.highestSubscription)
            #expect(content.numbering.lastPublication.rawValue == model.highestPublication)
        }
    }
}

/// Presence as dictionaries, written apart from ``SimulatedStore``.
private struct PresenceModel {
    private var subscriptions: [Int64: StoredSubscription] = [:]
    private var publications: [Int64: StoredPublication] = [:]
    private var documents: [String: StoredDocument] = [:]
    private(set) var highestSubscription: Int64 = 0
    private(set) var highestPublication: Int64 = 0

    var sortedSubscriptions: [StoredSubscription] { subscriptions.sorted { $0.key < $1.key }.map(\.value) }
    var sortedPublications: [StoredPublication] { publications.sorted { $0.key < $1.key }.map(\.value) }
    var sortedDocuments: [StoredDocument] { documents.sorted { $0.key < $1.key }.map(\.value) }

    mutating func apply(_ command: PresenceCommand) {
        switch command {
        case .subscribe(let subscription):
            subscriptions[subscription.number.rawValue] = subscription
            highestSubscription = max(highestSubscription, subscription.number.rawValue)
        case .renew(let number, let progress): subscriptions[number.rawValue]?.progress = progress
        case .unsubscribe(let number): subscriptions[number.rawValue] = nil
        case .publish(let publication):
            publications[publication.number.rawValue] = publication
            highestPublication = max(highestPublication, publication.number.rawValue)
        case .refresh(let number, let tag, let expiry):
            publications[number.rawValue]?.entityTag = tag
            publications[number.rawValue]?.expiresAt = expiry
        case .unpublish(let number): publications[number.rawValue] = nil
        case .put(let document): documents[document.name.owner] = document
        case .remove(let name): documents[name.owner] = nil
        }
    }

    static func draw(_ random: inout SeededGenerator) -> PresenceCommand {
        let number = Int64.random(in: 1...25, using: &random)
        let resource = Bool.random(using: &random) ? alice : bob
        let owner = "sip:\(Int.random(in: 0...5, using: &random))@example.org"
        let state = StoredSubscriptionState.allCases.randomElement(using: &random) ?? .active
        switch Int.random(in: 0..<12, using: &random) {
        case 0..<3: return .subscribe(sampleSubscription(number, of: resource))
        case 3..<5:
            let other = Int64.random(in: 0...1_000_000, using: &random)
            return .renew(SubscriptionNumber(number), sampleProgress(other, state: state))
        case 5: return .unsubscribe(SubscriptionNumber(number))
        case 6..<8:
            let body = [UInt8](repeating: 0x20, count: Int.random(in: 0...6_000, using: &random))
            return .publish(samplePublication(number, of: resource, body: body))
        case 8: return .refresh(PublicationNumber(number), entityTag: "r\(number)", expiresAt: moment(number))
        case 9: return .unpublish(PublicationNumber(number))
        case 10: return .put(sampleDocument(owner, body: String(number)))
        default: return .remove(sampleDocument(owner).name)
        }
    }
}
