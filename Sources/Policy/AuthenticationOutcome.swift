/// What became of a request's credentials (RFC 3261 section 22).
public enum AuthenticationOutcome: Hashable, Sendable {
    /// They are those of this account.
    case accepted(AuthenticatedUser)
    /// There are none for our realm, or they do not suffice: answer 401 or 407 with ``DigestAuthenticator/challenge``.
    /// `isStale` means they were right but for the age or reuse of the nonce.
    case challenge(isStale: Bool, cause: AuthenticationCause)
    /// The field cannot be read, or contradicts the request: answer 400.
    case malformed(AuthenticationCause)
}

/// Why credentials were not accepted, for counters and logs.
public enum AuthenticationCause: UInt8, Hashable, Sendable, CaseIterable {
    case noCredentials
    case unknownUser
    case wrongDigest
    case unsupportedAlgorithm
    case unsupportedQop
    case staleNonce
    case foreignNonce
    case replayedNonce
    case uriMismatch
    case syntax
}

/// Who sent a request, as proved by its credentials.
public struct AuthenticatedUser: Hashable, Sendable {
    public var username: String
    /// In lower case.
    public var domain: String
    /// Link profile named in the account; empty for none.
    public var profile: String

    public init(username: String, domain: String, profile: String = "") {
        self.username = username
        self.domain = domain
        self.profile = profile
    }
}
