import Engine
import Foundation
import Glibc
import GodwitServer
import NIOCore
import NIOPosix
import SIPCore
import Transport

/// Ports, certificates and DNS.
enum NetworkChecks {
    static func points(_ configuration: ServerConfiguration, isRunning: Bool) -> [Finding] {
        configuration.listeningPoints.map { point in
            let name = "\(point.transport.uriToken):\(point.address)"
            if isRunning { return Finding(.note, "ports", "\(name) is the running server's") }
            switch bindError(point) {
            case 0: return Finding(.good, "ports", "\(name) is free")
            case EADDRINUSE:
                return Finding(
                    .wrong, "ports", "\(name) is in use by another program",
                    "find it with `ss -lnp \(point.transport == .udp ? "-u" : "-t") sport = :\(point.address.port)`")
            case EADDRNOTAVAIL:
                return Finding(.wrong, "ports", "\(name): this machine has no such address", "correct `listen`")
            case EACCES:
                return Finding(
                    .wrong, "ports", "\(name) needs more rights",
                    "use a port above 1023, or give the program CAP_NET_BIND_SERVICE")
            case let code:
                return Finding(.wrong, "ports", "\(name): \(String(cString: strerror(code)))", "correct `listen`")
            }
        }
    }

    static func certificates(_ configuration: ServerConfiguration) -> [Finding] {
        guard let path = configuration.security.certificateChain else { return [] }
        let contexts: SecurityContexts
        do throws(TransportFailure) {
            contexts = try SecurityContexts(loading: configuration.security)
        } catch {
            return [Finding(.wrong, "certificates", error.description, "correct the tls section or the files")]
        }
        var findings: [Finding] = []
        if let end = contexts.serverCertificateExpiry {
            let date = Date(timeIntervalSince1970: Double(end))
            let days = Int(date.timeIntervalSinceNow / 86_400)
            let text = "\(path) is valid until \(date.formatted(.iso8601))"
            switch date.timeIntervalSinceNow {
            case ..<0:
                findings.append(
                    Finding(
                        .wrong, "certificates", "\(path) ended on \(date.formatted(.iso8601))",
                        "renew it, then `godwit server reload`"))
            case ..<(30 * 86_400):
                findings.append(
                    Finding(.warning, "certificates", "\(text): \(days) days", "renew it, then `godwit server reload`"))
            default: findings.append(Finding(.good, "certificates", text))
            }
        }
        for domain in configuration.domains where contexts.serverNames?.authenticates(domain) == false {
            findings.append(
                Finding(
                    .warning, "certificates", "\(path) does not name \(domain); clients that check will refuse it",
                    "get a certificate with sip:\(domain) or \(domain) among its alternative names (RFC 5922)"))
        }
        return findings
    }

    static func names(_ configuration: ServerConfiguration) async -> [Finding] {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        var settings = configuration.dns
        settings.timeoutMilliseconds = min(settings.timeoutMilliseconds, 2_000)
        settings.tries = 1
        guard let resolver = try? NextHopResolver(eventLoop: loop, configuration: settings, seed: 1) else {
            return [Finding(.wrong, "dns", "the resolver could not be started")]
        }
        var findings: [Finding] = []
        for domain in configuration.domains where HostPort.isDomainName(domain) {
            let targets = await targets(resolver, loop, host: domain, port: 0, transport: nil)
            findings.append(
                targets.isEmpty
                    ? Finding(
                        .warning, "dns", "\(domain) is not found in DNS: other domains cannot reach it",
                        "publish SRV records _sip._udp.\(domain), _sip._tcp.\(domain) and _sips._tcp.\(domain) (RFC 3263)"
                    )
                    : Finding(.good, "dns", "\(domain) is found at \(targets.joined(separator: ", "))"))
        }
        for route in configuration.routes where IPAddress(parsing: route.host) == nil {
            let targets = await targets(
                resolver, loop, host: route.host, port: route.port, transport: route.transport)
            if targets.isEmpty {
                findings.append(
                    Finding(
                        .wrong, "dns", "\(route.host), the next hop for \(route.domain), is not found",
                        "correct `routes`, or the name server"))
            }
        }
        await resolver.shutdown()
        return findings
    }

    private static func targets(
        _ resolver: NextHopResolver, _ loop: any EventLoop, host: String, port: UInt16, transport: SIPTransport?
    ) async -> [String] {
        let promise = loop.makePromise(of: [String].self)
        loop.execute {
            resolver.resolve(host: host, port: port, transport: transport, isSecure: transport == .tls) { targets in
                promise.succeed(targets.map { "\($0.transport.uriToken):\($0.address)" })
            }
        }
        return (try? await promise.futureResult.get()) ?? []
    }

    /// 0 when the address can be bound.
    private static func bindError(_ point: ListeningPoint) -> Int32 {
        let kind = point.transport == .udp ? Int32(SOCK_DGRAM.rawValue) : Int32(SOCK_STREAM.rawValue)
        let ip = point.address.ip
        let descriptor = socket(ip.isV4 ? AF_INET : AF_INET6, kind, 0)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        if kind == Int32(SOCK_STREAM.rawValue) {
            var yes: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        }
        guard let address = try? SocketAddress(ipAddress: "\(ip)", port: Int(point.address.port)) else { return EINVAL }
        let outcome = address.withSockAddr { bind(descriptor, $0, socklen_t($1)) }
        return outcome == 0 ? 0 : errno
    }
}
