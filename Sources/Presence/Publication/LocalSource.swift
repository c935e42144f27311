public import LinkProfiles

/// Sources of presence beside PUBLISH (RFC 3903 section 10.3): what the network knows of a user, brought by adapters that the operator
/// trusts. The user's own statements outrank them (see ``Composition``).
extension PresenceAgent {
    /// What a local source says of a presentity from now on, or that it says nothing any more. In two steps like a PUBLISH.
    ///
    /// - Parameters:
    ///   - name: names the source; not empty. What it said before is replaced.
    ///   - document: `application/pidf+xml`; nil takes away what it said.
    ///   - expires: when it ends by itself; nil for state that stays until it is changed (RFC 3903 section 3, "hard state").
    /// - Throws: ``PublicationRefusal``; nothing has changed then.
    public mutating func prepare(
        localSource name: [UInt8], document body: [UInt8]?, expires: Instant? = nil, for presentity: PresentityID,
        at now: Instant
    ) throws(PublicationRefusal) -> PreparedPublication {
        do {
            return try preparation(localSource: name, body, expires: expires, for: presentity, at: now)
        } catch {
            releaseIfIdle(presentity)
            throw error
        }
    }

    private mutating func preparation(
        localSource name: [UInt8], _ body: [UInt8]?, expires: Instant?, for presentity: PresentityID, at now: Instant
    ) throws(PublicationRefusal) -> PreparedPublication {
        guard let state = self[presentity] else { throw .conditionFailed }
        let known = state.publications.firstIndex { $0.source == name }
        if let known, state.publications[known].isReserved { throw .inProgress }
        let end = expires ?? .distantFuture
        let document: PublishedDocument? =
            if let body { try PublishedDocumentReader(settings: settings).read(body, format: .pidf, base: nil) } else {
                nil
            }
        guard let document, end > now else {
            guard let known else { throw .conditionFailed }
            self[presentity]?.publications[known].isReserved = true
            return PreparedPublication(
                entityTag: state.publications[known].entityTag, expires: 0,
                change: .remove(state.publications[known].number),
                presentity: presentity, document: nil)
        }
        let number = try reserve(known, in: presentity, at: now)
        let publication = Publication(
            number: number, entityTag: entityTags.make(), stated: now, expires: end, source: name, document: document)
        let seconds = UInt32(clamping: (end - now).wholeSeconds)
        return PreparedPublication(
            entityTag: publication.entityTag, expires: seconds,
            change: .store(publication.record(of: state.addressOfRecord)),
            presentity: presentity, document: document)
    }

    private mutating func reserve(
        _ known: Int?, in presentity: PresentityID, at now: Instant
    ) throws(PublicationRefusal) -> PublicationID {
        if let known, let number = self[presentity]?.publications[known].number {
            self[presentity]?.publications[known].isReserved = true
            return number
        }
        try checkRoom(in: presentity, at: now)
        self[presentity]?.reservations += 1
        return makePublicationID()
    }
}
