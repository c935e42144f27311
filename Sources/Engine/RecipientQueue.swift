import DequeModule
import LinkProfiles
import MessageStore

/// What memory holds of one deferred message: 24 bytes. Its text stays in the store.
struct QueueEntry {
    var number: MessageNumber
    /// Unix seconds; sooner than the true expiry by less than a second, never later.
    var expires: UInt32
    /// Keyed hash of the sender.
    var sender: UInt32
    var size: UInt32
    var attempts: UInt16
    var state: State
    var isUrgent: Bool

    mutating func countAttempt() { attempts = min(attempts, .max - 1) + 1 }

    enum State: UInt8 {
        case queued, claimed, waiting
        /// Ended; stays in place until everything before it has ended too.
        case ended
    }
}

/// The deferred messages of one recipient, in the order they were accepted, and the state of its flush.
struct RecipientQueue {
    private(set) var entries: [QueueEntry] = []
    private var head = 0

    /// The user this is the queue of; -1 while unused.
    var user: Int32 = -1
    /// Relays to the user's devices under way, of messages that are not in the store.
    var live = 0
    /// How many of those the link bears at once.
    var relayWindow = 1
    /// Relays that wait for one of those, oldest first, so that order holds over an unreliable link.
    var line = Deque<(slot: UInt32, generation: UInt32)>()
    /// Whether the line is being worked off, so that a relay that fails at once does not begin the same work again.
    var isAdvancing = false
    /// Forks under way towards the user's devices, live or from the store.
    var forks: [(slot: UInt32, generation: UInt32)] = []
    /// Attempts under way: entries in state claimed.
    private(set) var outstanding = 0
    /// No attempt before this: back-off after a failure, or the link's byte rate.
    var notBefore = Instant(microseconds: 0)
    /// The deadline queued in the engine's heap for this queue, so that it is queued once.
    var armed: Instant?
    /// Bytes of the messages that have not ended.
    private(set) var bytes = 0
    /// Messages that have not ended.
    private(set) var count = 0
    /// Failures in a row; the retry schedule grows with it.
    var failures: UInt32 = 0
    /// Byte budget of the flush: what may still leave at `budgetAt`.
    var budget = 0.0
    var budgetAt = Instant(microseconds: 0)

    var isEmpty: Bool { count == 0 }
    /// Whether the user needs no queue state at the moment.
    var isIdle: Bool { count == 0 && live == 0 && outstanding == 0 && line.isEmpty && !isAdvancing }
    /// Entries that may still be live, oldest first.
    var remaining: ArraySlice<QueueEntry> { entries[head...] }

    mutating func append(_ entry: QueueEntry) {
        entries.append(entry)
        bytes += Int(entry.size)
        count += 1
        if entry.state == .claimed { outstanding += 1 }
    }

    func index(of number: MessageNumber) -> Int? {
        var low = head
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].number < number { low = middle + 1 } else { high = middle }
        }
        guard low < entries.count, entries[low].number == number, entries[low].state != .ended else { return nil }
        return low
    }

    /// Changes the state of an entry that has not ended.
    mutating func move(_ index: Int, to state: QueueEntry.State) {
        outstanding += (state == .claimed ? 1 : 0) - (entries[index].state == .claimed ? 1 : 0)
        entries[index].state = state
    }

    /// The attempt failed: the next one has another number, and so another branch.
    mutating func countAttempt(_ index: Int) { entries[index].countAttempt() }

    /// Ends the entry and gives it back; its place is reclaimed once all before it have ended, or the ended are the more.
    /// Positions of other entries are not valid afterwards.
    mutating func end(at index: Int) -> QueueEntry {
        let entry = entries[index]
        move(index, to: .ended)
        bytes -= Int(entry.size)
        count -= 1
        while head < entries.count, entries[head].state == .ended { head += 1 }
        if head == entries.count {
            entries.removeAll(keepingCapacity: head <= 8)
            head = 0
        } else if head > 64, head * 2 > entries.count {
            entries.removeFirst(head)
            head = 0
        } else if entries.count - head > 2 * count + 64 {
            entries = entries[head...].filter { $0.state != .ended }
            head = 0
        }
        return entry
    }
}
