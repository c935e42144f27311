import LinkProfiles
import MessageStore
import Policy
import SIPCore
import Testing

@testable import Engine

/// A registrar for example.com and example.org with a flow, a profile and a clock, and the REGISTER requests of its users.
struct RegistrarScene {
    static let start = Instant(microseconds: 1_800_000_000_000_000)
    let locations: LocationService
    let registrar: Registrar
    var profile = LinkProfile()
    var now = RegistrarScene.start
    var flow = RegistrarScene.udp(40_000)

    init(_ change: (inout RegistrarConfiguration) -> Void = { _ in }) {
        var configuration = RegistrarConfiguration()
        change(&configuration)
        locations = LocationService(domains: ["example.com", "Example.ORG"], key: (11, 22))
        registrar = Registrar(locations: locations, listeners: Self.listeners, configuration: configuration)
    }

    static let listeners = [
        LocalPoint(
            transport: .udp, address: TransportAddress(ip: IPAddress(v4: 0xC000_0201), port: 5060),
            advertisedHost: "192.0.2.1", advertisedPort: 5060),
        LocalPoint(
            transport: .tcp, address: TransportAddress(ip: IPAddress(v4: 0xC000_0201), port: 5060),
            advertisedHost: "192.0.2.1", advertisedPort: 5060),
    ]

    static func udp(_ port: UInt16) -> Flow {
        Flow(transport: .udp, listener: 0, remote: TransportAddress(ip: IPAddress(v4: 0xC633_6407), port: port))
    }

    static func tcp(_ connection: UInt64) -> Flow {
        Flow(
            transport: .tcp, listener: 1, connection: connection,
            remote: TransportAddress(ip: IPAddress(v4: 0xC633_6407), port: 50_000))
    }

    func request(
        _ contacts: [String], to: String = "sip:alice@example.com", uri: String = "sip:example.com",
        callID: String = "c1",
        cseq: Int = 1, vias: Int = 1, headers: [String] = []
    ) -> SIPMessage {
        var lines = ["REGISTER \(uri) SIP/2.0"]
        for hop in 0..<vias { lines.append("Via: SIP/2.0/UDP 198.51.100.\(7 + hop):5060;branch=z9hG4bK\(cseq)\(hop)") }
        lines += [
            "Max-Forwards: 70", "From: <\(to)>;tag=1", "To: <\(to)>", "Call-ID: \(callID)", "CSeq: \(cseq) REGISTER",
        ]
        lines += contacts.map { "Contact: \($0)" } + headers + ["Content-Length: 0"]
        let text = lines.joined(separator: "\r\n") + "\r\n\r\n"
        switch SIPMessage.parse(Array(text.utf8)) {
        case .message(let message): return message
        case .malformed(let message, let failure):
            Issue.record("\(failure.reason): \(text)")
            return message
        case .unreadable(let failure): fatalError("\(failure.reason): \(text)")
        }
    }

    func register(
        _ contacts: [String], to: String = "sip:alice@example.com", uri: String = "sip:example.com",
        callID: String = "c1",
        cseq: Int = 1, vias: Int = 1, headers: [String] = [], as user: AuthenticatedUser? = nil
    ) -> RegistrarOutcome {
        registrar.register(
            request(contacts, to: to, uri: uri, callID: callID, cseq: cseq, vias: vias, headers: headers), flow: flow,
            profile: profile, authenticated: user, at: now)
    }

    func bindings(_ addressOfRecord: String = "sip:alice@example.com") -> [Binding] {
        locations.user(addressOfRecord).map { Array(locations.bindings(of: $0)) } ?? []
    }

    func contacts(_ addressOfRecord: String = "sip:alice@example.com") -> [String] {
        bindings(addressOfRecord).map { String(decoding: $0.contact, as: UTF8.self) }
    }
}

extension RegistrarOutcome {
    /// Header fields of the tail with that name.
    func fields(_ name: String) -> [String] {
        String(decoding: tail, as: UTF8.self).split(separator: "\r\n").compactMap { line in
            line.hasPrefix("\(name): ") ? String(line.dropFirst(name.count + 2)) : nil
        }
    }

    var bound: [StoredBinding] {
        commands.compactMap { if case .bind(let binding) = $0 { binding } else { nil } }
    }

    var unbound: [BindingNumber] {
        commands.compactMap { if case .unbind(let number) = $0 { number } else { nil } }
    }
}

/// RFC 3261 section 10.
@Suite struct RegistrarTests {
    var scene = RegistrarScene()

    /// RFC 3261 section 24.1, with the domain changed.
    @Test func registersOneContact() throws {
        let outcome = scene.register(["<sip:bob@192.0.2.4>"], to: "sip:bob@example.com", headers: ["Expires: 7200"])
        #expect(outcome.status == 200)
        #expect(outcome.fields("Contact") == ["<sip:bob@192.0.2.4>;expires=7200"])
        #expect(outcome.fields("Date").count == 1)
        #expect(outcome.effect == [.reachable, .refreshed])
        #expect(outcome.awaitsCommit)
        #expect(outcome.commands.count == 2)
        #expect(outcome.commands.first == .name(AddressNumber(1), addressOfRecord: "sip:bob@example.com"))
        let stored = try #require(outcome.bound.first)
        #expect(stored.contact == "sip:bob@192.0.2.4")
        #expect(stored.address == AddressNumber(1))
        #expect(stored.callID == "c1")
        #expect(stored.cseq == 1)
        #expect(stored.q == 1_000)
        #expect(stored.expiresAt == RegistrarScene.start + .seconds(7_200 as Int64))
        #expect(stored.flow == "")
        let binding = try #require(scene.bindings("sip:bob@example.com").first)
        #expect(binding.route == .contact)
        #expect(binding.number == stored.number)
    }

    @Test func tellsWithoutContact() {
        #expect(scene.register([]).fields("Contact").isEmpty)
        let registered = scene.register(["<sip:a@h1>;q=0.7;expires=600;foo=bar", "<sip:a@h2>;expires=700"])
        registered.undo.map(scene.registrar.confirm)
        let outcome = scene.register([], cseq: 2)
        #expect(outcome.status == 200)
        #expect(outcome.fields("Contact") == ["<sip:a@h2>;expires=700", "<sip:a@h1>;expires=600;q=0.700;foo=bar"])
        #expect(outcome.commands.isEmpty && outcome.undo == nil && !outcome.awaitsCommit)
    }

    @Test mutating func countsTheRemainingTimeDown() {
        #expect(scene.register(["<sip:a@h1>;expires=600"]).status == 200)
        scene.now = scene.now + .milliseconds(100_500)
        #expect(scene.register([], cseq: 2).fields("Contact") == ["<sip:a@h1>;expires=499"])
    }

    @Test func aRefreshKeepsTheBindingsNumber() throws {
        let registered = scene.register(["<sip:a@h1>;expires=600"])
        registered.undo.map(scene.registrar.confirm)
        let first = try #require(registered.bound.first)
        let outcome = scene.register(["<sip:a@H1>;expires=900"], cseq: 2)
        #expect(outcome.bound.map(\.number) == [first.number])
        #expect(outcome.bound.map(\.cseq) == [2])
        #expect(outcome.commands.count == 1)
        #expect(outcome.effect.contains(.refreshed))
        #expect(scene.contacts() == ["sip:a@H1"])
    }

    @Test mutating func aRefreshFromElsewhereMakesReachable() {
        #expect(scene.register(["<sip:a@198.51.100.7>"]).effect.contains(.reachable))
        #expect(!scene.register(["<sip:a@198.51.100.7>"], cseq: 2).effect.contains(.reachable))
        scene.flow = RegistrarScene.udp(41_000)
        #expect(scene.register(["<sip:a@198.51.100.7>"], cseq: 3).effect.contains(.reachable))
        #expect(scene.bindings().map(\.route) == [.flow(scene.flow)])
    }

    /// The sender is 198.51.100.7:5060 by its Via and 198.51.100.7:40000 as seen here.
    @Test(arguments: [
        ("<sip:a@198.51.100.7>", true), ("<sip:a@198.51.100.7:5060;transport=udp>", true),
        ("<sip:a@198.51.100.7:40000>", true), ("<sip:a@198.51.100.7:5062>", false), ("<sip:a@198.51.100.8>", false),
        ("<sip:a@h1>", false), ("<sip:a@198.51.100.7;transport=tls>", false),
    ])
    func aContactElsewhereIsWhereItSays(_ contact: String, isSender: Bool) throws {
        let stored = try #require(scene.register([contact]).bound.first)
        #expect(stored.flow == (isSender ? "udp 192.0.2.1:5060 198.51.100.7:40000" : ""))
        #expect(scene.bindings().map(\.route) == [isSender ? .flow(scene.flow) : .contact])
    }

    @Test(arguments: [
        ("<sip:a@10.0.0.1:5060;transport=tcp>", true), ("<sip:a@198.51.100.7:50000>", true),
        ("<sip:a@10.0.0.1:5060>", false), ("<sip:a@10.0.0.1:5060;transport=udp>", false),
    ])
    mutating func aContactOfTheSameTransportIsReachedByTheConnection(_ contact: String, isSender: Bool) {
        scene.flow = RegistrarScene.tcp(7)
        #expect(scene.register([contact]).status == 200)
        #expect(scene.bindings().map(\.route) == [isSender ? .flow(scene.flow) : .contact])
    }

    @Test func removesByExpiryZero() throws {
        let first = try #require(scene.register(["<sip:a@h1>", "<sip:a@h2>"]).bound.first)
        let outcome = scene.register(["<sip:a@h1>;expires=0"], cseq: 2)
        #expect(outcome.status == 200)
        #expect(outcome.unbound == [first.number])
        #expect(outcome.effect == [])
        #expect(scene.contacts() == ["sip:a@h2"])
        let last = scene.register(["<sip:a@h2>"], cseq: 3, headers: ["Expires: 0"])
        #expect(last.effect == [.unreachable])
        #expect(last.fields("Contact").isEmpty)
        #expect(scene.locations.bindingCount == 0)
    }

    @Test func removingWhatIsNotThereIsNoError() {
        let outcome = scene.register(["<sip:a@h1>;expires=0"])
        #expect(outcome.status == 200)
        #expect(outcome.commands.isEmpty)
        #expect(outcome.effect == [])
    }

    @Test func removesAllByStar() {
        #expect(scene.register(["<sip:a@h1>", "<sip:a@h2>"]).status == 200)
        let outcome = scene.register(["*"], cseq: 2, headers: ["Expires: 0"])
        #expect(outcome.status == 200)
        #expect(outcome.unbound.count == 2)
        #expect(outcome.effect == [.unreachable])
        #expect(scene.contacts().isEmpty)
        #expect(scene.register(["*"], to: "sip:nobody@example.com", headers: ["Expires: 0"]).status == 200)
    }

    @Test(arguments: [["*", "<sip:a@h1>"], ["*", "*"]])
    func starStandsAlone(_ contacts: [String]) {
        #expect(scene.register(contacts, headers: ["Expires: 0"]).status == 400)
    }

    @Test(arguments: [["Expires: 60"], []])
    func starNeedsExpiryZero(_ headers: [String]) {
        #expect(scene.register(["<sip:a@h1>"]).status == 200)
        #expect(scene.register(["*"], cseq: 2, headers: headers).status == 400)
        #expect(scene.contacts() == ["sip:a@h1"])
    }

    // MARK: Whose registration

    @Test(arguments: [("sip:alice@elsewhere.example", 404), ("sip:example.com", 404), ("tel:+1234", 400)])
    func onlyOurAddresses(_ to: String, status: UInt16) {
        #expect(scene.register(["<sip:a@h1>"], to: to).status == status)
        #expect(scene.locations.count == 0)
    }

    @Test func onlyTheOwnAddress() {
        let alice = AuthenticatedUser(username: "alice", domain: "example.com")
        #expect(scene.register(["<sip:a@h1>"], to: "sip:bob@example.com", as: alice).status == 403)
        #expect(scene.register(["<sip:a@h1>"], to: "sip:alice@example.org", as: alice).status == 403)
        #expect(scene.register(["<sip:a@h1>"], to: "sip:alice@EXAMPLE.com", as: alice).status == 200)
        #expect(
            scene.register(["<sip:a@h1>"], to: "sip:%61lice@example.com;user=phone", cseq: 2, as: alice).status == 200)
        #expect(scene.locations.count == 1)
    }

    @Test func sipAndSipsNameTheSameUser() {
        #expect(scene.register(["<sip:a@h1>"], to: "sip:alice@example.com").status == 200)
        #expect(scene.register([], to: "sips:alice@example.com", cseq: 2).fields("Contact").count == 1)
    }

    // MARK: Order

    @Test func anOlderRequestOfTheSameCallFails() {
        #expect(scene.register(["<sip:a@h1>;expires=600"], cseq: 5).status == 200)
        for cseq in [5, 4] {
            let outcome = scene.register(["<sip:a@h1>;expires=0"], cseq: cseq)
            #expect(outcome.status == 500)
            #expect(outcome.commands.isEmpty)
        }
        #expect(scene.register(["*"], cseq: 5, headers: ["Expires: 0"]).status == 500)
        #expect(scene.contacts() == ["sip:a@h1"])
    }

    @Test func anotherCallMayHaveAnyNumber() {
        #expect(scene.register(["<sip:a@h1>"], callID: "c1", cseq: 5).status == 200)
        #expect(scene.register(["<sip:a@h1>"], callID: "c2", cseq: 1).status == 200)
        #expect(scene.register(["*"], callID: "c3", cseq: 1, headers: ["Expires: 0"]).status == 200)
        #expect(scene.contacts().isEmpty)
    }

    @Test func severalContactsStandOrFallTogether() {
        #expect(scene.register(["<sip:a@h1>"], cseq: 5).status == 200)
        let outcome = scene.register(["<sip:a@h2>", "<sip:a@h1>"], cseq: 3)
        #expect(outcome.status == 500)
        #expect(scene.contacts() == ["sip:a@h1"])
        #expect(scene.register(["<sip:a@h2>", "<sip:a@h3>;expires=5"], cseq: 6).status == 423)
        #expect(scene.contacts() == ["sip:a@h1"])
        #expect(scene.register(["<sip:a@h2>, <sip:a@h3>", "<sip:a@h1>;expires=0"], cseq: 7).status == 200)
        #expect(scene.contacts().sorted() == ["sip:a@h2", "sip:a@h3"])
    }

    @Test func theSameContactTwiceIsOne() {
        let outcome = scene.register(["<sip:a@h1>;expires=600", "<sip:a@H1>;expires=700"])
        #expect(outcome.bound.count == 1)
        #expect(outcome.fields("Contact") == ["<sip:a@H1>;expires=700"])
    }

    // MARK: Expiry

    @Test mutating func tooBriefIsRefusedWithTheMinimum() {
        let outcome = scene.register(["<sip:a@h1>;expires=59"])
        #expect(outcome.status == 423)
        #expect(outcome.fields("Min-Expires") == ["60"])
        #expect(scene.register(["<sip:a@h1>"], headers: ["Expires: 1"]).status == 423)
        #expect(scene.register(["<sip:a@h1>;expires=60"]).status == 200)
        // RFC 3261 section 10.3 step 7: an hour is never too brief.
        scene.profile.registrationMinimum = .seconds(7_200 as Int64)
        #expect(scene.register(["<sip:a@h1>;expires=3599"], cseq: 2).status == 423)
        #expect(scene.register(["<sip:a@h1>;expires=3600"], cseq: 2).status == 200)
    }

    @Test(arguments: [
        ("<sip:a@h1>", [], 3_600), ("<sip:a@h1>", ["Expires: 500"], 500),
        ("<sip:a@h1>;expires=100", ["Expires: 500"], 100),
        ("<sip:a@h1>;expires=99999999999", [], 86_400), ("<sip:a@h1>;EXPIRES=\"x\"", [], 3_600),
    ])
    func theExpiryIsTheContactsTheRequestsOrOurs(_ contact: String, _ headers: [String], _ expected: Int) {
        #expect(scene.register([contact], headers: headers).fields("Contact") == ["<sip:a@h1>;expires=\(expected)"])
    }

    @Test mutating func bindingsExpire() {
        #expect(scene.register(["<sip:a@h1>;expires=60", "<sip:a@h2>;expires=120"]).status == 200)
        #expect(scene.locations.nextDeadline == scene.now + .seconds(60 as Int64))
        #expect(scene.locations.advance(to: scene.now + .milliseconds(59_999)).isEmpty)
        #expect(scene.locations.advance(to: scene.now + .seconds(60 as Int64)).count == 1)
        #expect(scene.contacts() == ["sip:a@h2"])
        #expect(scene.locations.nextDeadline == scene.now + .seconds(120 as Int64))
        #expect(scene.locations.advance(to: scene.now + .seconds(500 as Int64)).count == 1)
        #expect(scene.locations.nextDeadline == nil)
        #expect(scene.contacts().isEmpty)
    }

    // MARK: Contacts

    @Test(arguments: [
        "<mailto:a@h1>", "<sip:a@h1>;q=2", "<sip:a@h1>;q=0.1234", "<sip:a@h1>;q=x", "<sip:a@h1>;q=1.001",
    ])
    func refusesContactsItCannotUse(_ contact: String) {
        #expect(scene.register([contact]).status == 400)
        #expect(scene.locations.bindingCount == 0)
    }

    @Test func ordersByQ() {
        let outcome = scene.register(
            ["<sip:a@h1>;q=0.3", "<sip:a@h2>;q=1.0", "<sip:a@h3>;q=0", "<sip:a@h4>;q=.5"].dropLast())
        #expect(outcome.status == 200)
        #expect(scene.contacts() == ["sip:a@h2", "sip:a@h1", "sip:a@h3"])
        #expect(scene.bindings().map(\.q) == [1_000, 300, 0])
        #expect(scene.register(["<sip:a@h3>;q=0.9"], cseq: 2).status == 200)
        #expect(scene.contacts() == ["sip:a@h2", "sip:a@h3", "sip:a@h1"])
    }

    @Test func keepsOtherParametersAsTheyCame() throws {
        let contact = "\"Al\" <sip:a@h1;transport=udp>;Methods=\"MESSAGE,OPTIONS\" ; +g.x=\"<a;b>\";flag;q=0.5"
        let outcome = scene.register([contact])
        #expect(outcome.bound.first?.parameters == ";Methods=\"MESSAGE,OPTIONS\";+g.x=\"<a;b>\";flag")
        #expect(
            outcome.fields("Contact")
                == ["<sip:a@h1;transport=udp>;expires=3600;q=0.500;Methods=\"MESSAGE,OPTIONS\";+g.x=\"<a;b>\";flag"])
    }

    @Test func foldedContactsAreWrittenOnOneLine() {
        let outcome = scene.register(["<sip:a@h1>\r\n ;x=\"a\r\n b\"\r\n ;expires=600"])
        #expect(outcome.status == 200)
        #expect(outcome.fields("Contact").count == 1)
        #expect(outcome.tail.filter { $0 == 0x0A }.count == outcome.tail.filter { $0 == 0x0D }.count)
        #expect(outcome.bound.first?.parameters.contains("\r") == false)
    }

    @Test func comparesContactsAsURIs() {
        #expect(scene.register(["<sip:a@h1:5060>"]).status == 200)
        #expect(scene.register(["<sip:a@h1>"], cseq: 2).status == 200)
        #expect(scene.register(["<sip:%61@H1;x=y>"], cseq: 3).status == 200)
        #expect(scene.bindings().count == 2)
        #expect(scene.register(["<sip:a@h1;transport=tcp>"], cseq: 4).status == 200)
        #expect(scene.bindings().count == 3)
    }

    @Test func oneUserHasSoManyBindingsAndNoMore() {
        let scene = RegistrarScene { $0.maximumBindings = 3 }
        #expect(scene.register(["<sip:a@h1>", "<sip:a@h2>", "<sip:a@h3>"]).status == 200)
        #expect(scene.register(["<sip:a@h4>"], cseq: 2).status == 403)
        #expect(scene.register(["<sip:a@h3>"], cseq: 2).status == 200)
        #expect(scene.register(["<sip:a@h4>", "<sip:a@h1>;expires=0"], cseq: 3).status == 200)
        #expect(scene.bindings().count == 3)
    }

    @Test func refusesGiantContacts() {
        #expect(scene.register(["<sip:\(String(repeating: "a", count: 5_000))@h1>"]).status == 400)
    }

    @Test(arguments: ["gruu", "path, foo"])
    func refusesUnknownExtensions(_ tags: String) {
        let outcome = scene.register(["<sip:a@h1>"], headers: ["Require: \(tags)"])
        #expect(outcome.status == 420)
        #expect(outcome.fields("Unsupported").count == 1)
        #expect(outcome.fields("Unsupported").first?.contains("path") == false)
        #expect(scene.locations.bindingCount == 0)
    }

    @Test mutating func writesCompactFormsWhereTheLinkWantsThem() {
        scene.profile.compactHeaders = true
        let outcome = scene.register(["<sip:a@h1>;expires=600"])
        #expect(outcome.fields("m") == ["<sip:a@h1>;expires=600"])
        #expect(outcome.fields("k") == ["path, outbound"])
    }
}
