public import LinkProfiles

/// What a publication is called in the durable store, for as long as it lives and through all its entity-tags. They grow and are
/// never used again.
public struct PublicationID: Hashable, Comparable, Sendable {
    public var rawValue: Int64

    public init(_ rawValue: Int64) { self.rawValue = rawValue }

    public static func < (a: PublicationID, b: PublicationID) -> Bool { a.rawValue < b.rawValue }
}

/// A publication as the store keeps it, complete.
public struct PublicationRecord: Hashable, Sendable {
    public var number: PublicationID
    /// The presentity's canonical address-of-record.
    public var addressOfRecord: [UInt8]
    /// What SIP-If-Match must name.
    public var entityTag: EntityTag
    /// When the document was last stated; a refresh states nothing.
    public var stated: Instant
    /// `Instant.distantFuture` for state that does not expire.
    public var expires: Instant
    /// The name of the local source; empty for what a PUBLISH brought.
    public var source: [UInt8]
    /// A whole `application/pidf+xml` document, also where a difference was published.
    public var document: [UInt8]

    public init(
        number: PublicationID, addressOfRecord: [UInt8], entityTag: EntityTag, stated: Instant, expires: Instant,
        source: [UInt8] = [], document: [UInt8]
    ) {
        self.number = number
        self.addressOfRecord = addressOfRecord
        self.entityTag = entityTag
        self.stated = stated
        self.expires = expires
        self.source = source
        self.document = document
    }
}

/// What is to become durable of publications.
public enum PublicationChange: Hashable, Sendable {
    /// Write the record, or replace the one of the same number.
    case store(PublicationRecord)
    /// The document stays; tag and end change.
    case refresh(PublicationID, entityTag: EntityTag, expires: Instant)
    case remove(PublicationID)

    public var number: PublicationID {
        switch self {
        case .store(let record): record.number
        case .refresh(let number, _, _), .remove(let number): number
        }
    }
}
