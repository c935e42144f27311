import PresenceDocuments

/// What a watcher is sent, made at the moment of sending, so that between two notifications only the newest state lives.
extension PresenceAgent {
    /// Whether there is something that the watcher has not been sent. To be asked when a NOTIFY is answered.
    public func hasNews(for id: WatcherID) -> Bool {
        guard let watcher = watchers[id], let membership = watcher.view, watcher.underWay == 0 else { return false }
        return self[watcher.presentity]?.views[Int(membership.view)].isTriggered(since: watcher.acknowledged) ?? false
    }

    /// The entity-tag of what the watcher would be shown now (RFC 5839 section 5); nil while it is shown nothing. When the watcher's
    /// Suppress-If-Match names it, no body is needed.
    public mutating func entityTag(for id: WatcherID) -> EntityTag? {
        guard let watcher = watchers[id], let membership = watcher.view else { return nil }
        return presentities[watcher.presentity.index]?.views[Int(membership.view)].entityTag()
    }

    /// The newest state for a NOTIFY that is sent now. Until ``delivered(_:)`` or ``undelivered(_:)`` it is under way, and there is no
    /// second one but a full one (RFC 5263 section 4.4: one NOTIFY at a time).
    ///
    /// - Parameter full: whether the whole state is wanted whatever the watcher has: after every SUBSCRIBE.
    /// - Returns: nil when the watcher is shown nothing, or has, or is being sent, the newest state.
    public mutating func body(for id: WatcherID, full: Bool) -> NotificationBody? {
        guard watchers.isKnown(id), let membership = watchers[id.place]?.view, let watcher = watchers[id.place] else {
            return nil
        }
        return presentities[watcher.presentity.index]?.views[Int(membership.view)].body(
            for: &watchers[id.place], full: full)
    }

    /// The watcher has answered the NOTIFY with a 2xx: it has what was sent.
    public mutating func delivered(_ id: WatcherID) {
        guard let watcher = watchers[id], watcher.underWay != 0, let membership = watcher.view else { return }
        if watcher.acknowledged != 0 {
            presentities[watcher.presentity.index]?.views[Int(membership.view)].release(watcher.acknowledged)
        }
        watchers[id.place]?.acknowledged = watcher.underWay
        watchers[id.place]?.hasBase = watcher.underWayIsBase
        watchers[id.place]?.underWay = 0
    }

    /// Nobody knows whether the watcher has what was sent: the next body is a full one, which is right either way.
    public mutating func undelivered(_ id: WatcherID) {
        guard let watcher = watchers[id], watcher.underWay != 0, let membership = watcher.view else { return }
        presentities[watcher.presentity.index]?.views[Int(membership.view)].release(watcher.underWay)
        if watcher.acknowledged != 0 {
            presentities[watcher.presentity.index]?.views[Int(membership.view)].release(watcher.acknowledged)
        }
        watchers[id.place]?.acknowledged = 0
        watchers[id.place]?.hasBase = false
        watchers[id.place]?.underWay = 0
    }
}

extension View {
    /// What a member is sent now; see ``PresenceAgent/body(for:full:)``.
    mutating func body(for member: inout Watcher?, full: Bool) -> NotificationBody? {
        guard var watcher = member else { return nil }
        guard full || watcher.underWay == 0 && watcher.acknowledged != current.number else { return nil }
        let isPartial = watcher.formats.contains(.pidfDiff)
        let difference = isPartial && !full && watcher.hasBase ? difference(from: watcher.acknowledged) : nil
        let rendering = difference ?? fullBody(partial: isPartial)
        if isPartial, rendering.format != nil { watcher.version &+= 1 }
        if watcher.underWay != current.number {
            if watcher.underWay != 0 { release(watcher.underWay) }
            retain(current.number)
            watcher.underWay = current.number
        }
        watcher.underWayIsBase = isPartial && rendering.format != nil
        member = watcher
        return NotificationBody(
            rendering: rendering, version: watcher.version, entityTag: entityTag(), isFull: difference == nil)
    }
}
