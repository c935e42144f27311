import Engine
import Foundation
import LinkProfiles
import Logging
import Policy
import SIPCore
import Transport

extension ConfigurationReader {
    func readSecurity(into configuration: inout ServerConfiguration) {
        let tls = root.section("tls")
        var security = SecuritySettings()
        security.certificateChain = existingFile("certificate", in: tls)
        security.privateKey = existingFile("key", in: tls)
        security.trustRoots = existingFile("trust", in: tls)
        security.clientCertificateChain = existingFile("outgoing-certificate", in: tls)
        security.clientPrivateKey = existingFile("outgoing-key", in: tls)
        tls.choice("client-certificate", ClientCertificatePolicy.self).map { security.clientCertificates = $0 }
        if (security.certificateChain == nil) != (security.privateKey == nil) {
            tls.refuse(security.privateKey == nil ? "key" : "certificate", "certificate and key are needed together")
        }
        if (security.clientCertificateChain == nil) != (security.clientPrivateKey == nil) {
            tls.refuse(
                security.clientPrivateKey == nil ? "outgoing-key" : "outgoing-certificate",
                "outgoing-certificate and outgoing-key are needed together")
        }
        if security.certificateChain == nil, configuration.listeningPoints.contains(where: { $0.transport == .tls }) {
            tls.refuse("certificate", "`listen` has a TLS entry; it needs tls.certificate and tls.key")
        }
        configuration.security = security
    }

    func readAuthentication(into configuration: inout ServerConfiguration) {
        let section = root.section("authentication")
        section.flag("required").map { configuration.authentication.isRequired = $0 }
        if let realm = section.string("realm") {
            if realm.contains("\"") || realm.contains("\\") {
                section.refuse("realm", "must not hold quotes or backslashes")
            }
            configuration.authentication.realm = realm
        }
        if let algorithms = section.strings("algorithms") {
            let known = [DigestAlgorithm.sha256, .sha512_256, .md5]
            let wanted = algorithms.compactMap { name in
                let algorithm = known.first { $0.token == name }
                if algorithm == nil {
                    section.refuse(
                        "algorithms", "`\(name)` is none of \(known.map(\.token).joined(separator: ", "))")
                }
                return algorithm
            }
            if Set(wanted).count < wanted.count { section.refuse("algorithms", "names an algorithm twice") }
            if algorithms.isEmpty { section.refuse("algorithms", "at least one is needed") }
            configuration.authentication.algorithms = wanted
        }
        section.duration("nonce-lifetime", in: .seconds(10 as Int64) ... .seconds(86_400 as Int64))
            .map { configuration.authentication.nonceLifetime = $0 }
    }

    func readNeighbours(into configuration: inout ServerConfiguration) {
        for text in root.strings("trusted-peers") ?? [] {
            if let network = NetworkPrefix(text) {
                configuration.trustedPeers.append(TrustedPeer(network: network))
            } else if let address = HostPort(text)?.address, address.port > 0 {
                let network = NetworkPrefix(high: address.ip.high, low: address.ip.low, length: 128)
                configuration.trustedPeers.append(TrustedPeer(network: network, port: address.port))
            } else {
                root.refuse(
                    "trusted-peers",
                    "`\(text)` is neither an IP address, with a port or without, nor a network (10.0.0.0/8)")
            }
        }
        for route in root.sections("routes") ?? [] {
            guard let domain = required("domain", in: route)?.lowercased(),
                let text = required("next-hop", in: route)
            else { continue }
            if !HostPort.isDomainName(domain) { route.refuse("domain", "`\(domain)` is not a domain name") }
            if configuration.domains.contains(domain) {
                route.refuse("domain", "`\(domain)` is served here; it cannot be routed away")
            }
            if configuration.routes.contains(where: { $0.domain == domain }) {
                route.refuse("domain", "`\(domain)` has a route already")
            }
            do throws(NextHop.Refusal) {
                let hop = try NextHop(text)
                configuration.routes.append(
                    DomainRoute(domain: domain, host: hop.host, port: hop.port, transport: hop.transport))
            } catch {
                route.refuse("next-hop", error.reason)
            }
        }
    }

    func readProfiles(into configuration: inout ServerConfiguration) {
        if let directory = root.string("profiles-directory") {
            let directory = path(directory)
            do throws(SettingsFailure) {
                configuration.profiles = try LinkProfileDirectory.load(path: directory)
                configuration.profilesDirectory = directory
            } catch {
                for problem in error.problems { root.refuse("profiles-directory", problem.description) }
            }
        }
        for item in root.sections("profile-rules") ?? [] {
            guard let name = required("profile", in: item) else { continue }
            var rule = ProfileRule(profile: name)
            if configuration.profiles[name] == nil {
                let known = configuration.profiles.keys.sorted().joined(separator: ", ")
                item.refuse("profile", "there is no profile `\(name)`; known: \(known)")
            }
            if let text = item.string("network") {
                rule.network = NetworkPrefix(text)
                if rule.network == nil {
                    item.refuse("network", "`\(text)` is neither an IP address nor a network such as 10.0.0.0/8")
                }
            }
            rule.transport = item.choice("transport", RuleTransport.self)?.rawValue
            if let account = item.string("account") {
                rule.account = Self.account(account)
                if rule.account == nil { item.refuse("account", "`\(account)` is not of the form user@domain") }
            }
            configuration.profileRules.append(rule)
        }
    }

    func readLimits(into configuration: inout ServerConfiguration) {
        let quotas = root.section("quotas")
        let many = 0...1_000_000_000
        let bytes = 0...1 << 40
        var policy = configuration.limits.quotas
        quotas.integer("messages-per-recipient", in: many).map { policy.perRecipient.messages = $0 }
        quotas.size("bytes-per-recipient", in: bytes).map { policy.perRecipient.bytes = $0 }
        quotas.integer("messages-per-sender", in: many).map { policy.perSender.messages = $0 }
        quotas.size("bytes-per-sender", in: bytes).map { policy.perSender.bytes = $0 }
        quotas.integer("messages-in-all", in: many).map { policy.messagesInAll = $0 }
        configuration.limits.quotas = policy

        let limits = root.section("limits")
        limits.integer("bindings-per-user", in: 1...1_000).map { configuration.limits.bindingsPerUser = $0 }
        limits.integer("max-breadth", in: 1...1_000).map { configuration.limits.maxBreadth = $0 }
        limits.integer("open-requests", in: 1_000...10_000_000).map { configuration.limits.openContexts = $0 }
        limits.integer("relays-in-line", in: 1...1_000_000).map { configuration.limits.relaysInLine = $0 }
        limits.integer("constrained-endpoints", in: 1...10_000_000).map { configuration.limits.downlinks = $0 }
        configuration.limits.perSource = rate("per-source", in: limits)
        configuration.limits.perIdentity = rate("per-identity", in: limits)
        limits.integer("connections", in: 1...1_000_000).map { configuration.connections.connections = $0 }
        limits.integer("connections-per-source", in: 1...1_000_000)
            .map { configuration.connections.connectionsPerSource = $0 }
        limits.size("pending-bytes-per-connection", in: 65_536...1 << 30)
            .map { configuration.connections.pendingBytes = $0 }
    }

    func readOperation(into configuration: inout ServerConfiguration) {
        let store = root.section("store")
        let days = TimeSpan.seconds(86_400 as Int64)
        store.duration("duplicate-window", in: .seconds(60 as Int64)...days * 30)
            .map { configuration.limits.duplicateWindow = $0 }
        store.duration("history", in: .zero...days * 365).map { configuration.limits.historyRetention = $0 }
        store.integer("group-limit", in: 1...100_000).map { configuration.store.groupLimit = $0 }
        store.integer("pending-commands", in: 1_000...10_000_000).map { configuration.limits.pendingStoreCommands = $0 }

        let log = root.section("log")
        log.choice("level").map { configuration.log.level = $0 }
        log.choice("format", LogSettings.Format.self).map { configuration.log.format = $0 }

        let dns = root.section("dns")
        for text in dns.strings("servers") ?? [] {
            guard var address = HostPort(text)?.address else {
                dns.refuse("servers", "`\(text)` is not an IP address with an optional port")
                continue
            }
            if address.port == 0 { address.port = 53 }
            configuration.dns.servers.append(address)
        }
        dns.duration("timeout", in: .milliseconds(50) ... .seconds(60 as Int64))
            .map { configuration.dns.timeoutMilliseconds = Int($0.microseconds / 1_000) }
        dns.integer("tries", in: 1...10).map { configuration.dns.tries = $0 }
        dns.flag("ipv4").map { configuration.dns.usesIPv4 = $0 }
        dns.flag("ipv6").map { configuration.dns.usesIPv6 = $0 }
        dns.flag("prefer-ipv6").map { configuration.dns.prefersIPv6 = $0 }
        configuration.dns.transports = [SIPTransport.udp, .tcp, .tls].filter { transport in
            configuration.listeningPoints.contains { $0.transport == transport }
        }
        if !configuration.dns.usesIPv4, !configuration.dns.usesIPv6 {
            dns.refuse("ipv6", "ipv4 and ipv6 cannot both be off")
        }
    }

    /// `requests-per-source` and `request-burst-per-source`, and the like.
    private func rate(_ kind: String, in limits: SettingsSection) -> RateLimit {
        let perSecond = limits.integer("requests-\(kind)", in: 0...1_000_000) ?? 0
        let burst = limits.integer("request-burst-\(kind)", in: 0...1_000_000) ?? 0
        return RateLimit(perSecond: perSecond, burst: burst)
    }

    func required(_ key: String, in section: SettingsSection) -> String? {
        if let text = section.string(key) { return text }
        if !section.has(key) { section.refuse(key, "is needed") }
        return nil
    }

    func existingFile(_ key: String, in section: SettingsSection) -> String? {
        guard let text = section.string(key) else { return nil }
        let file = path(text)
        if !FileManager.default.fileExists(atPath: file) { section.refuse(key, "no such file: \(file)") }
        return file
    }

    /// `user@domain` with the domain in lower case; a leading `sip:` is taken off.
    static func account(_ text: String) -> String? {
        let plain = text.hasPrefix("sip:") ? String(text.dropFirst(4)) : text
        let parts = plain.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, HostPort.isDomainName(String(parts[1])) else { return nil }
        return "\(parts[0])@\(parts[1].lowercased())"
    }
}

/// The transports a profile rule may name.
private enum RuleTransport: String, CaseIterable {
    case udp, tcp, tls
}
