import DequeModule
import LinkProfiles

/// What waits for one endpoint's downlink: a line for each urgency, the oldest first, and each thing in it once.
struct DownlinkLines {
    private struct Entry {
        var key: DownlinkKey
        var ticket: UInt32
        var since: Instant
    }

    private struct Place {
        var urgency: DownlinkUrgency
        var isOpening: Bool
        var ticket: UInt32
    }

    /// One urgency's waiting things: those that open a transaction wait apart, since they may lack the place for it while a
    /// retransmission that would free one has to pass them.
    private struct Line {
        var opening = Deque<Entry>()
        var others = Deque<Entry>()
        var count = 0
    }

    private var lines = [Line](repeating: Line(), count: DownlinkUrgency.allCases.count)
    private var places: [DownlinkKey: Place] = [:]
    private var lastTicket: UInt32 = 0
    /// Entries whose key was withdrawn or has moved.
    private var stale = 0

    var count: Int { places.count }
    var isEmpty: Bool { places.isEmpty }
    var keys: [DownlinkKey] { places.keys.map { $0 } }

    func contains(_ key: DownlinkKey) -> Bool { places[key] != nil }
    func count(of urgency: DownlinkUrgency) -> Int { lines[Int(urgency.rawValue)].count }

    /// Adds a key at the end of its line. One that waits already keeps its place, or moves to a more urgent line.
    mutating func add(_ key: DownlinkKey, _ urgency: DownlinkUrgency, at now: Instant) {
        if let place = places[key] {
            guard urgency < place.urgency else { return }
            remove(key)
        }
        lastTicket &+= 1
        let place = Place(urgency: urgency, isOpening: key.opensTransaction, ticket: lastTicket)
        places[key] = place
        let entry = Entry(key: key, ticket: lastTicket, since: now)
        let line = Int(urgency.rawValue)
        lines[line].count += 1
        if place.isOpening { lines[line].opening.append(entry) } else { lines[line].others.append(entry) }
    }

    /// Takes a key out wherever it waits; false when it does not.
    @discardableResult
    mutating func remove(_ key: DownlinkKey) -> Bool {
        guard let place = places.removeValue(forKey: key) else { return false }
        lines[Int(place.urgency.rawValue)].count -= 1
        stale += 1
        if stale > 32, stale > places.count { sweep() }
        return true
    }

    /// The next of a line: what opens nothing before what needs a place for its transaction.
    /// - Returns: nil when nothing waits, or only things that lack a place.
    mutating func first(of urgency: DownlinkUrgency, mayOpen: Bool) -> DownlinkKey? {
        let line = Int(urgency.rawValue)
        dropStale(line)
        return lines[line].others.first?.key ?? (mayOpen ? lines[line].opening.first?.key : nil)
    }

    /// Since when the oldest of a line waits.
    mutating func oldest(of urgency: DownlinkUrgency) -> Instant? {
        let line = Int(urgency.rawValue)
        dropStale(line)
        let heads = [lines[line].others.first, lines[line].opening.first]
        return heads.compactMap { $0?.since }.min()
    }

    private mutating func dropStale(_ line: Int) {
        while let head = lines[line].others.first, !isCurrent(head) {
            lines[line].others.removeFirst()
            stale -= 1
        }
        while let head = lines[line].opening.first, !isCurrent(head) {
            lines[line].opening.removeFirst()
            stale -= 1
        }
    }

    private func isCurrent(_ entry: Entry) -> Bool { places[entry.key]?.ticket == entry.ticket }

    private mutating func sweep() {
        for line in lines.indices {
            let (others, opening) = (lines[line].others.filter(isCurrent), lines[line].opening.filter(isCurrent))
            lines[line].others = Deque(others)
            lines[line].opening = Deque(opening)
        }
        stale = 0
    }
}
