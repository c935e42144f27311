public import SIPCore
import Testing

@testable import Transport

extension IPAddress: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self = IPAddress(parsing: value) ?? IPAddress(high: 0, low: 0) }
}

/// The zone of RFC 3263 section 4.1, and others like it.
let exampleZone: [DNSQuestion: [RecordData]] = [
    DNSQuestion("example.com", .naptr): [
        .pointer(pointer(100, "SIP+D2U", "_sip._udp.example.com")),
        .pointer(pointer(50, "SIPS+D2T", "_sips._tcp.example.com")),
        .pointer(pointer(90, "SIP+D2T", "_sip._tcp.example.com")),
        .pointer(pointer(10, "E2U+sip", "other.example.com")),
    ],
    DNSQuestion("_sip._tcp.example.com", .srv): [
        .service(ServiceRecord(priority: 1, weight: 0, port: 5060, target: "server2.example.com")),
        .service(ServiceRecord(priority: 0, weight: 1, port: 5062, target: "server1.example.com")),
    ],
    DNSQuestion("_sips._tcp.example.com", .srv): [
        .service(ServiceRecord(priority: 0, weight: 1, port: 5061, target: "server1.example.com"))
    ],
    DNSQuestion("server1.example.com", .a): [.address("192.0.2.1")],
    DNSQuestion("server1.example.com", .aaaa): [.address("2001:db8::1")],
    DNSQuestion("server2.example.com", .a): [.address("192.0.2.2")],
    DNSQuestion("example.com", .a): [.address("192.0.2.9")],
    // No NAPTR; SRV for UDP only.
    DNSQuestion("_sip._udp.plain.example", .srv): [
        .service(ServiceRecord(priority: 0, weight: 0, port: 5070, target: "server2.example.com"))
    ],
    DNSQuestion("plain.example", .a): [.address("192.0.2.10")],
    // Addresses only.
    DNSQuestion("bare.example", .a): [.address("192.0.2.11"), .address("192.0.2.12")],
    // The service is decidedly not there.
    DNSQuestion("_sip._udp.none.example", .srv): [
        .service(ServiceRecord(priority: 0, weight: 0, port: 0, target: ""))
    ],
    DNSQuestion("none.example", .a): [.address("192.0.2.13")],
]

func pointer(_ order: UInt16, _ service: String, _ replacement: String) -> NamingPointer {
    NamingPointer(order: order, preference: 50, flags: "s", service: service, replacement: replacement)
}

@Suite("Server location (RFC 3263)")
struct NextHopSearchTests {
    /// Searches a zone to the end; the questions in the order they were asked, and the targets.
    static func search(
        _ host: String, port: UInt16 = 0, transport: SIPTransport? = nil, isSecure: Bool = false,
        transports: [SIPTransport] = [.udp, .tcp, .tls], families: [RecordType] = [.aaaa, .a], seed: UInt64 = 1
    ) -> (asked: [DNSQuestion], targets: [String]) {
        var preferences = NextHopSearch.Preferences()
        preferences.transports = transports
        preferences.families = families
        let search = NextHopSearch(
            host: host, port: port, transport: transport, isSecure: isSecure, preferences: preferences, seed: seed)
        var answers: [DNSQuestion: [RecordData]] = [:]
        var asked: [DNSQuestion] = []
        while true {
            switch search.step(answers) {
            case .found(let targets): return (asked, targets.map { "\($0.transport) \($0.address)" })
            case .ask(let questions):
                asked += questions
                for question in questions { answers[question] = exampleZone[question] ?? [] }
            }
        }
    }

    @Test(
        "Numeric hosts ask nothing",
        arguments: [
            ("192.0.2.5", 0, nil, false, ["udp 192.0.2.5:5060"]),
            ("192.0.2.5", 5080, nil, false, ["udp 192.0.2.5:5080"]),
            ("192.0.2.5", 0, nil, true, ["tls 192.0.2.5:5061"]),
            ("192.0.2.5", 0, .tcp, true, ["tls 192.0.2.5:5061"]),
            ("192.0.2.5", 0, .tcp, false, ["tcp 192.0.2.5:5060"]),
            ("192.0.2.5", 0, .tls, false, ["tls 192.0.2.5:5061"]),
            ("[2001:db8::5]", 0, nil, false, ["udp [2001:db8::5]:5060"]),
            ("192.0.2.5", 0, .udp, true, []),
        ] as [(String, UInt16, SIPTransport?, Bool, [String])])
    func numeric(host: String, port: UInt16, transport: SIPTransport?, isSecure: Bool, expected: [String]) {
        let (asked, targets) = Self.search(host, port: port, transport: transport, isSecure: isSecure)
        #expect(asked.isEmpty && targets == expected)
    }

    @Test("The RFC's example: NAPTR orders the transports, SRV the servers, and all of them make the failover list")
    func example() {
        let (asked, targets) = Self.search("example.com")
        #expect(asked.first == DNSQuestion("example.com", .naptr))
        #expect(
            targets == [
                "tls [2001:db8::1]:5061", "tls 192.0.2.1:5061",
                "tcp [2001:db8::1]:5062", "tcp 192.0.2.1:5062", "tcp 192.0.2.2:5060",
            ])
    }

    @Test("The RFC's client without TLS uses TCP; IPv4 first where that is preferred")
    func withoutTLS() {
        let (_, targets) = Self.search("EXAMPLE.com.", transports: [.udp, .tcp], families: [.a, .aaaa])
        #expect(targets == ["tcp 192.0.2.1:5062", "tcp [2001:db8::1]:5062", "tcp 192.0.2.2:5060"])
    }

    @Test("One family only (RFC 6157)", arguments: [RecordType.a, .aaaa])
    func oneFamily(family: RecordType) {
        let (asked, targets) = Self.search("example.com", transports: [.tls], families: [family])
        #expect(targets == [family == .a ? "tls 192.0.2.1:5061" : "tls [2001:db8::1]:5061"])
        #expect(!asked.contains { $0.type == (family == .a ? .aaaa : .a) })
    }

    @Test("A sips URI takes TLS and nothing else")
    func secure() {
        #expect(
            Self.search("example.com", isSecure: true).targets == ["tls [2001:db8::1]:5061", "tls 192.0.2.1:5061"])
        #expect(Self.search("plain.example", isSecure: true).targets == ["tls 192.0.2.10:5061"])
        #expect(Self.search("example.com", isSecure: true, transports: [.udp, .tcp]).targets == [])
    }

    @Test("An explicit port asks for addresses only")
    func port() {
        let (asked, targets) = Self.search("example.com", port: 5090)
        #expect(asked == [DNSQuestion("example.com", .aaaa), DNSQuestion("example.com", .a)])
        #expect(targets == ["udp 192.0.2.9:5090"])
        #expect(Self.search("example.com", port: 5090, isSecure: true).targets == ["tls 192.0.2.9:5090"])
    }

    @Test("An explicit transport asks for its SRV records, and for addresses where there are none")
    func transport() {
        let (asked, targets) = Self.search("example.com", transport: .tcp, families: [.a])
        #expect(asked.first == DNSQuestion("_sip._tcp.example.com", .srv))
        #expect(targets == ["tcp 192.0.2.1:5062", "tcp 192.0.2.2:5060"])
        #expect(Self.search("plain.example", transport: .tcp).targets == ["tcp 192.0.2.10:5060"])
    }

    @Test("Without NAPTR the transports that have SRV records are used, without those UDP at port 5060")
    func withoutNAPTR() {
        let (asked, targets) = Self.search("plain.example")
        #expect(targets == ["udp 192.0.2.2:5070"])
        #expect(
            asked.filter { $0.type == .srv }.map(\.name).sorted() == [
                "_sip._tcp.plain.example", "_sip._udp.plain.example", "_sips._tcp.plain.example",
            ])
        #expect(Self.search("bare.example").targets == ["udp 192.0.2.11:5060", "udp 192.0.2.12:5060"])
    }

    @Test("A service whose SRV target is the root is not there (RFC 2782)")
    func refusedService() {
        #expect(Self.search("none.example").targets == [])
    }

    @Test(
        "What is no name finds nothing and asks nothing",
        arguments: ["", ".", "a..b", "a b", String(repeating: "x", count: 64)])
    func noName(host: String) {
        let (asked, targets) = Self.search(host)
        #expect(asked.isEmpty && targets.isEmpty)
    }

    @Test("A certificate is checked against the URI's domain, not the server's name (RFC 5922 section 7.3)")
    func domain() {
        let search = NextHopSearch(
            host: "plain.example", port: 0, transport: .udp, isSecure: false, preferences: .init(), seed: 1)
        var answers = exampleZone
        answers[DNSQuestion("server2.example.com", .aaaa)] = []
        guard case .found(let targets) = search.step(answers) else {
            Issue.record("no result")
            return
        }
        #expect(targets.map(\.domain) == ["plain.example"])
    }
}

@Suite("Order of SRV records (RFC 2782)")
struct ServiceOrderTests {
    @Test("Priorities come first, and each record once", arguments: 0..<50 as Range<UInt64>)
    func priorities(seed: UInt64) {
        let records = (0..<12).map {
            ServiceRecord(priority: UInt16($0 % 3), weight: UInt16($0 * 7 % 5), port: 5060, target: "s\($0)")
        }
        let ordered = ServiceOrder.ordered(records, seed: seed)
        #expect(ordered.map(\.priority) == [UInt16](repeating: 0, count: 4) + [1, 1, 1, 1, 2, 2, 2, 2])
        #expect(Set(ordered) == Set(records))
        #expect(ServiceOrder.ordered(records.reversed(), seed: seed) == ordered)
    }

    @Test("The first place is drawn by weight")
    func weights() {
        let records = [(60, "a"), (30, "b"), (10, "c"), (0, "d")].map {
            ServiceRecord(priority: 0, weight: UInt16($0.0), port: 5060, target: $0.1)
        }
        var first: [String: Int] = [:]
        for seed in 0..<10_000 {
            first[ServiceOrder.ordered(records, seed: UInt64(seed) &* 0x1234_5678_9abc_def1)[0].target, default: 0] += 1
        }
        #expect((5_500...6_500).contains(first["a"] ?? 0))
        #expect((2_600...3_400).contains(first["b"] ?? 0))
        #expect((700...1_300).contains(first["c"] ?? 0))
        // A weight of 0 has a small chance (RFC 2782), here 1 in 101.
        #expect((20...250).contains(first["d"] ?? 0))
    }
}

@Suite("DNS messages (RFC 1035)")
struct DNSMessageTests {
    static func message(_ records: [RecordData], _ type: RecordType, ttl: UInt32 = 77) -> [UInt8] {
        let question = DNSWriter.name("example.com") + [0, UInt8(type.rawValue), 0, 1]
        return DNSWriter.response(
            id: [1, 2], question: question[...], isNameError: false, records: records, type: type, ttl: ttl)
    }

    @Test(
        "Records are read as written",
        arguments: [
            (.a, [.address("192.0.2.1"), .address("192.0.2.2")]),
            (.aaaa, [.address("2001:db8::1")]),
            (.srv, [.service(ServiceRecord(priority: 1, weight: 2, port: 3, target: "a.b.example"))]),
            (.naptr, [.pointer(pointer(7, "SIP+D2U", "_sip._udp.example.com"))]),
        ] as [(RecordType, [RecordData])])
    func records(type: RecordType, records: [RecordData]) {
        let message = DNSMessage(Self.message(records, type), type: type)
        #expect(message?.records == records && message?.ttl == 77)
    }

    @Test("Without records the SOA record says how long that holds (RFC 2308)")
    func negative() {
        let message = DNSMessage(Self.message([], .a, ttl: 42), type: .a)
        #expect(message?.records == [] && message?.ttl == 42)
    }

    @Test("A compression pointer that leads forwards or to itself ends the reading")
    func loops() {
        var bytes = Self.message([.service(ServiceRecord(priority: 1, weight: 2, port: 3, target: "x"))], .srv)
        for place in bytes.indices.suffix(3) {
            bytes.replaceSubrange(place - 1..<place, with: [0xc0])
            bytes[place] = UInt8(place - 1)
            #expect(DNSMessage(bytes, type: .srv)?.records.isEmpty != false)
        }
    }

    @Test("Truncated and damaged messages are read without harm", arguments: 0..<200 as Range<UInt64>)
    func damage(seed: UInt64) {
        var state = seed &* 0x5851_f42d_4c95_7f2d &+ 1
        func draw(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        let records: [RecordData] = [.pointer(pointer(7, "SIP+D2U", "_sip._udp.example.com"))]
        var bytes = Self.message(records, .naptr)
        bytes.removeLast(draw(bytes.count))
        for _ in 0..<3 where !bytes.isEmpty { bytes[draw(bytes.count)] = UInt8(draw(256)) }
        let message = DNSMessage(bytes, type: .naptr)
        #expect((message?.records.count ?? 0) <= 1)
    }
}
