import PresenceDocuments
import Testing

struct PresenceDocumentTests {
    let reader = DocumentReader()

    func document(_ name: String) throws -> PresenceDocument {
        try PresenceDocument(try reader.read(try XMLVectors.bytes(name)))
    }

    /// All presence documents of the RFCs are read, but for RFC 4479's, which lacks the attribute that RFC 3863 demands.
    @Test(arguments: XMLVectors.names.filter { $0.contains("-presence-") })
    func documentsOfTheRFCs(_ name: String) throws {
        if name.hasPrefix("4479-1") {
            #expect(throws: DocumentFormatError.missingAttribute("entity", element: "presence")) {
                try self.document(name)
            }
            return
        }
        let document = try self.document(name)
        #expect(!document.entity.isEmpty)
        #expect(!document.tuples.isEmpty)
    }

    @Test func basicPresence() throws {
        let document = try document("3863-4-presence-default-namespace-with-status-extensions.xml")
        let tuple = try #require(document.tuples.first)
        #expect(document.entity == "pres:someone@example.com")
        #expect(document.isOpen)
        #expect(tuple.identifier == "bs35r9")
        #expect(tuple.basic == .open)
        #expect(tuple.contact?.uri == "im:someone@mobilecarrier.net")
        #expect(tuple.contact?.priority == 800)
        #expect(tuple.notes.map(\.language) == ["en", "fr"])
        #expect(tuple.timestamp == "2001-10-27T16:49:29Z")
        #expect(document.notes.map(\.text) == ["I'll be in Tokyo next week"])
        let known = tuple.statusExtensions { $0.namespace == .instantMessaging }
        #expect(known.map(\.name) == [ExpandedName(.instantMessaging, "im")])
    }

    @Test func richPresence() throws {
        let document = try document("4480-1-presence-example.xml")
        let person = try #require(document.persons.first)
        #expect(person.richPresence.isDoing("away"))
        #expect(!person.richPresence.isDoing("busy"))
        #expect(person.richPresence.classLabel == "calendar")
        #expect(person.richPresence.moods == [ExpandedName(.rpid, "angry"), ExpandedName(.rpid, "other")])
        #expect(person.richPresence.placeTypes == [ExpandedName(.locationType, "residence")])
        #expect(person.richPresence.privacy == [ExpandedName(.rpid, "unknown")])
        #expect(person.richPresence.sphere == "bowling league")
        #expect(person.richPresence.statusIcon == "http://example.com/play.gif")
        #expect(person.richPresence.timeOffset == -240)
        #expect(person.timestamp == "2005-05-30T16:09:44+05:00")
        let device = try #require(document.devices.first)
        #expect(device.deviceIdentifier == "urn:device:0003ba4811e3")
        #expect(device.richPresence.userInput?.isIdle == true)
        #expect(device.richPresence.userInput?.idleThreshold == 600)
        let tuple = try #require(document.tuples.first)
        #expect(tuple.deviceIdentifiers == ["urn:device:0003ba4811e3"])
        #expect(tuple.richPresence.relationships == [ExpandedName(.rpid, "self")])
        #expect(tuple.richPresence.serviceClasses == [ExpandedName(.rpid, "electronic")])
    }

    @Test func contactInformationCapabilitiesAndTimedStatus() throws {
        let capable = try document("5196-1-presence-examples.xml")
        let capabilities = try #require(capable.tuples.first?.capabilities)
        #expect(capabilities.has(.message) == true)
        #expect(capabilities.has(.video) == false)
        #expect(capabilities.has(.text) == nil)
        #expect(capabilities.supportedMethods == ["ACK", "BYE", "INVITE", "MESSAGE"])
        let text = """
            <presence xmlns="urn:ietf:params:xml:ns:pidf" entity="pres:a@b"><tuple id="t"><status><basic> open </basic></status>\
            <timed-status xmlns="urn:ietf:params:xml:ns:pidf:timed-status" from="2005-08-15T10:20:00Z"><basic>closed</basic>\
            </timed-status></tuple><person xmlns="urn:ietf:params:xml:ns:pidf:data-model" id="p">\
            <card xmlns="urn:ietf:params:xml:ns:pidf:cipid"> http://a/card </card></person></presence>
            """
        let timed = try PresenceDocument(try reader.read(text))
        #expect(timed.tuples[0].basic == .open)
        #expect(timed.tuples[0].timedStatuses.map(\.basic) == [.closed])
        #expect(timed.tuples[0].timedStatuses.map(\.until) == [nil])
        #expect(timed.persons[0].contactInformation.card == "http://a/card")
        #expect(timed.persons[0].contactInformation.icon == nil)
    }

    @Test func whatMustBeUnderstoodIsPassedOverWhereItIsNot() throws {
        let document = try document("3863-6-presence-example-mandatory-to-understand-elements.xml")
        let element = try #require(
            document.tuples.first?.element.elements.first { $0.name.local == "complexExtension" })
        #expect(!element.isUnderstood { _ in false })
        #expect(!element.isUnderstood { $0.local == "ex2" })
        #expect(element.isUnderstood { $0.local == "ex1" })
    }

    @Test(arguments: [
        ("1", 1000), ("1.000", 1000), ("0.5", 500), ("0.021", 21), ("0", 0), ("1.1", 0), ("2", 0), ("0.1234", 0),
        ("-1", 0),
        ("", 0), ("high", 0), ("0.x", 0),
    ])
    func priorities(_ text: String, _ thousandths: Int) throws {
        let root = try reader.read(
            "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='e'><tuple id='t'><status/><contact priority='\(text)'>u</contact>"
                + "</tuple></presence>")
        #expect(try PresenceDocument(root).tuples[0].contact?.priority == thousandths)
    }

    @Test(arguments: [
        ("<presence entity='e'/>", DocumentFormatError.wrongRoot(expected: ExpandedName(.pidf, "presence"))),
        ("<presence xmlns='urn:ietf:params:xml:ns:pidf'/>", .missingAttribute("entity", element: "presence")),
        (
            "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='e'><tuple><status/></tuple></presence>",
            .missingAttribute("id", element: "tuple")
        ),
        (
            "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='e'><tuple id='t'/></presence>",
            .missingElement("status", in: "tuple")
        ),
        (
            "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='e'>"
                + "<device xmlns='urn:ietf:params:xml:ns:pidf:data-model' id='d'/></presence>",
            .missingElement("deviceID", in: "device")
        ),
    ])
    func refused(_ text: String, _ error: DocumentFormatError) throws {
        let document = try reader.read(text)
        #expect(throws: error) { try PresenceDocument(document) }
    }
}
