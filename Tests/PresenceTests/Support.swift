import LinkProfiles
import Presence
import PresenceDocuments

/// Seconds since an arbitrary morning.
func at(_ seconds: Double) -> Instant { Instant(microseconds: 1_800_000_000_000_000) + .seconds(seconds) }

let alice = Array("sip:alice@example.com".utf8)
let bob = WatcherIdentity(Array("sip:bob@example.com".utf8))
let carol = WatcherIdentity(Array("sip:carol@example.org".utf8))

/// A PIDF document with these children of `presence`.
func pidf(_ content: String) -> [UInt8] {
    Array(
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" \
        xmlns:r="urn:ietf:params:xml:ns:pidf:rpid" entity="sip:alice@example.com">\(content)</presence>
        """.utf8)
}

/// A tuple of one service.
func tuple(_ id: String, _ basic: String = "open", contact: String? = nil, more: String = "") -> String {
    let contact = contact.map { "<contact>\($0)</contact>" } ?? ""
    return #"<tuple id="\#(id)"><status><basic>\#(basic)</basic></status>\#(more)\#(contact)</tuple>"#
}

func parsed(_ bytes: [UInt8]) throws -> XMLElement { try DocumentReader().read(bytes).root }

/// An agent, its presentity and its clock, as tests drive them: every commit succeeds at once.
final class Scene {
    var agent: PresenceAgent
    var presentity: PresentityID

    init(_ settings: PresenceSettings = PresenceSettings(), firstEntityTag: UInt64 = 1_000) {
        agent = PresenceAgent(settings: settings, firstEntityTag: firstEntityTag)
        presentity = agent.presentity(for: alice)
    }

    @discardableResult
    func publish(
        _ body: [UInt8], format: PublishedFormat = .pidf, ifMatch: EntityTag? = nil, expires: UInt32? = 3_600,
        at now: Instant = at(0)
    ) throws -> (tag: EntityTag, changes: PresenceChanges) {
        presentity = agent.presentity(for: alice)
        let request = PublishRequest(format: format, body: body, ifMatch: ifMatch?.text, expires: expires)
        let prepared = try agent.prepare(request, for: presentity, at: now)
        return (prepared.entityTag, agent.apply(prepared, at: now))
    }

    /// A watcher whose subscription has this number.
    func watch(
        _ subscription: UInt32, as identity: WatcherIdentity = bob, formats: AcceptedFormats = .pidf,
        filter: String? = nil, at now: Instant = at(0)
    ) throws -> WatcherID? {
        presentity = agent.presentity(for: alice)
        let request = WatchRequest(
            subscription: subscription, identity: identity, formats: formats, filter: filter.map { Array($0.utf8) },
            expires: now + .seconds(3_600 as Int64))
        return try agent.watch(request, of: presentity, at: now).watcher
    }

    func prepare(_ request: PublishRequest, at now: Instant) throws(PublicationRefusal) -> PreparedPublication {
        presentity = agent.presentity(for: alice)
        return try agent.prepare(request, for: presentity, at: now)
    }

    func advance(to now: Instant) -> PresenceChanges { agent.advance(to: now) }

    func restore(_ record: PublicationRecord, at now: Instant) -> Bool { agent.restore(record, at: now) }

    func setRules(_ rules: String?, at now: Instant = at(0)) throws -> PresenceChanges {
        presentity = agent.presentity(for: alice)
        return try agent.setRules(rules.map { Array($0.utf8) }, for: presentity, at: now)
    }

    func setRegistration(_ contacts: [BoundContact], at now: Instant = at(0)) -> PresenceChanges {
        presentity = agent.presentity(for: alice)
        return agent.setRegistration(contacts, for: presentity, at: now)
    }

    /// The newest state for a watcher, as bytes that have arrived.
    func received(by watcher: WatcherID, full: Bool = false) -> NotificationBody? {
        let body = agent.body(for: watcher, full: full)
        agent.delivered(watcher)
        return body
    }

    /// What a new watcher is shown.
    func seen(by identity: WatcherIdentity = bob, filter: String? = nil, at now: Instant = at(0)) throws -> XMLElement?
    {
        guard let watcher = try watch(9_999, as: identity, filter: filter, at: now) else { return nil }
        let body = agent.body(for: watcher, full: true)
        _ = agent.unwatch(watcher, because: .timeout, at: now)
        return try body.flatMap { $0.count == 0 ? nil : try parsed($0.bytes) }
    }
}

extension XMLElement {
    /// Ids of the tuples, in order.
    var tupleIDs: [String] {
        elements(named: ExpandedName(.pidf, "tuple")).compactMap { $0[attribute: "id"] }
    }

    /// The first element anywhere below with this local name.
    func first(_ local: String) -> XMLElement? {
        for case .element(let child) in children {
            if child.name.local == local { return child }
            if let found = child.first(local) { return found }
        }
        return nil
    }

    func all(_ local: String) -> [XMLElement] {
        children.compactMap(\.element).flatMap { ($0.name.local == local ? [$0] : []) + $0.all(local) }
    }
}

/// A random number generator that tests can repeat: splitmix64.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
