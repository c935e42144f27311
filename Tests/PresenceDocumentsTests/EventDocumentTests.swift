import PresenceDocuments
import Testing

struct WatcherInformationTests {
    let reader = DocumentReader()
    let writer = DocumentWriter()

    static let information = WatcherInformation(
        version: 4, state: .partial,
        lists: [
            WatcherList(
                resource: "sip:a@example.com", package: "presence",
                watchers: [
                    Watcher(identifier: "w1", uri: "sip:b@example.com", status: .active, event: .approved),
                    Watcher(
                        identifier: "w2", uri: "sip:c@example.com", status: .waiting, event: .timeout,
                        displayName: "C & D",
                        expiration: 10, durationSubscribed: 3600),
                ]), WatcherList(resource: "sip:a@example.com", package: "reg", watchers: []),
        ])

    @Test func theExampleIsRead() throws {
        let information = try WatcherInformation(
            try reader.read(try XMLVectors.bytes("3858-1-watcherinfo-example.xml")))
        #expect(information.version == 0)
        #expect(information.state == .full)
        #expect(information.lists.map(\.resource) == ["sip:professor@example.net"])
        #expect(
            information.lists[0].watchers == [
                Watcher(
                    identifier: "8ajksjda7s", uri: "sip:userA@example.net", status: .active, event: .approved,
                    durationSubscribed: 509),
                Watcher(
                    identifier: "hh8juja87s997-ass7", uri: "sip:userB@example.org", status: .pending, event: .subscribe,
                    displayName: "Mr. Subscriber"),
            ])
    }

    @Test func whatIsWrittenIsReadAndValid() throws {
        let bytes = writer.write(Self.information.document)
        #expect(SchemaValidator.shared.complaint(about: bytes) == nil)
        #expect(try WatcherInformation(try reader.read(bytes)) == Self.information)
    }

    @Test(arguments: [
        (
            "<reginfo xmlns='urn:ietf:params:xml:ns:reginfo'/>",
            DocumentFormatError.wrongRoot(expected: ExpandedName(.watcherInfo, "watcherinfo"))
        ),
        (
            "<watcherinfo xmlns='urn:ietf:params:xml:ns:watcherinfo' state='full'/>",
            .missingAttribute("version", element: "watcherinfo")
        ),
        (
            "<watcherinfo xmlns='urn:ietf:params:xml:ns:watcherinfo' version='4294967296' state='full'/>",
            .invalidAttribute("version", element: "watcherinfo")
        ),
        (
            "<watcherinfo xmlns='urn:ietf:params:xml:ns:watcherinfo' version='0' state='some'/>",
            .invalidAttribute("state", element: "watcherinfo")
        ),
        (
            "<watcherinfo xmlns='urn:ietf:params:xml:ns:watcherinfo' version='0' state='full'><watcher-list resource='r' package='p'>"
                + "<watcher id='1' status='active' event='approved' expiration='soon'/></watcher-list></watcherinfo>",
            .invalidAttribute("expiration", element: "watcher")
        ),
    ])
    func refused(_ text: String, _ error: DocumentFormatError) throws {
        let document = try reader.read(text)
        #expect(throws: error) { try WatcherInformation(document) }
    }
}

struct RegistrationInformationTests {
    let reader = DocumentReader()
    let writer = DocumentWriter()

    static let information = RegistrationInformation(
        version: 1, state: .full,
        registrations: [
            Registration(
                addressOfRecord: "sip:a@example.com", identifier: "r1", state: .active,
                contacts: [
                    RegisteredContact(
                        identifier: "c1", uri: "sip:a@192.0.2.1", state: .active, event: .refreshed, displayName: "A",
                        durationRegistered: 5, expires: 6, priority: "0.5", callIdentifier: "x@y", sequenceNumber: 9,
                        parameters: [.init(name: "+sip.instance", value: "\"<urn:uuid:1>\"")]),
                    RegisteredContact(
                        identifier: "c2", uri: "sip:a@192.0.2.2", state: .terminated, event: .probation, retryAfter: 30),
                ]), Registration(addressOfRecord: "sip:b@example.com", identifier: "r2", state: .initial, contacts: []),
        ])

    @Test(arguments: [
        ("3680-1-reginfo-example.xml", RegisteredContact.Event.registered, 2),
        ("3680-2-reginfo-example-call-flow.xml", nil, 0), ("3680-3-reginfo-example-call-flow.xml", .registered, 1),
    ])
    func examplesAreRead(_ name: String, _ event: RegisteredContact.Event?, _ contacts: Int) throws {
        let document = try reader.read(try XMLVectors.bytes(name))
        let information = try RegistrationInformation(document)
        #expect(information.registrations.count == 1)
        #expect(information.registrations[0].contacts.count == contacts)
        #expect(information.registrations[0].contacts.first?.event == event)
        #expect(information.registrations[0].isReachable == (contacts > 0))
        #expect(try RegistrationInformation(try reader.read(writer.write(information.document))) == information)
    }

    @Test func whatIsWrittenIsReadAndValid() throws {
        let bytes = writer.write(Self.information.document)
        #expect(SchemaValidator.shared.complaint(about: bytes) == nil)
        #expect(try RegistrationInformation(try reader.read(bytes)) == Self.information)
    }

    @Test func aContactWithoutURIIsRefused() throws {
        let document = try reader.read(
            "<reginfo xmlns='urn:ietf:params:xml:ns:reginfo' version='0' state='full'><registration aor='a' id='1' state='active'>"
                + "<contact id='2' state='active' event='registered'/></registration></reginfo>")
        #expect(throws: DocumentFormatError.missingElement("uri", in: "contact")) {
            try RegistrationInformation(document)
        }
    }
}
