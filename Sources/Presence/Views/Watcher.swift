/// One presence subscription, as the agent knows it. Of a subscription that has ended nothing matches any more.
public struct WatcherID: Hashable, Sendable {
    let place: UInt32
    let generation: UInt32

    /// For tables of the engine.
    public var rawValue: UInt64 { UInt64(generation) << 32 | UInt64(place) }
}

/// Who watches, what is being shown, and what has arrived.
struct Watcher {
    let presentity: PresentityID
    /// The engine's number.
    let subscription: UInt32
    var identity: WatcherIdentity
    var formats: AcceptedFormats
    var filters: WatcherFilters
    var handling = SubscriptionHandling.block
    /// Its view and its place there; nil while it is shown nothing.
    var view: ViewMembership?
    /// The version of the last partial document (RFC 5263 section 4.4).
    var version: UInt32 = 0
    /// The state that the watcher certainly has, and the one under way; 0: none.
    var acknowledged: UInt32 = 0
    var underWay: UInt32 = 0
    /// What is under way is a partial document or a full one that later ones may build on.
    var underWayIsBase = false
    /// Whether `acknowledged` is known to the watcher as the base for differences.
    var hasBase = false
    /// Its row in the watcher list.
    var row: UInt32 = 0
}

struct ViewMembership: Equatable {
    var view: Int32
    var place: Int32
}

/// All watchers of an agent, in places that are used again.
struct WatcherTable {
    private var slots: ContiguousArray<Slot> = []
    private var freePlaces: [UInt32] = []

    private struct Slot {
        var generation: UInt32
        var watcher: Watcher?
    }

    mutating func add(_ watcher: Watcher) -> WatcherID {
        if let place = freePlaces.popLast() {
            slots[Int(place)].watcher = watcher
            return WatcherID(place: place, generation: slots[Int(place)].generation)
        }
        slots.append(Slot(generation: 1, watcher: watcher))
        return WatcherID(place: UInt32(truncatingIfNeeded: slots.count - 1), generation: 1)
    }

    mutating func remove(_ id: WatcherID) {
        guard isKnown(id) else { return }
        slots[Int(id.place)].watcher = nil
        slots[Int(id.place)].generation &+= 1
        freePlaces.append(id.place)
    }

    func isKnown(_ id: WatcherID) -> Bool {
        Int(id.place) < slots.count && slots[Int(id.place)].generation == id.generation
            && slots[Int(id.place)].watcher != nil
    }

    /// nil when the subscription has ended.
    subscript(id: WatcherID) -> Watcher? {
        get { isKnown(id) ? slots[Int(id.place)].watcher : nil }
        _modify {
            guard isKnown(id) else {
                var none: Watcher?
                yield &none
                return
            }
            yield &slots[Int(id.place)].watcher
        }
    }

    /// Of a member of a view.
    subscript(place: UInt32) -> Watcher? {
        get { slots[Int(place)].watcher }
        _modify { yield &slots[Int(place)].watcher }
    }

    func id(of place: UInt32) -> WatcherID { WatcherID(place: place, generation: slots[Int(place)].generation) }
}
