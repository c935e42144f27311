public import Engine
public import LinkProfiles
public import Logging
public import Transport

/// Everything `godwit serve` is told: one YAML file, overridden by environment variables. See `docs/configuration.md`.
///
/// Paths are absolute or relative to the working directory of the process; those written in the file have been taken from
/// the directory that holds it.
public struct ServerConfiguration: Sendable {
    /// The file it was read from.
    public var file: String
    /// Domains this server is responsible for, lower case.
    public var domains: [String]
    public var listeningPoints: [ListeningPoint]
    /// Directory of the database, the installation's secret and, unless set otherwise, the admin socket.
    public var dataDirectory: String
    public var security: SecuritySettings
    public var authentication: AuthenticationConfiguration
    public var trustedPeers: [TrustedPeer] = []
    public var routes: [DomainRoute] = []
    /// Profiles by name; `lan` is always there.
    public var profiles: [String: LinkProfile] = ["lan": LinkProfile()]
    /// Directory the profiles were read from; nil for the built-in `lan` alone.
    public var profilesDirectory: String?
    public var profileRules: [ProfileRule] = []
    /// Path of the UNIX-domain socket for operators.
    public var adminSocket: String
    public var limits = EngineLimits()
    public var presence = PresenceConfiguration()
    public var connections = ConnectionLimits()
    public var store = StoreSettings()
    public var sigcomp = SigCompSettings()
    public var log = LogSettings()
    public var dns = NextHopResolver.Configuration()
    /// Value of the Server header; empty for none.
    public var serverName = "Godwit"
    /// How long open transactions may take to finish after SIGTERM.
    public var drainTimeout: TimeSpan = .seconds(10 as Int64)

    public init(file: String, domains: [String], listeningPoints: [ListeningPoint], dataDirectory: String) {
        self.file = file
        self.domains = domains
        self.listeningPoints = listeningPoints
        self.dataDirectory = dataDirectory
        security = SecuritySettings()
        authentication = AuthenticationConfiguration()
        authentication.isRequired = true
        adminSocket = dataDirectory + "/admin.sock"
    }

    /// Path of the SQLite database.
    public var databasePath: String { dataDirectory + "/godwit.sqlite" }
    /// Path of the file with the installation's 32 secret bytes.
    public var secretPath: String { dataDirectory + "/secret" }
    /// Realm of challenges: the configured one, else the first domain.
    public var realm: String { authentication.realm.isEmpty ? domains.first ?? "" : authentication.realm }
}

/// How many connections, and how much waiting on them, the sockets bear.
public struct ConnectionLimits: Hashable, Sendable {
    public var connections = 50_000
    public var connectionsPerSource = 1_000
    /// Bytes waiting for a peer to read them before its connection is closed.
    public var pendingBytes = 4 * 1_048_576

    public init() {}
}

/// How the store is used.
public struct StoreSettings: Hashable, Sendable {
    /// Commands committed as one group at most.
    public var groupLimit = 1_000

    public init() {}
}

/// What is logged, and how.
public struct LogSettings: Hashable, Sendable {
    public enum Format: String, Hashable, Sendable, CaseIterable { case text, json }

    public var level: Logger.Level = .info
    public var format: Format = .text

    public init() {}
}
