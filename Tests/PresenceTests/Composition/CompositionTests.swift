import LinkProfiles
import Presence
import PresenceDocuments
import Testing

/// The rules of docs/presence-composition.md.
@Suite struct CompositionTests {
    @Test func servicesOnSeveralDevicesAllStay() throws {
        let scene = Scene()
        try scene.publish(pidf(tuple("phone", "open", contact: "sip:alice@example.com")))
        try scene.publish(pidf(tuple("laptop", "closed", contact: "sip:alice@example.com")), at: at(1))
        let composed = try #require(try scene.seen(at: at(1)))
        #expect(composed.tupleIDs == ["laptop", "phone"])
    }

    @Test func aDevicePublishingAnewReplacesWhatItSaidBefore() throws {
        let scene = Scene()
        try scene.publish(pidf(tuple("phone", "open", contact: "sip:alice@phone.example.com")))
        try scene.publish(pidf(tuple("phone", "closed", contact: "SIP:alice@Phone.example.com")), at: at(1))
        let composed = try #require(try scene.seen(at: at(1)))
        #expect(composed.tupleIDs == ["phone"])
        #expect(composed.first("basic")?.trimmedText == "closed")
    }

    @Test func theSameDeviceIsKnownByItsDeviceIdentifier() throws {
        let scene = Scene()
        let device = "<dm:deviceID>urn:uuid:1</dm:deviceID>"
        try scene.publish(pidf(tuple("old", contact: "sip:alice@example.com", more: device)))
        try scene.publish(pidf(tuple("new", "closed", contact: "sip:alice@example.com", more: device)), at: at(1))
        #expect(try scene.seen(at: at(1))?.tupleIDs == ["new"])
    }

    @Test func anIdThatTwoServicesHaveIsMadeUniqueTheSameWayEveryTime() throws {
        let first = Scene()
        try first.publish(pidf(tuple("t", contact: "sip:alice@a.example.com")))
        try first.publish(pidf(tuple("t", contact: "sip:alice@b.example.com")))
        let ids = try #require(try first.seen()).tupleIDs
        #expect(Set(ids).count == 2)
        #expect(ids.contains("t"))

        let second = Scene()
        let tagB = try second.publish(pidf(tuple("t", contact: "sip:alice@b.example.com"))).tag
        let tagA = try second.publish(pidf(tuple("t", contact: "sip:alice@a.example.com"))).tag
        #expect(try #require(try second.seen()).tupleIDs == ids)
        try second.publish(pidf(tuple("t", "closed", contact: "sip:alice@b.example.com")), ifMatch: tagB, at: at(5))
        #expect(try #require(try second.seen(at: at(5))).tupleIDs == ids)
        try second.publish(pidf(tuple("t", "closed", contact: "sip:alice@a.example.com")), ifMatch: tagA, at: at(6))
        #expect(try #require(try second.seen(at: at(6))).tupleIDs == ids)
    }

    @Test func thePersonIsMergedAttributeByAttributeTheNewestFirst() throws {
        let scene = Scene()
        try scene.publish(
            pidf(#"<dm:person id="b"><r:activities><r:busy/></r:activities><r:mood><r:happy/></r:mood></dm:person>"#))
        try scene.publish(
            pidf(#"<dm:person id="a"><r:activities><r:away/></r:activities><dm:note>gone</dm:note></dm:person>"#),
            at: at(1))
        let persons = try #require(try scene.seen(at: at(1))).all("person")
        #expect(persons.count == 1)
        let person = try #require(persons.first)
        #expect(person[attribute: "id"] == "a")
        #expect(person.first("activities")?.first("away") != nil)
        #expect(person.first("busy") == nil)
        #expect(person.first("happy") != nil)
        #expect(person.first("note")?.trimmedText == "gone")
    }

    @Test func aTimestampSaysWhenSomethingWasStatedUnlessItIsFromTheFuture() throws {
        let scene = Scene()
        func person(_ activity: String, _ id: String, _ time: String) -> [UInt8] {
            pidf(
                #"<dm:person id="\#(id)"><r:activities><r:\#(activity)/></r:activities><dm:timestamp>\#(time)</dm:timestamp></dm:person>"#
            )
        }
        // The clock of the scene begins at 2027-01-15T08:00:00Z.
        try scene.publish(person("busy", "a", "2027-01-15T07:30:00Z"))
        try scene.publish(person("away", "b", "2027-01-15T07:00:00Z"), at: at(1))
        #expect(try scene.seen(at: at(1))?.first("activities")?.first("busy") != nil)
        try scene.publish(person("meal", "c", "2027-01-15T09:00:00+01:00"), at: at(2))
        #expect(try scene.seen(at: at(2))?.first("activities")?.first("meal") != nil)
        try scene.publish(person("travel", "d", "2099-01-01T00:00:00Z"), at: at(3))
        try scene.publish(person("sleeping", "e", "2027-01-15T08:00:03.500Z"), at: at(4))
        #expect(try scene.seen(at: at(4))?.first("activities")?.first("sleeping") != nil)
    }

    @Test func personsOfDifferentClassAreDifferentDescriptions() throws {
        let scene = Scene()
        let work = #"<dm:person id="w"><r:class>work</r:class><r:activities><r:busy/></r:activities></dm:person>"#
        let friends = #"<dm:person id="f"><r:class>friends</r:class><r:activities><r:away/></r:activities></dm:person>"#
        try scene.publish(pidf(work + friends))
        #expect(try scene.seen()?.all("person").count == 2)
    }

    @Test func devicesAreMergedByTheirIdentifier() throws {
        let scene = Scene()
        try scene.publish(
            pidf(
                #"<dm:device id="x"><r:user-input>idle</r:user-input><dm:deviceID>urn:uuid:1</dm:deviceID></dm:device>"#
            ))
        try scene.publish(
            pidf(
                #"<dm:device id="y"><r:class>desk</r:class><dm:deviceID>urn:uuid:2</dm:deviceID></dm:device>"#
                    + #"<dm:device id="z"><r:user-input>active</r:user-input><dm:deviceID>urn:uuid:1</dm:deviceID></dm:device>"#
            ),
            at: at(1))
        let devices = try #require(try scene.seen(at: at(1))).all("device")
        #expect(devices.compactMap { $0[attribute: "id"] } == ["x", "y"])
        #expect(devices.first?.first("user-input")?.trimmedText == "active")
    }

    @Test func whatTheUserSaysOutranksWhatTheNetworkSays() throws {
        let scene = Scene()
        try scene.publish(pidf(#"<dm:person id="a"><r:activities><r:busy/></r:activities></dm:person>"#))
        let network = pidf(
            #"<dm:person id="n"><r:activities><r:travel/></r:activities><r:place-type><r:ship/></r:place-type></dm:person>"#
        )
        let prepared = try scene.agent.prepare(
            localSource: Array("hlr".utf8), document: network, for: scene.presentity, at: at(10))
        guard case .store(let record) = prepared.change else { return }
        #expect(record.source == Array("hlr".utf8))
        #expect(record.expires == .distantFuture)
        _ = scene.agent.apply(prepared, at: at(10))
        let person = try #require(try scene.seen(at: at(10))?.first("person"))
        #expect(person.first("busy") != nil)
        #expect(person.first("travel") == nil)
        #expect(person.first("ship") != nil)

        let removal = try scene.agent.prepare(
            localSource: Array("hlr".utf8), document: nil, for: scene.presentity, at: at(11))
        #expect(removal.change == .remove(record.number))
        _ = scene.agent.apply(removal, at: at(11))
        #expect(try scene.seen(at: at(11))?.first("ship") == nil)
    }

    /// The same documents, stated at the same times, arriving in any order: the same document to the byte.
    @Test(arguments: 0..<40 as Range<UInt64>) func theOrderOfArrivalDoesNotMatter(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let documents = (0..<Int.random(in: 2...5, using: &random)).map { _ in RandomPresence.document(&random) }
        var bodies: Set<[UInt8]> = []
        for _ in 0..<4 {
            let scene = Scene()
            for document in documents.shuffled(using: &random) { try scene.publish(document) }
            let watcher = try #require(try scene.watch(1))
            bodies.insert(try #require(scene.received(by: watcher, full: true)).bytes)
        }
        #expect(bodies.count == 1)
        let ids = try parsed(try #require(bodies.first)).children.compactMap { $0.element?[attribute: "id"] }
        #expect(Set(ids).count == ids.count)
    }

    @Test(arguments: [
        "4480-1-presence-example", "4479-1-presence-basic-im-client",
        "3863-5-presence-presence-with-other-extension-elements",
    ])
    func theExamplesOfTheRFCsPassUnchanged(name: String) throws {
        let scene = Scene()
        let published = try Vectors.document(name)
        try scene.publish(Array(published))
        let seen = try #require(try scene.seen())
        var expected = try parsed(published).withoutIndentation()
        expected[attribute: "entity"] = "sip:alice@example.com"
        expected.removeAnnotations()
        #expect(seen.attributes == expected.attributes)
        #expect(Set(seen.children) == Set(expected.children))
    }
}

/// Registration state as a source (RFC 3680 section 3.2).
@Suite struct RegistrationSourceTests {
    private let contact = BoundContact(number: 1, uri: Array("sip:alice@192.0.2.1".utf8), expires: at(3_600))

    @Test func registrationSpeaksUntilTheUserDoes() throws {
        let scene = Scene()
        _ = scene.setRegistration([contact])
        #expect(try scene.seen()?.first("basic")?.trimmedText == "open")
        let tag = try scene.publish(pidf(tuple("a", "closed"))).tag
        #expect(try scene.seen()?.tupleIDs == ["a"])
        _ = try scene.publish([], ifMatch: tag, expires: 0, at: at(1))
        _ = scene.setRegistration([], at: at(2))
        #expect(try scene.seen(at: at(2))?.first("basic")?.trimmedText == "closed")
    }

    @Test(arguments: [(RegistrationContribution.none, 1), (.untilPublished, 1), (.always, 2)])
    func theOperatorDecidesWhatItContributes(contribution: RegistrationContribution, tuples: Int) throws {
        var settings = PresenceSettings()
        settings.registration = contribution
        let scene = Scene(settings)
        _ = scene.setRegistration([contact])
        try scene.publish(pidf(tuple("a")))
        #expect(try scene.seen()?.tupleIDs.count == tuples)
    }
}

extension XMLElement {
    fileprivate mutating func removeAnnotations() {
        children = children.compactMap { node in
            switch node {
            case .element(var element):
                element.removeAnnotations()
                return .element(element)
            case .text: return node
            case .comment, .processingInstruction: return nil
            }
        }
    }
}
