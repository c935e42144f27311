import LinkProfiles
import NIOCore
import SIPCore
import Testing

@testable import Transport

@Suite("TLS", .timeLimit(.minutes(1)))
struct SecurityTests {
    let authority: CertificateAuthority

    init() throws { authority = try CertificateAuthority() }

    func configuration(
        _ identity: (chain: String, key: String)?, _ policy: ClientCertificatePolicy = .none,
        _ change: (inout LinkProfile) -> Void = { _ in }
    ) throws -> TransportConfiguration {
        var settings = SecuritySettings()
        settings.certificateChain = identity?.chain
        settings.privateKey = identity?.key
        settings.trustRoots = authority.roots
        settings.clientCertificates = policy
        var profile = LinkProfile()
        change(&profile)
        let fixed = profile
        return TransportConfiguration(
            listeningPoints: [.free(identity == nil ? .tcp : .tls)], security: try SecurityContexts(loading: settings),
            profile: { _, _, _ in fixed })
    }

    /// A client needs a TLS listening point to have an address for its Via; this one has a certificate for it.
    func client() throws -> TransportConfiguration {
        try configuration(try authority.issue("client", commonName: "client", names: "DNS:client.example.com"))
    }

    @Test(
        "The names RFC 5922 accepts",
        arguments: [
            ("URI:sip:example.com", "other", "example.com"),
            ("URI:sip:example.com,DNS:host.example.net", "other", "EXAMPLE.com"),
            ("DNS:example.com", "other", "example.com"),
            ("", "example.com", "example.com"),
            ("IP:127.0.0.1", "other", "127.0.0.1"),
            ("IP:127.0.0.1", "other", ""),
        ])
    func accepted(names: String, commonName: String, domain: String) async throws {
        let identity = try authority.issue("server", commonName: commonName, names: names)
        try await Station.run(try configuration(identity)) { server in
            try await Station.run(try client()) { client in
                let target = Target(transport: .tls, address: server.points[0].address, domain: domain)
                try await client.send(request("a"), to: .target(target), token: 1)
                let (bytes, flow) = try await server.delegate.nextMessage()
                #expect(bytes == request("a") && flow.transport == .tls)
                try await server.send(request("b"), to: .flow(flow), token: 1)
                #expect(try await client.delegate.nextMessage().0 == request("b"))
                #expect(try await client.counters().handshakeFailures == 0)
            }
        }
    }

    @Test(
        "The names RFC 5922 refuses",
        arguments: [
            ("DNS:example.com", "other", "sub.example.com"),
            ("DNS:*.example.com", "other", "sub.example.com"),
            ("URI:sip:example.net,DNS:example.com", "other", "example.com"),
            ("URI:sip:user@example.com", "other", "example.com"),
            ("URI:sips:example.com", "other", "example.com"),
            ("DNS:other.example.com", "example.com", "example.com"),
            ("IP:127.0.0.2", "127.0.0.1", "127.0.0.1"),
            ("DNS:example.com", "other", ""),
        ])
    func refused(names: String, commonName: String, domain: String) async throws {
        let identity = try authority.issue("server", commonName: commonName, names: names)
        try await Station.run(try configuration(identity)) { server in
            try await Station.run(try client()) { client in
                let target = Target(transport: .tls, address: server.points[0].address, domain: domain)
                try await client.send(request("a"), to: .target(target), token: 1)
                let (token, reason) = try await client.delegate.nextFailed()
                #expect(token == 1 && reason.contains("the certificate is for"), "\(reason)")
                #expect(try await client.counters().handshakeFailures == 1)
                #expect(try await client.counters().connectFailures == 1)
                #expect(try await server.counters().streamMessagesReceived == 0)
            }
        }
    }

    @Test("A certificate of an unknown authority is refused")
    func unknownAuthority() async throws {
        let stranger = try CertificateAuthority()
        let identity = try stranger.issue("server", commonName: "x", names: "DNS:example.com")
        try await Station.run(try configuration(identity)) { server in
            try await Station.run(try client()) { client in
                let target = Target(transport: .tls, address: server.points[0].address, domain: "example.com")
                try await client.send(request("a"), to: .target(target), token: 1)
                let (token, reason) = try await client.delegate.nextFailed()
                #expect(token == 1 && reason.contains("TLS handshake failed"), "\(reason)")
            }
        }
    }

    @Test(
        "Client certificates", arguments: [ClientCertificatePolicy.none, .request, .require], [true, false])
    func clientCertificates(policy: ClientCertificatePolicy, shown: Bool) async throws {
        let identity = try authority.issue("server", commonName: "x", names: "DNS:example.com")
        var settings = SecuritySettings()
        settings.trustRoots = authority.roots
        if shown {
            let own = try authority.issue("client", commonName: "client", names: "DNS:client.example.com")
            settings.clientCertificateChain = own.chain
            settings.clientPrivateKey = own.key
        }
        let contexts = try SecurityContexts(loading: settings)
        try await Station.run(try configuration(identity, policy)) { server in
            try await Station.run(try client()) { client in
                try await client.onLoop { $0.replaceCertificates(contexts) }
                let target = Target(transport: .tls, address: server.points[0].address, domain: "example.com")
                try await client.send(request("a"), to: .target(target), token: 1)
                if policy == .require, !shown {
                    // With TLS 1.3 the client learns of it only after its own handshake is done: its flow opens and closes.
                    while try await server.counters().handshakeFailures == 0 { await Task.yield() }
                    #expect(try await server.counters().streamMessagesReceived == 0)
                } else {
                    #expect(try await server.delegate.nextMessage().0 == request("a"))
                }
            }
        }
    }

    @Test("Certificates are replaced while running, and connections that are up go on")
    func replaced() async throws {
        let before = try authority.issue("before", commonName: "x", names: "DNS:before.example.com")
        let after = try authority.issue("after", commonName: "x", names: "DNS:after.example.com")
        let next = try #require(try configuration(after).security)
        #expect(next.serverNames?.dnsNames == ["after.example.com"])
        try await Station.run(try configuration(before)) { server in
            try await Station.run(try client()) { client in
                let address = server.points[0].address
                let old = Target(transport: .tls, address: address, domain: "before.example.com")
                let new = Target(transport: .tls, address: address, domain: "after.example.com")
                try await client.send(request("a"), to: .target(old), token: 1)
                #expect(try await server.delegate.nextMessage().0 == request("a"))
                try await server.onLoop { $0.replaceCertificates(next) }
                try await client.send(request("b"), to: .target(new), token: 2)
                #expect(try await server.delegate.nextMessage().0 == request("b"))
                try await client.send(request("c"), to: .target(old), token: 3)
                #expect(try await server.delegate.nextMessage().0 == request("c"))
                #expect(try await server.counters().connectionsAccepted == 2)
            }
        }
    }

    @Test("A peer that connects and does not shake hands is closed")
    func halfOpen() async throws {
        let identity = try authority.issue("server", commonName: "x", names: "DNS:example.com")
        try await Station.run(try configuration(identity) { $0.connectTimeout = .milliseconds(50) }) { server in
            let peer = try await RawPeer.connect(to: server.points[0].address)
            #expect(await peer.readToEnd() == [])
            let counters = try await server.counters()
            #expect(counters.handshakeTimeouts == 1 && counters.connectionsOpen == 0)
        }
    }

    @Test("A server that accepts and does not shake hands fails what waited")
    func silentServer() async throws {
        try await Station.run(StreamTests.configuration()) { server in
            let identity = try authority.issue("client", commonName: "x", names: "DNS:client.example.com")
            try await Station.run(try configuration(identity) { $0.connectTimeout = .milliseconds(50) }) { client in
                let target = Target(transport: .tls, address: server.points[0].address, domain: "example.com")
                try await client.send(request("a"), to: .target(target), token: 1)
                let (token, reason) = try await client.delegate.nextFailed()
                #expect(token == 1 && !reason.isEmpty)
            }
        }
    }

    @Test("Bytes that are not TLS close the connection and are counted")
    func notTLS() async throws {
        let identity = try authority.issue("server", commonName: "x", names: "DNS:example.com")
        try await Station.run(try configuration(identity)) { server in
            let peer = try await RawPeer.connect(to: server.points[0].address)
            try await peer.write(request("plain"))
            _ = await peer.readToEnd()
            #expect(try await server.counters().handshakeFailures == 1)
        }
    }

    @Test("Files that cannot be used are named")
    func unusable() throws {
        let identity = try authority.issue("server", commonName: "x", names: "DNS:example.com")
        var settings = SecuritySettings()
        settings.certificateChain = identity.chain
        #expect(throws: TransportFailure.self) { try SecurityContexts(loading: settings) }
        settings.privateKey = identity.chain
        #expect {
            _ = try SecurityContexts(loading: settings)
        } throws: {
            guard case .unusableFile(let path, _)? = $0 as? TransportFailure else { return false }
            return path == identity.chain
        }
        let other = try authority.issue("other", commonName: "x", names: "DNS:example.net")
        settings.privateKey = other.key
        #expect(throws: TransportFailure.self) { try SecurityContexts(loading: settings) }
    }

    @Test("A TLS listening point without a certificate does not start")
    func missing() async throws {
        await #expect(throws: TransportFailure.missingCertificate) {
            try await Station.run(TransportConfiguration(listeningPoints: [.free(.tls)])) { _ in }
        }
    }
}
