import LinkProfiles
import Presence
import PresenceDocuments
import Testing

/// A rules document with these rules, and one rule.
func ruleset(_ rules: String...) -> String {
    """
    <cr:ruleset xmlns="urn:ietf:params:xml:ns:pres-rules" xmlns:pr="urn:ietf:params:xml:ns:pres-rules" \
    xmlns:cr="urn:ietf:params:xml:ns:common-policy">\(rules.joined())</cr:ruleset>
    """
}

func rule(_ conditions: String, _ handling: String?, _ transformations: String = "") -> String {
    let actions = handling.map { "<cr:actions><pr:sub-handling>\($0)</pr:sub-handling></cr:actions>" } ?? ""
    return """
        <cr:rule id="r"><cr:conditions>\(conditions)</cr:conditions>\(actions)\
        <cr:transformations>\(transformations)</cr:transformations></cr:rule>
        """
}

func one(_ id: String) -> String { #"<cr:identity><cr:one id="\#(id)"/></cr:identity>"# }

let everything = """
    <pr:provide-services><pr:all-services/></pr:provide-services><pr:provide-persons><pr:all-persons/></pr:provide-persons>\
    <pr:provide-devices><pr:all-devices/></pr:provide-devices><pr:provide-all-attributes/>
    """

/// Conditions of RFC 4745 section 7 and RFC 5025 section 3.1.
@Suite struct RuleConditionTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let conditions: String
        let watcher: WatcherIdentity
        let isAllowed: Bool

        init(_ conditions: String, _ watcher: String?, _ isAllowed: Bool) {
            testDescription = "\(watcher ?? "nobody"): \(conditions)"
            self.conditions = conditions
            self.watcher =
                watcher.map { WatcherIdentity(uris: $0.split(separator: " ").map { Array($0.utf8) }) }
                ?? .unauthenticated
            self.isAllowed = isAllowed
        }
    }

    private static let many = "<cr:identity><cr:many/></cr:identity>"
    private static let exceptions = """
        <cr:identity><cr:many><cr:except domain="example.com"/><cr:except domain="example.org"/>\
        <cr:except id="sip:alice@bad.example.net"/><cr:except id="tel:+1-212-555-1234"/></cr:many></cr:identity>
        """
    private static let domain =
        #"<cr:identity><cr:many domain="Example.com"><cr:except id="sip:bob@example.com"/></cr:many></cr:identity>"#

    static let cases: [Case] = [
        Case("", nil, true), Case("", "sip:x@example.net", true),
        Case(one("sip:bob@example.com"), "sip:bob@example.com", true),
        Case(one("sip:bob@example.com"), "sip:bob@EXAMPLE.com", true),
        Case(one("sip:bob@example.com"), "sips:bob@example.com", false),
        Case(one("sip:bob@example.com"), "sip:Bob@example.com", false),
        Case(one("sip:bob@example.com"), "sip:x@example.com sip:bob@example.com", true),
        Case(one("sip:bob@example.com"), nil, false),
        Case(one("tel:+12125551234"), "sip:+12125551234@example.com;user=phone", false),
        Case(one("tel:+12125551234"), "tel:+12125551234", true),
        Case(one("mailto:bob@example.net"), "mailto:bob@example.net", true),
        Case(many, "sip:anybody@example.net", true), Case(many, "tel:+1", true), Case(many, nil, false),
        Case(exceptions, "sip:carol@example.net", true), Case(exceptions, "sip:carol@example.com", false),
        Case(exceptions, "sip:alice@bad.example.net", false), Case(exceptions, "tel:+1-212-555-1234", false),
        Case(exceptions, "sip:carol@example.net sip:carol@example.org", false),
        Case(domain, "sip:carol@example.com", true), Case(domain, "sip:bob@example.com", false),
        Case(domain, "sip:carol@example.net", false), Case(domain, "xmpp:carol@example.com/home", true),
        Case(many + one("sip:bob@example.com"), "sip:carol@example.com", false),
        Case(#"<x:moon xmlns:x="urn:x"/>"#, "sip:bob@example.com", false),
        Case(
            #"<cr:identity><x:one xmlns:x="urn:x" id="sip:bob@example.com"/></cr:identity>"#, "sip:bob@example.com",
            false),
        Case(#"<cr:sphere value="work"/>"#, "sip:bob@example.com", false),
    ]

    @Test(arguments: cases) func aRuleMatchesWhenAllConditionsHold(_ test: Case) throws {
        let scene = Scene()
        try scene.publish(pidf(tuple("a")))
        _ = try scene.setRules(ruleset(rule(test.conditions, "allow", everything)))
        #expect(try (scene.seen(by: test.watcher) != nil) == test.isAllowed)
    }

    @Test func aSphereHoldsWhileAllDocumentsThatNameOneAgree() throws {
        let scene = Scene()
        func person(_ id: String, _ sphere: String) -> String {
            #"<dm:person id="\#(id)"><r:sphere>\#(sphere)</r:sphere></dm:person>"#
        }
        _ = try scene.setRules(
            ruleset(
                rule(one("sip:bob@example.com"), "polite-block"),
                rule(#"<cr:sphere value="home work"/>"#, "allow", everything)))
        var tag = try scene.publish(pidf(tuple("a") + person("p", "<r:work/>"))).tag
        let watcher = try #require(try scene.watch(1))
        #expect(try parsed(try #require(scene.received(by: watcher, full: true)).bytes).tupleIDs == ["a"])

        let elsewhere = try scene.publish(pidf(tuple("a") + person("p", "bowling")), ifMatch: tag, at: at(1))
        tag = elsewhere.tag
        #expect(elsewhere.changes.handling.map(\.handling) == [.politeBlock])
        #expect(elsewhere.changes.notify.contains(1))
        #expect(try parsed(try #require(scene.received(by: watcher)).bytes).tupleIDs == ["unavailable"])

        tag = try scene.publish(pidf(tuple("a") + person("p", "Home")), ifMatch: tag, at: at(2)).tag
        #expect(try scene.seen(at: at(2))?.tupleIDs == ["a"])
        try scene.publish(pidf(person("q", "work")), at: at(3))
        #expect(try scene.seen(at: at(3))?.tupleIDs == ["unavailable"])
    }

    /// RFC 4745 section 7.4; the scene begins at 2027-01-15T08:00:00Z.
    @Test func aPeriodBeginsAndEndsByItself() throws {
        let scene = Scene()
        try scene.publish(pidf(tuple("a")))
        let period = """
            <cr:validity><cr:from>2027-01-15T10:00:10+02:00</cr:from><cr:until>2027-01-15T08:00:20Z</cr:until>\
            <cr:from>2027-01-15T08:00:30Z</cr:from><cr:until>2027-01-15T08:00:40.5Z</cr:until></cr:validity>
            """
        _ = try scene.setRules(ruleset(rule("", "confirm"), rule(period, "allow", everything)))
        let watcher = try #require(try scene.watch(1))
        #expect(scene.received(by: watcher, full: true) == nil)
        var decisions: [Double: SubscriptionHandling] = [:]
        while let deadline = scene.agent.nextDeadline, deadline < at(60) {
            for change in scene.advance(to: deadline).handling {
                decisions[(deadline - at(0)).inSeconds] = change.handling
            }
        }
        #expect(decisions == [10: .allow, 20: .confirm, 30: .allow, 40.5: .confirm])
    }

    @Test(arguments: [
        "not XML", "<ruleset/>", ruleset(rule("", "maybe")), ruleset(rule("<cr:validity/>", "allow")),
        ruleset(rule("<cr:validity><cr:from>yesterday</cr:from><cr:until>now</cr:until></cr:validity>", "allow")),
        ruleset(rule("<cr:identity><cr:one/></cr:identity>", "allow")),
        ruleset(rule("", "allow", "<pr:provide-mood>perhaps</pr:provide-mood>")),
        ruleset(rule("", "allow", "<pr:provide-user-input>some</pr:provide-user-input>")),
        ruleset(rule("", "allow", "<pr:provide-unknown-attribute>true</pr:provide-unknown-attribute>")),
    ])
    func badRulesAreRefusedAndTheOldOnesStay(document: String) throws {
        let scene = Scene()
        try scene.publish(pidf(tuple("a")))
        _ = try scene.setRules(ruleset(rule(one("sip:bob@example.com"), "polite-block")))
        #expect(throws: RulesRefusal.self) { try scene.setRules(document) }
        #expect(try scene.seen()?.tupleIDs == ["unavailable"])
        #expect(try scene.seen(by: carol) == nil)
    }
}

/// Actions and their changes (RFC 5025 section 3.2).
@Suite struct SubscriptionHandlingTests {
    @Test(
        arguments: [
            (nil, nil, nil), ("block", nil, nil), ("block", "confirm", .confirm),
            ("confirm", "polite-block", .politeBlock),
            ("allow", "block", .allow), ("polite-block", "allow", .allow),
        ] as [(String?, String?, SubscriptionHandling?)])
    func theLeastRestrictiveRuleCounts(first: String?, second: String?, outcome: SubscriptionHandling?) throws {
        let scene = Scene()
        _ = try scene.setRules(ruleset(rule("", first), rule("", second)))
        let request = WatchRequest(subscription: 1, identity: bob, expires: at(60))
        let admission = try scene.agent.watch(request, of: scene.presentity, at: at(0))
        #expect(admission.handling == outcome ?? .block)
        #expect((admission.watcher == nil) == (outcome == nil))
    }

    @Test(arguments: SubscriptionHandling.allCases) func withoutRulesTheDefaultHolds(handling: SubscriptionHandling)
        throws
    {
        var settings = PresenceSettings()
        settings.defaultHandling = handling
        let scene = Scene(settings)
        try scene.publish(pidf(tuple("a")))
        let seen = try scene.seen()
        switch handling {
        case .block, .confirm: #expect(seen == nil)
        case .politeBlock: #expect(seen?.tupleIDs == ["unavailable"])
        case .allow: #expect(seen?.tupleIDs == ["a"])
        }
    }

    @Test func politeBlockingLooksLikeBeingAway() throws {
        let scene = Scene()
        let person = #"<dm:person id="p"><r:activities><r:busy/></r:activities></dm:person>"#
        var tag = try scene.publish(pidf(tuple("a") + person)).tag
        _ = try scene.setRules(ruleset(rule(one("sip:bob@example.com"), "polite-block", everything)))
        let watcher = try #require(try scene.watch(1))
        let document = try parsed(try #require(scene.received(by: watcher, full: true)).bytes)
        #expect(document.children.count == 1)
        #expect(document.first("basic")?.trimmedText == "closed")
        let changed = try scene.publish(pidf(tuple("a", "closed")), ifMatch: tag, at: at(1))
        tag = changed.tag
        #expect(changed.changes.notify.isEmpty)
    }

    @Test func aChangedDecisionReachesWhoeverWatches() throws {
        let scene = Scene()
        try scene.publish(pidf(tuple("a")))
        let rules = { (handling: String) in ruleset(rule(one("sip:bob@example.com"), handling, everything)) }
        _ = try scene.setRules(rules("confirm"))
        let watcher = try #require(try scene.watch(5))
        #expect(scene.agent.body(for: watcher, full: true) == nil)

        let approved = try scene.setRules(rules("allow"), at: at(1))
        #expect(approved.handling.map(\.subscription) == [5])
        #expect(approved.handling.map(\.handling) == [.allow])
        #expect(approved.notify == [5])
        #expect(scene.received(by: watcher) != nil)

        let same = try scene.setRules(rules("allow"), at: at(2))
        #expect(same.handling.isEmpty)
        #expect(same.notify.isEmpty)

        let pending = try scene.setRules(rules("confirm"), at: at(3))
        #expect(pending.handling.map(\.handling) == [.confirm])
        #expect(pending.notify.isEmpty)
        #expect(scene.agent.body(for: watcher, full: true) == nil)

        let rejected = try scene.setRules(rules("block"), at: at(4))
        #expect(rejected.handling.map(\.handling) == [.block])
        let noRules = try scene.setRules(nil, at: at(5))
        #expect(noRules.handling.map(\.handling) == [.allow])
    }
}
