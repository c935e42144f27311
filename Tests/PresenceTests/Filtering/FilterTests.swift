import LinkProfiles
import Presence
import PresenceDocuments
import Testing

/// A filter document with these filters.
func filterSet(_ filters: String...) -> String {
    """
    <filter-set xmlns="urn:ietf:params:xml:ns:simple-filter"><ns-bindings>\
    <ns-binding prefix="p" urn="urn:ietf:params:xml:ns:pidf"/><ns-binding prefix="r" urn="urn:ietf:params:xml:ns:pidf:rpid"/>\
    <ns-binding prefix="d" urn="urn:ietf:params:xml:ns:pidf:data-model"/></ns-bindings>\(filters.joined())</filter-set>
    """
}

func what(_ content: String, id: String = "1") -> String { #"<filter id="\#(id)"><what>\#(content)</what></filter>"# }

/// What a filter shows (RFC 4661 section 3.5, RFC 4660 section 5.3.1).
@Suite struct ContentFilterTests {
    private static let document = pidf(
        """
        <tuple id="432sd"><status><basic>closed</basic></status><r:class>IM</r:class>\
        <contact priority="0.2">im:presentity@example.com</contact><note>n</note></tuple>\
        <tuple id="thr76jk"><status><basic>open</basic></status><r:class>voice</r:class>\
        <contact>tel:2224055555@example.com</contact></tuple><note>all</note>\
        <dm:person id="p"><r:activities><r:busy/></r:activities></dm:person>\
        <dm:device id="d"><r:user-input>idle</r:user-input><dm:deviceID>urn:uuid:1</dm:deviceID></dm:device>
        """)

    private func seen(_ filter: String) throws -> XMLElement? {
        let scene = Scene()
        try scene.publish(Self.document)
        return try scene.seen(filter: filter)
    }

    /// RFC 4660 sections 7.1.1 and 7.1.2 over the document of section 7.1.
    @Test(arguments: [
        (
            "4660-3-filter-set-subscriber-requests-messaging-related-information",
            "4660-4-presence-subscriber-requests-messaging-related-information"
        ),
        (
            "4660-5-filter-set-subscriber-fetches-information-about-open-communi",
            "4660-6-presence-subscriber-fetches-information-about-open-communica"
        ),
    ])
    func theExamplesOfTheRFC(filter: String, notified: String) throws {
        let scene = Scene()
        try scene.publish(try Vectors.document("4660-2-presence-presence-specific-examples"))
        let filter = try Vectors.text(filter).replacing("sip:presentity@example.com", with: "sip:alice@example.com")
        var expected = try parsed(try Vectors.document(notified)).withoutIndentation()
        expected[attribute: "entity"] = "sip:alice@example.com"
        #expect(try scene.seen(filter: filter) == expected)
    }

    @Test func whatMustBeThereIsThere() throws {
        let document = try #require(try seen(filterSet(what("<include>//p:tuple/p:note</include>"))))
        #expect(document[attribute: "entity"] == "sip:alice@example.com")
        #expect(document.tupleIDs == ["432sd"])
        #expect(document.first("basic")?.trimmedText == "closed")
        #expect(document.all("contact").isEmpty)
        let device = try #require(try seen(filterSet(what("<include>//d:device/r:user-input</include>"))))
        #expect(device.first("deviceID")?.trimmedText == "urn:uuid:1")
    }

    @Test func anAttributeComesWithItsElement() throws {
        let document = try #require(try seen(filterSet(what("<include>//p:contact/@priority</include>"))))
        #expect(document.tupleIDs == ["432sd"])
        #expect(document.first("contact")?[attribute: "priority"] == "0.2")
        #expect(document.first("contact")?.trimmedText == "im:presentity@example.com")
    }

    @Test func namespacesAreIncludedAndExcluded() throws {
        let pidfOnly = try #require(
            try seen(
                filterSet(
                    what(
                        #"<include type="namespace"> urn:ietf:params:xml:ns:pidf </include><exclude>//p:tuple/p:note</exclude>"#
                    ))))
        #expect(pidfOnly.tupleIDs == ["432sd", "thr76jk"])
        #expect(pidfOnly.all("class").isEmpty)
        #expect(pidfOnly.all("person").isEmpty)
        #expect(pidfOnly.all("note").map(\.trimmedText) == ["all"])
        let noRPID = try #require(
            try seen(filterSet(what(#"<exclude type="namespace">urn:ietf:params:xml:ns:pidf:rpid</exclude>"#))))
        #expect(noRPID.first("person") != nil)
        #expect(noRPID.first("activities") == nil)
        #expect(noRPID.all("class").isEmpty)
    }

    @Test func whatTheSchemaWantsCannotBeExcluded() throws {
        let whole = try #require(
            try seen(filterSet(what("<exclude>//p:tuple/p:status</exclude><exclude>//p:tuple/@id</exclude>"))))
        let scene = Scene()
        try scene.publish(Self.document)
        #expect(whole == (try scene.seen()))
    }

    @Test func nothingSelectedIsAnEmptyBody() throws {
        let scene = Scene()
        let tag = try scene.publish(Self.document).tag
        let watcher = try #require(
            try scene.watch(1, formats: .pidfDiff, filter: filterSet(what("<include>//p:nothing</include>"))))
        let body = try #require(scene.received(by: watcher, full: true))
        #expect(body.count == 0)
        #expect(body.format == nil)
        let changed = try scene.publish(pidf(tuple("b")), ifMatch: tag, at: at(1))
        #expect(changed.changes.notify.isEmpty)
    }

    @Test func whatAWatcherMayNotSeeItsFilterDoesNotShow() throws {
        let scene = Scene()
        try scene.publish(Self.document)
        _ = try scene.setRules(
            ruleset(rule("", "allow", "<pr:provide-services><pr:all-services/></pr:provide-services>")))
        let document = try #require(
            try scene.seen(filter: filterSet(what("<include>//r:class</include><include>//p:contact</include>"))))
        #expect(document.all("class").isEmpty)
        #expect(document.all("contact").count == 2)
    }

    @Test func differencesAreOfWhatTheFilterShows() throws {
        let scene = Scene()
        let tag = try scene.publish(Self.document).tag
        let filter = filterSet(what("<include>//p:basic</include>"))
        let watcher = try #require(try scene.watch(1, formats: .pidfDiff, filter: filter))
        var client = PartialWatcher()
        client.receive(try #require(scene.received(by: watcher, full: true)))
        let other = String(decoding: Self.document, as: UTF8.self).replacing(
            "<note>all</note>", with: "<note>none</note>")
        let unseen = try scene.publish(Array(other.utf8), ifMatch: tag, at: at(1))
        #expect(unseen.changes.notify.isEmpty)
        try scene.publish(Array(other.replacing("closed", with: "open").utf8), ifMatch: unseen.tag, at: at(2))
        client.receive(try #require(scene.received(by: watcher)))
        #expect(client.problems == [])
        #expect(client.state == (try scene.seen(filter: filter, at: at(2))))
        #expect(client.state?.all("basic").map(\.trimmedText) == ["open", "open"])
    }
}

/// When a filter tells (RFC 4661 section 3.6, RFC 4660 section 5.3.2).
@Suite struct TriggerTests {
    /// RFC 4660 section 7.1.3: compared is what was sent last, not what was last published.
    @Test func theExampleOfTheRFC() throws {
        let scene = Scene()
        var tag = try scene.publish(try Vectors.document("4660-2-presence-presence-specific-examples")).tag
        let filter = try Vectors.text("4660-7-filter-set-subscriber-requests-notifications-when-presentity")
            .replacing("sip:presentity@example.com", with: "sip:alice@example.com")
        let watcher = try #require(try scene.watch(1, filter: filter))
        #expect(scene.received(by: watcher, full: true) != nil)

        let closed = try scene.publish(
            try Vectors.document("4660-8-presence-subscriber-requests-notifications-when-presentity-s"), ifMatch: tag,
            at: at(1))
        #expect(closed.changes.notify.isEmpty)
        #expect(!scene.agent.hasNews(for: watcher))
        tag = closed.tag
        let open = try scene.publish(
            try Vectors.document("4660-9-presence-subscriber-requests-notifications-when-presentity-s"), ifMatch: tag,
            at: at(2))
        #expect(open.changes.notify == [1])
        #expect(scene.received(by: watcher) != nil)
    }

    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let trigger: String
        let before: String
        let after: String
        let fires: Bool

        init(_ trigger: String, _ before: String, _ after: String, _ fires: Bool) {
            testDescription = "\(trigger) \(fires ? "fires" : "keeps still")"
            self.trigger = trigger
            self.before = before
            self.after = after
            self.fires = fires
        }
    }

    private static func changed(_ attributes: String) -> String {
        "<changed \(attributes)>/p:presence/p:tuple/p:status/p:basic</changed>"
    }
    private static func priority(_ value: String) -> String {
        #"<tuple id="a"><status><basic>open</basic></status><contact priority="\#(value)">sip:a@b</contact></tuple>"#
    }
    private static func by(_ amount: String) -> String { #"<changed by="\#(amount)">//p:contact/@priority</changed>"# }

    static let cases: [Case] = [
        Case(changed(""), tuple("a"), tuple("a", "closed"), true),
        Case(changed(""), tuple("a"), tuple("a") + "<note>x</note>", false),
        Case(changed(#"from="open""#), tuple("a"), tuple("a", "closed"), true),
        Case(changed(#"from="closed""#), tuple("a"), tuple("a", "closed"), false),
        Case(changed(#"from="CLOSED" to="OPEN""#), tuple("a", "closed"), tuple("a"), true),
        Case(changed(#"to="open""#), tuple("a"), tuple("a", "closed"), false),
        Case(changed(#"to="closed""#), tuple("a") + tuple("b"), tuple("b", "closed") + tuple("a"), true),
        Case(changed(""), tuple("a") + tuple("b", "closed"), tuple("b", "closed"), false),
        Case(by("0.2"), priority("0.5"), priority("0.7"), true),
        Case(by("0.2"), priority("0.5"), priority("0.6"), false),
        Case(by("0.2"), priority("0.5"), priority("0.1"), true),
        Case("<added>//p:tuple</added>", tuple("a"), tuple("a") + tuple("b"), true),
        Case("<added>//p:tuple</added>", tuple("a"), tuple("a", "closed"), false),
        Case("<added>//p:tuple</added>", tuple("a"), tuple("b"), true),
        Case("<removed>//p:note</removed>", tuple("a") + "<note>x</note>", tuple("a"), true),
        Case("<removed>//p:note</removed>", tuple("a"), tuple("a") + "<note>x</note>", false),
        Case("<added>//p:contact/@priority</added>", tuple("a", contact: "sip:a@b"), priority("1"), true),
        Case("<added>//p:note</added>" + changed(""), tuple("a"), tuple("a") + "<note>x</note>", false),
        Case("<added>//p:note</added>" + changed(""), tuple("a"), tuple("a", "closed") + "<note>x</note>", true),
        Case(
            "<added>//p:note</added></trigger><trigger>" + changed(""), tuple("a"), tuple("a") + "<note>x</note>", true),
    ]

    @Test(arguments: cases) func aTriggerFiresWhenAllItsConditionsHold(_ test: Case) throws {
        let scene = Scene()
        let tag = try scene.publish(pidf(test.before)).tag
        let filter = filterSet(#"<filter id="1"><trigger>\#(test.trigger)</trigger></filter>"#)
        let watcher = try #require(try scene.watch(1, filter: filter))
        _ = scene.received(by: watcher, full: true)
        let changes = try scene.publish(pidf(test.after), ifMatch: tag, at: at(1)).changes
        #expect(changes.notify == (test.fires ? [1] : []))
        #expect(scene.agent.hasNews(for: watcher) == test.fires)
    }

    @Test func watchersOfOneViewMayStandAtDifferentStates() throws {
        let scene = Scene()
        let filter = filterSet(#"<filter id="1"><trigger>\#(Self.changed(#"to="open""#))</trigger></filter>"#)
        var tag = try scene.publish(pidf(tuple("a"))).tag
        let early = try #require(try scene.watch(1, filter: filter))
        _ = scene.received(by: early, full: true)
        tag = try scene.publish(pidf(tuple("a", "closed")), ifMatch: tag, at: at(1)).tag
        let late = try #require(try scene.watch(2, filter: filter))
        _ = scene.received(by: late, full: true)
        // The first was last told "open", so nothing changed for it.
        let changes = try scene.publish(pidf(tuple("a")), ifMatch: tag, at: at(2)).changes
        #expect(changes.notify == [2])
    }
}

/// Filters of a subscription over its life (RFC 4660 sections 3.3.3 and 5.2).
@Suite struct WatcherFiltersTests {
    private func rewatch(_ scene: Scene, _ watcher: WatcherID, _ filter: String?) throws {
        let request = WatchRequest(
            subscription: 1, identity: bob, filter: filter.map { Array($0.utf8) }, expires: at(600))
        _ = try scene.agent.rewatch(watcher, request, at: at(1))
    }

    private func shown(_ scene: Scene, _ watcher: WatcherID) throws -> [String] {
        let body = try #require(scene.received(by: watcher, full: true))
        return try parsed(body.bytes).children.compactMap { $0.element?.name.local }
    }

    @Test func filtersStayAreReplacedTurnedOffAndRemoved() throws {
        let scene = Scene()
        try scene.publish(pidf(tuple("a") + "<note>n</note>" + #"<dm:person id="p"/>"#))
        let watcher = try #require(try scene.watch(1, filter: filterSet(what("<include>//p:note</include>"))))
        #expect(try shown(scene, watcher) == ["note"])
        try rewatch(scene, watcher, nil)
        #expect(try shown(scene, watcher) == ["note"])
        try rewatch(scene, watcher, filterSet(what("<include>//d:person</include>")))
        #expect(try shown(scene, watcher) == ["person"])
        try rewatch(scene, watcher, filterSet(#"<filter id="1" enabled="false"/>"#))
        #expect(try shown(scene, watcher) == ["tuple", "note", "person"])
        try rewatch(scene, watcher, filterSet(#"<filter id="1" enabled="true"/>"#))
        #expect(try shown(scene, watcher) == ["person"])
        try rewatch(scene, watcher, filterSet(#"<filter id="1" remove="true"/>"#))
        #expect(try shown(scene, watcher) == ["tuple", "note", "person"])
    }

    @Test(
        arguments: [
            (#"uri="sip:alice@example.com""#, ["note"]), (#"uri="sip:alice@EXAMPLE.com""#, ["note"]),
            (#"uri="sip:carol@example.com""#, ["tuple", "note"]), (#"domain="Example.com""#, ["note"]),
            (#"domain="example.org""#, ["tuple", "note"]),
        ] as [(String, [String])])
    func aFilterIsForItsResource(resource: String, shown expected: [String]) throws {
        let scene = Scene()
        try scene.publish(pidf(tuple("a") + "<note>n</note>"))
        let filter = filterSet(#"<filter id="1" \#(resource)><what><include>//p:note</include></what></filter>"#)
        let watcher = try #require(try scene.watch(1, filter: filter))
        #expect(try shown(scene, watcher) == expected)
    }

    @Test func theResourcesFilterGoesBeforeItsDomains() throws {
        let scene = Scene()
        try scene.publish(pidf(tuple("a") + "<note>n</note>"))
        let filter = filterSet(
            #"<filter id="1" domain="example.com"><what><include>//p:note</include></what></filter>"#,
            #"<filter id="2" uri="sip:alice@example.com"><what><include>//p:tuple</include></what></filter>"#)
        let watcher = try #require(try scene.watch(1, filter: filter))
        #expect(try shown(scene, watcher) == ["tuple"])
    }

    @Test(arguments: [
        "no XML", "<filter-set/>", filterSet(), filterSet(what("<include>//p:note[</include>")),
        filterSet(what("<include>//x:note</include>")),
        filterSet(#"<filter id="1"/>"#),
        filterSet(what("<include>//p:a</include>"), what("<include>//p:b</include>", id: "2")),
        filterSet(
            what("<include>//p:a</include>"),
            #"<filter id="2" uri="sip:alice@example.com"><what><include>//p:b</include></what></filter>"#),
        filterSet(what("<include>//p:a</include>")).replacing("<filter-set ", with: #"<filter-set package="reg" "#),
        filterSet(what("<include>//p:" + String(repeating: "a", count: 17_000) + "</include>")),
    ])
    func aBadFilterIsRefusedWithItsReason(filter: String) throws {
        let scene = Scene()
        try scene.publish(pidf(tuple("a") + "<note>n</note>"))
        let refusal = #expect(throws: WatchRefusal.self) { try scene.watch(1, filter: filter) }
        #expect(refusal?.statusCode == 488)
        if case .filter(let reason)? = refusal { #expect(!reason.description.isEmpty) }

        let watcher = try #require(
            try scene.watch(2, filter: filterSet(what("<include>//p:note</include>", id: "kept"))))
        #expect(throws: WatchRefusal.self) { try rewatch(scene, watcher, filter) }
        #expect(try shown(scene, watcher) == ["note"])
    }

    @Test func soManyDifferentFiltersAreEvaluatedAndNoMore() throws {
        var settings = PresenceSettings()
        settings.filtersPerPresentity = 2
        let scene = Scene(settings)
        try scene.publish(pidf(tuple("a")))
        func filter(_ name: String) -> String { filterSet(what("<include>//p:\(name)</include>", id: name)) }
        for (number, name) in ["note", "contact", "note"].enumerated() {
            #expect(try scene.watch(UInt32(number), filter: filter(name)) != nil)
        }
        #expect(throws: WatchRefusal.filter(.tooManyFilters)) { try scene.watch(9, filter: filter("status")) }
        #expect(try scene.watch(10) != nil)
    }
}
