/// One presence subscription, as the agent knows it. Of a subscription that has ended nothing matches any more.
public struct WatcherID: Hashable, Sendable {
    let place: UInt32
    let generation: UInt32

    /// For tables of the engine.
    public var rawValue: UInt64 { UInt64(generation) << 32 | UInt64(place) }
}

/// Who watches and what it asked for.
struct Watcher {
    let presentity: PresentityID
    /// The engine's number.
    let subscription: UInt32
    var identity: WatcherIdentity
    var filters: WatcherFilters
    var handling = SubscriptionHandling.block
    /// Its row in the watcher list.
    var row: UInt32 = 0
}

/// What a watcher is shown and has received. Apart from ``Watcher``, and without references, because every notification touches it.
struct Delivery {
    let presentity: Int32
    var formats: AcceptedFormats
    /// The view among those of the presentity, and the place in it; -1 while it is shown nothing.
    var view: Int32 = -1
    var place: Int32 = 0
    /// The version of the last partial document (RFC 5263 section 4.4).
    var version: UInt32 = 0
    /// The state that the watcher certainly has, and the one under way; 0: none.
    var acknowledged: UInt32 = 0
    var underWay: UInt32 = 0
    /// Whether differences may build on what was acknowledged, and on what is under way.
    var hasBase = false
    var underWayIsBase = false

    init(presentity: PresentityID, formats: AcceptedFormats) {
        self.presentity = Int32(truncatingIfNeeded: presentity.index)
        self.formats = formats
    }

    /// Nothing that the watcher has seen is a base for anything any more.
    mutating func forget() {
        acknowledged = 0
        underWay = 0
        hasBase = false
    }
}

/// All watchers of an agent, in places that are used again.
struct WatcherTable {
    private var watchers: ContiguousArray<Watcher?> = []
    private var generations: ContiguousArray<UInt32> = []
    /// By the watchers' places.
    var deliveries: ContiguousArray<Delivery> = []
    private var freePlaces: [UInt32] = []

    mutating func add(_ watcher: Watcher, formats: AcceptedFormats) -> WatcherID {
        let delivery = Delivery(presentity: watcher.presentity, formats: formats)
        if let place = freePlaces.popLast() {
            watchers[Int(place)] = watcher
            deliveries[Int(place)] = delivery
            return id(of: place)
        }
        watchers.append(watcher)
        deliveries.append(delivery)
        generations.append(1)
        return id(of: UInt32(truncatingIfNeeded: watchers.count - 1))
    }

    mutating func remove(_ id: WatcherID) {
        guard isKnown(id) else { return }
        watchers[Int(id.place)] = nil
        generations[Int(id.place)] &+= 1
        freePlaces.append(id.place)
    }

    /// An ended subscription's place has another generation, also while it is free.
    func isKnown(_ id: WatcherID) -> Bool {
        Int(id.place) < generations.count && generations[Int(id.place)] == id.generation
    }

    /// nil when the subscription has ended.
    subscript(id: WatcherID) -> Watcher? { isKnown(id) ? watchers[Int(id.place)] : nil }

    /// Of a member of a view.
    subscript(place: UInt32) -> Watcher? {
        get { watchers[Int(place)] }
        _modify { yield &watchers[Int(place)] }
    }

    func id(of place: UInt32) -> WatcherID { WatcherID(place: place, generation: generations[Int(place)]) }
}
