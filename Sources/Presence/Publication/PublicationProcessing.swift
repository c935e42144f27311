public import LinkProfiles

/// The compositor's processing of PUBLISH (RFC 3903 section 6, steps 3 to 6; RFC 5264 section 4.3), in two steps: `prepare` checks and
/// changes nothing, then the engine commits, then `apply` makes it true or `abandon` forgets it.
extension PresenceAgent {
    /// - Throws: ``PublicationRefusal``; nothing has changed then.
    public mutating func prepare(
        _ request: PublishRequest, for presentity: PresentityID, at now: Instant
    ) throws(PublicationRefusal) -> PreparedPublication {
        do {
            return try preparation(of: request, for: presentity, at: now)
        } catch {
            releaseIfIdle(presentity)
            throw error
        }
    }

    private mutating func preparation(
        of request: PublishRequest, for presentity: PresentityID, at now: Instant
    ) throws(PublicationRefusal) -> PreparedPublication {
        guard isKnown(presentity) else { throw .conditionFailed }
        guard let ifMatch = request.ifMatch else { return try prepareNew(request, for: presentity, at: now) }
        guard let tag = EntityTag(ifMatch), let index = index(of: tag, in: presentity, at: now) else {
            throw .conditionFailed
        }
        return try prepareUpdate(request, of: index, in: presentity, at: now)
    }

    /// The publication that an entity-tag of a PUBLISH names. Local sources have tags too, but nobody is told them.
    private func index(of tag: EntityTag, in presentity: PresentityID, at now: Instant) -> Int? {
        self[presentity]?.publications.firstIndex { $0.entityTag == tag && $0.source.isEmpty && $0.expires > now }
    }

    private mutating func prepareNew(
        _ request: PublishRequest, for presentity: PresentityID, at now: Instant
    ) throws(PublicationRefusal) -> PreparedPublication {
        let seconds = try grantedExpires(request)
        guard !request.body.isEmpty else { throw .nothingPublished }
        guard let format = request.format else { throw .unsupportedMediaType }
        try checkRoom(in: presentity, at: now)
        let document = try PublishedDocumentReader(settings: settings).read(request.body, format: format, base: nil)
        let tag = entityTags.make()
        let publication = Publication(
            number: makePublicationID(), entityTag: tag, stated: now, expires: now + .seconds(Int64(seconds)),
            source: [], document: document)
        self[presentity]?.reservations += 1
        return PreparedPublication(
            entityTag: tag, expires: seconds,
            change: seconds == 0
                ? .remove(publication.number) : .store(publication.record(of: addressOfRecord(of: presentity))),
            presentity: presentity, document: document)
    }

    private mutating func prepareUpdate(
        _ request: PublishRequest, of index: Int, in presentity: PresentityID, at now: Instant
    ) throws(PublicationRefusal) -> PreparedPublication {
        guard var publication = self[presentity]?.publications[index] else { throw .conditionFailed }
        guard !publication.isReserved else { throw .inProgress }
        let seconds = try grantedExpires(request)
        var document: PublishedDocument?
        if !request.body.isEmpty, seconds > 0 {
            guard let format = request.format else { throw .unsupportedMediaType }
            let reader = PublishedDocumentReader(settings: settings)
            document = try reader.read(request.body, format: format, base: publication.document)
        }
        publication.entityTag = entityTags.make()
        publication.expires = now + .seconds(Int64(seconds))
        publication.stated = document == nil ? publication.stated : now
        publication.document = document ?? publication.document
        self[presentity]?.publications[index].isReserved = true
        let change: PublicationChange =
            if seconds == 0 {
                .remove(publication.number)
            } else if document == nil {
                .refresh(publication.number, entityTag: publication.entityTag, expires: publication.expires)
            } else {
                .store(publication.record(of: addressOfRecord(of: presentity)))
            }
        return PreparedPublication(
            entityTag: publication.entityTag, expires: seconds, change: change, presentity: presentity,
            document: document)
    }

    /// Step 4 of section 6.
    private func grantedExpires(_ request: PublishRequest) throws(PublicationRefusal) -> UInt32 {
        let requested = request.expires ?? settings.defaultExpires
        guard requested == 0 || requested >= settings.minimumExpires else {
            throw .intervalTooBrief(minimum: settings.minimumExpires)
        }
        return min(requested, settings.maximumExpires)
    }

    func checkRoom(in presentity: PresentityID, at now: Instant) throws(PublicationRefusal) {
        guard let state = self[presentity] else { return }
        let living = state.publications.filter { $0.expires > now }
        guard living.count + state.reservations >= settings.publicationsPerPresentity else { return }
        let firstEnd = living.map(\.expires).min() ?? now
        let wait = (firstEnd - now + .microseconds(999_999)).wholeSeconds
        throw .tooManyPublications(retryAfter: min(UInt32(clamping: max(wait, 1)), settings.maximumExpires))
    }

    /// Makes true what was prepared. To be called once, when its change is durable.
    public mutating func apply(_ prepared: PreparedPublication, at now: Instant) -> PresenceChanges {
        var changes = PresenceChanges()
        settle(prepared)
        put(prepared.change, document: prepared.document, in: prepared.presentity)
        var isRestated = true
        if case .refresh = prepared.change { isRestated = false }
        update(prepared.presentity, isRestated: isRestated, at: now, into: &changes)
        releaseIfIdle(prepared.presentity)
        return changes
    }

    /// The commit failed: what was prepared has never been.
    public mutating func abandon(_ prepared: PreparedPublication, at now: Instant) {
        settle(prepared)
        schedule(prepared.presentity, at: now)
        releaseIfIdle(prepared.presentity)
    }

    /// Takes back the reservation.
    private mutating func settle(_ prepared: PreparedPublication) {
        guard isKnown(prepared.presentity) else { return }
        let number = prepared.change.number
        if let index = self[prepared.presentity]?.publications.firstIndex(where: { $0.number == number }) {
            self[prepared.presentity]?.publications[index].isReserved = false
        } else {
            self[prepared.presentity]?.reservations -= 1
        }
    }

    private mutating func put(_ change: PublicationChange, document: PublishedDocument?, in presentity: PresentityID) {
        guard var publications = self[presentity]?.publications else { return }
        let index = publications.firstIndex { $0.number == change.number }
        switch change {
        case .store(let record):
            guard let document else { return }
            if let index {
                publications[index].document = document
                publications[index].entityTag = record.entityTag
                publications[index].stated = record.stated
                publications[index].expires = record.expires
            } else {
                publications.append(Publication(record, document: document))
            }
        case .refresh(_, let tag, let expires):
            guard let index else { return }
            publications[index].entityTag = tag
            publications[index].expires = expires
        case .remove:
            guard let index else { return }
            publications.remove(at: index)
        }
        self[presentity]?.publications = publications
    }

    /// Takes back a publication that the store kept. To be called for all of them, in any order, before anybody watches.
    ///
    /// - Returns: whether it was taken: not when it has expired or is no document; the store may forget it then.
    @discardableResult
    public mutating func restore(_ record: PublicationRecord, at now: Instant) -> Bool {
        reserve(record.number)
        guard record.expires > now, let document = PublishedDocument(stored: record.document) else { return false }
        let presentity = presentity(for: record.addressOfRecord)
        guard self[presentity]?.publications.contains(where: { $0.number == record.number }) == false else {
            return false
        }
        self[presentity]?.publications.append(Publication(record, document: document))
        var changes = PresenceChanges()
        update(presentity, isRestated: true, at: now, into: &changes)
        return true
    }
}

extension Publication {
    fileprivate init(_ record: PublicationRecord, document: PublishedDocument) {
        self.init(
            number: record.number, entityTag: record.entityTag, stated: record.stated, expires: record.expires,
            source: record.source, document: document)
    }
}
