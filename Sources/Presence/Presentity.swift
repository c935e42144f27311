import LinkProfiles
import PresenceDocuments

/// All that is known of one presentity.
struct Presentity {
    let addressOfRecord: [UInt8]
    var publications: [Publication] = []
    /// First publications that are being committed.
    var reservations = 0
    var contacts: RegistrationState?
    var rules: PresenceRules?
    /// When the rules were last evaluated for all watchers.
    var evaluated = Instant(microseconds: .min)
    /// What the user's documents agree on (RFC 5025 section 3.1.2); nil: undefined.
    var sphere: String?
    /// The composed document; nil while nobody needed it.
    var composed: XMLElement?
    var reception = Reception.unknown
    var views: [View] = []
    /// Watchers that wait for a decision, by their place in the agent's table.
    var pending: [UInt32] = []
    var watcherList: WatcherRoster?
    /// The deadline that the expiry queue knows.
    var scheduled = Instant.distantFuture

    init(addressOfRecord: [UInt8]) { self.addressOfRecord = addressOfRecord }

    /// Nothing would be lost by forgetting it.
    var isIdle: Bool {
        publications.isEmpty && reservations == 0 && contacts?.isForgettable ?? true && rules == nil && views.isEmpty
            && pending.isEmpty && watcherList?.isForgettable ?? true
    }

    /// When it has to be looked at although nothing happens. What is being committed is looked at when that is done.
    func nextDue(after now: Instant) -> Instant {
        var due = Instant.distantFuture
        for publication in publications where !publication.isReserved { due = min(due, publication.expires) }
        if let change = rules?.nextChange(after: now) { due = min(due, change) }
        if let giveUp = watcherList?.nextGiveUp { due = min(due, giveUp) }
        if let change = reception.nextChange { due = min(due, change) }
        return due
    }

    /// Keeps documents taken apart while they are composed again and again, and as bytes while nobody watches.
    mutating func arrangeDocuments(isWatched: Bool) {
        for index in publications.indices {
            if isWatched { publications[index].document.expand() } else { publications[index].document.pack() }
        }
        if !isWatched { composed = nil }
    }
}
