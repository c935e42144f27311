import LinkProfiles
import Presence
import PresenceDocuments
import SIPCore
import SIPDialog

/// NOTIFYs of subscriptions of our own: what they say of the user decides whether its queue flows.
extension Engine {
    func notifyReceived(_ held: HeldRequest) {
        let request = held.request
        guard let subscription = external.addressed(by: request) else { return answer(held, 481) }
        switch subscription.dialog.received(request) {
        case .refused(let status):
            answer(held, status)
        case .accepted(let header):
            guard subscription.machine.notified(header, at: now, random: random.unit()) != nil else {
                return answer(held, 481)
            }
            answer(held, 200)
            let isThere = header.substate == .active && saysAvailable(request, subscription)
            externalDue(subscription.number)
            if isThere, !takesUrgentOnly(subscription.user) {
                presence.counters.queuesWoken += 1
                wake(subscription.user)
            }
        }
    }

    /// Whether the document in the request says that the user is there and takes messages.
    private func saysAvailable(_ request: SIPMessage, _ subscription: ExternalSubscription) -> Bool {
        let body = Array(request[request.body])
        guard !body.isEmpty, body.count <= configuration.presence.bodyLimit else { return false }
        switch subscription.source.package {
        case .presence: return isOpen(body)
        case .registration: return isRegistered(body)
        }
    }

    /// Judges the document as if it were published here.
    private func isOpen(_ document: [UInt8]) -> Bool {
        var agent = PresenceAgent(settings: PresenceSettings(configuration.presence), firstEntityTag: 0)
        let somebody = agent.presentity(for: Array("sip:somebody@localhost".utf8))
        let publish = PublishRequest(format: .pidf, body: document)
        guard let prepared = try? agent.prepare(publish, for: somebody, at: now) else { return false }
        _ = agent.apply(prepared, at: now)
        return agent.reception(of: somebody).accepts(isUrgent: false)
    }

    private func isRegistered(_ document: [UInt8]) -> Bool {
        guard let read = try? DocumentReader().read(document), let information = try? RegistrationInformation(read)
        else { return false }
        return information.registrations.contains { $0.contacts.contains { $0.state == .active } }
    }
}
