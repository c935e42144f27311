public import SIPCore

/// What a dialog consists of (RFC 3261 section 12), without its sequence numbers: identifiers, URIs, remote target and route
/// set.
///
/// It is one array of bytes, both in memory and in the Message Store: a format, flags, where each part ends, and the parts
/// one behind the other. A subscription's dialog takes 150 to 300 bytes.
///
/// | offset | what |
/// |---|---|
/// | 0 | format, 1 |
/// | 1 | flags: 1 strict routing, 2 secure |
/// | 2 | ends of the seven parts, two bytes each, the lower first, counted from offset 16 |
/// | 16 | Call-ID, local tag, remote tag, local URI, remote URI, remote target, route set |
public struct Dialog: Hashable, Sendable {
    /// The dialog as the store keeps it.
    public private(set) var bytes: [UInt8]

    /// Longest dialog, in bytes; what a peer says beyond that is not kept.
    public static let maximumLength = 4_096

    private static let format: UInt8 = 1
    private static let headLength = 16
    private static let strict: UInt8 = 1
    private static let secure: UInt8 = 2

    enum Part: Int, CaseIterable {
        case callID, localTag, remoteTag, localURI, remoteURI, remoteTarget, routeSet
    }

    /// Takes over what the store holds; nil when that is no dialog.
    public init?(bytes: [UInt8]) {
        guard bytes.count >= Self.headLength, bytes.count <= Self.maximumLength, bytes[0] == Self.format,
            bytes[1] & ~(Self.strict | Self.secure) == 0
        else { return nil }
        self.bytes = bytes
        var start = 0
        for part in Part.allCases {
            let end = end(of: part)
            guard end >= start else { return nil }
            start = end
        }
        guard start == bytes.count - Self.headLength, !callID.isEmpty, !remoteTarget.isEmpty else { return nil }
    }

    init(parts: [[UInt8]], isStrict: Bool, isSecure: Bool) throws(DialogFailure) {
        let length = parts.reduce(Self.headLength) { $0 + $1.count }
        guard length <= Self.maximumLength else { throw .tooLong }
        bytes = []
        bytes.reserveCapacity(length)
        bytes.append(Self.format)
        bytes.append((isStrict ? Self.strict : 0) | (isSecure ? Self.secure : 0))
        var end = 0
        for part in parts {
            end += part.count
            bytes.append(UInt8(truncatingIfNeeded: end))
            bytes.append(UInt8(truncatingIfNeeded: end >> 8))
        }
        for part in parts { bytes.append(contentsOf: part) }
    }

    public var callID: ArraySlice<UInt8> { self[.callID] }
    /// The tag this side gave.
    public var localTag: ArraySlice<UInt8> { self[.localTag] }
    /// The tag the other side gave; empty for an RFC 2543 peer that gave none.
    public var remoteTag: ArraySlice<UInt8> { self[.remoteTag] }
    public var localURI: ArraySlice<UInt8> { self[.localURI] }
    public var remoteURI: ArraySlice<UInt8> { self[.remoteURI] }
    /// The URI in the other side's Contact.
    public var remoteTarget: ArraySlice<UInt8> { self[.remoteTarget] }
    /// URIs in angle brackets, with commas between them; empty when there are no proxies in the way.
    public var routeSet: ArraySlice<UInt8> { self[.routeSet] }

    /// Whether the first proxy of the route set is a strict router, which lacks `lr` (section 12.2.1.1).
    public var isStrictlyRouted: Bool { bytes[1] & Self.strict != 0 }
    /// The "secure" flag: the dialog was made over TLS with a SIPS URI, and a Contact of this side has to be one too.
    public var isSecure: Bool { bytes[1] & Self.secure != 0 }

    /// The URI whose host a request in the dialog is sent to: the first route, or the remote target (section 8.1.2).
    public var nextHop: ArraySlice<UInt8> {
        let routes = routeSet
        guard !routes.isEmpty else { return remoteTarget }
        return firstRoute(routes)
    }

    /// Whether a message of the other side belongs to the dialog: a request it sent, or a response to one of ours is told by
    /// its transaction.
    public func matches(_ request: SIPMessage) -> Bool {
        request[request.to.tag] == localTag && request[request.from.tag] == remoteTag
            && request[request.callID] == callID
    }

    /// The first URI, without brackets.
    func firstRoute(_ routes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let end = routes.firstIndex(of: UInt8(ascii: ">")) ?? routes.endIndex
        return routes[min(routes.startIndex + 1, end)..<end]
    }

    private subscript(part: Part) -> ArraySlice<UInt8> { bytes[range(of: part)] }

    /// Where a part stands in ``bytes``.
    func range(of part: Part) -> Range<Int> {
        let start = part == .callID ? 0 : end(of: part, back: 1)
        return (Self.headLength + start)..<(Self.headLength + end(of: part))
    }

    private func end(of part: Part, back: Int = 0) -> Int {
        let index = 2 + 2 * (part.rawValue - back)
        return Int(bytes[index]) | Int(bytes[index + 1]) << 8
    }

    /// The same dialog with another remote target (a target refresh).
    mutating func replaceTarget(with target: [UInt8]) throws(DialogFailure) {
        var parts = Part.allCases.map { Array(self[$0]) }
        parts[Part.remoteTarget.rawValue] = target
        self = try Dialog(parts: parts, isStrict: isStrictlyRouted, isSecure: isSecure)
    }
}
