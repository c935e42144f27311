public import LinkProfiles
import PresenceDocuments

/// What a change of a presentity's state does to everything that depends on it.
extension PresenceAgent {
    /// - Parameter isRestated: whether a source has changed, so that there may be another composed document.
    mutating func update(
        _ presentity: PresentityID, isRestated: Bool, at now: Instant, into changes: inout PresenceChanges
    ) {
        guard let state = self[presentity] else { return }
        var needsEvaluation = (state.rules?.nextChange(after: state.evaluated)).map { $0 <= now } ?? false
        if isRestated {
            let sources = sources(of: state)
            let composed = compose(sources, of: state)
            let sphere = Sphere.agreed(in: sources.lazy.filter(\.isUsers).map(\.document))
            needsEvaluation = needsEvaluation || sphere != state.sphere && state.rules?.dependsOnSphere == true
            self[presentity]?.sphere = sphere
            self[presentity]?.composed = state.views.isEmpty ? nil : composed
            renewViews(of: presentity, composed: composed, into: &changes)
            updateReception(of: presentity, composed: composed, at: now, into: &changes)
        } else if let due = state.reception.nextChange, due <= now {
            updateReception(of: presentity, composed: composedDocument(of: presentity), at: now, into: &changes)
        }
        if needsEvaluation { reevaluate(presentity, at: now, into: &changes) }
        self[presentity]?.arrangeDocuments(isWatched: !state.views.isEmpty)
        schedule(presentity, at: now)
    }

    private func sources(of state: Presentity) -> [ComposedSource] {
        state.publications.map { publication in
            ComposedSource(
                isUsers: publication.source.isEmpty, stated: publication.stated, document: publication.document.presence
            )
        }
    }

    private func compose(_ sources: [ComposedSource], of state: Presentity) -> XMLElement {
        let composition = Composition(
            entity: String(decoding: state.addressOfRecord, as: UTF8.self),
            registered: state.contacts.map { !$0.isEmpty }, contribution: settings.registration)
        return composition.compose(sources)
    }

    /// The composed document, kept while somebody watches.
    mutating func composedDocument(of presentity: PresentityID) -> XMLElement {
        guard let state = self[presentity] else { return XMLElement(.presence) }
        if let composed = state.composed { return composed }
        let composed = compose(sources(of: state), of: state)
        self[presentity]?.composed = composed
        return composed
    }

    private mutating func renewViews(
        of presentity: PresentityID, composed: XMLElement, into changes: inout PresenceChanges
    ) {
        guard let state = self[presentity] else { return }
        let entity = String(decoding: state.addressOfRecord, as: UTF8.self)
        for index in state.views.indices where !state.views[index].members.isEmpty {
            let isNew = presentities[presentity.index]?.views[index].renew(
                composed: composed, entity: entity, keeping: settings.statesPerView)
            if isNew == true { noteMembers(ofView: index, of: presentity, into: &changes) }
        }
    }

    private func noteMembers(ofView index: Int, of presentity: PresentityID, into changes: inout PresenceChanges) {
        guard let view = presentities[presentity.index]?.views[index] else { return }
        guard view.hasTriggers else {
            changes.notify += view.subscriptions
            return
        }
        var answers: [UInt32: Bool] = [:]
        for place in view.members {
            let delivery = watchers.deliveries[Int(place)]
            let shown = delivery.underWay != 0 ? delivery.underWay : delivery.acknowledged
            let isTriggered = answers[shown] ?? view.isTriggered(since: shown)
            answers[shown] = isTriggered
            if isTriggered { changes.notify.append(view.subscriptions[Int(delivery.place)]) }
        }
    }

    private mutating func updateReception(
        of presentity: PresentityID, composed: XMLElement, at now: Instant, into changes: inout PresenceChanges
    ) {
        let reception = Reception(of: composed, undisturbed: settings.undisturbedActivities, at: now)
        let hasChanged = self[presentity].map { !$0.reception.saysTheSame(as: reception) } ?? false
        self[presentity]?.reception = reception
        if hasChanged { changes.reception.append(presentity) }
    }

    func noteWatcherInformation(_ presentity: PresentityID, in changes: inout PresenceChanges) {
        if changes.watcherInformation.last != presentity { changes.watcherInformation.append(presentity) }
    }

    // MARK: Other sources

    /// The presentity's rules from now on; nil takes them away, so that the default holds.
    ///
    /// - Parameter document: `application/auth-policy+xml`.
    /// - Throws: ``RulesRefusal``; the rules before stay in force.
    public mutating func setRules(
        _ document: [UInt8]?, for presentity: PresentityID, at now: Instant
    ) throws(RulesRefusal) -> PresenceChanges {
        var changes = PresenceChanges()
        guard isKnown(presentity) else { return changes }
        do {
            let reader = RulesReader(limit: settings.rulesBytes)
            let rules: PresenceRules? = if let document { try reader.read(document) } else { nil }
            self[presentity]?.rules = rules
        } catch {
            releaseIfIdle(presentity)
            throw error
        }
        reevaluate(presentity, at: now, into: &changes)
        schedule(presentity, at: now)
        releaseIfIdle(presentity)
        return changes
    }
}
