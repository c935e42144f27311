internal import NIOSSL

/// The SIP domain identities of a certificate (RFC 5922 section 7.1).
public struct CertificateNames: Hashable, Sendable {
    /// Hosts of `sip` URIs without a user among the subject alternative names.
    public var sipDomains: [String] = []
    /// dNSName values among the subject alternative names.
    public var dnsNames: [String] = []
    /// iPAddress values, four or sixteen bytes each.
    public var addresses: [[UInt8]] = []
    /// Whether the certificate has subject alternative names at all.
    public var hasAlternativeNames = false
    /// The last common name of the subject.
    public var commonName: String?

    public init() {}

    init(of certificate: NIOSSLCertificate) {
        for name in certificate._subjectAlternativeNames() {
            hasAlternativeNames = true
            switch name.nameType {
            case .uri:
                if let domain = Self.sipDomain(ofURI: String(decoding: name.contents, as: UTF8.self)) {
                    sipDomains.append(domain)
                }
            case .dnsName:
                dnsNames.append(String(decoding: name.contents, as: UTF8.self))
            case .ipAddress:
                addresses.append(Array(name.contents))
            default:
                break
            }
        }
        commonName = certificate.subjectName.last { $0.type == .commonName }?.value
    }

    /// The identities of the certificate: `sip` URIs; without any, dNSNames; without alternative names, the common name.
    public var identities: [String] {
        if !sipDomains.isEmpty { return sipDomains }
        if hasAlternativeNames { return dnsNames }
        return commonName.map { [$0] } ?? []
    }

    /// Whether the certificate authenticates a domain (RFC 5922 section 7.2): whole names, no wildcards, no suffixes,
    /// ASCII letters in either case.
    public func authenticates(_ domain: String) -> Bool {
        let wanted = Self.normal(domain)
        guard !wanted.isEmpty else { return false }
        return identities.contains { Self.normal($0) == wanted }
    }

    /// The host of a `sip` URI that names a domain and not a user of it.
    static func sipDomain(ofURI uri: String) -> String? {
        let bytes = Array(uri.utf8)
        guard bytes.count > 4, uri.prefix(4).lowercased() == "sip:" else { return nil }
        let rest = bytes[4...]
        guard !rest.contains(UInt8(ascii: "@")) else { return nil }
        let end =
            rest.firstIndex { [UInt8(ascii: ";"), UInt8(ascii: "?"), UInt8(ascii: ":")].contains($0) } ?? rest.endIndex
        let host = rest[rest.startIndex..<end]
        return host.isEmpty ? nil : String(decoding: host, as: UTF8.self)
    }

    /// Lower-cased ASCII without the final dot of an absolute name.
    private static func normal(_ name: String) -> [UInt8] {
        var bytes = name.utf8.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        return bytes
    }
}
