internal import Glibc
internal import NIOSSL

/// Whether a TLS client has to show a certificate.
public enum ClientCertificatePolicy: String, Hashable, Sendable, CaseIterable {
    /// Not asked for.
    case none
    /// Asked for; one that is shown must be valid.
    case request
    /// A connection without a valid one is refused.
    case require
}

/// Names of the files TLS needs, all PEM.
public struct SecuritySettings: Hashable, Sendable {
    /// The server's certificate, followed by its intermediate ones.
    public var certificateChain: String?
    /// The key of the server's certificate.
    public var privateKey: String?
    /// A certificate to show to servers; `nil` shows the server's own.
    public var clientCertificateChain: String?
    /// The key of `clientCertificateChain`.
    public var clientPrivateKey: String?
    /// A file, or a directory with hashed names, of certificates to trust; `nil` trusts what the system trusts.
    public var trustRoots: String?
    /// Whether clients have to show a certificate.
    public var clientCertificates: ClientCertificatePolicy = .none

    public init() {}
}

/// Loaded certificates, keys and trust, ready for handshakes: TLS 1.2 and later.
public struct SecurityContexts: Sendable {
    let server: NIOSSLContext?
    let client: NIOSSLContext
    let clientCertificates: ClientCertificatePolicy
    /// Seconds since 1970 at which the server's certificate ends; `nil` without one.
    public let serverCertificateExpiry: Int64?
    /// The identities in the server's certificate (RFC 5922 section 7.1).
    public let serverNames: CertificateNames?

    /// Reads the files. Blocks while it does.
    ///
    /// - Throws: ``TransportFailure`` naming the file that cannot be used.
    public init(loading settings: SecuritySettings) throws(TransportFailure) {
        let chain = try Self.certificates(settings.certificateChain)
        let key = try Self.key(settings.privateKey)
        let clientChain = try Self.certificates(settings.clientCertificateChain)
        let clientKey = try Self.key(settings.clientPrivateKey)
        if chain.isEmpty != (key == nil) || clientChain.isEmpty != (clientKey == nil) {
            throw .unusableCertificates(reason: "a certificate needs its key, and a key its certificate")
        }
        let roots: NIOSSLTrustRoots
        if let path = settings.trustRoots {
            if !Self.isDirectory(path) { _ = try Self.certificates(path) }
            roots = .file(path)
        } else {
            roots = .default
        }

        if let key {
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
            configuration.minimumTLSVersion = .tlsv12
            configuration.trustRoots = roots
            switch settings.clientCertificates {
            case .none: configuration.certificateVerification = .none
            case .request: configuration.certificateVerification = .optionalVerification
            case .require: configuration.certificateVerification = .noHostnameVerification
            }
            server = try Self.context(configuration)
        } else {
            server = nil
        }

        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.trustRoots = roots
        configuration.certificateVerification = .noHostnameVerification
        configuration.certificateChain = (clientChain.isEmpty ? chain : clientChain).map { .certificate($0) }
        configuration.privateKey = (clientKey ?? key).map { .privateKey($0) }
        client = try Self.context(configuration)

        clientCertificates = settings.clientCertificates
        serverCertificateExpiry = chain.first.map { Int64($0.notValidAfter) }
        serverNames = chain.first.map { CertificateNames(of: $0) }
    }

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func certificates(_ path: String?) throws(TransportFailure) -> [NIOSSLCertificate] {
        guard let path else { return [] }
        let found: [NIOSSLCertificate]
        do {
            found = try NIOSSLCertificate.fromPEMFile(path)
        } catch {
            throw .unusableFile(path: path, reason: "not a readable PEM certificate (\(error))")
        }
        guard !found.isEmpty else { throw .unusableFile(path: path, reason: "no certificate in it") }
        return found
    }

    private static func key(_ path: String?) throws(TransportFailure) -> NIOSSLPrivateKey? {
        guard let path else { return nil }
        do {
            return try NIOSSLPrivateKey(file: path, format: .pem)
        } catch {
            throw .unusableFile(path: path, reason: "not a readable PEM private key (\(error))")
        }
    }

    private static func context(_ configuration: TLSConfiguration) throws(TransportFailure) -> NIOSSLContext {
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw .unusableCertificates(reason: "\(error)")
        }
    }
}
