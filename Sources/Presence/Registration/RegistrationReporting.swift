public import LinkProfiles
public import PresenceDocuments

/// Registration state as a source of presence, and the documents of the event package "reg" (RFC 3680).
extension PresenceAgent {
    /// All bindings of a presentity's address-of-record that there are now; none when it is known not to be registered. Before the
    /// first call nothing is known of it, and composition says nothing.
    ///
    /// - Parameter ending: why bindings are gone that had not run out.
    public mutating func setRegistration(
        _ contacts: [BoundContact], ending: ContactEvent = .unregistered, for presentity: PresentityID,
        at now: Instant
    ) -> PresenceChanges {
        var changes = PresenceChanges()
        guard let state = self[presentity] else { return changes }
        var registration = state.contacts ?? RegistrationState()
        let wasEmpty = registration.isEmpty
        let hasChanged = registration.update(contacts, ending: ending, at: now)
        guard hasChanged || state.contacts == nil else { return changes }
        if hasChanged { changes.registration.append(presentity) }
        self[presentity]?.contacts = registration
        let isRestated = settings.registration != .none && (state.contacts == nil || wasEmpty != registration.isEmpty)
        update(presentity, isRestated: isRestated, at: now, into: &changes)
        return changes
    }

    /// The next `application/reginfo+xml` document for a subscriber.
    ///
    /// - Parameters:
    ///   - version: the subscriber's; it moves on when there is a document.
    ///   - full: whether the whole state is wanted: after every SUBSCRIBE.
    /// - Returns: nil when nothing changed.
    public mutating func registrationInformation(
        of presentity: PresentityID, for version: inout ReportVersion, full: Bool, at now: Instant
    ) -> [UInt8]? {
        guard let state = self[presentity] else { return nil }
        var registration = state.contacts ?? RegistrationState()
        let report = registration.report(since: full ? nil : version.seen)
        if state.contacts != nil { self[presentity]?.contacts = registration }
        guard let report else { return nil }
        let aor = String(decoding: state.addressOfRecord, as: UTF8.self)
        let status: Registration.State = !registration.isEmpty ? .active : report.rows.isEmpty ? .initial : .terminated
        let element = Registration(
            addressOfRecord: aor, identifier: "r", state: status, contacts: report.rows.map { $0.documented(at: now) })
        let information = RegistrationInformation(
            version: version.advance(to: registration.sequence), state: report.isFull ? .full : .partial,
            registrations: [element])
        return DocumentWriter().write(information.document)
    }
}

extension RegistrationState.Row {
    fileprivate func documented(at now: Instant) -> RegisteredContact {
        RegisteredContact(
            identifier: "c\(contact.number)", uri: String(decoding: contact.uri, as: UTF8.self),
            state: isActive ? .active : .terminated, event: event, durationRegistered: (now - since).wholeSeconds,
            expires: isActive ? (contact.expires - now).wholeSeconds : nil, priority: contact.q.map(Self.text(ofQ:)),
            callIdentifier: contact.callID.isEmpty ? nil : String(decoding: contact.callID, as: UTF8.self),
            sequenceNumber: contact.callID.isEmpty ? nil : UInt64(contact.cseq))
    }

    /// A decimal with at most three digits behind the point.
    private static func text(ofQ thousandths: UInt16) -> String {
        let q = min(thousandths, 1_000)
        guard q < 1_000 else { return "1" }
        var digits = String(q + 1_000).dropFirst()
        while digits.count > 1, digits.last == "0" { digits.removeLast() }
        return "0." + digits
    }
}
