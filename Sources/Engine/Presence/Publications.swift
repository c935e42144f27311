import LinkProfiles
import MessageStore
import Presence
import PresenceDocuments
import SIPCore

/// A PUBLISH whose outcome is being committed.
final class PublicationUnderWay {
    let held: HeldRequest
    let prepared: PreparedPublication

    init(held: HeldRequest, prepared: PreparedPublication) {
        self.held = held
        self.prepared = prepared
    }
}

/// PUBLISH: the Event State Compositor of RFC 3903 section 6.
extension Engine {
    func publishReceived(_ held: HeldRequest, _ uri: AddressOfRecordKey) {
        let request = held.request
        guard let subject = subject(of: held, uri) else { return countRefusedPublication() }
        guard let event = EventHeader(of: request), EventPackage(event, of: request) == .presence else {
            return refusePublication(held, 489, headers: EventPackage.allowEvents)
        }
        let unknown = unknownExtensions(request)
        guard unknown.isEmpty else { return refusePublication(held, 420, headers: unknown) }
        guard let requester = requester(of: held) else { return countRefusedPublication() }
        guard mayPublish(requester, for: subject.addressOfRecord) else { return refusePublication(held, 403) }
        guard let publish = publishRequest(of: held) else { return countRefusedPublication() }
        guard admitsStoreCommands(held) else { return countRefusedPublication() }
        let presentity = presentity(of: subject.user, subject.addressOfRecord)
        let prepared: PreparedPublication
        do throws(PublicationRefusal) {
            prepared = try presence.agent.prepare(publish, for: presentity, at: now)
        } catch {
            return refusePublication(held, error)
        }
        store(.presence(command(for: prepared.change, of: subject.user)))
        pending.hold(.published(PublicationUnderWay(held: held, prepared: prepared)))
    }

    /// Who may: the user, and sources the configuration names (draft-houri-simple-arch-01 section 7.5.1).
    private func mayPublish(_ requester: Requester, for addressOfRecord: [UInt8]) -> Bool {
        requester.uri == addressOfRecord || isListed(requester, in: configuration.presence.publishers)
    }

    func isListed(_ requester: Requester, in identities: [String]) -> Bool {
        identities.contains { requester.uri.elementsEqual($0.utf8) }
    }

    /// What the request publishes; nil when it has been answered.
    private func publishRequest(of held: HeldRequest) -> PublishRequest? {
        let request = held.request
        var condition: [UInt8]?
        if let field = request.first(.sipIfMatch) {
            let tag = request[field.value]
            guard !tag.isEmpty, !tag.contains(where: { $0 == 0x2c || $0 <= 0x20 }) else {
                answer(held, 400)
                return nil
            }
            condition = Array(tag)
        }
        let format = request.contains(.contentEncoding) ? nil : PublishedFormat(mediaType: request[request.mediaType])
        return PublishRequest(
            format: format, body: Array(request[request.body]), ifMatch: condition,
            expires: request.expires < 0 ? nil : UInt32(clamping: request.expires))
    }

    private func countRefusedPublication() { presence.counters.publicationsRefused += 1 }

    private func refusePublication(_ held: HeldRequest, _ status: UInt16, headers: [UInt8] = Engine.noTail) {
        countRefusedPublication()
        answer(held, status, headers: headers)
    }

    private func refusePublication(_ held: HeldRequest, _ refusal: PublicationRefusal) {
        var lines = MessageWriter(capacity: 64)
        if let least = refusal.minExpires { lines.appendHeader(.minExpires, decimal: least) }
        if let wait = refusal.retryAfter { lines.appendHeader(.retryAfter, decimal: wait) }
        if case .unsupportedMediaType = refusal {
            lines.append(accepting("application/pidf+xml, application/pidf-diff+xml"))
        }
        if refusal.statusCode == 400 {
            lines.appendHeader(.warning, "399 godwit \(QuotedString.quoted(refusal.reasonPhrase))")
        }
        let document = refusal.errorDocument ?? []
        if !document.isEmpty { lines.appendHeader(.contentType, PatchError.contentType) }
        countRefusedPublication()
        answer(held, refusal.statusCode, headers: lines.bytes, body: document)
    }

    /// Whether the store takes new work; else the request has been answered 503.
    func admitsStoreCommands(_ held: HeldRequest) -> Bool {
        guard pending.depth < configuration.limits.pendingStoreCommands, storeHealth.admits(at: now) else {
            tally.refusedByStore += 1
            answer(held, 503, headers: Self.retrySoon)
            return false
        }
        return true
    }

    // MARK: Durable

    /// The store's command for a change of the presentity's publications.
    func command(for change: PublicationChange, of user: UserIndex) -> PresenceCommand {
        switch change {
        case .store(let record):
            .publish(
                StoredPublication(
                    number: PublicationNumber(record.number.rawValue),
                    resource: nameInStore(user), event: "presence",
                    entityTag: String(decoding: record.entityTag.text, as: UTF8.self),
                    source: String(decoding: record.source, as: UTF8.self), createdAt: record.stated,
                    modifiedAt: record.stated, expiresAt: record.expires, contentType: "application/pidf+xml",
                    body: record.document))
        case .refresh(let number, let tag, let expires):
            .refresh(
                PublicationNumber(number.rawValue),
                entityTag: String(decoding: tag.text, as: UTF8.self), expiresAt: expires)
        case .remove(let number):
            .unpublish(PublicationNumber(number.rawValue))
        }
    }

    /// The publication is durable: answer, then tell the watchers.
    func published(_ publication: PublicationUnderWay) {
        presence.counters.publications += 1
        let prepared = publication.prepared
        var lines = MessageWriter(capacity: 64)
        lines.appendHeader(.sipETag, prepared.entityTag.text[...])
        lines.appendHeader(.expires, decimal: prepared.expires)
        answer(publication.held, 200, headers: lines.bytes)
        take(presence.agent.apply(prepared, at: now))
    }

    func publicationFailed(_ publication: PublicationUnderWay) {
        presence.agent.abandon(publication.prepared, at: now)
        countRefusedPublication()
        tally.refusedByStore += 1
        answer(publication.held, 503, headers: Self.retrySoon)
    }
}
