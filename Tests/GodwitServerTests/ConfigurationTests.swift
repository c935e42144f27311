import Engine
import Foundation
import LinkProfiles
import Logging
import Policy
import SIPCore
import SigComp
import Testing
import Transport

@testable import GodwitServer

@Suite("Server configuration")
struct ConfigurationTests {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private func parse(_ text: String, environment: [String: String] = [:]) throws -> ServerConfiguration {
        try ServerConfiguration.parse(text, directory: Self.root.path, environment: environment)
    }

    @Test func domainsAreEnough() throws {
        let configuration = try parse("domains: [Example.COM]")
        #expect(configuration.domains == ["example.com"])
        #expect(configuration.listeningPoints.map(\.transport) == [.udp, .tcp])
        #expect(configuration.listeningPoints.allSatisfy { $0.address.port == 5060 })
        #expect(configuration.authentication.isRequired)
        #expect(configuration.realm == "example.com")
        #expect(configuration.databasePath.hasSuffix("data/godwit.sqlite"))
        #expect(configuration.adminSocket.hasSuffix("data/admin.sock"))
        #expect(Array(configuration.profiles.keys) == ["lan"])
    }

    @Test func printedDefaultsAreTheDefaults() throws {
        let printed = try parse(ServerConfiguration.defaultText)
        let bare = try parse("domains: [example.com]")
        #expect(String(reflecting: printed) == String(reflecting: bare))
    }

    @Test func everyKeyIsDocumented() throws {
        let page = try String(contentsOf: Self.root.appending(path: "docs/configuration.md"), encoding: .utf8)
        var section = ""
        for line in ServerConfiguration.defaultText.split(separator: "\n") {
            let isNested = line.hasPrefix("  ")
            let text = line.drop { " #".contains($0) }
            guard let colon = text.firstIndex(of: ":"), !text.hasPrefix("-") else { continue }
            let key = String(text[..<colon])
            guard key.allSatisfy({ $0.isLowercase || $0 == "-" || $0.isNumber }) else { continue }
            let isValue = text[text.index(after: colon)...].contains { $0 != " " }
            if !isNested { section = isValue ? "" : key }
            if !isNested, !isValue { continue }
            let full = isNested ? "\(section).\(key)" : key
            #expect(page.contains("`\(full)`"), "docs/configuration.md does not explain `\(full)`")
        }
    }

    @Test func sigcompIsReadWhole() throws {
        let configuration = try parse(
            """
            domains: [example.com]
            listen: ["udp:127.0.0.1:5070", {at: "tcp:127.0.0.1:5070", sigcomp: false}]
            sigcomp:
              identifier: urn:uuid:0c67446e-f1a1-11d9-94d3-000a95a0e128
              memory: 16KiB
              state-memory: 8192
              cycles-per-bit: 32
              sharing: false
              algorithms: [deflate]
              peers:
                - 192.0.2.7:5060
                - {at: 10.0.0.0/8, identifier: "urn:uuid:7", pair: true}
              compartments: 50
              compartment-bytes: 8MiB
              compartment-lifetime: 3d
              nacks-per-source: 1
              nacks: 7
            """)
        #expect(configuration.listeningPoints.map(\.offersSigComp) == [true, false])
        let settings = configuration.sigcomp.transportSettings(ownIdentifier: "urn:uuid:unused")
        #expect(settings.identifier == "urn:uuid:0c67446e-f1a1-11d9-94d3-000a95a0e128")
        let offered = SigCompParameters(cyclesPerBit: 32, decompressionMemorySize: 16_384, stateMemorySize: 8_192)
        #expect(settings.endpoint.parameters == offered)
        #expect(!settings.endpoint.isSharing && settings.endpoint.algorithms == [.deflate])
        #expect(settings.endpoint.limits.compartments == 50 && settings.endpoint.limits.bytes == 8 << 20)
        #expect(
            settings.peers == [
                CompressedPeer(network: try #require(NetworkPrefix("192.0.2.7")), port: 5060),
                CompressedPeer(
                    network: try #require(NetworkPrefix("10.0.0.0/8")), identifier: "urn:uuid:7", isPair: true),
            ])
        #expect(settings.compartmentLifetime == .seconds(3 * 86_400 as Int64))
        #expect(settings.negativeAcknowledgementsPerSource == 1 && settings.negativeAcknowledgementsInAll == 7)
    }

    @Test(arguments: [
        ("memory: 4096", "sigcomp.memory"), ("memory: 10000", "sigcomp.memory"),
        ("state-memory: 3000", "sigcomp.state-memory"), ("cycles-per-bit: 17", "sigcomp.cycles-per-bit"),
        ("identifier: example", "sigcomp.identifier"), ("identifier: 'urn:x:a b'", "sigcomp.identifier"),
        ("algorithms: []", "sigcomp.algorithms"), ("algorithms: [zip]", "sigcomp.algorithms"),
        ("algorithms: [deflate, deflate]", "sigcomp.algorithms"), ("peers: [example.com]", "sigcomp.peers[1].at"),
        ("peers: [{identifier: 'urn:x:1'}]", "sigcomp.peers[1].at"),
        ("peers: [{at: 192.0.2.1, identifier: x}]", "sigcomp.peers[1].identifier"), ("nack: 1", "sigcomp.nack"),
    ])
    func wrongSigcompIsRefused(line: String, key: String) {
        #expect {
            try parse("domains: [example.com]\nsigcomp:\n  \(line)")
        } throws: { error in
            (error as? SettingsFailure)?.problems.map(\.key) == [key]
        }
    }

    @Test func theIdentifierFollowsFromTheSecret() {
        let identifier = SigCompIdentifier.make(from: EngineSecret(1, 2, 3, 4))
        #expect(identifier == SigCompIdentifier.make(from: EngineSecret(1, 2, 3, 4)))
        #expect(identifier != SigCompIdentifier.make(from: EngineSecret(9, 2, 3, 4)))
        #expect(UUID(uuidString: String(identifier.dropFirst("urn:uuid:".count))) != nil)
        #expect(identifier.dropFirst("urn:uuid:".count + 14).first == "4")
    }

    @Test func listeningPointsSayWhatToAdvertise() throws {
        let configuration = try parse(
            """
            domains: [example.com]
            listen:
              - udp:127.0.0.1:5070
              - {at: "tcp:[::1]:5080", advertise: "sip.example.com:5060"}
              - udp:192.0.2.1
            """)
        let points = configuration.listeningPoints
        #expect(points.map(\.transport) == [.udp, .tcp, .udp])
        #expect(points.map(\.address.port) == [5070, 5080, 5060])
        #expect(points[1].address.ip == IPAddress(parsing: "::1"))
        #expect(points[1].advertisedHost == "sip.example.com")
        #expect(points[1].advertisedPort == 5060)
        #expect(points[0].advertisedHost == nil)
    }

    @Test func neighboursAndRules() throws {
        let configuration = try parse(
            """
            domains: [example.com]
            trusted-peers: [192.0.2.1, 10.0.0.0/8, "127.0.0.1:5070"]
            routes:
              - {domain: example.net, next-hop: "sip:127.0.0.1:5070;transport=udp"}
              - {domain: example.org, next-hop: "sips:proxy.example.org"}
            profiles-directory: profiles
            profile-rules:
              - {network: 10.1.0.0/16, profile: gprs}
              - {account: "polar@Example.com", transport: udp, profile: hf-radio}
            """)
        #expect(configuration.trustedPeers.map(\.network.description) == ["192.0.2.1", "10.0.0.0/8", "127.0.0.1"])
        #expect(configuration.trustedPeers.map(\.port) == [0, 0, 5070])
        #expect(configuration.routes.map(\.host) == ["127.0.0.1", "proxy.example.org"])
        #expect(configuration.routes.map(\.port) == [5070, 0])
        #expect(configuration.routes.map(\.transport) == [.udp, .tls])
        #expect(configuration.profileRules[0].network == NetworkPrefix("10.1.0.0/16"))
        #expect(configuration.profileRules[1].account == "polar@example.com")
        #expect(configuration.profiles["hf-radio"]?.compactHeaders == true)
    }

    @Test func environmentGoesBeforeTheFile() throws {
        let configuration = try parse(
            "domains: [example.com]\nlog: {level: info}",
            environment: [
                "GODWIT_LOG_LEVEL": "debug", "GODWIT_DATA_DIRECTORY": "/var/lib/godwit",
                "GODWIT_DOMAINS": "example.org, example.net", "GODWIT_LISTEN": "udp:127.0.0.1:0,tcp:127.0.0.1:0",
                "GODWIT_AUTHENTICATION_REQUIRED": "false", "GODWIT_TEST_ANYTHING": "1", "HOME": "/nowhere",
                "GODWIT_ROUTES": "[{domain: example.edu, next-hop: 'sip:127.0.0.1:5070'}]",
            ])
        #expect(configuration.log.level == .debug)
        #expect(configuration.databasePath == "/var/lib/godwit/godwit.sqlite")
        #expect(configuration.domains == ["example.org", "example.net"])
        #expect(configuration.listeningPoints.map(\.address.port) == [0, 0])
        #expect(!configuration.authentication.isRequired)
        #expect(configuration.routes.map(\.domain) == ["example.edu"])
    }

    @Test(arguments: [
        ("GODWIT_LOG_LEVEL", "loud", "environment: GODWIT_LOG_LEVEL: `loud` is none of trace, debug"),
        ("GODWIT_LOG_LEVLE", "info", "environment: GODWIT_LOG_LEVLE: there is no such setting"),
        ("GODWIT_ROUTES", "[{", "environment: GODWIT_ROUTES: is not valid YAML"),
        ("GODWIT_DRAIN_TIMEOUT", "5", "environment: GODWIT_DRAIN_TIMEOUT: `5` is not a duration"),
    ])
    func wrongVariablesAreRefused(name: String, value: String, expected: String) {
        let failure = #expect(throws: SettingsFailure.self) {
            try parse("domains: [example.com]", environment: [name: value])
        }
        #expect(failure?.description.contains(expected) == true, "got: \(failure?.description ?? "nothing")")
    }

    @Test func ratesAreOffUnlessWritten() throws {
        let configuration = try parse("domains: [a.example]\nlimits: {requests-per-source: 50}")
        #expect(configuration.limits.perSource == RateLimit(perSecond: 50))
        #expect(configuration.limits.perIdentity == .none)
    }

    @Test(arguments: [
        ("", "godwit.yaml: domains: is needed"),
        ("domains: []", "godwit.yaml:1: domains: at least one domain"),
        ("domains: [not_a..domain]", "godwit.yaml:1: domains: `not_a..domain` is neither a domain name"),
        ("domains: [a.example, A.example]", "godwit.yaml:1: domains: names a domain twice"),
        ("domains: {a: b}", "godwit.yaml:1: domains: must be a list"),
        ("domain: a.example", "godwit.yaml:1: domain: unknown key; did you mean `domains`?"),
        ("domains: [a.example]\nlisten: []", "godwit.yaml:2: listen: at least one"),
        (
            "domains: [a.example]\nlisten: [sctp:1.2.3.4:5060]",
            "listen[1].at: `sctp:1.2.3.4:5060` does not begin with udp:"
        ),
        ("domains: [a.example]\nlisten: ['udp:localhost:5060']", "listen[1].at: `localhost:5060` is not an IP address"),
        ("domains: [a.example]\nlisten: ['udp:1.2.3.4:99999']", "listen[1].at: `1.2.3.4:99999` is not an IP address"),
        (
            "domains: [a.example]\nlisten:\n - udp:1.2.3.4:1\n - udp:1.2.3.4:1",
            "godwit.yaml:4: listen[2].at: is listed twice"
        ),
        ("domains: [a.example]\nlisten: [{advertise: x.example}]", "listen[1].at: is needed"),
        (
            "domains: [a.example]\nlisten: [{at: 'udp:1.2.3.4:1', advertise: 'x y'}]",
            "listen[1].advertise: `x y` is not"
        ),
        ("domains: [a.example]\nlisten: ['tls:1.2.3.4:1']", "tls.certificate: `listen` has a TLS entry"),
        ("domains: [a.example]\ntls: {certificate: nowhere.pem}", "godwit.yaml:2: tls.certificate: no such file"),
        ("domains: [a.example]\ntls: {key: README.md}", "tls.certificate: certificate and key are needed together"),
        ("domains: [a.example]\ntls: {outgoing-key: README.md}", "tls.outgoing-certificate: outgoing-certificate and"),
        ("domains: [a.example]\ntls: {client-certificate: maybe}", "`maybe` is none of none, request, require"),
        ("domains: [a.example]\nauthentication: {algorithms: [SHA-1]}", "`SHA-1` is none of SHA-256, SHA-512-256, MD5"),
        ("domains: [a.example]\nauthentication: {algorithms: []}", "authentication.algorithms: at least one"),
        ("domains: [a.example]\nauthentication: {realm: 'a\"b'}", "authentication.realm: must not hold quotes"),
        ("domains: [a.example]\nauthentication: {required: perhaps}", "authentication.required: `perhaps` is neither"),
        (
            "domains: [a.example]\nauthentication: {nonce-lifetime: 1s}",
            "nonce-lifetime: 1s is out of range; it must be 10s"
        ),
        ("domains: [a.example]\ntrusted-peers: [10.0.0.1/8]", "trusted-peers: `10.0.0.1/8` is neither"),
        ("domains: [a.example]\ntrusted-peers: ['peer.example:5060']", "trusted-peers: `peer.example:5060` is neither"),
        ("domains: [a.example]\nroutes: [{domain: b.example}]", "routes[1].next-hop: is needed"),
        ("domains: [a.example]\nroutes: [{domain: b.example, next-hop: 1.2.3.4}]", "`1.2.3.4` is not a SIP URI"),
        ("domains: [a.example]\nroutes: [{domain: b.example, next-hop: 'sip:x@1.2.3.4'}]", "names a user"),
        (
            "domains: [a.example]\nroutes: [{domain: b.example, next-hop: 'sip:1.2.3.4;transport=ws'}]",
            "`;transport=ws` is not"
        ),
        (
            "domains: [a.example]\nroutes: [{domain: b.example, next-hop: 'sips:x.y;transport=udp'}]",
            "wants TLS and udp"
        ),
        ("domains: [a.example]\nroutes: [{domain: a.example, next-hop: 'sip:1.2.3.4'}]", "`a.example` is served here"),
        ("domains: [a.example]\nroutes: 5", "godwit.yaml:2: routes: must be a list"),
        ("domains: [a.example]\nroutes: [5]", "godwit.yaml:2: routes[1]: must be a section"),
        ("domains: [a.example]\nprofiles-directory: nowhere", "profiles-directory: "),
        ("domains: [a.example]\nprofile-rules: [{profile: warp}]", "there is no profile `warp`; known: lan"),
        ("domains: [a.example]\nprofile-rules: [{network: 10.0.0.0/8}]", "profile-rules[1].profile: is needed"),
        (
            "domains: [a.example]\nprofile-rules: [{profile: lan, network: ten}]",
            "profile-rules[1].network: `ten` is neither"
        ),
        ("domains: [a.example]\nprofile-rules: [{profile: lan, transport: sms}]", "`sms` is none of udp, tcp, tls"),
        ("domains: [a.example]\nprofile-rules: [{profile: lan, account: bob}]", "`bob` is not of the form user@domain"),
        ("domains: [a.example]\nquotas: {messages-per-recipient: -1}", "-1 is out of range; it must be 0 to"),
        ("domains: [a.example]\nquotas: {bytes-per-recipient: lots}", "`lots` is not a size"),
        (
            "domains: [a.example]\nlimits: {requests-per-source: fast}",
            "limits.requests-per-source: `fast` is not a whole"
        ),
        (
            "domains: [a.example]\nstore: {duplicate-window: forever}",
            "store.duplicate-window: `forever` is not a duration"
        ),
        ("domains: [a.example]\nlog: {format: xml}", "log.format: `xml` is none of text, json"),
        ("domains: [a.example]\nlog: verbose", "godwit.yaml:2: log: must be a section"),
        ("domains: [a.example]\ndns: {servers: [ns.example]}", "dns.servers: `ns.example` is not an IP address"),
        ("domains: [a.example]\ndns: {ipv4: false, ipv6: false}", "ipv4 and ipv6 cannot both be off"),
        ("domains: [a.example]\ndns: {timout: 1s}", "dns.timout: unknown key; did you mean `timeout`?"),
    ])
    func mistakesAreRefusedWithFileKeyAndReason(text: String, expected: String) {
        let failure = #expect(throws: SettingsFailure.self) { try parse(text) }
        #expect(failure?.description.contains(expected) == true, "got: \(failure?.description ?? "nothing")")
    }

    @Test func fileThatIsNotThereIsNamed() {
        let failure = #expect(throws: SettingsFailure.self) {
            try ServerConfiguration.load(path: "nowhere.yaml", environment: [:])
        }
        #expect(failure?.description.contains("nowhere.yaml: no such file") == true)
    }

    @Test func pathsStartAtTheFile() throws {
        let configuration = try ServerConfiguration.parse("domains: [a.example]", directory: "/etc/godwit")
        #expect(configuration.dataDirectory == "/etc/godwit/data")
    }

    @Test func longSocketPathIsRefused() {
        let text = "domains: [a.example]\nadmin-socket: /\(String(repeating: "x", count: 120))"
        let failure = #expect(throws: SettingsFailure.self) { try parse(text) }
        #expect(failure?.description.contains("longer than the 107 bytes") == true)
    }
}
