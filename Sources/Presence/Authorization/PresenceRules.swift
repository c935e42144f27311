import LinkProfiles
import PresenceDocuments

/// A presentity's authorization rules (RFC 4745 with the permissions of RFC 5025), ready to be evaluated.
struct PresenceRules: Sendable {
    let rules: [AuthorizationRule]
    /// Whether a change of sphere can change what anybody may see.
    let dependsOnSphere: Bool

    init(_ rules: [AuthorizationRule]) {
        self.rules = rules
        dependsOnSphere = rules.contains { $0.conditions.contains(where: \.isAboutSphere) }
    }

    /// The union of what all matching rules grant (RFC 4745 section 10).
    func decision(for watcher: EvaluatedWatcher, sphere: String?, at now: Instant) -> AuthorizationDecision {
        var decision = AuthorizationDecision()
        for rule in rules where rule.conditions.allSatisfy({ $0.holds(for: watcher, sphere: sphere, at: now) }) {
            decision.handling = max(decision.handling, rule.handling)
            decision.permissions.formUnion(rule.permissions)
        }
        return decision
    }

    /// When the next period of validity begins or ends.
    func nextChange(after now: Instant) -> Instant? {
        rules.lazy.flatMap(\.conditions).compactMap { $0.nextChange(after: now) }.min()
    }
}

/// One rule: if all conditions hold, then this is granted.
struct AuthorizationRule: Sendable {
    var conditions: [RuleCondition] = []
    var handling = SubscriptionHandling.block
    var permissions = Permissions()
}

/// What rules grant one watcher.
struct AuthorizationDecision: Hashable, Sendable {
    var handling = SubscriptionHandling.block
    var permissions = Permissions()
}

/// A watcher's identities, taken apart once for all rules.
struct EvaluatedWatcher {
    let uris: [ComparableURI]

    init(_ identity: WatcherIdentity) { uris = identity.uris.map { ComparableURI($0) } }
}

/// A condition of RFC 4745 section 7.
enum RuleCondition: Sendable {
    /// True if any of them is (section 7.1.1).
    case identity([IdentityCondition])
    /// Tokens in lower case (section 7.3).
    case sphere([String])
    /// From the first, up to but not at the second (section 7.4).
    case validity([(from: Instant, until: Instant)])
    /// Of an unknown namespace, or unusable: never true (section 7).
    case unknown

    func holds(for watcher: EvaluatedWatcher, sphere: String?, at now: Instant) -> Bool {
        switch self {
        case .identity(let alternatives): alternatives.contains { $0.matches(watcher) }
        case .sphere(let tokens): sphere.map { tokens.contains($0.lowercased()) } ?? false
        case .validity(let periods): periods.contains { $0.from <= now && now < $0.until }
        case .unknown: false
        }
    }

    func nextChange(after now: Instant) -> Instant? {
        guard case .validity(let periods) = self else { return nil }
        return periods.lazy.flatMap { [$0.from, $0.until] }.filter { $0 > now }.min()
    }

    var isAboutSphere: Bool {
        if case .sphere = self { true } else { false }
    }
}

/// A child of `identity` (RFC 4745 section 7.1). Only authenticated watchers match any; with several asserted URIs one that matches is
/// enough, also for an exception (RFC 5025 section 3.1.1.2).
enum IdentityCondition: Sendable {
    case one(ComparableURI)
    case many(domain: String?, exceptions: [IdentityException])

    func matches(_ watcher: EvaluatedWatcher) -> Bool {
        switch self {
        case .one(let id): return watcher.uris.contains { $0.matches(id) }
        case .many(let domain, let exceptions):
            guard !watcher.uris.contains(where: { uri in exceptions.contains { $0.matches(uri) } }) else {
                return false
            }
            return watcher.uris.contains { domain == nil || $0.domain == domain }
        }
    }
}

/// `except`, by identity or by domain.
enum IdentityException: Sendable {
    case id(ComparableURI)
    case domain(String)

    func matches(_ uri: ComparableURI) -> Bool {
        switch self {
        case .id(let id): uri.matches(id)
        case .domain(let domain): uri.domain == domain
        }
    }
}
