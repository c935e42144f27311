import LinkProfiles
import MessageStore
import Policy
import SIPCore

/// REGISTER in and out, and what the location service means for routing.
extension Engine {
    func registerReceived(_ held: HeldRequest) {
        if let refusal = registrar.refusal(of: held.request) {
            tally.registrationsRefused += 1
            return answer(held, refusal.status, headers: refusal.tail)
        }
        var authenticated: AuthenticatedUser?
        if configuration.authentication.isRequired {
            guard let user = authenticatedUser(of: held, as: .server) else { return }
            authenticated = user
        }
        let profile = profiles[profileNumber(of: held.flow)]
        let outcome = registrar.register(
            held.request, flow: held.flow, profile: profile, authenticated: authenticated, at: now)
        guard !outcome.commands.isEmpty else {
            if outcome.awaitsCommit, pending.depth > 0 {
                pending.hold(.registered(held, outcome))
            } else {
                registered(held, outcome)
            }
            return
        }
        guard pending.depth < configuration.limits.pendingStoreCommands, storeHealth.admits(at: now) else {
            if let undo = outcome.undo { _ = registrar.rollBack(undo) }
            tally.refusedByStore += 1
            return answer(held, 503, headers: Self.retrySoon)
        }
        for command in outcome.commands { store(command) }
        pending.hold(.registered(held, outcome))
    }

    /// The registration is durable, or needed no commit.
    func registered(_ held: HeldRequest, _ outcome: RegistrarOutcome) {
        if let undo = outcome.undo { registrar.confirm(undo) }
        if outcome.status < 300 { tally.registrations += 1 } else { tally.registrationsRefused += 1 }
        answer(held, outcome.status, reason: outcome.reason, headers: outcome.tail)
        if outcome.user >= 0, outcome.undo != nil { registrationsChanged(of: outcome.user) }
        if outcome.user >= 0, outcome.effect.contains(.reachable) { joinForks(of: outcome.user) }
        if outcome.user >= 0, !outcome.effect.isDisjoint(with: [.reachable, .refreshed]) { wake(outcome.user) }
    }

    /// The devices of a user in the order they are to be tried: groups of equal q, the highest last.
    func targetGroups(of user: Int32) -> [[ForwardTarget]] {
        var groups: [[ForwardTarget]] = []
        var q: UInt16?
        var instances: [ArraySlice<UInt8>] = []
        for binding in location.bindings(of: user) where binding.expiresAt > now {
            // Several flows of one instance are one device: the first, the latest registered, is used (RFC 5626 section 7).
            if binding.isOutbound, binding.route != .lost {
                if instances.contains(binding.instance) { continue }
                instances.append(binding.instance)
            }
            guard let target = target(of: binding, user: user) else { continue }
            if q == binding.q {
                groups[groups.count - 1].append(target)
            } else {
                groups.append([target])
                q = binding.q
            }
        }
        if groups.count > 1 { groups.reverse() }
        return groups
    }

    private func target(of binding: Binding, user: Int32) -> ForwardTarget? {
        let contact = binding.contact
        var target = ForwardTarget(uri: Array(contact))
        target.path = Array(binding.path)
        target.profile = profileNumber(of: binding, user: user)
        target.hash = contactHash(contact)
        switch binding.route {
        case .flow(let flow):
            target.flow = flow
        case .lost:
            return nil
        case .contact:
            let hop: SIPURI?
            if target.path.isEmpty {
                hop = SIPURI(contact)
            } else {
                hop = NameAddress(parsing: target.path.prefix { $0 != UInt8(ascii: ",") })?.uri
            }
            guard let hop, hop.isSIP else { return nil }
            target.host = hop.parameters["maddr"] ?? hop.host
            target.port = hop.port ?? 0
            target.isSecure = hop.scheme == .sips
            target.transport = hop.parameters["transport"].flatMap { SIPTransport(uriToken: $0) }
        }
        return target
    }

    /// A connection is gone: so are the bindings that live on it, durably.
    func removeBindings(on flow: Flow) {
        var commands: [StoreCommand] = []
        let users = registrar.flowClosed(flow, commands: &commands)
        for command in commands { settle(command) }
        for user in Set(users) { registrationsChanged(of: user) }
    }

    func expireBindings() {
        guard let due = location.nextDeadline, due <= now else { return }
        for (user, number) in location.advance(to: now) {
            settle(.unbind(number))
            registrationsChanged(of: user)
            location.removeIfIdle(user)
        }
    }

    // MARK: Link profiles

    /// The profile of a flow: the first rule that matches, else `lan`.
    func profileNumber(of flow: Flow) -> Int { profileNumber(of: flow.remote.ip, flow.transport) }

    private func profileNumber(of address: IPAddress, _ transport: SIPTransport) -> Int {
        guard !configuration.profileRules.isEmpty else { return defaultProfile }
        for rule in configuration.profileRules
        where rule.matches(high: address.high, low: address.low, transport: transport.uriToken) {
            if let number = profileNumbers[rule.profile] { return number }
        }
        return defaultProfile
    }

    /// The profile of a next hop: what is known of the target already, else by the address that was found for it.
    func profileNumber(of target: ForwardTarget, at destination: Destination) -> Int {
        guard case .target(let hop) = destination, target.profile == defaultProfile, target.flow == nil else {
            return target.profile
        }
        return profileNumber(of: hop.address.ip, hop.transport)
    }

    /// The profile of a user's binding: the account's own, else that of its flow.
    func profileNumber(of binding: Binding, user: Int32) -> Int {
        if hasAccountProfiles, let own = accountProfile(of: user) { return own }
        guard !configuration.profileRules.isEmpty, let flow = binding.flow else { return defaultProfile }
        return profileNumber(of: flow)
    }

    private func accountProfile(of user: Int32) -> Int? {
        let address = location.addressOfRecord(of: user).dropFirst(4)
        if let rule = configuration.profileRules.first(where: { $0.account.map { $0 == address } ?? false }) {
            return profileNumbers[rule.profile]
        }
        guard let at = address.lastIndex(of: "@") else { return nil }
        let name = accounts.profile(
            username: String(address[..<at]), domain: String(address[address.index(after: at)...]))
        return name.flatMap { profileNumbers[$0] }
    }
}
