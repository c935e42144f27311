public import LinkProfiles
import PresenceDocuments

/// The presence agent of RFC 3856 with the event state compositor of RFC 3903: presentities, what is published of them, who may see
/// what of it, and what each watcher has seen.
///
/// A state machine without I/O: requests and times come in, answers and ``PresenceChanges`` come out. The engine owns the SIP dialogs;
/// a subscription is known here by the engine's number for it and by a ``WatcherID``.
public struct PresenceAgent {
    public let settings: PresenceSettings
    var entityTags: EntityTagSource
    private var lastPublication: Int64
    /// nil: a free place.
    var presentities: [Presentity?] = []
    private var freePlaces: [Int32] = []
    private var places: [[UInt8]: Int32] = [:]
    var watchers = WatcherTable()
    var expiries = ExpiryQueue()

    /// - Parameters:
    ///   - firstEntityTag: drawn at random by the driver at each start, so that no entity-tag of an earlier run comes again.
    ///   - lastPublication: the last number that the store knows; new publications count on from it.
    public init(
        settings: PresenceSettings = PresenceSettings(), firstEntityTag: UInt64, lastPublication: Int64 = 0
    ) {
        self.settings = settings
        entityTags = EntityTagSource(first: firstEntityTag)
        self.lastPublication = lastPublication
    }

    /// New publications are numbered behind this one.
    mutating func reserve(_ number: PublicationID) { lastPublication = max(lastPublication, number.rawValue) }

    mutating func makePublicationID() -> PublicationID {
        lastPublication += 1
        return PublicationID(lastPublication)
    }

    /// The presentity of an address-of-record, made if there is none. The number stays valid while it has publications, contacts,
    /// rules or watchers.
    ///
    /// - Parameter addressOfRecord: canonical, `sip:user@host`; also the `entity` of the documents.
    public mutating func presentity(for addressOfRecord: [UInt8]) -> PresentityID {
        if let place = places[addressOfRecord] { return PresentityID(Int(place)) }
        let place: Int
        if let free = freePlaces.popLast() {
            place = Int(free)
            presentities[place] = Presentity(addressOfRecord: addressOfRecord)
        } else {
            place = presentities.count
            presentities.append(Presentity(addressOfRecord: addressOfRecord))
        }
        places[addressOfRecord] = Int32(truncatingIfNeeded: place)
        return PresentityID(place)
    }

    /// The presentity of an address-of-record, if anything is known of it.
    public func existingPresentity(for addressOfRecord: [UInt8]) -> PresentityID? {
        places[addressOfRecord].map { PresentityID(Int($0)) }
    }

    /// Presentities of which something is known.
    public var presentityCount: Int { places.count }

    /// Empty for a presentity that is gone.
    public func addressOfRecord(of presentity: PresentityID) -> [UInt8] { self[presentity]?.addressOfRecord ?? [] }

    subscript(presentity: PresentityID) -> Presentity? {
        get { presentities.indices.contains(presentity.index) ? presentities[presentity.index] : nil }
        _modify { yield &presentities[presentity.index] }
    }

    func isKnown(_ presentity: PresentityID) -> Bool {
        presentities.indices.contains(presentity.index) && presentities[presentity.index] != nil
    }

    /// Forgets a presentity of which nothing is left.
    mutating func releaseIfIdle(_ presentity: PresentityID) {
        guard let state = self[presentity], state.isIdle else { return }
        places[state.addressOfRecord] = nil
        presentities[presentity.index] = nil
        freePlaces.append(Int32(truncatingIfNeeded: presentity.index))
    }

    // MARK: Time

    /// When ``advance(to:)`` has something to do; it may turn out to be nothing.
    public var nextDeadline: Instant? { expiries.next }

    /// Lets end what has ended by now: publications, periods of rules and activities, patience with undecided watchers.
    public mutating func advance(to now: Instant) -> PresenceChanges {
        var changes = PresenceChanges()
        while let (place, at) = expiries.popDue(at: now) {
            guard presentities[place]?.scheduled == at else { continue }
            presentities[place]?.scheduled = .distantFuture
            expire(PresentityID(place), at: now, into: &changes)
        }
        return changes
    }

    private mutating func expire(_ presentity: PresentityID, at now: Instant, into changes: inout PresenceChanges) {
        let ended = self[presentity]?.publications.filter { $0.expires <= now && !$0.isReserved } ?? []
        if !ended.isEmpty {
            self[presentity]?.publications.removeAll { $0.expires <= now && !$0.isReserved }
            changes.durable += ended.map { .remove($0.number) }
        }
        if self[presentity]?.watcherList?.giveUp(at: now) == true { noteWatcherInformation(presentity, in: &changes) }
        update(presentity, isRestated: !ended.isEmpty, at: now, into: &changes)
        releaseIfIdle(presentity)
    }

    /// Sees to it that ``advance(to:)`` is asked for in time.
    mutating func schedule(_ presentity: PresentityID, at now: Instant) {
        guard let state = self[presentity] else { return }
        let due = max(state.nextDue(after: now), now + .microseconds(1))
        guard due < state.scheduled else { return }
        self[presentity]?.scheduled = due
        expiries.add(presentity.index, at: due)
    }
}
