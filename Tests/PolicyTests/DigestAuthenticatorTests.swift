import LinkProfiles
import MessageStore
import SIPCore
import Testing

@testable import Policy

@Suite struct DigestAuthenticatorTests {
    static let start = Instant(microseconds: 1_800_000_000_000_000)
    static let realm = "godwit.example"
    static let alice = Account(username: "alice", domain: "example.com", realm: realm, password: "wonder land")
    static let bob = Account(username: "bob", domain: "example.com", realm: realm, password: "builder")

    let authenticator: DigestAuthenticator
    let accounts = AccountDirectory([alice, bob])

    init() { authenticator = Self.makeAuthenticator() }

    static func makeAuthenticator(
        _ change: (inout DigestPolicy) -> Void = { _ in }, at start: Instant = start
    ) -> DigestAuthenticator {
        var policy = DigestPolicy(realm: realm)
        change(&policy)
        return DigestAuthenticator(policy: policy, key: (0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210), at: start)
    }

    // MARK: The way it should go

    @Test(arguments: DigestAlgorithm.allCases)
    func acceptsAGoodAnswer(_ algorithm: DigestAlgorithm) throws {
        let authenticator = Self.makeAuthenticator { $0.algorithms = [algorithm] }
        let value = try #require(answer(authenticator, "alice", "wonder land"))
        #expect(value.contains("algorithm=\(algorithm.token)"))
        let outcome = authenticator.authenticate(register(value), as: .server, accounts: accounts, at: Self.start)
        #expect(outcome == .accepted(AuthenticatedUser(username: "alice", domain: "example.com")))
    }

    @Test func acceptsProxyCredentials() throws {
        let value = try #require(answer(authenticator, "alice", "wonder land", role: .proxy))
        let request = register(value, field: "Proxy-Authorization")
        #expect(authenticator.authenticate(request, as: .proxy, accounts: accounts, at: Self.start).isAccepted)
        #expect(
            authenticator.authenticate(request, as: .server, accounts: accounts, at: Self.start)
                == .challenge(isStale: false, cause: .noCredentials))
    }

    @Test func coversTheBodyWithAuthInt() throws {
        let authenticator = Self.makeAuthenticator { $0.offersIntegrity = true }
        var challenge = try #require(challenges(authenticator).first)
        challenge.parameters["qop"] = "auth-int"
        let value = try #require(
            DigestClient(username: "alice", password: "wonder land").answer(
                [challenge], method: "REGISTER", uri: "sip:example.com", body: Array("hello".utf8), cnonce: "c"))
        let good = register(value, body: "hello")
        #expect(authenticator.authenticate(good, as: .server, accounts: accounts, at: Self.start).isAccepted)
        let altered = register(value, body: "hullo")
        #expect(
            authenticator.authenticate(altered, as: .server, accounts: accounts, at: Self.start)
                == .challenge(isStale: false, cause: .wrongDigest))
    }

    @Test func challengesInOrderOfPreference() {
        let list = challenges(authenticator)
        #expect(list.map { $0.parameters["algorithm"] } == ["SHA-256", "SHA-512-256", "MD5"])
        for challenge in list {
            #expect(challenge.parameters["realm"] == Self.realm)
            #expect(challenge.parameters["qop"] == "auth")
            #expect(challenge.parameters["stale"] == nil)
            #expect(challenge.parameters["opaque"]?.isEmpty == false)
        }
        #expect(challenges(authenticator, isStale: true).allSatisfy { $0.parameters["stale"] == "true" })
        let nonces = (0..<100).map { _ in challenges(authenticator)[0].parameters["nonce"] }
        #expect(Set(nonces).count == 100)
    }

    @Test func offersAnAccountOnlyWhatItHas() {
        var old = Self.alice
        old.digests = old.digests.filter { $0.key == "MD5" }
        let accounts = AccountDirectory([old, Self.bob])
        func offered(_ address: String) -> [String] {
            var headers: [UInt8] = []
            authenticator.appendChallenges(
                as: .server, isStale: false, for: register(nil, to: address), accounts: accounts, at: Self.start,
                to: &headers)
            return String(decoding: headers, as: UTF8.self).split(separator: "\r\n").compactMap { line in
                line.split(separator: "algorithm=").last.map { String($0) }
            }
        }
        #expect(offered("sip:%61lice@EXAMPLE.com") == ["MD5"])
        #expect(offered("sip:bob@example.com") == ["SHA-256", "SHA-512-256", "MD5"])
        #expect(offered("sip:nobody@example.com") == ["SHA-256", "SHA-512-256", "MD5"])
    }

    // MARK: Refusals

    @Test func refusesAWrongPassword() throws {
        let value = try #require(answer(authenticator, "alice", "wonderland"))
        #expect(judge(value) == .challenge(isStale: false, cause: .wrongDigest))
    }

    @Test func refusesAStranger() throws {
        let value = try #require(answer(authenticator, "mallory", "wonder land"))
        #expect(judge(value) == .challenge(isStale: false, cause: .unknownUser))
    }

    @Test func refusesAnotherRequestsDigest() throws {
        let value = try #require(answer(authenticator, "alice", "wonder land", method: "MESSAGE"))
        #expect(judge(value) == .challenge(isStale: false, cause: .wrongDigest))
    }

    @Test func refusesAnAccountWithoutThatAlgorithm() throws {
        let weak = Account(
            username: "weak", domain: "example.com", realm: Self.realm,
            digests: ["MD5": AccountDigests.make(username: "weak", realm: Self.realm, password: "pw")["MD5"] ?? ""])
        let accounts = AccountDirectory([weak])
        let value = try #require(answer(authenticator, "weak", "pw"))
        #expect(
            authenticator.authenticate(register(value), as: .server, accounts: accounts, at: Self.start)
                == .challenge(isStale: false, cause: .wrongDigest))
        // The digest of sixty-four zeros, which stands in for the missing one, opens nothing either.
        #expect(AccountDirectory([weak]).refused.isEmpty)
    }

    @Test func asksAgainWithoutCredentialsForOurRealm() {
        #expect(judge(nil) == .challenge(isStale: false, cause: .noCredentials))
        #expect(judge("Basic YWxpY2U6cHc=") == .challenge(isStale: false, cause: .noCredentials))
        let foreign =
            "Digest username=\"alice\", realm=\"elsewhere\", nonce=\"x\", uri=\"sip:example.com\", response=\"0\""
        #expect(judge(foreign) == .challenge(isStale: false, cause: .noCredentials))
    }

    @Test(arguments: [
        "Digest username=\"alice", "Digest username", "Digest realm=\"godwit.example\"",
        "Digest realm=\"godwit.example\", realm=\"godwit.example\"", "Digest =", "Digest username=\"a\" realm=\"b\"",
        "Digest username=\"a\\",
    ])
    func refusesWhatItCannotRead(_ value: String) {
        #expect(judge(value) == .malformed(.syntax))
    }

    @Test func refusesSessAndUnknownAlgorithms() throws {
        let value = try #require(answer(authenticator, "alice", "wonder land"))
        for token in ["MD5-sess", "SHA-256-sess", "SHA-1", "token"] {
            let changed = value.replacing("algorithm=SHA-256", with: "algorithm=\(token)")
            #expect(judge(changed) == .challenge(isStale: false, cause: .unsupportedAlgorithm))
        }
    }

    @Test func refusesMD5WhereItIsNotAllowed() throws {
        let strict = Self.makeAuthenticator { $0.algorithms = [.sha256] }
        let value = try #require(answer(strict, "alice", "wonder land"))
        let changed = value.replacing("algorithm=SHA-256, ", with: "")
        #expect(
            strict.authenticate(register(changed), as: .server, accounts: accounts, at: Self.start)
                == .challenge(isStale: false, cause: .unsupportedAlgorithm))
    }

    @Test func refusesAResponseWithoutQop() throws {
        let value = try #require(answer(authenticator, "alice", "wonder land"))
        #expect(
            judge(value.replacing("qop=auth, ", with: "")) == .challenge(isStale: false, cause: .unsupportedQop))
        #expect(
            judge(value.replacing("qop=auth,", with: "qop=auth-int,"))
                == .challenge(isStale: false, cause: .unsupportedQop))
    }

    @Test func checksTheURI() throws {
        let other = try #require(answer(authenticator, "alice", "wonder land", uri: "sip:elsewhere.example"))
        #expect(judge(other) == .malformed(.uriMismatch))
        let sameHost = try #require(answer(authenticator, "alice", "wonder land", uri: "sip:carol@example.com"))
        #expect(judge(sameHost).isAccepted)
        let strict = Self.makeAuthenticator { $0.uriRule = .equal }
        let moved = try #require(answer(strict, "alice", "wonder land", uri: "sip:carol@example.com"))
        #expect(
            strict.authenticate(register(moved), as: .server, accounts: accounts, at: Self.start)
                == .malformed(.uriMismatch))
        let any = Self.makeAuthenticator { $0.uriRule = .any }
        let free = try #require(answer(any, "alice", "wonder land", uri: "sip:elsewhere.example"))
        #expect(any.authenticate(register(free), as: .server, accounts: accounts, at: Self.start).isAccepted)
    }

    // MARK: Nonces

    @Test func callsOldNoncesStale() throws {
        let value = try #require(answer(authenticator, "alice", "wonder land"))
        let late = Self.start + .seconds(301 as Int64)
        #expect(judge(value, at: late) == .challenge(isStale: true, cause: .staleNonce))
        let inTime = try #require(answer(authenticator, "alice", "wonder land"))
        #expect(judge(inTime, at: Self.start + .seconds(300 as Int64)).isAccepted)
    }

    @Test func doesNotPromiseStaleForAWrongPassword() throws {
        let value = try #require(answer(authenticator, "alice", "wrong"))
        #expect(
            judge(value, at: Self.start + .seconds(301 as Int64)) == .challenge(isStale: false, cause: .wrongDigest))
    }

    @Test func refusesNoncesOfAnotherKeyOrAnEarlierRun() throws {
        let other = DigestAuthenticator(policy: DigestPolicy(realm: Self.realm), key: (1, 2), at: Self.start)
        let foreign = try #require(answer(other, "alice", "wonder land"))
        #expect(judge(foreign) == .challenge(isStale: true, cause: .foreignNonce))

        let value = try #require(answer(authenticator, "alice", "wonder land"))
        let restarted = Self.makeAuthenticator(at: Self.start + .seconds(1 as Int64))
        #expect(
            restarted.authenticate(
                register(value), as: .server, accounts: accounts, at: Self.start + .seconds(2 as Int64))
                == .challenge(isStale: true, cause: .staleNonce))
    }

    @Test func refusesAReplay() throws {
        let value = try #require(answer(authenticator, "alice", "wonder land"))
        #expect(judge(value).isAccepted)
        #expect(judge(value) == .challenge(isStale: true, cause: .replayedNonce))
    }

    @Test func countsANonceUpAndLetsRequestsOvertake() {
        let challenge = challenges(authenticator)
        func use(_ count: UInt32) -> AuthenticationOutcome {
            let client = DigestClient(username: "alice", password: "wonder land")
            let value = client.answer(
                challenge, method: "REGISTER", uri: "sip:example.com", cnonce: "c\(count)", count: count)
            #expect(value != nil)
            return judge(value)
        }
        #expect(use(1).isAccepted)
        #expect(use(5).isAccepted)
        #expect(use(3).isAccepted)
        #expect(use(3) == .challenge(isStale: true, cause: .replayedNonce))
        #expect(use(5) == .challenge(isStale: true, cause: .replayedNonce))
        #expect(use(100).isAccepted)
        #expect(use(60) == .challenge(isStale: true, cause: .replayedNonce))
        #expect(use(70).isAccepted)
        #expect(use(0) == .challenge(isStale: true, cause: .replayedNonce))
    }

    @Test func remembersInBoundedMemoryAndForgetsSafely() throws {
        let small = Self.makeAuthenticator { $0.rememberedNonces = 8 }
        let values = try (0..<50).map { _ in try #require(answer(small, "alice", "wonder land")) }
        for value in values {
            #expect(small.authenticate(register(value), as: .server, accounts: accounts, at: Self.start).isAccepted)
            #expect(small.rememberedNonces <= 8)
        }
        for value in values {
            #expect(!small.authenticate(register(value), as: .server, accounts: accounts, at: Self.start).isAccepted)
        }
    }

    @Test func aFloodOfWrongAnswersUsesNothingUp() {
        for _ in 0..<100 {
            #expect(judge(answer(authenticator, "alice", "guess")) == .challenge(isStale: false, cause: .wrongDigest))
        }
        #expect(authenticator.rememberedNonces == 0)
    }

    // MARK: Names

    @Test func findsTheAccountOfTheDomainTheRequestIsAbout() throws {
        let other = Account(username: "alice", domain: "example.org", realm: Self.realm, password: "other")
        let accounts = AccountDirectory([Self.alice, other])
        let value = try #require(answer(authenticator, "alice", "other"))
        let request = register(value, to: "sip:alice@EXAMPLE.org")
        #expect(
            authenticator.authenticate(request, as: .server, accounts: accounts, at: Self.start)
                == .accepted(AuthenticatedUser(username: "alice", domain: "example.org")))
    }

    @Test func readsEscapedNames() throws {
        let odd = Account(username: "a\"b\\c", domain: "example.com", realm: Self.realm, password: "pw")
        let accounts = AccountDirectory([odd])
        let value = try #require(answer(authenticator, "a\"b\\c", "pw"))
        #expect(
            authenticator.authenticate(register(value), as: .server, accounts: accounts, at: Self.start)
                == .accepted(AuthenticatedUser(username: "a\"b\\c", domain: "example.com")))
    }

    @Test func takesTheRightOneOfSeveralFields() throws {
        let wrong = try #require(answer(authenticator, "alice", "wrong"))
        let right = try #require(answer(authenticator, "alice", "wonder land"))
        let request = register("\(wrong)\r\nAuthorization: Basic x\r\nAuthorization: \(right)")
        #expect(authenticator.authenticate(request, as: .server, accounts: accounts, at: Self.start).isAccepted)
    }

    /// Whatever stands in the field, the answer is no crash and no acceptance.
    @Test func survivesAnyField() throws {
        let value = try #require(answer(authenticator, "alice", "wonder land"))
        let good = Array(value.utf8)
        var state: UInt64 = 7
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let odd = Array("\"\\=, ;\t%<>a0".utf8)
        for _ in 0..<3_000 {
            var bytes = good
            for _ in 0...random(3) {
                switch random(3) {
                case 0: bytes[random(bytes.count)] = odd[random(odd.count)]
                case 1 where bytes.count > 1: bytes.remove(at: random(bytes.count))
                default: bytes = Array(bytes.prefix(random(bytes.count) + 1))
                }
            }
            let request = Array("x ".utf8) + bytes
            let reading = DigestCredentials.read(ByteRange(2, request.count), in: request)
            if case .credentials(let credentials) = reading {
                for range in [credentials.username, credentials.nonce, credentials.response, credentials.uri] {
                    #expect((range?.end ?? 0) <= UInt32(request.count))
                }
            }
        }
    }

    // MARK: Making requests

    private func judge(_ value: String?, at now: Instant = start) -> AuthenticationOutcome {
        authenticator.authenticate(register(value), as: .server, accounts: accounts, at: now)
    }

    private func challenges(
        _ authenticator: DigestAuthenticator, role: DigestRole = .server, isStale: Bool = false
    ) -> [AuthorizationHeader] {
        var headers: [UInt8] = []
        authenticator.appendChallenges(as: role, isStale: isStale, at: Self.start, to: &headers)
        let name = role == .server ? "WWW-Authenticate: " : "Proxy-Authenticate: "
        return String(decoding: headers, as: UTF8.self).split(separator: "\r\n").compactMap { line in
            line.hasPrefix(name) ? AuthorizationHeader(parsing: Array(line.dropFirst(name.count).utf8)) : nil
        }
    }

    private func answer(
        _ authenticator: DigestAuthenticator, _ username: String, _ password: String, role: DigestRole = .server,
        method: String = "REGISTER", uri: String = "sip:example.com"
    ) -> String? {
        DigestClient(username: username, password: password).answer(
            challenges(authenticator, role: role), method: method, uri: uri, cnonce: "5ccc069c403ebaf9f0171e9517f40e41")
    }

    private func register(
        _ value: String?, field: String = "Authorization", to: String = "sip:alice@example.com", body: String = ""
    ) -> SIPMessage {
        RequestText.message(
            method: "REGISTER", uri: "sip:example.com", from: to, to: to,
            headers: value.map { ["\(field): \($0)"] } ?? [], body: body)
    }
}

extension AuthenticationOutcome {
    var isAccepted: Bool {
        if case .accepted = self { return true }
        return false
    }
}
