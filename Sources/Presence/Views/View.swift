import PresenceDocuments

/// What a group of watchers with the same rights and the same filter sees of a presentity: composed, filtered, rendered and differenced
/// once for all of them.
struct View {
    let key: ViewKey
    /// Watchers by their place in the agent's table, and in the same order the engine's numbers of their subscriptions.
    private(set) var members: [UInt32] = []
    private(set) var subscriptions: [UInt32] = []
    private(set) var current: ViewState
    /// Earlier states that members still have, the oldest first.
    private var history: [ViewState] = []
    private var differences: [Difference] = []
    private var lastNumber: UInt32

    /// A difference towards the current state.
    private struct Difference {
        let from: UInt32
        /// nil where the full state is smaller.
        let rendering: Rendering?
    }

    init(_ key: ViewKey, composed: XMLElement, entity: String) {
        self.key = key
        lastNumber = 1
        current = Self.state(1, key: key, composed: composed, entity: entity)
    }

    /// A view that cannot be told from another by triggers notifies whenever it changes.
    var hasTriggers: Bool { key.filter?.hasTriggers == true }

    private static func state(_ number: UInt32, key: ViewKey, composed: XMLElement, entity: String) -> ViewState {
        let permitted = key.audience.document(from: composed, entity: entity)
        let document: XMLElement? = if let filter = key.filter { filter.content(of: permitted) } else { permitted }
        return ViewState(number: number, permitted: permitted, document: document)
    }

    // MARK: Members

    /// - Returns: the member's place in the view.
    mutating func add(_ watcher: UInt32, subscription: UInt32) -> Int {
        members.append(watcher)
        subscriptions.append(subscription)
        return members.count - 1
    }

    /// - Returns: the watcher that now has this place, if another one moved there.
    mutating func remove(at place: Int) -> UInt32? {
        members.swapAt(place, members.count - 1)
        subscriptions.swapAt(place, subscriptions.count - 1)
        members.removeLast()
        subscriptions.removeLast()
        return place < members.count ? members[place] : nil
    }

    // MARK: States

    /// Takes in a new composed document.
    ///
    /// - Returns: whether the members see something else than before.
    mutating func renew(composed: XMLElement, entity: String, keeping limit: Int) -> Bool {
        let fresh = Self.state(lastNumber &+ 1, key: key, composed: composed, entity: entity)
        guard !isSame(fresh, current) else { return false }
        differences.removeAll(keepingCapacity: true)
        let returning = history.firstIndex { isSame(fresh, $0) }.map { history.remove(at: $0) }
        if current.references > 0 { history.append(current) }
        if history.count > limit { history.removeFirst(history.count - limit) }
        if returning == nil { lastNumber = fresh.number }
        current = returning ?? fresh
        return true
    }

    private func isSame(_ one: ViewState, _ other: ViewState) -> Bool {
        one.document == other.document && (!hasTriggers || one.permitted == other.permitted)
    }

    mutating func retain(_ number: UInt32) {
        if number == current.number {
            current.references += 1
        } else if let index = history.firstIndex(where: { $0.number == number }) {
            history[index].references += 1
        }
    }

    /// - Parameter number: 0, or one that is not kept any more, changes nothing.
    mutating func release(_ number: UInt32) {
        if number == current.number {
            current.references -= 1
        } else if let index = history.firstIndex(where: { $0.number == number }) {
            history[index].references -= 1
            if history[index].references == 0 { history.remove(at: index) }
        }
    }

    /// The state of a number, if it is still kept.
    func state(_ number: UInt32) -> ViewState? {
        number == current.number ? current : history.first { $0.number == number }
    }

    // MARK: Bodies

    mutating func fullBody(partial: Bool) -> Rendering { partial ? current.pidfFull() : current.pidf() }

    mutating func entityTag(partial: Bool) -> EntityTag { current.entityTag(partial: partial) }

    /// The difference from an earlier state to the current one.
    ///
    /// - Returns: nil where the full state is smaller, or the earlier one is not known any more.
    mutating func difference(from number: UInt32) -> Rendering? {
        if let known = differences.first(where: { $0.from == number }) { return known.rendering }
        guard let old = state(number)?.document, let new = current.document else { return nil }
        let difference = PresenceRendering.pidfDiff(from: old, to: new)
        let isWorthwhile = difference.bytes.count < current.pidfFull().bytes.count
        differences.append(Difference(from: number, rendering: isWorthwhile ? difference : nil))
        return isWorthwhile ? difference : nil
    }

    /// Whether a member that was last shown a state is to be told of the current one (RFC 4660 section 5.3.2). Where that state is
    /// not kept any more the answer is yes: rather one notification too many than one too few.
    func isTriggered(since number: UInt32) -> Bool {
        guard number != current.number else { return false }
        guard let filter = key.filter, filter.hasTriggers, let shown = state(number) else { return true }
        return filter.isTriggered(from: shown.permitted, to: current.permitted)
    }
}
