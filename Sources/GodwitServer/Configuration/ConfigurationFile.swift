public import LinkProfiles
import SIPCore
import Transport

extension ServerConfiguration {
    /// Reads a configuration file; variables `GODWIT_…` override its keys.
    ///
    /// - Throws: ``SettingsFailure`` with file, line, key and reason of everything that cannot be accepted: unknown keys
    ///   and variables, wrong values, values that contradict each other, files that are named and not there.
    public static func load(
        path: String, environment: [String: String]
    ) throws(SettingsFailure) -> ServerConfiguration {
        let file = SettingsFile(path: path, variablePrefix: "GODWIT_", environment: environment)
        var reader = ConfigurationReader(file: file, directory: directory(of: path))
        return try reader.read()
    }

    /// Reads a configuration from text; relative paths in it are taken from `directory`.
    public static func parse(
        _ text: String, file name: String = "godwit.yaml", directory: String = ".", environment: [String: String] = [:]
    ) throws(SettingsFailure) -> ServerConfiguration {
        let file = SettingsFile(name: name, text: text, variablePrefix: "GODWIT_", environment: environment)
        var reader = ConfigurationReader(file: file, directory: directory)
        return try reader.read()
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

/// Reads the sections of the server's file one after the other.
struct ConfigurationReader {
    let file: SettingsFile
    /// Directory that relative paths in the file start from.
    let directory: String
    var root: SettingsSection { file.root }

    mutating func read() throws(SettingsFailure) -> ServerConfiguration {
        let domains = readDomains()
        let points = readListeningPoints()
        var configuration = ServerConfiguration(
            file: file.name, domains: domains, listeningPoints: points,
            dataDirectory: path(root.string("data-directory") ?? "data"))
        if let socket = root.string("admin-socket") { configuration.adminSocket = path(socket) }
        checkSocketLength(configuration.adminSocket)
        if let name = root.text("server-name") { configuration.serverName = name }
        root.duration("drain-timeout", in: .zero ... .seconds(3_600 as Int64)).map { configuration.drainTimeout = $0 }
        readSecurity(into: &configuration)
        readAuthentication(into: &configuration)
        readNeighbours(into: &configuration)
        readProfiles(into: &configuration)
        readSigComp(into: &configuration)
        readPresence(into: &configuration)
        readLimits(into: &configuration)
        readOperation(into: &configuration)
        try file.finish()
        return configuration
    }

    /// A path in the file, relative to the file's directory.
    func path(_ text: String) -> String {
        if text.hasPrefix("/") || directory == "." || directory.isEmpty { return text }
        return directory.hasSuffix("/") ? directory + text : "\(directory)/\(text)"
    }

    private func readDomains() -> [String] {
        guard let written = root.strings("domains") else {
            if !root.has("domains") { root.refuse("domains", "is needed: the domains to serve, such as [example.com]") }
            return []
        }
        let domains = written.map { $0.lowercased() }
        if domains.isEmpty {
            root.refuse("domains", "at least one domain to serve is needed, such as [example.com]")
        }
        for domain in domains where !HostPort.isDomainName(domain) && IPAddress(parsing: domain) == nil {
            root.refuse("domains", "`\(domain)` is neither a domain name nor an address")
        }
        if Set(domains).count < domains.count { root.refuse("domains", "names a domain twice") }
        return domains
    }

    private func readListeningPoints() -> [ListeningPoint] {
        guard let items = root.sections("listen", shorthand: "at") else {
            let anywhere = TransportAddress(ip: IPAddress(v4: 0), port: 5060)
            return [
                ListeningPoint(transport: .udp, address: anywhere), ListeningPoint(transport: .tcp, address: anywhere),
            ]
        }
        if items.isEmpty { root.refuse("listen", "at least one listening point is needed") }
        var points: [ListeningPoint] = []
        for item in items {
            guard let point = listeningPoint(item) else { continue }
            let isTwice = points.contains {
                $0.transport == point.transport && $0.address == point.address && point.address.port != 0
            }
            if isTwice { item.refuse("at", "is listed twice") } else { points.append(point) }
        }
        return points
    }

    private func listeningPoint(_ item: SettingsSection) -> ListeningPoint? {
        let advertised = item.string("advertise").flatMap { text -> HostPort? in
            let hostPort = HostPort(text)
            if hostPort == nil { item.refuse("advertise", "`\(text)` is not a host with an optional port") }
            return hostPort
        }
        guard let text = item.string("at") else {
            if !item.has("at") { item.refuse("at", "is needed, such as udp:0.0.0.0:5060") }
            return nil
        }
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2, let transport = SIPTransport(uriToken: parts[0]) else {
            item.refuse("at", "`\(text)` does not begin with udp:, tcp: or tls:")
            return nil
        }
        guard let address = HostPort(parts[1])?.address else {
            item.refuse(
                "at",
                "`\(parts[1])` is not an IP address with a port, such as 0.0.0.0:5060 or [::]:5060; "
                    + "names go into `advertise`")
            return nil
        }
        let hasPort =
            parts[1].hasPrefix("[") ? parts[1].contains("]:") : parts[1].contains(".") && parts[1].contains(":")
        return ListeningPoint(
            transport: transport,
            address: hasPort
                ? address : TransportAddress(ip: address.ip, port: transport.defaultPort),
            advertisedHost: advertised.map { $0.host.contains(":") ? "[\($0.host)]" : $0.host },
            advertisedPort: advertised.flatMap { $0.port == 0 ? nil : $0.port },
            offersSigComp: item.flag("sigcomp") ?? true)
    }

    private func checkSocketLength(_ path: String) {
        // sun_path holds 108 bytes with its final zero (unix(7)).
        if path.utf8.count > 107 {
            root.refuse("admin-socket", "`\(path)` is longer than the 107 bytes a socket path may have")
        }
    }
}
