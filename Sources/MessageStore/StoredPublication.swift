public import LinkProfiles

/// A publication as it is kept durably (RFC 3903): one row of table `publication` and one of `publication_body`.
public struct StoredPublication: Hashable, Sendable {
    public var number: PublicationNumber
    /// The address-of-record that is published for.
    public var resource: AddressNumber
    /// The event package, such as `presence`.
    public var event: String
    /// The entity-tag given out last (RFC 3903 section 6).
    public var entityTag: String
    /// Who published: the authenticated identity, or the name of a source of our own.
    public var source: String
    /// When the publication was made.
    public var createdAt: Instant
    /// When its content changed last.
    public var modifiedAt: Instant
    public var expiresAt: Instant
    public var contentType: String
    /// The published state, whole, also where it came in parts (RFC 5264).
    public var body: [UInt8]

    public init(
        number: PublicationNumber, resource: AddressNumber, event: String, entityTag: String, source: String,
        createdAt: Instant, modifiedAt: Instant, expiresAt: Instant, contentType: String, body: [UInt8]
    ) {
        self.number = number
        self.resource = resource
        self.event = event
        self.entityTag = entityTag
        self.source = source
        self.createdAt = createdAt
        self.modifiedAt = modifiedAt
        self.expiresAt = expiresAt
        self.contentType = contentType
        self.body = body
    }
}
