import LinkProfiles
import MessageStore
import Policy
import SIPCore

/// What a REGISTER does to its user's bindings, worked out before any of it is done.
struct RegistrationPlan {
    struct Write {
        var number: BindingNumber
        var isNew: Bool
        /// A new binding, or another contact, flow or Path than before.
        var changesRoute: Bool
        var contact: ContactRequest
    }

    var writes: [Write] = []
    var removals: [BindingNumber] = []
}

extension Registrar {
    /// RFC 3261 section 10.3 step 6.
    func planRemovalOfAll(_ user: UserIndex, _ registration: Registration) throws(RegistrationRefusal)
        -> RegistrationPlan
    {
        var plan = RegistrationPlan()
        for binding in locations.bindings(of: user) {
            try requireOrder(binding, registration)
            plan.removals.append(binding.number)
        }
        return plan
    }

    /// RFC 3261 section 10.3 step 7, RFC 5626 section 6.
    func plan(
        _ contacts: [ContactRequest], of user: UserIndex?, _ registration: Registration
    ) throws(RegistrationRefusal) -> RegistrationPlan {
        var plan = RegistrationPlan()
        let known = user.map { Array(locations.bindings(of: $0)) } ?? []
        var fresh = 0
        for contact in contacts {
            guard contact.uri.count + contact.parameters.count + registration.path.count <= ContactRequest.longestTexts
            else {
                throw RegistrationRefusal(400, "Contact And Path Are Too Long")
            }
            if let repeated = plan.writes.firstIndex(where: { $0.contact.isSame(as: contact) }) {
                plan.writes[repeated].contact = contact
                continue
            }
            if let binding = contact.match(in: known) {
                try requireOrder(binding, registration)
                guard contact.seconds > 0 else {
                    if !plan.removals.contains(binding.number) { plan.removals.append(binding.number) }
                    continue
                }
                guard !plan.writes.contains(where: { $0.number == binding.number }) else { continue }
                plan.writes.append(
                    .init(
                        number: binding.number, isNew: false,
                        changesRoute: registration.changesRoute(of: binding, contact),
                        contact: contact))
            } else if contact.seconds > 0 {
                fresh += 1
                plan.writes.append(.init(number: BindingNumber(0), isNew: true, changesRoute: true, contact: contact))
            }
        }
        plan.writes.removeAll { write in write.contact.seconds == 0 }
        plan.removals.removeAll { number in plan.writes.contains { $0.number == number } }
        guard fresh == 0 || known.count - plan.removals.count + fresh <= configuration.maximumBindings else {
            throw RegistrationRefusal(403, "Too Many Bindings")
        }
        return plan
    }

    /// A request of the same call must be younger than the one that made the binding.
    private func requireOrder(_ binding: Binding, _ registration: Registration) throws(RegistrationRefusal) {
        let request = registration.request
        guard binding.callID == request[request.callID], binding.cseq >= request.cseqNumber else { return }
        throw RegistrationRefusal(500, "CSeq Out Of Order")
    }
}

extension Registration {
    fileprivate func changesRoute(of binding: Binding, _ contact: ContactRequest) -> Bool {
        binding.route != route(of: contact) || binding.contact != contact.uri || binding.path != path
    }
}

extension ContactRequest {
    /// The binding this contact is about: of the same instance and reg-id (RFC 5626 section 6), else of an equal URI (RFC 3261
    /// section 19.1.4). The URI of an outbound binding is not compared.
    fileprivate func match(in bindings: [Binding]) -> Binding? {
        if regID != 0, let found = bindings.first(where: { $0.regID == regID && $0.instance == instance[...] }) {
            return found
        }
        let candidates = bindings.filter { !$0.isOutbound }
        if let found = candidates.first(where: { $0.contact == uri }) { return found }
        guard !candidates.isEmpty, let parsed = SIPURI(uri) else { return nil }
        return candidates.first { SIPURI($0.contact).map(parsed.matches) ?? false }
    }

    /// Whether two contacts of one request would make the same binding.
    fileprivate func isSame(as other: ContactRequest) -> Bool {
        if regID != 0 || other.regID != 0 { return regID == other.regID && instance == other.instance }
        if uri == other.uri { return true }
        guard let ours = SIPURI(uri), let theirs = SIPURI(other.uri) else { return false }
        return ours.matches(theirs)
    }
}
