/// A PUBLISH for the event package "presence", as far as the compositor looks at it (RFC 3903 section 6, steps 3 to 5).
public struct PublishRequest: Sendable {
    /// The body's type; nil when it is not one of ``PublishedFormat`` (415). Without a body it does not matter.
    public var format: PublishedFormat?
    /// Empty for a refresh and a removal.
    public var body: [UInt8]
    /// The single entity-tag of SIP-If-Match, as written.
    public var ifMatch: [UInt8]?
    /// Seconds of the Expires header field; nil leaves the choice to the compositor.
    public var expires: UInt32?

    public init(format: PublishedFormat?, body: [UInt8], ifMatch: [UInt8]? = nil, expires: UInt32? = nil) {
        self.format = format
        self.body = body
        self.ifMatch = ifMatch
        self.expires = expires
    }
}

/// The bodies a PUBLISH of presence may have.
public enum PublishedFormat: Hashable, Sendable, CaseIterable {
    /// RFC 3863.
    case pidf
    /// RFC 5262, full or partial.
    case pidfDiff

    /// - Parameter mediaType: type and subtype without parameters; case does not matter.
    public init?(mediaType: some Collection<UInt8>) {
        guard let match = Self.allCases.first(where: { $0.matches(mediaType) }) else { return nil }
        self = match
    }

    public var mediaType: StaticString {
        switch self {
        case .pidf: "application/pidf+xml"
        case .pidfDiff: "application/pidf-diff+xml"
        }
    }

    private func matches(_ text: some Collection<UInt8>) -> Bool {
        mediaType.withUTF8Buffer { own in
            own.elementsEqual(text) { $0 == ($1 >= 0x41 && $1 <= 0x5A ? $1 | 0x20 : $1) }
        }
    }
}
