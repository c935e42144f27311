import LinkProfiles
import PresenceDocuments

/// The watchers of one presentity with the state machine of RFC 3857 section 4.7.1: what its owner may learn of them.
struct WatcherRoster {
    struct Row {
        let number: UInt32
        let identity: WatcherIdentity
        let displayName: [UInt8]
        /// When the subscription was made.
        let since: Instant
        var expires: Instant
        var status: PresenceDocuments.Watcher.Status
        var event: WatcherEvent
        /// When a waiting one is given up.
        var patience = Instant.distantFuture
        /// The changes after which it appeared, and last changed.
        let appeared: UInt32
        var changed: UInt32
    }

    /// By number.
    private(set) var rows: [Row] = []
    /// Counts changes.
    private(set) var sequence: UInt32 = 0
    /// Changes up to this one are not all known any more.
    private(set) var forgotten: UInt32 = 0
    private var lastNumber: UInt32 = 0
    /// Whether anybody has asked; before, nobody needs to learn of endings.
    private var isReported = false

    static let endingsKept = 64

    private var waiting = 0
    private var ended = 0

    /// Subscriptions that live.
    var present: Int { rows.count - waiting - ended }

    /// nil when nobody waits.
    var nextGiveUp: Instant? {
        waiting == 0 ? nil : rows.lazy.filter { $0.status == .waiting }.map(\.patience).min()
    }

    var isForgettable: Bool { rows.isEmpty && !isReported }

    private func index(of number: UInt32) -> Int? {
        var (low, high) = (0, rows.count)
        while low < high {
            let middle = (low + high) / 2
            if rows[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low < rows.count && rows[low].number == number ? low : nil
    }

    // MARK: Events

    /// A new subscription. One of the same watcher that waits is superseded by it.
    ///
    /// - Returns: the row's number.
    mutating func add(_ request: WatchRequest, handling: SubscriptionHandling, at now: Instant) -> UInt32 {
        if waiting > 0 {
            for index in rows.indices where rows[index].status == .waiting && rows[index].identity == request.identity {
                change(index, to: .terminated, because: .giveup)
            }
        }
        lastNumber += 1
        sequence += 1
        rows.append(
            Row(
                number: lastNumber, identity: request.identity, displayName: request.displayName, since: now,
                expires: request.expires, status: handling.isActive ? .active : .pending, event: .subscribe,
                appeared: sequence, changed: sequence))
        forgetEndings()
        return lastNumber
    }

    mutating func extend(_ number: UInt32, until expires: Instant) {
        guard let index = index(of: number) else { return }
        rows[index].expires = expires
    }

    /// A decision on a subscription that lives.
    mutating func decided(_ number: UInt32, _ handling: SubscriptionHandling) {
        guard let index = index(of: number) else { return }
        switch handling {
        case .block: change(index, to: .terminated, because: .rejected)
        case .confirm: if rows[index].status == .active { change(index, to: .pending, because: .subscribe) }
        case .politeBlock, .allow: if rows[index].status == .pending { change(index, to: .active, because: .approved) }
        }
        forgetEndings()
    }

    /// Decisions on those that wait: whoever is decided on waits no longer.
    ///
    /// - Returns: whether there was one.
    mutating func decideWaiting(_ decide: (WatcherIdentity) -> SubscriptionHandling) -> Bool {
        guard waiting > 0 else { return false }
        var hasChanged = false
        for index in rows.indices where rows[index].status == .waiting {
            let handling = decide(rows[index].identity)
            if handling == .confirm { continue }
            change(index, to: .terminated, because: handling.isActive ? .approved : .rejected)
            hasChanged = true
        }
        forgetEndings()
        return hasChanged
    }

    /// A subscription has ended. A pending one whose time is over waits on, so that its watcher is not forgotten.
    mutating func ended(_ number: UInt32, because event: WatcherEvent, at now: Instant, settings: PresenceSettings) {
        guard let index = index(of: number) else { return }
        if rows[index].status == .pending, event == .timeout, settings.undecidedWatchers > 0 {
            change(index, to: .waiting, because: .timeout)
            rows[index].patience = now + settings.giveUpAfter
            limitWaiting(to: settings.undecidedWatchers)
        } else if rows[index].status != .terminated {
            change(index, to: .terminated, because: event)
        }
        forgetEndings()
    }

    /// - Returns: whether somebody was given up.
    mutating func giveUp(at now: Instant) -> Bool {
        guard waiting > 0 else { return false }
        let due = rows.indices.filter { rows[$0].status == .waiting && rows[$0].patience <= now }
        for index in due { change(index, to: .terminated, because: .giveup) }
        forgetEndings()
        return !due.isEmpty
    }

    private mutating func limitWaiting(to limit: Int) {
        let waiting = rows.indices.filter { rows[$0].status == .waiting }
        for index in waiting.dropLast(limit) { change(index, to: .terminated, because: .giveup) }
    }

    private mutating func change(_ index: Int, to status: PresenceDocuments.Watcher.Status, because event: WatcherEvent)
    {
        sequence += 1
        waiting += (status == .waiting ? 1 : 0) - (rows[index].status == .waiting ? 1 : 0)
        ended += (status == .terminated ? 1 : 0) - (rows[index].status == .terminated ? 1 : 0)
        rows[index].status = status
        rows[index].event = event
        rows[index].changed = sequence
    }

    /// Endings are kept for those who get partial documents; the oldest go, and whoever has not seen those gets a full one.
    private mutating func forgetEndings() {
        let excess = isReported ? ended - Self.endingsKept : ended
        guard excess > 0 else { return }
        let oldest = rows.indices.filter { rows[$0].status == .terminated }.sorted {
            rows[$0].changed < rows[$1].changed
        }
        .prefix(excess)
        forgotten = max(forgotten, oldest.last.map { rows[$0].changed } ?? 0)
        for index in oldest.sorted(by: >) { rows.remove(at: index) }
        ended -= oldest.count
    }

    // MARK: Reports

    /// What a subscriber that has seen some changes is to be told.
    struct Report {
        let isFull: Bool
        let rows: [Row]
    }

    /// - Returns: nil when there is nothing new.
    mutating func report(since seen: UInt32?, visible: (Row) -> Bool) -> Report? {
        isReported = true
        guard let seen, seen >= forgotten else {
            return Report(isFull: true, rows: rows.filter { $0.status != .terminated && visible($0) })
        }
        // Who came and went in between was never there (RFC 3857 section 4.7.2).
        let news = rows.filter { $0.changed > seen && visible($0) && ($0.status != .terminated || $0.appeared <= seen) }
        return news.isEmpty ? nil : Report(isFull: false, rows: news)
    }
}
