/// The formats in which a watcher takes presence documents, from the Accept header field of its SUBSCRIBE.
public struct AcceptedFormats: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `application/pidf+xml` (RFC 3856 section 6.5): every watcher takes it, also one that says nothing.
    public static let pidf = AcceptedFormats([])
    /// `application/pidf-diff+xml` (RFC 5263), preferred over PIDF.
    public static let pidfDiff = AcceptedFormats(rawValue: 1)
}

/// The body of one NOTIFY. The bytes are shared by all watchers of the same view; only the version counter is the watcher's own and
/// is put in while the bytes are copied out.
public struct NotificationBody: Sendable {
    let rendering: Rendering
    let version: UInt32
    /// What the body shows, for SIP-ETag (RFC 5839).
    public let entityTag: EntityTag
    /// Whether it is the whole state.
    public let isFull: Bool
    /// For Content-Type; nil when there is nothing to show and the NOTIFY has no body (RFC 4660 section 5.3.1).
    public var format: PublishedFormat? { rendering.format }

    /// Bytes of the body.
    public var count: Int { rendering.bytes.count + (rendering.versionOffset == nil ? 0 : digits) }

    private var digits: Int {
        var (count, rest) = (1, version / 10)
        while rest > 0 { (count, rest) = (count + 1, rest / 10) }
        return count
    }

    /// Writes the body behind what is there.
    public func append(to output: inout [UInt8]) {
        guard let offset = rendering.versionOffset else {
            output.append(contentsOf: rendering.bytes)
            return
        }
        output.append(contentsOf: rendering.bytes[..<offset])
        var divisor: UInt32 = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            output.append(0x30 + UInt8(version / divisor % 10))
            divisor /= 10
        }
        output.append(contentsOf: rendering.bytes[offset...])
    }

    public var bytes: [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(count)
        append(to: &output)
        return output
    }
}

/// A written document, with the place where a watcher's version belongs.
struct Rendering {
    static let nothing = Rendering(bytes: [], versionOffset: nil, format: nil)

    let bytes: [UInt8]
    /// Where the version number goes; nil for plain PIDF.
    let versionOffset: Int?
    let format: PublishedFormat?
}
