public import LinkProfiles
import PresenceDocuments

/// Documents of the event package "presence.winfo" (RFC 3857, RFC 3858).
extension PresenceAgent {
    /// Who of a presentity's watchers a subscriber to watcher information may see (RFC 3857 section 4.6).
    public enum WatcherVisibility: Hashable, Sendable {
        /// All: for the presentity's own user.
        case all
        /// The subscriber's own subscriptions only.
        case own(WatcherIdentity)
    }

    /// The next `application/watcherinfo+xml` document for a subscriber.
    ///
    /// - Parameters:
    ///   - version: the subscriber's; it moves on when there is a document.
    ///   - full: whether the whole state is wanted: after every SUBSCRIBE.
    /// - Returns: nil when nothing changed that the subscriber may see.
    public mutating func watcherInformation(
        of presentity: PresentityID, for version: inout ReportVersion, visible: WatcherVisibility, full: Bool,
        at now: Instant
    ) -> [UInt8]? {
        guard let state = self[presentity] else { return nil }
        var list = state.watcherList ?? WatcherRoster()
        let report = list.report(since: full ? nil : version.seen) { $0.isVisible(to: visible) }
        self[presentity]?.watcherList = list
        guard let report else { return nil }
        let watchers = PresenceDocuments.WatcherList(
            resource: String(decoding: state.addressOfRecord, as: UTF8.self), package: "presence",
            watchers: report.rows.map { $0.documented(at: now) })
        let information = WatcherInformation(
            version: version.advance(to: list.sequence), state: report.isFull ? .full : .partial, lists: [watchers])
        return DocumentWriter().write(information.document)
    }
}

extension WatcherRoster.Row {
    fileprivate func isVisible(to visibility: PresenceAgent.WatcherVisibility) -> Bool {
        switch visibility {
        case .all: true
        case .own(let identity): self.identity.shares(anyURIWith: identity)
        }
    }

    fileprivate func documented(at now: Instant) -> PresenceDocuments.Watcher {
        let lives = status == .active || status == .pending
        return PresenceDocuments.Watcher(
            identifier: "w\(number)",
            uri: identity.representative.map { String(decoding: $0, as: UTF8.self) }
                ?? "sip:anonymous@anonymous.invalid",
            status: status, event: event,
            displayName: displayName.isEmpty ? nil : String(decoding: displayName, as: UTF8.self),
            expiration: lives ? (expires - now).wholeSeconds : nil,
            durationSubscribed: lives ? (now - since).wholeSeconds : nil)
    }
}

extension TimeSpan {
    /// Rounded down; 0 for what is past.
    var wholeSeconds: UInt64 { UInt64(max(0, microseconds / 1_000_000)) }
}
