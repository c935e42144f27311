import HeapModule
import LinkProfiles

/// When which presentity has to be looked at: the one deadline structure of an agent.
///
/// A presentity has one entry that counts, that of its ``Presentity/scheduled``. Where its deadline moves away, as with every
/// refresh, the entry stays and finds nothing to do; where it comes nearer, a second entry overtakes the first.
struct ExpiryQueue {
    private struct Entry: Comparable {
        var at: Instant
        var presentity: UInt32

        static func < (a: Entry, b: Entry) -> Bool { a.at < b.at }
    }

    private var heap = Heap<Entry>()

    var next: Instant? { heap.min?.at }

    mutating func add(_ presentity: Int, at: Instant) {
        heap.insert(Entry(at: at, presentity: UInt32(truncatingIfNeeded: presentity)))
    }

    /// The next entry that is due, with the time it was made for.
    mutating func popDue(at now: Instant) -> (presentity: Int, at: Instant)? {
        guard let first = heap.min, first.at <= now else { return nil }
        heap.removeMin()
        return (Int(first.presentity), first.at)
    }
}
