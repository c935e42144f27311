/// Why the transport could not start, or could not take new certificates.
public enum TransportFailure: Error, Hashable, CustomStringConvertible {
    /// The listening point at this index could not be bound.
    case cannotListen(at: String, reason: String)
    /// A file with a certificate, a key or trust roots could not be used.
    case unusableFile(path: String, reason: String)
    /// Certificate and key do not belong together, or TLS refused them.
    case unusableCertificates(reason: String)
    /// A TLS listening point is configured and no server certificate.
    case missingCertificate
    /// The system's resolver library could not be set up.
    case resolverUnavailable(reason: String)

    public var description: String {
        switch self {
        case .cannotListen(let at, let reason): "cannot listen at \(at): \(reason)"
        case .unusableFile(let path, let reason): "cannot use \(path): \(reason)"
        case .unusableCertificates(let reason): "cannot use the TLS certificates: \(reason)"
        case .missingCertificate: "a TLS listening point needs a certificate and its key"
        case .resolverUnavailable(let reason): "cannot set up DNS: \(reason)"
        }
    }
}
