/// Subscriptions by slot, found by our tag of their dialogs.
struct SubscriptionTable {
    private var slots: [Subscription?] = []
    private var generations: [UInt32] = []
    private var free: [UInt32] = []
    private var byTag: [UInt64: UInt32] = [:]

    var count: Int { byTag.count }
    /// Slots there are, free ones included.
    var capacity: UInt32 { UInt32(slots.count) }

    /// The subscription there; nil for a free slot.
    subscript(slot: UInt32) -> Subscription? {
        get { Int(slot) < slots.count ? slots[Int(slot)] : nil }
        _modify { yield &slots[Int(slot)] }
    }

    func slot(at mark: SubscriptionMark) -> UInt32? {
        Int(mark.slot) < slots.count && slots[Int(mark.slot)] != nil && generations[Int(mark.slot)] == mark.generation
            ? mark.slot : nil
    }

    func mark(of slot: UInt32) -> SubscriptionMark {
        SubscriptionMark(slot: slot, generation: Int(slot) < generations.count ? generations[Int(slot)] : 0)
    }

    func slot(tagged tag: UInt64) -> UInt32? { byTag[tag] }

    /// The slot the next subscription gets.
    var next: UInt32 { free.last ?? UInt32(slots.count) }

    /// The caller has made sure that no other has the tag.
    mutating func insert(_ subscription: Subscription) -> UInt32 {
        let slot = next
        byTag[subscription.localTag] = slot
        if free.popLast() != nil {
            slots[Int(slot)] = subscription
        } else {
            slots.append(subscription)
            generations.append(0)
        }
        return slot
    }

    mutating func remove(_ slot: UInt32) {
        guard let subscription = self[slot] else { return }
        byTag[subscription.localTag] = nil
        slots[Int(slot)] = nil
        generations[Int(slot)] &+= 1
        free.append(slot)
    }
}
