import LinkProfiles
import MessageStore
import SIPCore
import Testing

@testable import Engine

/// The location service by itself.
@Suite struct RegistrarLocationTests {
    let locations = LocationService(domains: ["example.com", "Example.ORG", "[2001:db8::1]"], key: (5, 6))

    private func find(_ user: String, _ host: String) -> UserIndex? {
        let bytes = Array("<\(user)|\(host)>".utf8)
        let middle = user.utf8.count + 1
        return locations.user(ByteRange(1, middle), host: ByteRange(middle + 1, bytes.count - 1), in: bytes)
    }

    @Test func findsUsersByNameAndDomain() throws {
        let alice = try #require(locations.addUser("sip:alice@example.com"))
        let other = try #require(locations.addUser("sip:alice@example.org"))
        #expect(alice != other)
        #expect(find("alice", "example.com") == alice)
        #expect(find("alice", "EXAMPLE.com") == alice)
        #expect(find("alice", "example.ORG") == other)
        #expect(find("%61l%69ce", "example.com") == alice)
        #expect(find("Alice", "example.com") == nil)
        #expect(find("alic", "example.com") == nil)
        #expect(find("alice", "example.net") == nil)
        #expect(find("", "example.com") == nil)
        #expect(locations.addUser("sip:ALICE@EXAMPLE.COM") != alice)
        #expect(locations.addUser("sips:alice@EXAMPLE.COM") == alice)
        #expect(locations.count == 3)
    }

    @Test(arguments: ["alice", "sip:alice", "sip:@example.com", "sip:alice@example.net", "", "@", ":@"])
    func addsNobodyElse(_ text: String) {
        #expect(locations.addUser(text) == nil)
        #expect(locations.count == 0)
    }

    @Test func namesHaveALimit() {
        #expect(locations.addUser("sip:\(String(repeating: "x", count: 255))@example.com") != nil)
        #expect(locations.addUser("sip:\(String(repeating: "x", count: 256))@example.com") == nil)
    }

    @Test(arguments: [
        ("sip:a@Example.Com", "sip:a@example.com"), ("sip:%61b%20c@example.org", "sip:ab%20c@example.org"),
        ("sip:x@[2001:db8::1]", "sip:x@[2001:db8::1]"), ("sip:a%40b@example.com", "sip:a%40b@example.com"),
        ("sip:a%zz@example.com", "sip:a%25zz@example.com"), ("sip:+1-2.3!@example.com", "sip:+1-2.3!@example.com"),
    ])
    func writesAddressesCanonically(_ text: String, _ canonical: String) throws {
        let user = try #require(locations.addUser(text))
        #expect(locations.addressOfRecord(of: user) == canonical)
        #expect(locations.user(canonical) == user)
    }

    @Test func agreesWithSIPCore() throws {
        for text in [
            "sip:a@example.com", "sip:%61b%20c@EXAMPLE.org", "sip:a%40b@example.com", "sips:q%2f;x=y@example.com",
        ] {
            let uri = try #require(SIPURI(parsing: text))
            #expect(locations.addUser(uri.addressOfRecord) == locations.addUser(text))
        }
    }

    @Test func servesItsDomains() {
        let bytes = Array("sip:example.ORG".utf8)
        #expect(locations.serves(ByteRange(4, bytes.count), in: bytes))
        #expect(!locations.serves(ByteRange(5, bytes.count), in: bytes))
        #expect(!locations.serves(ByteRange(4, 900), in: bytes))
    }

    @Test func attachmentsKeepAUser() throws {
        let user = try #require(locations.addUser("sip:a@example.com"))
        #expect(locations.attachment(of: user) == -1)
        locations.attach(17, to: user)
        #expect(locations.attachment(of: user) == 17)
        #expect(!locations.removeIfIdle(user))
        locations.attach(-1, to: user)
        #expect(locations.removeIfIdle(user))
        #expect(!locations.removeIfIdle(user))
        let next = try #require(locations.addUser("sip:b@example.com"))
        #expect(locations.attachment(of: next) == -1)
    }

    @Test func numbersAreGivenOnceAndInOrder() throws {
        var commands: [StoreCommand] = []
        let a = try #require(locations.addUser("sip:a@example.com"))
        let b = try #require(locations.addUser("sip:b@example.com"))
        #expect(locations.number(of: b, naming: &commands) == AddressNumber(1))
        #expect(locations.number(of: a, naming: &commands) == AddressNumber(2))
        // Named at every use until the store is known to have it.
        #expect(locations.number(of: b, naming: &commands) == AddressNumber(1))
        #expect(commands.count == 3)
        locations.numberWasStored(of: b)
        locations.numberWasStored(of: a)
        #expect(locations.number(of: b, naming: &commands) == AddressNumber(1))
        #expect(commands.count == 3)
        #expect(!locations.removeIfIdle(a))
        locations.numberWasNotStored(of: a)
        #expect(locations.number(of: a, naming: &commands) == AddressNumber(2))
        #expect(commands.last == .name(AddressNumber(2), addressOfRecord: "sip:a@example.com"))
    }

    @Test func bindingsSeenBeforeAChangeStayAsTheyWere() throws {
        let user = try #require(locations.addUser("sip:a@example.com"))
        locations.put(.sample(1, contact: "sip:a@h1"), of: user)
        let seen = locations.bindings(of: user)
        locations.put(.sample(1, contact: "sip:a@h2"), of: user)
        locations.remove(BindingNumber(1), of: user)
        #expect(seen.map { String(decoding: $0.contact, as: UTF8.self) } == ["sip:a@h1"])
        #expect(locations.bindings(of: user).isEmpty)
    }

    @Test func expiryIsWorkedOffInPortions() throws {
        for n in 0..<100 {
            let user = try #require(locations.addUser("sip:u\(n)@example.com"))
            locations.put(.sample(Int64(n + 1), expires: 1_000), of: user)
        }
        let now = Instant(microseconds: 2_000_000_000)
        #expect(locations.advance(to: now, limit: 60).count == 60)
        #expect(locations.nextDeadline == Instant(microseconds: 1_000_000_000))
        #expect(locations.advance(to: now, limit: 60).count == 40)
        #expect(locations.nextDeadline == nil)
        #expect(locations.calendar.count == 0)
    }

    @Test func aRefreshDoesNotGrowTheCalendar() throws {
        let user = try #require(locations.addUser("sip:a@example.com"))
        for second in 1...1_000 { locations.put(.sample(1, expires: UInt32(1_000 + second)), of: user) }
        #expect(locations.calendar.count == 1)
        #expect(locations.advance(to: Instant(microseconds: 1_999_000_000)).isEmpty)
        #expect(locations.advance(to: Instant(microseconds: 2_000_000_000)).count == 1)
    }
}

extension BindingRecord {
    static func sample(
        _ number: Int64, contact: String = "sip:a@h1", expires: UInt32 = 1_000, q: UInt16 = 1_000,
        route: BindingRoute = .contact, regID: UInt32 = 0
    ) -> BindingRecord {
        BindingRecord(
            number: BindingNumber(number), expiresAtSecond: expires, cseq: 1, q: q, regID: regID,
            contact: Array(contact.utf8)[...], callID: Array("c1".utf8)[...], path: [], parameters: [], instance: [],
            route: route)
    }
}
