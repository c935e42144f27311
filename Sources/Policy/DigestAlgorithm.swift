/// A hash algorithm of digest authentication (RFC 7616 section 6.1, RFC 8760 section 2.1).
public enum DigestAlgorithm: UInt8, Hashable, Sendable, CaseIterable {
    case md5
    case sha256
    case sha512_256

    /// The token of the `algorithm` parameter, and the key in ``Account/digests``.
    public var token: String { staticToken.description }

    var staticToken: StaticString {
        switch self {
        case .md5: "MD5"
        case .sha256: "SHA-256"
        case .sha512_256: "SHA-512-256"
        }
    }

    /// The algorithm of that token, in any case; nil for others, the `-sess` variants included.
    public init?(token: some StringProtocol) {
        switch token.uppercased() {
        case "MD5": self = .md5
        case "SHA-256": self = .sha256
        case "SHA-512-256": self = .sha512_256
        default: return nil
        }
    }

    /// Bytes of a hash.
    public var length: Int { self == .md5 ? 16 : 32 }
}
