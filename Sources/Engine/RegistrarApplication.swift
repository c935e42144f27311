import LinkProfiles
import MessageStore
import SIPCore

extension Registrar {
    /// Does what was planned, and says how to commit it and how to take it back.
    func apply(_ plan: RegistrationPlan, of user: UserIndex, _ registration: Registration) -> RegistrarOutcome {
        var outcome = RegistrarOutcome(status: 200, user: user)
        let wasEmpty = locations.bindings(of: user).isEmpty
        var entries: [PendingRegistrations.Entry] = []
        for number in plan.removals {
            guard let binding = locations.binding(number, of: user) else { continue }
            entries.append(.init(number: number, before: Array(binding.bytes)))
            locations.remove(number, of: user)
            outcome.commands.append(.unbind(number))
        }
        var named = false
        if !plan.writes.isEmpty {
            let before = outcome.commands.count
            let address = locations.number(of: user, naming: &outcome.commands)
            named = outcome.commands.count > before
            for write in plan.writes {
                let number = write.isNew ? locations.nextBindingNumber() : write.number
                entries.append(
                    .init(number: number, before: locations.binding(number, of: user).map { Array($0.bytes) }))
                let record = registration.record(number, write.contact)
                locations.put(record, of: user)
                outcome.commands.append(.bind(stored(record, address: address)))
                outcome.effect.insert(.refreshed)
                if write.changesRoute { outcome.effect.insert(.reachable) }
            }
        }
        let bindings = locations.bindings(of: user)
        if wasEmpty, !bindings.isEmpty { outcome.effect.insert(.reachable) }
        if !wasEmpty, bindings.isEmpty { outcome.effect.insert(.unreachable) }
        outcome.awaitsCommit = !entries.isEmpty || pending.concern(user)
        if !entries.isEmpty { outcome.undo = pending.add(.init(user: user, named: named, entries: entries)) }
        outcome.tail = registration.tail(bindings: bindings, configuration)
        return outcome
    }

    private func stored(_ record: BindingRecord, address: AddressNumber) -> StoredBinding {
        StoredBinding(
            number: record.number, address: address, contact: String(decoding: record.contact, as: UTF8.self),
            parameters: String(decoding: record.parameters, as: UTF8.self),
            callID: String(decoding: record.callID, as: UTF8.self), cseq: record.cseq, q: record.q,
            expiresAt: Instant(microseconds: Int64(record.expiresAtSecond) * 1_000_000),
            path: String(decoding: record.path, as: UTF8.self),
            instance: String(decoding: record.instance, as: UTF8.self),
            regID: record.regID, flow: BindingFlowText.text(of: record.route, listeners: listeners))
    }

    /// Takes over a binding of the store. Connections have not survived the restart; a flow of datagrams has, if we still listen
    /// where it was received. False when its user is unknown or it does not fit.
    @discardableResult
    func restore(_ stored: StoredBinding) -> Bool {
        locations.bindingWasNumbered(stored.number)
        guard let user = locations.user(numbered: stored.address) else { return false }
        let flow = BindingFlowText.flow(stored.flow, listeners: listeners)
        let record = BindingRecord(
            number: stored.number, expiresAtSecond: UInt32(clamping: stored.expiresAt.unixSeconds), cseq: stored.cseq,
            q: stored.q, regID: stored.regID, contact: Array(stored.contact.utf8)[...],
            callID: Array(stored.callID.utf8)[...], path: Array(stored.path.utf8)[...],
            parameters: Array(stored.parameters.utf8)[...], instance: Array(stored.instance.utf8)[...],
            route: flow.map { .flow($0) } ?? (stored.regID == 0 ? .contact : .lost))
        guard record.isStorable else { return false }
        locations.put(record, of: user)
        return true
    }
}

extension Registration {
    /// The binding a contact makes.
    fileprivate func record(_ number: BindingNumber, _ contact: ContactRequest) -> BindingRecord {
        let expiry = now + .seconds(contact.seconds)
        return BindingRecord(
            number: number, expiresAtSecond: UInt32(clamping: (expiry.microseconds + 999_999) / 1_000_000),
            cseq: request.cseqNumber, q: contact.q, regID: contact.regID, contact: contact.uri,
            callID: request[request.callID], path: path, parameters: contact.parameters[...],
            instance: contact.instance[...], route: route(of: contact))
    }
}

/// A binding's flow as text in the store: `udp 192.0.2.1:5060 198.51.100.7:40123`, our address and theirs. Only flows of
/// datagrams are written, for no other survives the process.
enum BindingFlowText {
    static func text(of route: BindingRoute, listeners: [LocalPoint]) -> String {
        guard case .flow(let flow) = route, flow.connection == 0, Int(flow.listener) < listeners.count else {
            return ""
        }
        return "udp \(listeners[Int(flow.listener)].address) \(flow.remote)"
    }

    static func flow(_ text: String, listeners: [LocalPoint]) -> Flow? {
        let parts = text.split(separator: " ")
        guard parts.count == 3, parts[0] == "udp", let local = TransportAddress(parsing: parts[1]),
            let remote = TransportAddress(parsing: parts[2]),
            let listener = listeners.firstIndex(where: { $0.transport == .udp && $0.address == local })
        else { return nil }
        return Flow(transport: .udp, listener: UInt16(truncatingIfNeeded: listener), remote: remote)
    }
}
