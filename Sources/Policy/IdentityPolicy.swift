public import SIPCore

/// Whose name a request may carry (RFC 3261 section 22, RFC 3325).
public enum IdentityPolicy {
    /// Whether the From, and the P-Preferred-Identity if there is one, are the authenticated user's own.
    public static func judge(_ request: SIPMessage, authenticated: AuthenticatedUser) -> IdentityJudgement { .own }

    /// What to do with P-Asserted-Identity on a message that comes in (RFC 3325 section 6).
    public static func incoming(_ request: SIPMessage, fromTrusted: Bool) -> AssertedIdentityIntake { .none }

    /// What to do with P-Asserted-Identity on a message that goes out (RFC 3325 section 7).
    public static func outgoing(_ request: SIPMessage, toTrusted: Bool) -> AssertedIdentityRelease { .keep }
}

public enum IdentityJudgement: Hashable, Sendable {
    /// From is the authenticated user.
    case own
    /// From is anonymous (RFC 3323 section 4.1); the identity is that of the credentials.
    case anonymous
    /// From names somebody else: 403.
    case foreignFrom
    /// P-Preferred-Identity names somebody else: 403.
    case foreignPreferred
}

public enum AssertedIdentityIntake: Hashable, Sendable {
    /// There is none.
    case none
    /// It comes from a trusted peer and stands.
    case believe
    /// It comes from somebody we do not trust: take it off.
    case remove
}

public enum AssertedIdentityRelease: Hashable, Sendable {
    /// Leave the message as it is; towards a trusted peer an identity we know may be added.
    case keep
    /// Take P-Asserted-Identity off: the sender asked for privacy and the peer is not trusted.
    case remove
}
