import NIOCore
import NIOPosix
import SIPCore
import Testing

@testable import Transport

@Suite("Resolver", .timeLimit(.minutes(1)))
struct ResolverTests {
    static func run(
        _ server: LoopbackDNS, _ change: (inout NextHopResolver.Configuration) -> Void = { _ in },
        _ body: (NextHopResolver, any EventLoop) async throws -> Void
    ) async throws {
        try await LoopbackDNS.run(server) { address in
            var configuration = NextHopResolver.Configuration()
            configuration.servers = [address]
            configuration.timeoutMilliseconds = 20_000
            configuration.tries = 1
            change(&configuration)
            let loop = MultiThreadedEventLoopGroup.singleton.next()
            let resolver = try NextHopResolver(eventLoop: loop, configuration: configuration, seed: 1)
            do {
                try await body(resolver, loop)
            } catch {
                await resolver.shutdown()
                throw error
            }
            await resolver.shutdown()
        }
    }

    static func resolve(
        _ resolver: NextHopResolver, _ loop: any EventLoop, _ host: String, transport: SIPTransport? = nil
    ) async throws -> [String] {
        let promise = loop.makePromise(of: [Target].self)
        loop.execute {
            resolver.resolve(host: host, port: 0, transport: transport, isSecure: false) { promise.succeed($0) }
        }
        return try await promise.futureResult.get().map { "\($0.transport) \($0.address)" }
    }

    @Test("NAPTR, SRV and addresses from a name server make the failover list; a second look asks nothing")
    func chain() async throws {
        let server = LoopbackDNS(exampleZone)
        try await Self.run(server) { resolver, loop async throws in
            let expected = [
                "tls [2001:db8::1]:5061", "tls 192.0.2.1:5061", "tcp [2001:db8::1]:5062", "tcp 192.0.2.1:5062",
                "tcp 192.0.2.2:5060",
            ]
            #expect(try await Self.resolve(resolver, loop, "example.com") == expected)
            let asked = server.asked
            #expect(asked.first == DNSQuestion("example.com", .naptr) && Set(asked).count == asked.count)
            #expect(try await Self.resolve(resolver, loop, "Example.COM") == expected)
            #expect(server.asked.count == asked.count)
        }
    }

    @Test("Lookups at the same time share their questions")
    func shared() async throws {
        let server = LoopbackDNS(exampleZone)
        try await Self.run(server) { resolver, loop async throws in
            try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<20 { group.addTask { try await Self.resolve(resolver, loop, "bare.example") } }
                for try await targets in group {
                    #expect(targets == ["udp 192.0.2.11:5060", "udp 192.0.2.12:5060"])
                }
            }
            #expect(server.asked.count == Set(server.asked).count)
        }
    }

    @Test("That a name does not exist is kept too")
    func negative() async throws {
        let server = LoopbackDNS([:])
        try await Self.run(server) { resolver, loop async throws in
            #expect(try await Self.resolve(resolver, loop, "nobody.example", transport: SIPTransport.tcp) == [])
            #expect(server.asked.count == 3)
            #expect(try await Self.resolve(resolver, loop, "nobody.example", transport: SIPTransport.tcp) == [])
            #expect(server.asked.count == 3)
        }
    }

    @Test("An answer that may not be kept is asked for again")
    func zeroTTL() async throws {
        let server = LoopbackDNS(exampleZone, ttl: 0)
        try await Self.run(server) { resolver, loop async throws in
            for _ in 0..<2 { #expect(try await Self.resolve(resolver, loop, "bare.example").count == 2) }
            #expect(server.asked.count == 2 * Set(server.asked).count)
        }
    }

    @Test("A name server that says nothing ends the lookup after the timeout, for one name only")
    func silence() async throws {
        let server = LoopbackDNS(exampleZone, silent: ["silent.example", "_sip._udp.silent.example"])
        try await Self.run(server, { $0.timeoutMilliseconds = 50 }) { resolver, loop async throws in
            async let silent = Self.resolve(resolver, loop, "silent.example", transport: .udp)
            #expect(try await Self.resolve(resolver, loop, "bare.example").count == 2)
            let found = try await silent
            #expect(found.isEmpty)
        }
    }

    @Test("The memory is bounded")
    func bounded() async throws {
        let server = LoopbackDNS(exampleZone)
        try await Self.run(server, { $0.cacheLimit = 8 }) { resolver, loop async throws in
            for number in 0..<20 { #expect(try await Self.resolve(resolver, loop, "host\(number).example") == []) }
            #expect(try await loop.submit { resolver.rememberedCount }.get() <= 8)
            #expect(try await Self.resolve(resolver, loop, "bare.example").count == 2)
        }
    }

    @Test("Numeric hosts need no name server; a stopped resolver finds nothing")
    func stopped() async throws {
        let server = LoopbackDNS(exampleZone, silent: ["slow.example"])
        try await Self.run(server) { resolver, loop async throws in
            #expect(try await Self.resolve(resolver, loop, "192.0.2.77") == ["udp 192.0.2.77:5060"])
            async let open = Self.resolve(resolver, loop, "slow.example")
            while !server.asked.contains(where: { $0.name == "slow.example" }) { await Task.yield() }
            await resolver.shutdown()
            let found = try await open
            #expect(found.isEmpty)
            #expect(try await Self.resolve(resolver, loop, "bare.example") == [])
        }
    }
}
