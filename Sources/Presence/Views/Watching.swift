public import LinkProfiles
public import PresenceDocuments

/// Watchers come, are decided on, and go (RFC 3856 section 6.6).
extension PresenceAgent {
    /// A new subscription. The decision is final for now: `block` admits no watcher.
    ///
    /// - Throws: ``WatchRefusal``; nothing has changed then.
    public mutating func watch(
        _ request: WatchRequest, of presentity: PresentityID, at now: Instant
    ) throws(WatchRefusal) -> WatchAdmission {
        guard let state = self[presentity] else { throw .tooManyWatchers }
        do {
            return try admit(request, to: presentity, state, at: now)
        } catch {
            releaseIfIdle(presentity)
            throw error
        }
    }

    private mutating func admit(
        _ request: WatchRequest, to presentity: PresentityID, _ state: Presentity, at now: Instant
    ) throws(WatchRefusal) -> WatchAdmission {
        let decision = decision(for: request.identity, of: state, at: now)
        var changes = PresenceChanges()
        guard decision.handling != .block else {
            releaseIfIdle(presentity)
            return WatchAdmission(watcher: nil, handling: .block, changes: changes)
        }
        guard state.watcherList?.present ?? 0 < settings.watchersPerPresentity else { throw .tooManyWatchers }
        var filters = WatcherFilters()
        try change(&filters, by: request, of: state)
        var watcher = Watcher(
            presentity: presentity, subscription: request.subscription, identity: request.identity, filters: filters)
        watcher.row = list(request, handling: decision.handling, of: presentity, at: now)
        let id = watchers.add(watcher, formats: request.formats)
        watchers.deliveries[Int(id.place)].version = request.lastVersion
        place(id, handling: decision.handling, audience: decision.audience)
        noteWatcherInformation(presentity, in: &changes)
        schedule(presentity, at: now)
        return WatchAdmission(watcher: id, handling: decision.handling, changes: changes)
    }

    /// A refresh: new end, and where the request says so new formats and filters. The engine then sends a NOTIFY with the full state.
    ///
    /// - Throws: ``WatchRefusal``; the subscription goes on as before.
    public mutating func rewatch(
        _ id: WatcherID, _ request: WatchRequest, at now: Instant
    ) throws(WatchRefusal) -> PresenceChanges {
        var changes = PresenceChanges()
        guard let watcher = watchers[id], let state = self[watcher.presentity] else { return changes }
        var filters = watcher.filters
        try change(&filters, by: request, of: state)
        let formats = watchers.deliveries[Int(id.place)].formats
        watchers[id.place]?.filters = filters
        watchers.deliveries[Int(id.place)].formats = request.formats
        self[watcher.presentity]?.watcherList?.extend(watcher.row, until: request.expires)
        if filters != watcher.filters || request.formats != formats {
            unplace(id)
            let decision = decision(for: watcher.identity, of: state, at: now)
            place(id, handling: decision.handling, audience: decision.audience)
        }
        schedule(watcher.presentity, at: now)
        if state.watcherList != nil { noteWatcherInformation(watcher.presentity, in: &changes) }
        return changes
    }

    private func change(
        _ filters: inout WatcherFilters, by request: WatchRequest, of state: Presentity
    ) throws(WatchRefusal) {
        guard let body = request.filter else { return }
        do {
            try filters.change(by: body, of: state.addressOfRecord, limit: settings.filterBytes)
        } catch {
            throw .filter(error)
        }
        guard let filter = filters.filter(for: state.addressOfRecord) else { return }
        let inUse = Set(state.views.lazy.filter { !$0.members.isEmpty }.compactMap(\.key.filter))
        guard inUse.contains(filter) || inUse.count < settings.filtersPerPresentity else {
            throw .filter(.tooManyFilters)
        }
    }

    /// A subscription has ended. One that was never decided on stays in the watcher list as waiting (RFC 3857 section 4.7.1).
    ///
    /// - Parameter event: what ended it.
    public mutating func unwatch(_ id: WatcherID, because event: WatcherEvent, at now: Instant) -> PresenceChanges {
        var changes = PresenceChanges()
        guard let watcher = watchers[id] else { return changes }
        unplace(id)
        watchers.remove(id)
        let settings = self.settings
        self[watcher.presentity]?.watcherList?.ended(watcher.row, because: event, at: now, settings: settings)
        noteWatcherInformation(watcher.presentity, in: &changes)
        schedule(watcher.presentity, at: now)
        releaseIfIdle(watcher.presentity)
        return changes
    }

    private mutating func list(
        _ request: WatchRequest, handling: SubscriptionHandling, of presentity: PresentityID, at now: Instant
    ) -> UInt32 {
        var list = self[presentity]?.watcherList ?? WatcherRoster()
        self[presentity]?.watcherList = nil
        let row = list.add(request, handling: handling, at: now)
        self[presentity]?.watcherList = list
        return row
    }

    // MARK: Decisions

    struct Decision {
        var handling: SubscriptionHandling
        /// nil for a watcher that is shown nothing.
        var audience: Audience?
    }

    func decision(for identity: WatcherIdentity, of state: Presentity, at now: Instant) -> Decision {
        guard let rules = state.rules else {
            return decision(settings.defaultHandling, granted: .everything)
        }
        let authorization = rules.decision(for: EvaluatedWatcher(identity), sphere: state.sphere, at: now)
        return decision(authorization.handling, granted: .permitted(authorization.permissions))
    }

    private func decision(_ handling: SubscriptionHandling, granted: Audience) -> Decision {
        switch handling {
        case .block, .confirm: Decision(handling: handling, audience: nil)
        case .politeBlock: Decision(handling: handling, audience: .unavailable)
        case .allow: Decision(handling: handling, audience: granted)
        }
    }

    /// Looks at every watcher again: rules, sphere or time have changed. What each of them then sees is another matter: see `update`.
    mutating func reevaluate(_ presentity: PresentityID, at now: Instant, into changes: inout PresenceChanges) {
        guard let state = self[presentity] else { return }
        var members: [UInt32] = state.views.flatMap(\.members)
        members += state.pending
        for place in members {
            guard let watcher = watchers[place] else { continue }
            let id = watchers.id(of: place)
            let decision = decision(for: watcher.identity, of: state, at: now)
            if decision.handling != watcher.handling {
                changes.handling.append(
                    HandlingChange(subscription: watcher.subscription, handling: decision.handling))
                self[presentity]?.watcherList?.decided(watcher.row, decision.handling)
                noteWatcherInformation(presentity, in: &changes)
            }
            let key = decision.audience.map {
                ViewKey(audience: $0, filter: watcher.filters.filter(for: state.addressOfRecord))
            }
            let view = watchers.deliveries[Int(place)].view
            if view >= 0, state.views[Int(view)].key == key {
                watchers[place]?.handling = decision.handling
                continue
            }
            if move(id, to: decision) { changes.notify.append(watcher.subscription) }
        }
        decideWaiting(of: presentity, at: now, into: &changes)
        self[presentity]?.evaluated = now
    }

    private mutating func decideWaiting(
        of presentity: PresentityID, at now: Instant, into changes: inout PresenceChanges
    ) {
        guard let state = self[presentity], var list = state.watcherList else { return }
        let hasChanged = list.decideWaiting { decision(for: $0, of: state, at: now).handling }
        self[presentity]?.watcherList = list
        if hasChanged { noteWatcherInformation(presentity, in: &changes) }
    }

    /// - Returns: whether the watcher has something new to see.
    private mutating func move(_ id: WatcherID, to decision: Decision) -> Bool {
        let shown = shownDocument(id)
        unplace(id)
        place(id, handling: decision.handling, audience: decision.audience)
        let delivery = watchers.deliveries[Int(id.place)]
        guard delivery.view >= 0 else { return false }
        let current = presentities[Int(delivery.presentity)]?.views[Int(delivery.view)].current
        guard let shown, let current, current.document == shown else { return true }
        watchers.deliveries[Int(id.place)].acknowledged = current.number
        presentities[Int(delivery.presentity)]?.views[Int(delivery.view)].retain(current.number)
        return false
    }

    /// What the watcher certainly has.
    private func shownDocument(_ id: WatcherID) -> XMLElement? {
        let delivery = watchers.deliveries[Int(id.place)]
        guard delivery.view >= 0, delivery.underWay == 0 else { return nil }
        return presentities[Int(delivery.presentity)]?.views[Int(delivery.view)].state(delivery.acknowledged)?.document
    }

    // MARK: Places in views

    /// Puts a watcher into the view it belongs to, or among those that wait for a decision.
    mutating func place(_ id: WatcherID, handling: SubscriptionHandling, audience: Audience?) {
        guard let watcher = watchers[id] else { return }
        watchers[id.place]?.handling = handling
        guard let audience else {
            self[watcher.presentity]?.pending.append(id.place)
            return
        }
        let key = ViewKey(
            audience: audience, filter: watcher.filters.filter(for: addressOfRecord(of: watcher.presentity)))
        let view = view(for: key, of: watcher.presentity)
        let place = self[watcher.presentity]?.views[view].add(id.place, subscription: watcher.subscription) ?? 0
        watchers.deliveries[Int(id.place)].view = Int32(truncatingIfNeeded: view)
        watchers.deliveries[Int(id.place)].place = Int32(truncatingIfNeeded: place)
    }

    /// Takes a watcher out of its view; what it has been shown there is no base for anything any more.
    mutating func unplace(_ id: WatcherID) {
        guard let presentity = watchers[id]?.presentity else { return }
        let delivery = watchers.deliveries[Int(id.place)]
        if delivery.view >= 0 {
            let view = Int(delivery.view)
            self[presentity]?.views[view].release(delivery.acknowledged)
            self[presentity]?.views[view].release(delivery.underWay)
            if let moved = self[presentity]?.views[view].remove(at: Int(delivery.place)) {
                watchers.deliveries[Int(moved)].place = delivery.place
            }
            trimViews(of: presentity)
        } else {
            self[presentity]?.pending.removeAll { $0 == id.place }
        }
        watchers.deliveries[Int(id.place)].view = -1
        watchers.deliveries[Int(id.place)].forget()
    }

    private mutating func trimViews(of presentity: PresentityID) {
        while self[presentity]?.views.last?.members.isEmpty == true { self[presentity]?.views.removeLast() }
        if self[presentity]?.views.isEmpty == true { self[presentity]?.arrangeDocuments(isWatched: false) }
    }

    /// The view with this key, made if there is none. A view that lost its last member in the middle of the list stays until it is
    /// needed again, or has become the last.
    private mutating func view(for key: ViewKey, of presentity: PresentityID) -> Int {
        self[presentity]?.arrangeDocuments(isWatched: true)
        let composed = composedDocument(of: presentity)
        guard let state = self[presentity] else { return 0 }
        if let known = state.views.firstIndex(where: { $0.key == key && !$0.members.isEmpty }) { return known }
        let fresh = View(key, composed: composed, entity: String(decoding: state.addressOfRecord, as: UTF8.self))
        if let free = state.views.firstIndex(where: \.members.isEmpty) {
            self[presentity]?.views[free] = fresh
            return free
        }
        self[presentity]?.views.append(fresh)
        return state.views.count
    }
}
