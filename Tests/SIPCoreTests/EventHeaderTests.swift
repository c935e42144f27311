import SIPCore
import Testing

@Suite("Event, Subscription-State and entity-tags")
struct EventHeaderTests {
    @Test(
        "event type, id and rates are read",
        arguments: [
            ("presence", "presence", "", EventRates.none),
            ("presence.winfo", "presence.winfo", "", .none),
            ("presence ; id = 7a ", "presence", "7a", .none),
            ("foo;param=abcd;id=1234", "foo", "1234", .none),
            ("presence;max-rate=0.05", "presence", "", EventRates(maximum: 50_000)),
            ("presence;MIN-RATE=99.9999999999;x", "presence", "", EventRates(minimum: 99_999_999)),
            (
                "a;adaptive-min-rate=1;min-rate=10.5;max-rate=0.0000000001", "a", "",
                EventRates(maximum: 1, minimum: 10_500_000, adaptiveMinimum: 1_000_000)
            ),
            ("presence;max-rate=0.0000010001", "presence", "", EventRates(maximum: 2)),
            ("reg;max-rate=00.000001", "reg", "", EventRates(maximum: 1)),
        ])
    func event(_ value: String, type: String, id: String, rates: EventRates) throws {
        for name in ["Event", "o"] {
            let message = try parsed(request("\(name): \(value)", method: "SUBSCRIBE"))
            let event = try #require(EventHeader(of: message))
            #expect(message.text(event.type) == type)
            #expect(message.text(event.id) == id)
            #expect(event.rates == rates)
        }
    }

    @Test(
        "what the grammar does not allow is no event",
        arguments: [
            "", ";id=1", "presence.", ".presence", "a..b", "presence, dialog", "presence;", "presence;id",
            "presence;id=",
            "presence;id=\"7\"", "presence;id=1;id=2", "presence;max-rate", "presence;max-rate=0",
            "presence;max-rate=0.0",
            "presence;max-rate=100", "presence;max-rate=1.", "presence;max-rate=.5", "presence;max-rate=-1",
            "presence;min-rate=1.00000000001", "presence;min-rate=1e3", "presence;adaptive-min-rate=1,5",
            "presence;max-rate=\"1\"", "pre sence",
        ])
    func malformedEvent(_ value: String) throws {
        let message = try parsed(request("Event: \(value)", method: "SUBSCRIBE"))
        #expect(EventHeader(of: message) == nil)
    }

    @Test("without the header there is no event")
    func absent() throws {
        let message = try parsed(request(method: "SUBSCRIBE"))
        #expect(EventHeader(of: message) == nil)
        #expect(SubscriptionStateHeader(of: message) == nil)
        #expect(SuppressIfMatch(of: message) == nil)
        #expect(message.entityTag(.sipETag) == nil)
    }

    @Test(
        "events compare by type and id, byte by byte (RFC 6665 section 8.2.1)",
        arguments: [
            ("foo; id=1234", "foo", "1234", true), ("foo; param=abcd; id=1234", "foo", "1234", true),
            ("foo", "foo", "1234", false), ("foo;id=1234", "foo", "", false), ("Foo; id=1234", "foo", "1234", false),
            ("foo;id=12345", "foo", "1234", false), ("foo.winfo", "foo", "", false), ("foo;ID=a", "foo", "A", false),
        ])
    func comparison(_ value: String, type: String, id: String, isSame: Bool) throws {
        let message = try parsed(request("Event: \(value)", method: "NOTIFY"))
        let event = try #require(EventHeader(of: message))
        #expect(message.names(event, type: Array(type.utf8), id: Array(id.utf8)) == isSame)
    }

    @Test(
        "subscription states are read",
        arguments: [
            ("active", SubscriptionStateHeader(.active)),
            ("Active;Expires=3600", SubscriptionStateHeader(.active, expires: 3_600)),
            ("pending ; expires = 60", SubscriptionStateHeader(.pending, expires: 60)),
            (
                "terminated;reason=probation;retry-after=300",
                SubscriptionStateHeader(.terminated, reason: .probation, retryAfter: 300)
            ),
            ("terminated;reason=giveup", SubscriptionStateHeader(.terminated, reason: .giveUp)),
            ("terminated;reason=expired;x=y", SubscriptionStateHeader(.terminated, reason: .other)),
            ("waiting", SubscriptionStateHeader(.other)),
            ("active;expires=99999999999999999999", SubscriptionStateHeader(.active, expires: .max)),
            (
                "active;expires=1;max-rate=0.25;min-rate=0.002",
                SubscriptionStateHeader(.active, expires: 1, rates: EventRates(maximum: 250_000, minimum: 2_000))
            ),
        ])
    func state(_ value: String, expected: SubscriptionStateHeader) throws {
        let message = try parsed(request("Subscription-State: \(value)", method: "NOTIFY"))
        #expect(SubscriptionStateHeader(of: message) == expected)
    }

    @Test(
        "what the grammar does not allow is no subscription state",
        arguments: [
            "", ";expires=1", "active;expires", "active;expires=", "active;expires=-1", "active;expires=1.5",
            "terminated;reason", "terminated;retry-after=soon", "active;max-rate=0", "active;", "active pending",
            "active, pending",
        ])
    func malformedState(_ value: String) throws {
        let message = try parsed(request("Subscription-State: \(value)", method: "NOTIFY"))
        #expect(SubscriptionStateHeader(of: message) == nil)
    }

    @Test("what is written is read back, whatever it is", arguments: [1, 2, 3] as [UInt64])
    func roundTrip(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        func rate() -> UInt32 {
            Bool.random(using: &random)
                ? 0 : UInt32.random(in: 1...99_999_999, using: &random) >> UInt32.random(in: 0...26, using: &random) | 1
        }
        for _ in 0..<300 {
            let state = SubscriptionStateHeader(
                [.active, .pending, .terminated].randomElement(using: &random) ?? .active,
                expires: Bool.random(using: &random) ? UInt32.random(in: 0 ... .max, using: &random) : nil,
                reason: SubscriptionEndReason.allCases.filter { $0 != .other }.randomElement(using: &random),
                retryAfter: Bool.random(using: &random) ? UInt32.random(in: 0 ... .max, using: &random) : nil,
                rates: EventRates(maximum: rate(), minimum: rate(), adaptiveMinimum: rate()))
            var writer = MessageWriter()
            writer.append(state)
            let value = text(writer.bytes)
            let message = try parsed(request("Subscription-State: \(value)\nEvent: presence", method: "NOTIFY"))
            #expect(SubscriptionStateHeader(of: message) == state, "\(value)")

            writer = MessageWriter()
            writer.append("presence")
            writer.append(state.rates)
            let event = try parsed(request("Event: \(text(writer.bytes))", method: "SUBSCRIBE"))
            #expect(EventHeader(of: event)?.rates == state.rates)
        }
    }

    @Test(
        "entity-tags are tokens, and * is for Suppress-If-Match alone",
        arguments: [
            ("b4cf7", true), ("a.b-c!%*_+`'~", true), ("", false), ("a b", false), ("\"a\"", false), ("a,b", false),
        ])
    func entityTags(_ value: String, isToken: Bool) throws {
        let lines = "SIP-ETag: \(value)\nSIP-If-Match: \(value)\nSuppress-If-Match: \(value)"
        let message = try parsed(request(lines, method: "SUBSCRIBE"))
        #expect(message.entityTag(.sipETag).map(message.text) == (isToken ? value : nil))
        #expect(message.entityTag(.sipIfMatch).map(message.text) == (isToken ? value : nil))
        if case .tag(let tag) = SuppressIfMatch(of: message) {
            #expect(isToken && message.text(tag) == value)
        } else {
            #expect(!isToken)
        }
        let wildcard = try parsed(request("suppress-if-match:  * ", method: "SUBSCRIBE"))
        #expect(SuppressIfMatch(of: wildcard) == .any)
    }
}
