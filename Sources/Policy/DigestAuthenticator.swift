public import LinkProfiles
public import SIPCore

/// Digest access authentication of SIP requests (RFC 7616, RFC 8760, RFC 3261 section 22).
///
/// Nonces carry their time and a keyed hash, so that nothing is kept for a challenge that nobody answers. What is kept is how
/// often each nonce was used, in bounded memory, so that no credentials are accepted twice.
public final class DigestAuthenticator {
    public let policy: DigestPolicy

    /// - Parameters:
    ///   - key: secret of this installation; nonces are made with it.
    ///   - at: start of this process; nonces made before are stale, for their use is forgotten.
    public init(policy: DigestPolicy, key: (UInt64, UInt64), at: Instant) {
        self.policy = policy
    }

    /// Appends one challenge for each algorithm, most preferred first, as complete header lines.
    public func appendChallenges(as role: DigestRole, isStale: Bool, at now: Instant, to headers: inout [UInt8]) {}

    /// Checks the credentials a request carries for our realm.
    public func authenticate(
        _ request: SIPMessage, as role: DigestRole, accounts: AccountDirectory, at now: Instant
    ) -> AuthenticationOutcome { .challenge(isStale: false, cause: .noCredentials) }
}

/// In what capacity we ask for credentials: it decides the header fields and the status.
public enum DigestRole: UInt8, Hashable, Sendable {
    /// WWW-Authenticate, Authorization, 401: registrars and user agents.
    case server
    /// Proxy-Authenticate, Proxy-Authorization, 407: proxies.
    case proxy

    public var statusCode: UInt16 { self == .server ? 401 : 407 }
}
