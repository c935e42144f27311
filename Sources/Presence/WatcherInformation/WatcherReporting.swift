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
        var list = state.watcherList ?? WatcherList()
        let report = list.report(since: full ? nil : version.seen) { $0.isVisible(to: visible) }
        self[presentity]?.watcherList = list
        guard let report else { return nil }
        let attributes = [
            XMLAttribute("version", "\(version.advance(to: list.sequence))"),
            XMLAttribute("state", report.isFull ? "full" : "partial"),
        ]
        let watchers = XMLElement(
            ExpandedName(.watcherInfo, "watcher-list"),
            attributes: [
                XMLAttribute("resource", String(decoding: state.addressOfRecord, as: UTF8.self)),
                XMLAttribute("package", "presence"),
            ],
            children: report.rows.map { .element($0.element(at: now)) })
        let root = XMLElement(
            ExpandedName(.watcherInfo, "watcherinfo"), attributes: attributes, children: [.element(watchers)])
        return DocumentWriter().write(root.declaringNamespacesHere())
    }
}

extension WatcherList.Row {
    fileprivate func isVisible(to visibility: PresenceAgent.WatcherVisibility) -> Bool {
        switch visibility {
        case .all: true
        case .own(let identity): identity.isAuthenticated && identity.uris.contains { self.identity.uris.contains($0) }
        }
    }

    fileprivate func element(at now: Instant) -> XMLElement {
        var attributes = [
            XMLAttribute("status", status.text), XMLAttribute("id", "w\(number)"), XMLAttribute("event", event.text),
        ]
        if !displayName.isEmpty {
            attributes.append(XMLAttribute("display-name", String(decoding: displayName, as: UTF8.self)))
        }
        if status == .active || status == .pending {
            attributes.append(XMLAttribute("expiration", "\(max(0, (expires - now).wholeSeconds))"))
            attributes.append(XMLAttribute("duration-subscribed", "\(max(0, (now - since).wholeSeconds))"))
        }
        return XMLElement(
            ExpandedName(.watcherInfo, "watcher"), attributes: attributes,
            text: identity.uris.first.map { String(decoding: $0, as: UTF8.self) } ?? "sip:anonymous@anonymous.invalid")
    }
}

extension TimeSpan {
    /// Rounded down.
    var wholeSeconds: Int64 { microseconds / 1_000_000 }
}
