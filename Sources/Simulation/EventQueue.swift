import LinkProfiles

/// What happens next in virtual time: a heap ordered by time, and by order of scheduling where times are equal.
struct EventQueue {
    private struct Entry {
        var at: Instant
        var sequence: UInt64
        var happen: () -> Void

        func isBefore(_ other: Entry) -> Bool { at == other.at ? sequence < other.sequence : at < other.at }
    }

    private var heap: [Entry] = []
    private var scheduled: UInt64 = 0

    var isEmpty: Bool { heap.isEmpty }
    var count: Int { heap.count }
    var nextTime: Instant? { heap.first?.at }

    mutating func schedule(at instant: Instant, _ happen: @escaping () -> Void) {
        scheduled += 1
        heap.append(Entry(at: instant, sequence: scheduled, happen: happen))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].isBefore(heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func next() -> (at: Instant, happen: () -> Void)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        return (first.at, first.happen)
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].isBefore(heap[least])
            {
                least = child
            }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
