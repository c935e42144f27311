import LinkProfiles

/// One publication that lives: what one device, or one local source, says of the presentity.
struct Publication {
    let number: PublicationID
    var entityTag: EntityTag
    var stated: Instant
    var expires: Instant
    /// Empty for what a PUBLISH brought.
    let source: [UInt8]
    var document: PublishedDocument
    /// Whether a change to it is being committed.
    var isReserved = false

    func record(of addressOfRecord: [UInt8]) -> PublicationRecord {
        PublicationRecord(
            number: number, addressOfRecord: addressOfRecord, entityTag: entityTag, stated: stated, expires: expires,
            source: source, document: document.stored)
    }
}

/// A change to a publication that has been checked and waits for its commit. It changes nothing before
/// ``PresenceAgent/apply(_:at:)``, and nothing ever after ``PresenceAgent/abandon(_:)``.
public struct PreparedPublication: Sendable {
    /// For SIP-ETag.
    public let entityTag: EntityTag
    /// For Expires: what was granted, in seconds.
    public let expires: UInt32
    /// To be committed before the answer goes out.
    public let change: PublicationChange

    let presentity: PresentityID
    /// The new document; nil where the old one stays.
    let document: PublishedDocument?
}
