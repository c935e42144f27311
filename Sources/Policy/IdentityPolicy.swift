public import SIPCore

/// Whose name a request may carry (RFC 3261 section 22, RFC 3323, RFC 3325).
public enum IdentityPolicy {
    /// Whether the From, and the P-Preferred-Identity if there is one, are the authenticated user's own.
    public static func judge(_ request: SIPMessage, authenticated: AuthenticatedUser) -> IdentityJudgement {
        for address in request.addresses(.pPreferredIdentity) where !isOwn(address.uri, request, authenticated) {
            return .foreignPreferred
        }
        if isOwn(request.from.uri, request, authenticated) { return .own }
        return isAnonymous(request) ? .anonymous : .foreignFrom
    }

    /// What to do with P-Asserted-Identity on a message that comes in (RFC 3325 section 5).
    public static func incoming(_ request: SIPMessage, fromTrusted: Bool) -> AssertedIdentityIntake {
        guard request.contains(.pAssertedIdentity) else { return .none }
        return fromTrusted ? .believe : .remove
    }

    /// What to do with asserted identities on a message that goes out (RFC 3325 section 5). Where they stay, one that we know may
    /// be added.
    public static func outgoing(_ request: SIPMessage, toTrusted: Bool) -> AssertedIdentityRelease {
        if toTrusted { return .keep }
        return asksForPrivacy(request) ? .remove : .keepWithoutAdding
    }

    /// Whether the sender asks that its asserted identity stay inside the trust domain: `Privacy: id` (RFC 3325 section 9.3).
    public static func asksForPrivacy(_ request: SIPMessage) -> Bool {
        guard request.contains(.privacy) else { return false }
        for field in request.fields where field.name == .privacy {
            for token in request[field.value].split(whereSeparator: {
                $0 == 0x3B || $0 == 0x2C || $0 == 0x20 || $0 == 0x09
            }) {
                if token.count == 2, token.map({ $0 | 0x20 }) == [0x69, 0x64] { return true }
            }
        }
        return false
    }

    /// Whether the From hides its sender: `anonymous@anonymous.invalid` (RFC 3323 section 4.1.1.3).
    public static func isAnonymous(_ request: SIPMessage) -> Bool {
        guard let key = request.addressOfRecord(of: request.from.uri) else { return false }
        return request.equalsFolded(key.host, "anonymous.invalid")
    }

    private static func isOwn(_ uri: ByteRange, _ request: SIPMessage, _ user: AuthenticatedUser) -> Bool {
        guard let key = request.addressOfRecord(of: uri) else { return false }
        return user.isNamed(request[key.user], at: request[key.host], hasEscapes: key.hasEscapes)
    }
}

extension AuthenticatedUser {
    /// Whether a URI's user part, escapes allowed, and host, in any case, are this user's.
    public func isNamed(_ user: ArraySlice<UInt8>, at host: ArraySlice<UInt8>, hasEscapes: Bool) -> Bool {
        guard host.count == domain.utf8.count,
            zip(host, domain.utf8).allSatisfy({ ($0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0) == $1 })
        else { return false }
        if !hasEscapes { return username.utf8.elementsEqual(user) }
        return Escaping.decoded(String(decoding: user, as: UTF8.self)) == Array(username.utf8)
    }
}

/// What a request's From says about its authenticated sender.
public enum IdentityJudgement: Hashable, Sendable {
    /// It names the sender.
    case own
    /// It names nobody (RFC 3323 section 4.1); the identity is that of the credentials.
    case anonymous
    /// It names somebody else: 403.
    case foreignFrom
    /// P-Preferred-Identity names somebody else: 403.
    case foreignPreferred
}

/// What becomes of P-Asserted-Identity on the way in.
public enum AssertedIdentityIntake: Hashable, Sendable {
    /// There is none.
    case none
    /// It comes from a trusted peer and stands.
    case believe
    /// It comes from somebody we do not trust: take it off.
    case remove
}

/// What becomes of P-Asserted-Identity on the way out.
public enum AssertedIdentityRelease: Hashable, Sendable {
    /// The peer is trusted: what is there stays, and an identity we have authenticated is added where there is none.
    case keep
    /// The peer is not trusted, but the sender does not mind: what is there stays, nothing is added.
    case keepWithoutAdding
    /// The peer is not trusted and the sender asked for privacy: take it off.
    case remove
}
