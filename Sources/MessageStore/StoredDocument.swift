public import LinkProfiles

/// Names a document as XCAP does (RFC 4825 section 6): presence rules (RFC 5025) are `pres-rules`, `index`.
public struct DocumentName: Hashable, Comparable, Sendable {
    /// The application usage's identifier (AUID).
    public var application: String
    /// The address-of-record whose document it is; empty for the operator's own, which holds for everyone.
    public var owner: String
    public var name: String

    public init(application: String, owner: String, name: String = "index") {
        self.application = application
        self.owner = owner
        self.name = name
    }

    /// The operator's document before those of users.
    public static func < (a: DocumentName, b: DocumentName) -> Bool {
        (a.application, a.owner, a.name) < (b.application, b.owner, b.name)
    }
}

/// A document that somebody provisioned: one row of table `document`.
public struct StoredDocument: Hashable, Sendable {
    public var name: DocumentName
    public var modifiedAt: Instant
    public var body: [UInt8]

    public init(name: DocumentName, modifiedAt: Instant, body: [UInt8]) {
        self.name = name
        self.modifiedAt = modifiedAt
        self.body = body
    }
}
