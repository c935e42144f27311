/// Contexts of requests and deliveries under way, by slot number. A slot's generation grows each time it is reused, so that
/// a deadline set for an earlier occupant is recognised as stale.
struct ContextTable<Context: AnyObject> {
    private var slots: [Context?] = []
    private var generations: [UInt32] = []
    private var free: [UInt32] = []
    private(set) var count = 0

    subscript(slot: UInt32) -> Context? {
        Int(slot) < slots.count ? slots[Int(slot)] : nil
    }

    func context(at slot: UInt32, generation: UInt32) -> Context? {
        Int(slot) < slots.count && generations[Int(slot)] == generation ? slots[Int(slot)] : nil
    }

    func generation(of slot: UInt32) -> UInt32 { Int(slot) < generations.count ? generations[Int(slot)] : 0 }

    mutating func insert(_ context: Context) -> UInt32 {
        count += 1
        if let slot = free.popLast() {
            slots[Int(slot)] = context
            return slot
        }
        slots.append(context)
        if generations.count < slots.count { generations.append(0) }
        return UInt32(slots.count - 1)
    }

    mutating func remove(_ slot: UInt32) {
        guard Int(slot) < slots.count, slots[Int(slot)] != nil else { return }
        slots[Int(slot)] = nil
        generations[Int(slot)] &+= 1
        count -= 1
        if count == 0 {
            slots.removeAll(keepingCapacity: slots.count <= 4_096)
            free.removeAll(keepingCapacity: free.count <= 4_096)
        } else {
            free.append(slot)
        }
    }
}
