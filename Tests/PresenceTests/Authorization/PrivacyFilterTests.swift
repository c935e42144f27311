import Presence
import PresenceDocuments
import Testing

/// Transformations of RFC 5025 section 3.3.
@Suite struct PrivacyFilterTests {
    private static let document = pidf(
        """
        <tuple id="t1"><status><basic>open</basic><x:foo xmlns:x="urn:vendor-specific:foo-namespace">1</x:foo></status>\
        <dm:deviceID>urn:uuid:d1</dm:deviceID><r:class>biz</r:class><r:privacy><r:audio/></r:privacy>\
        <r:relationship><r:self/></r:relationship><r:service-class><r:electronic/></r:service-class>\
        <r:status-icon>http://i</r:status-icon><r:user-input idle-threshold="600" since="2027-01-01T00:00:00Z">idle</r:user-input>\
        <x:foo xmlns:x="urn:vendor-specific:foo-namespace">2</x:foo><contact>sip:alice@example.com</contact><note>n1</note>\
        <timestamp>2027-01-01T00:00:00Z</timestamp></tuple>\
        <tuple id="t2"><status><basic>closed</basic></status><contact>mailto:alice@example.com</contact></tuple>\
        <tuple id="t3"><status><basic>closed</basic></status><r:class>home</r:class><contact>tel:+1</contact></tuple>\
        <note>top</note>\
        <dm:person id="p1"><r:activities><r:busy/><r:note>inside</r:note></r:activities><r:class>work</r:class>\
        <r:mood><r:happy/></r:mood><r:place-is><r:audio><r:ok/></r:audio></r:place-is><r:place-type><r:ship/></r:place-type>\
        <r:sphere>work</r:sphere><r:time-offset>60</r:time-offset><dm:note>n2</dm:note>\
        <dm:timestamp>2027-01-01T00:00:00Z</dm:timestamp></dm:person>\
        <dm:device id="d1"><r:class>biz</r:class><r:user-input>active</r:user-input><dm:deviceID>urn:uuid:d1</dm:deviceID>\
        <dm:note>n3</dm:note></dm:device>\
        <dm:device id="d2"><dm:deviceID>urn:uuid:d2</dm:deviceID></dm:device>
        """)

    private func seen(_ transformations: String...) throws -> XMLElement {
        let scene = Scene()
        try scene.publish(Self.document)
        _ = try scene.setRules(ruleset(transformations.map { rule("", "allow", $0) }.joined()))
        return try #require(try scene.seen())
    }

    private func ids(_ element: XMLElement) -> [String] { element.children.compactMap { $0.element?[attribute: "id"] } }

    @Test(
        arguments: [
            ("", []),
            ("<pr:provide-services><pr:all-services/></pr:provide-services>", ["t1", "t2", "t3"]),
            ("<pr:provide-services><pr:service-uri-scheme>sip</pr:service-uri-scheme></pr:provide-services>", ["t1"]),
            (
                "<pr:provide-services><pr:service-uri>sip:alice@EXAMPLE.com</pr:service-uri></pr:provide-services>",
                ["t1"]
            ),
            (
                "<pr:provide-services><pr:class>home</pr:class><pr:occurrence-id>t2</pr:occurrence-id></pr:provide-services>",
                ["t2", "t3"]
            ),
            ("<pr:provide-services><pr:class>Home</pr:class></pr:provide-services>", []),
            ("<pr:provide-persons><pr:all-persons/></pr:provide-persons>", ["p1"]),
            ("<pr:provide-persons><pr:class>work</pr:class></pr:provide-persons>", ["p1"]),
            ("<pr:provide-persons><pr:occurrence-id>p2</pr:occurrence-id></pr:provide-persons>", []),
            ("<pr:provide-devices><pr:all-devices/></pr:provide-devices>", ["d1", "d2"]),
            ("<pr:provide-devices><pr:deviceID>urn:uuid:d2</pr:deviceID></pr:provide-devices>", ["d2"]),
            ("<pr:provide-devices><pr:class>biz</pr:class></pr:provide-devices>", ["d1"]),
            ("<pr:provide-devices><pr:occurrence-id>d2</pr:occurrence-id></pr:provide-devices>", ["d2"]),
        ] as [(String, [String])])
    func componentsAreGrantedOneByOne(transformation: String, components: [String]) throws {
        #expect(try ids(seen(transformation)) == components)
    }

    @Test func grantsOfSeveralRulesAddUp() throws {
        let document = try seen(
            "<pr:provide-services><pr:class>biz</pr:class></pr:provide-services>",
            "<pr:provide-services><pr:class>home</pr:class></pr:provide-services><pr:provide-note>true</pr:provide-note>"
        )
        #expect(ids(document) == ["t1", "t3"])
        #expect(document.all("note").map(\.trimmedText).sorted() == ["n1", "top"])
    }

    @Test func withoutFurtherGrantsOnlyTheBasicsAreShown() throws {
        let document = try seen(
            """
            <pr:provide-services><pr:all-services/></pr:provide-services><pr:provide-persons><pr:all-persons/></pr:provide-persons>\
            <pr:provide-devices><pr:all-devices/></pr:provide-devices>
            """)
        func names(_ id: String) -> [String] {
            document.children.compactMap(\.element).first { $0[attribute: "id"] == id }?.children
                .compactMap { $0.element?.name.local } ?? []
        }
        #expect(names("t1") == ["status", "service-class", "contact", "timestamp"])
        #expect(names("p1") == ["timestamp"])
        #expect(names("d1") == ["deviceID"])
        #expect(document.first("foo") == nil)
    }

    @Test(arguments: [
        "activities", "class", "deviceID", "mood", "place-is", "place-type", "privacy", "relationship", "sphere",
        "status-icon",
        "time-offset", "note",
    ])
    func attributesAreGrantedOneByOne(attribute: String) throws {
        let components = everything.replacing("<pr:provide-all-attributes/>", with: "")
        let base = try seen(components)
        let granted = try seen(components + "<pr:provide-\(attribute)>true</pr:provide-\(attribute)>")
        let denied = try seen(components + "<pr:provide-\(attribute)>false</pr:provide-\(attribute)>")
        #expect(denied == base)
        #expect(granted.all(attribute).count > base.all(attribute).count)
        let others = [
            "activities", "class", "mood", "place-is", "place-type", "privacy", "relationship", "sphere", "status-icon",
            "time-offset", "foo",
        ]
        for other in others where other != attribute { #expect(granted.all(other).isEmpty) }
    }

    @Test(
        arguments: [
            ("false", nil), ("bare", []), ("thresholds", ["idle-threshold"]), ("full", ["idle-threshold", "since"]),
        ] as [(String, [String]?)])
    func userInputIsGrantedInSteps(value: String, attributes: [String]?) throws {
        let document = try seen(
            "<pr:provide-services><pr:all-services/></pr:provide-services><pr:provide-user-input>\(value)</pr:provide-user-input>"
        )
        #expect(document.first("user-input")?.attributes.map(\.name.local) == attributes)
    }

    @Test func unknownAttributesAreGrantedByName() throws {
        let services = "<pr:provide-services><pr:all-services/></pr:provide-services>"
        func unknown(_ ns: String, _ name: String) -> String {
            #"<pr:provide-unknown-attribute ns="\#(ns)" name="\#(name)">true</pr:provide-unknown-attribute>"#
        }
        #expect(try seen(services + unknown("urn:vendor-specific:foo-namespace", "foo")).all("foo").count == 2)
        #expect(try seen(services + unknown("urn:vendor-specific:foo-namespace", "bar")).all("foo").isEmpty)
        #expect(try seen(services + unknown("urn:ietf:params:xml:ns:pidf:rpid", "class")).all("class").isEmpty)
        #expect(
            try seen(services + unknown("urn:ietf:params:xml:ns:pidf:rpid", "user-input")).all("user-input").isEmpty)
    }

    /// RFC 5025 section 6.
    @Test func theExampleOfTheRFC() throws {
        let scene = Scene()
        try scene.publish(Self.document)
        _ = try scene.setRules(try Vectors.text("5025-1-ruleset-example-document"))
        #expect(try scene.seen() == nil)
        let document = try #require(try scene.seen(by: WatcherIdentity(Array("sip:user@example.com".utf8))))
        #expect(ids(document) == ["t1", "t2", "p1"])
        #expect(document.first("activities")?.first("busy") != nil)
        #expect(document.first("activities")?.first("note")?.trimmedText == "inside")
        #expect(document.first("user-input")?.attributes.isEmpty == true)
        #expect(document.all("foo").count == 2)
        #expect(document.all("mood").isEmpty)
    }

    @Test func everythingIsEverything() throws {
        let scene = Scene()
        try scene.publish(Self.document)
        #expect(try seen(everything) == (try scene.seen()))
    }

    /// RFC 5025 section 4: what is left is left alone by the same permissions.
    @Test(arguments: 0..<30 as Range<UInt64>) func filteringTwiceIsFilteringOnce(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var transformations = ""
        for attribute in ["activities", "class", "deviceID", "mood", "note", "sphere", "privacy"]
        where Bool.random(using: &random) {
            transformations += "<pr:provide-\(attribute)>true</pr:provide-\(attribute)>"
        }
        let services = ["<pr:all-services/>", "<pr:class>biz</pr:class>", "<pr:occurrence-id>t3</pr:occurrence-id>"]
        transformations += "<pr:provide-services>\(services.randomElement(using: &random) ?? "")</pr:provide-services>"
        if Bool.random(using: &random) {
            transformations += "<pr:provide-persons><pr:all-persons/></pr:provide-persons>"
        }
        if Bool.random(using: &random) {
            transformations += "<pr:provide-devices><pr:class>biz</pr:class></pr:provide-devices>"
        }
        // A device that a class grants shows itself again only where its class is shown.
        if transformations.contains("<pr:class>") { transformations += "<pr:provide-class>true</pr:provide-class>" }
        let once = try seen(transformations)
        let scene = Scene()
        try scene.publish(DocumentWriter().write(once))
        _ = try scene.setRules(ruleset(rule("", "allow", transformations)))
        #expect(try scene.seen() == once)
    }
}
