public import LinkProfiles
public import SIPCore

/// Digest access authentication of SIP requests (RFC 7616, RFC 8760, RFC 3261 section 22).
///
/// Nonces carry their time and a keyed hash, so that nothing is kept for a challenge that nobody answers. What is kept is how
/// often each nonce was used, in bounded memory, so that no credentials are accepted twice. Not offered: `-sess` algorithms,
/// `userhash`, and responses without `qop`, which could be replayed.
public final class DigestAuthenticator {
    public let policy: DigestPolicy

    private var mint: NonceMint
    private var ledger: NonceLedger
    private let digest = DigestResponse()
    private let realm: [UInt8]
    private let algorithms: [DigestAlgorithm]
    private let opaque: [UInt8]

    /// - Parameters:
    ///   - key: secret of this installation; nonces are made with it.
    ///   - at: start of this process; nonces made before are stale, for their use is forgotten.
    public init(policy: DigestPolicy, key: (UInt64, UInt64), at start: Instant) {
        self.policy = policy
        mint = NonceMint(key: key, at: start)
        ledger = NonceLedger(limit: policy.rememberedNonces, lifetime: policy.nonceLifetime, at: start)
        realm = Array(policy.realm.utf8)
        let digest = self.digest
        algorithms = policy.algorithms.filter { digest.hash.offers($0) }
        var opaque = KeyedHash(key: key)
        opaque.combine(realm)
        var text: [UInt8] = []
        for shift in stride(from: UInt64(0), to: 64, by: 4) {
            text.append(Hex.digit(UInt8(truncatingIfNeeded: opaque.finalize() >> shift) & 15))
        }
        self.opaque = text
    }

    /// Nonces whose use is remembered.
    public var rememberedNonces: Int { ledger.count }

    /// Appends one challenge for each algorithm, most preferred first, as complete header lines (RFC 8760 section 2.4).
    ///
    /// Some clients give up at a challenge whose algorithm they do not know, even if one they know follows. With `request` and
    /// `accounts`, an account that has digests of some algorithms only is offered just those.
    public func appendChallenges(
        as role: DigestRole, isStale: Bool, for request: SIPMessage? = nil, accounts: AccountDirectory? = nil,
        at now: Instant, to headers: inout [UInt8]
    ) {
        var offered = algorithms
        if let request, let accounts, let account = subject(of: request, accounts) {
            let known = algorithms.filter { accounts.hasDigest(of: account, $0) }
            if !known.isEmpty { offered = known }
        }
        var nonce: [UInt8] = []
        nonce.reserveCapacity(NonceMint.length)
        mint.append(at: now, to: &nonce)
        for algorithm in offered {
            headers += role.challengeField
            headers += Array(": Digest realm=".utf8)
            QuotedText.append(realm[...], to: &headers)
            headers += Array(", qop=\"\(policy.offersIntegrity ? "auth,auth-int" : "auth")\", nonce=\"".utf8)
            headers += nonce
            headers += Array("\", opaque=\"".utf8)
            headers += opaque
            headers += Array("\", algorithm=\(algorithm.token)\(isStale ? ", stale=true" : "")\r\n".utf8)
        }
    }

    /// Checks the credentials a request carries for our realm.
    ///
    /// The nonce is only looked at when the digest is right, so that `stale` is a promise the client can rely on (RFC 7616
    /// section 3.3), and so that nobody without the password can use a nonce up.
    public func authenticate(
        _ request: SIPMessage, as role: DigestRole, accounts: AccountDirectory, at now: Instant
    ) -> AuthenticationOutcome {
        let name: HeaderName = role == .server ? .authorization : .proxyAuthorization
        guard request.contains(name) else { return .challenge(isStale: false, cause: .noCredentials) }
        var outcome = AuthenticationOutcome.challenge(isStale: false, cause: .noCredentials)
        for field in request.fields where field.name == name {
            switch DigestCredentials.read(field.value, in: request.bytes) {
            case .otherScheme: continue
            case .malformed: return .malformed(.syntax)
            case .credentials(let credentials):
                guard let theirs = credentials.realm, QuotedText.equals(request[theirs], realm) else { continue }
                outcome = judge(credentials, of: request, accounts: accounts, at: now)
                // A client may answer several challenges; one it got right is enough.
                if case .challenge(false, _) = outcome { continue }
                return outcome
            }
        }
        return outcome
    }

    private func judge(
        _ credentials: DigestCredentials, of request: SIPMessage, accounts: AccountDirectory, at now: Instant
    ) -> AuthenticationOutcome {
        guard let username = credentials.username, let nonce = credentials.nonce, let uri = credentials.uri,
            let response = credentials.response
        else { return .malformed(.syntax) }
        guard let algorithm = algorithm(credentials.algorithm, of: request), !isTrue(credentials.userhash, request)
        else {
            return .challenge(isStale: false, cause: .unsupportedAlgorithm)
        }
        guard let qop = credentials.qop, let isIntegrity = integrity(qop, of: request) else {
            return .challenge(isStale: false, cause: .unsupportedQop)
        }
        guard let cnonce = credentials.cnonce, let countText = credentials.nonceCount,
            let count = Self.nonceCount(request[countText])
        else { return .malformed(.syntax) }
        guard fits(uri, request) else { return .malformed(.uriMismatch) }

        let account = find(QuotedText.unescaped(request[username]), request, accounts)
        let parts = DigestResponse.Parts(
            nonce: request[nonce], count: request[countText], cnonce: request[cnonce], qop: request[qop],
            method: request[request.methodText], uri: request[uri], body: isIntegrity ? request[request.body] : nil)
        let isRight = digest.matches(request[response], algorithm, parts) { text in
            // A stranger costs as much time as a wrong password.
            guard let account, accounts.appendDigest(of: account, algorithm, to: &text) else {
                text.append(contentsOf: repeatElement(0x30, count: algorithm.length * 2))
                return
            }
        }
        guard let account else { return .challenge(isStale: false, cause: .unknownUser) }
        guard isRight, accounts.hasDigest(of: account, algorithm) else {
            return .challenge(isStale: false, cause: .wrongDigest)
        }
        switch mint.read(request[nonce], lifetime: policy.nonceLifetime, at: now) {
        case .foreign: return .challenge(isStale: true, cause: .foreignNonce)
        case .stale: return .challenge(isStale: true, cause: .staleNonce)
        case .valid(let stamp):
            switch ledger.use(stamp, count: count, at: now) {
            case .fresh: return .accepted(accounts.user(account))
            case .replayed: return .challenge(isStale: true, cause: .replayedNonce)
            case .forgotten: return .challenge(isStale: true, cause: .staleNonce)
            }
        }
    }

    // MARK: Parameters

    private func algorithm(_ range: ByteRange?, of request: SIPMessage) -> DigestAlgorithm? {
        guard let range else { return algorithms.contains(.md5) ? .md5 : nil }
        for algorithm in algorithms where request.equalsFolded(range, algorithm.staticToken) { return algorithm }
        return nil
    }

    private func integrity(_ range: ByteRange, of request: SIPMessage) -> Bool? {
        if request.equalsFolded(range, "auth") { return false }
        return policy.offersIntegrity && request.equalsFolded(range, "auth-int") ? true : nil
    }

    private func isTrue(_ range: ByteRange?, _ request: SIPMessage) -> Bool {
        range.map { request.equalsFolded($0, "true") } ?? false
    }

    /// Eight hex digits (RFC 7616 section 3.4); at least one, for some clients are brief.
    private static func nonceCount(_ text: ArraySlice<UInt8>) -> UInt32? {
        guard !text.isEmpty, text.count <= 8 else { return nil }
        var count: UInt32 = 0
        for byte in text {
            guard let digit = Hex.value(byte) else { return nil }
            count = count << 4 | UInt32(digit)
        }
        return count
    }

    private func fits(_ uri: ByteRange, _ request: SIPMessage) -> Bool {
        if policy.uriRule == .any || request[uri] == request[request.requestURI] { return true }
        guard let theirs = SIPURI(uri, of: request), let ours = SIPURI(request.requestURI, of: request) else {
            return false
        }
        return theirs.matches(ours) || (policy.uriRule == .sameHost && !ours.host.isEmpty && theirs.host == ours.host)
    }

    /// The account a request speaks of: that of To for a REGISTER, else of From.
    private func subject(of request: SIPMessage, _ accounts: AccountDirectory) -> Int? {
        let uri = request.method == .register ? request.to.uri : request.from.uri
        guard let key = request.addressOfRecord(of: uri) else { return nil }
        let name = key.hasEscapes ? Escaping.decoded(request.text(key.user))[...] : request[key.user]
        return accounts.find(name, domain: request[key.host])
    }

    /// The account of that name, first in the domain the request speaks of: of To for a REGISTER, else of From.
    private func find(_ username: ArraySlice<UInt8>, _ request: SIPMessage, _ accounts: AccountDirectory) -> Int? {
        let about = request.method == .register ? request.to.uri : request.from.uri
        if let key = request.addressOfRecord(of: about), let found = accounts.find(username, domain: request[key.host]),
            accounts.realm(of: found) == realm
        {
            return found
        }
        guard let found = accounts.find(username), accounts.realm(of: found) == realm else { return nil }
        return found
    }
}

/// In what capacity we ask for credentials: it decides the header fields and the status.
public enum DigestRole: UInt8, Hashable, Sendable {
    /// WWW-Authenticate, Authorization, 401: registrars and user agents.
    case server
    /// Proxy-Authenticate, Proxy-Authorization, 407: proxies.
    case proxy

    public var statusCode: UInt16 { self == .server ? 401 : 407 }

    var challengeField: [UInt8] {
        Array((self == .server ? "WWW-Authenticate" : "Proxy-Authenticate").utf8)
    }
}
