import PresenceDocuments

/// What a watcher is sent, made at the moment of sending, so that between two notifications only the newest state lives.
extension PresenceAgent {
    /// Whether there is something that the watcher has not been sent. To be asked when a NOTIFY is answered.
    public func hasNews(for id: WatcherID) -> Bool {
        guard let delivery = delivery(of: id), delivery.underWay == 0 else { return false }
        return presentities[Int(delivery.presentity)]?.views[Int(delivery.view)].isTriggered(
            since: delivery.acknowledged)
            ?? false
    }

    /// The entity-tag of what the watcher would be shown now (RFC 5839 section 5); nil while it is shown nothing. When the watcher's
    /// Suppress-If-Match names it, no body is needed.
    public mutating func entityTag(for id: WatcherID) -> EntityTag? {
        guard let delivery = delivery(of: id) else { return nil }
        return presentities[Int(delivery.presentity)]?.views[Int(delivery.view)].entityTag(
            partial: delivery.formats.contains(.pidfDiff))
    }

    /// The newest state for a NOTIFY that is sent now. Until ``delivered(_:)`` or ``undelivered(_:)`` it is under way, and there is no
    /// second one but a full one (RFC 5263 section 4.4: one NOTIFY at a time).
    ///
    /// - Parameter full: whether the whole state is wanted whatever the watcher has: after every SUBSCRIBE.
    /// - Returns: nil when the watcher is shown nothing, or has, or is being sent, the newest state.
    public mutating func body(for id: WatcherID, full: Bool) -> NotificationBody? {
        guard let delivery = delivery(of: id) else { return nil }
        return presentities[Int(delivery.presentity)]?.views[Int(delivery.view)].body(
            for: &watchers.deliveries[Int(id.place)], full: full)
    }

    /// The watcher has answered the NOTIFY with a 2xx: it has what was sent.
    public mutating func delivered(_ id: WatcherID) {
        guard let delivery = delivery(of: id), delivery.underWay != 0 else { return }
        presentities[Int(delivery.presentity)]?.views[Int(delivery.view)].release(delivery.acknowledged)
        let place = Int(id.place)
        watchers.deliveries[place].acknowledged = delivery.underWay
        watchers.deliveries[place].hasBase = delivery.underWayIsBase
        watchers.deliveries[place].underWay = 0
    }

    /// Nobody knows whether the watcher has what was sent: the next body is a full one, which is right either way.
    public mutating func undelivered(_ id: WatcherID) {
        guard let delivery = delivery(of: id), delivery.underWay != 0 else { return }
        presentities[Int(delivery.presentity)]?.views[Int(delivery.view)].release(delivery.underWay)
        presentities[Int(delivery.presentity)]?.views[Int(delivery.view)].release(delivery.acknowledged)
        watchers.deliveries[Int(id.place)].forget()
    }

    /// Of a watcher that is shown something.
    private func delivery(of id: WatcherID) -> Delivery? {
        guard watchers.isKnown(id) else { return nil }
        let delivery = watchers.deliveries[Int(id.place)]
        return delivery.view < 0 ? nil : delivery
    }
}

extension View {
    /// What a member is sent now; see ``PresenceAgent/body(for:full:)``.
    mutating func body(for delivery: inout Delivery, full: Bool) -> NotificationBody? {
        guard full || delivery.underWay == 0 && delivery.acknowledged != current.number else { return nil }
        let isPartial = delivery.formats.contains(.pidfDiff)
        let difference = isPartial && !full && delivery.hasBase ? difference(from: delivery.acknowledged) : nil
        let rendering = difference ?? fullBody(partial: isPartial)
        if isPartial, rendering.format != nil { delivery.version &+= 1 }
        if delivery.underWay != current.number {
            release(delivery.underWay)
            retain(current.number)
            delivery.underWay = current.number
        }
        delivery.underWayIsBase = isPartial && rendering.format != nil
        return NotificationBody(
            rendering: rendering, version: delivery.version, entityTag: entityTag(partial: isPartial),
            isFull: difference == nil)
    }
}
