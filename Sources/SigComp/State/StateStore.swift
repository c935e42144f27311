/// All states of an endpoint, found by the first bytes of their identifiers. Each is kept once, however many compartments
/// created it (RFC 3320, section 6.2), and for as long as one of them or the endpoint holds it.
public final class StateStore {
    public let hash: StateHash
    private var buckets: [UInt64: StateItem] = [:]
    /// The number of different states.
    public private(set) var count = 0
    /// The bytes of their values.
    public private(set) var valueBytes = 0

    public init(hash: StateHash = StateHash()) {
        self.hash = hash
    }

    /// The state that a partial identifier names.
    ///
    /// Fails with ``DecompressionFailureReason/stateNotFound`` (also when too few bytes were given) or
    /// ``DecompressionFailureReason/idNotUnique``.
    public func access(_ identifier: PartialStateIdentifier) throws(DecompressionFailureReason) -> StateItem {
        var found: StateItem?
        var candidate = buckets[identifier.bucket]
        while let item = candidate {
            if identifier.matches(item.identifier) {
                guard found == nil else { throw .idNotUnique }
                found = item
            }
            candidate = item.alike
        }
        guard let found, identifier.length >= Int(found.minimumAccessLength) else { throw .stateNotFound }
        return found
    }

    /// The state with exactly this identifier.
    public func item(_ identifier: StateIdentifier) -> StateItem? {
        var candidate = buckets[identifier.bucket]
        while let item = candidate, item.identifier != identifier { candidate = item.alike }
        return candidate
    }

    /// Adds a holder to an item, and the item itself if it is new.
    ///
    /// - Returns: the stored item, which may be an older one of the same content; nil when an item of the same identifier
    ///   but other content exists.
    func hold(_ item: StateItem) -> StateItem? {
        if let stored = self.item(item.identifier) {
            guard stored === item || stored.isIdentical(to: item) else { return nil }
            stored.holders += 1
            return stored
        }
        item.alike = buckets[item.identifier.bucket]
        buckets[item.identifier.bucket] = item
        item.holders = 1
        count += 1
        valueBytes += item.value.count
        return item
    }

    /// Takes a holder away, and the item itself with the last.
    func release(_ item: StateItem) {
        item.holders -= 1
        guard item.holders == 0 else { return }
        let bucket = item.identifier.bucket
        if buckets[bucket] === item {
            buckets[bucket] = item.alike
        } else {
            var before = buckets[bucket]
            while let current = before, current.alike !== item { before = current.alike }
            before?.alike = item.alike
        }
        item.alike = nil
        count -= 1
        valueBytes -= item.value.count
    }
}
