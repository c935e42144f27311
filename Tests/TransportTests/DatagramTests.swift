import NIOCore
import SIPCore
import Testing

@testable import Transport

@Suite("Datagrams", .timeLimit(.minutes(1)))
struct DatagramTests {
    @Test("Datagrams go and come back", arguments: [IPAddress.loopback4, .loopback6])
    func echo(ip: IPAddress) async throws {
        let configuration = TransportConfiguration(listeningPoints: [.free(.udp, ip)])
        try await Station.run(configuration) { server in
            server.delegate.answer = { layer, bytes, flow in layer.send(bytes + [1], to: .flow(flow), token: 0) }
            try await Station.run(configuration) { client in
                let target = Target(transport: .udp, address: server.points[0].address)
                try await client.send([0x41, 0x42], to: .target(target))
                let (seen, from) = try await server.delegate.nextMessage()
                #expect(seen == [0x41, 0x42])
                #expect(from == Flow(transport: .udp, listener: 0, remote: client.points[0].address))
                let (answer, flow) = try await client.delegate.nextMessage()
                #expect(answer == [0x41, 0x42, 1])
                #expect(flow.remote == server.points[0].address)
                let counters = try await server.counters()
                #expect(counters.datagramsReceived == 1 && counters.datagramBytesReceived == 2)
                #expect(counters.datagramsSent == 1 && counters.datagramBytesSent == 3)
            }
        }
    }

    @Test("More datagrams than one system call takes arrive whole and in order")
    func batches() async throws {
        let configuration = TransportConfiguration(listeningPoints: [.free(.udp)])
        try await Station.run(configuration) { server in
            try await Station.run(configuration) { client in
                let target = Target(transport: .udp, address: server.points[0].address)
                let sizes = (0..<600).map { 1 + $0 * 7 % 1_400 }
                try await client.onLoop { layer in
                    for (index, size) in sizes.enumerated() {
                        layer.send(
                            [UInt8](repeating: UInt8(0x30 + index % 10), count: size), to: .target(target), token: 7)
                    }
                    layer.flush()
                }
                for (index, size) in sizes.enumerated() {
                    let (bytes, _) = try await server.delegate.nextMessage()
                    #expect(bytes == [UInt8](repeating: UInt8(0x30 + index % 10), count: size))
                }
                #expect(try await client.counters().datagramsSent == 600)
            }
        }
    }

    @Test("The largest datagram arrives; a larger one fails with its token")
    func large() async throws {
        let configuration = TransportConfiguration(listeningPoints: [.free(.udp)])
        try await Station.run(configuration) { server in
            try await Station.run(configuration) { client in
                let target = Target(transport: .udp, address: server.points[0].address)
                try await client.send([UInt8](repeating: 0x41, count: 65_508), to: .target(target), token: 9)
                #expect(try await client.delegate.nextFailed() == (9, "larger than a datagram can be"))
                try await client.send([UInt8](repeating: 0x41, count: 65_507), to: .target(target), token: 10)
                #expect(try await server.delegate.nextMessage().0.count == 65_507)
            }
        }
    }

    @Test("An address that cannot be sent to costs its datagram and nothing else")
    func unsendable() async throws {
        let configuration = TransportConfiguration(listeningPoints: [.free(.udp)])
        try await Station.run(configuration) { server in
            try await Station.run(configuration) { client in
                let good = Target(transport: .udp, address: server.points[0].address)
                let broadcast = TransportAddress(ip: IPAddress(v4: 0xffff_ffff), port: 5060)
                let noPort = TransportAddress(ip: .loopback4, port: 0)
                let other = TransportAddress(ip: .loopback6, port: 5060)
                try await client.onLoop { layer in
                    layer.send([0x41], to: .target(good), token: 1)
                    layer.send([0x42], to: .target(Target(transport: .udp, address: broadcast)), token: 2)
                    layer.send([0x43], to: .target(Target(transport: .udp, address: noPort)), token: 3)
                    layer.send([0x44], to: .target(Target(transport: .udp, address: other)), token: 4)
                    layer.send([0x45], to: .target(Target(transport: .tcp, address: good.address)), token: 5)
                    layer.send([0x46], to: .target(good), token: 6)
                    layer.flush()
                }
                #expect(try await server.delegate.nextMessage().0 == [0x41])
                #expect(try await server.delegate.nextMessage().0 == [0x46])
                var failed: Set<UInt64> = []
                for _ in 0..<4 { failed.insert(try await client.delegate.nextFailed().0) }
                #expect(failed == [2, 3, 4, 5])
            }
        }
    }

    @Test("A closed port on the far side does not stop the socket")
    func refused() async throws {
        let configuration = TransportConfiguration(listeningPoints: [.free(.udp)])
        var closed: TransportAddress?
        try await Station.run(configuration) { closed = $0.points[0].address }
        let gone = Target(transport: .udp, address: try #require(closed))
        try await Station.run(configuration) { server in
            try await Station.run(configuration) { client in
                for _ in 0..<3 { try await client.send([0x41], to: .target(gone)) }
                try await client.send(
                    [0x42], to: .target(Target(transport: .udp, address: server.points[0].address)))
                #expect(try await server.delegate.nextMessage().0 == [0x42])
            }
        }
    }

    @Test("Empty and blank datagrams are counted, not handed on")
    func keepAlives() async throws {
        let configuration = TransportConfiguration(listeningPoints: [.free(.udp)])
        try await Station.run(configuration) { server in
            try await Station.run(configuration) { client in
                let target = Target(transport: .udp, address: server.points[0].address)
                for bytes: [UInt8] in [[], [0, 0, 0, 0], [0x0d, 0x0a, 0x0d, 0x0a], [0x41]] {
                    try await client.send(bytes, to: .target(target))
                }
                #expect(try await server.delegate.nextMessage().0 == [0x41])
                let counters = try await server.counters()
                #expect(counters.datagramsReceived == 4)
                #expect(counters.datagramsDropped == 1)
                #expect(counters.pingsReceived == 2)
            }
        }
    }

    @Test("A listening point that an error closed is opened again at its address", arguments: [SIPTransport.udp, .tcp])
    func reopened(transport: SIPTransport) async throws {
        try await Station.run(TransportConfiguration(listeningPoints: [.free(transport)])) { server in
            let socket: @Sendable (TransportLayer) -> (any Channel)? = {
                $0.datagramPoints[0]?.channel ?? $0.serverChannels[0]
            }
            let before = try await server.onLoop { layer in
                defer {
                    layer.reopeningDelay = .zero
                    layer.datagramPoints[0]?.channel.close(promise: nil)
                    layer.serverChannels[0]?.close(promise: nil)
                }
                return socket(layer)
            }
            while true {
                let now = try await server.onLoop(socket)
                if now != nil, now !== before { break }
                await Task.yield()
            }
            try await Station.run(TransportConfiguration(listeningPoints: [.free(transport)])) { client in
                let target = Target(transport: transport, address: server.points[0].address)
                try await client.send(request("a"), to: .target(target))
                #expect(try await server.delegate.nextMessage().0 == request("a"))
            }
        }
    }

    @Test("A taken port is named")
    func taken() async throws {
        try await Station.run(TransportConfiguration(listeningPoints: [.free(.udp)])) { first in
            let point = ListeningPoint(transport: .udp, address: first.points[0].address)
            await #expect {
                try await Station.run(TransportConfiguration(listeningPoints: [.free(.tcp), point])) { _ in }
            } throws: { error in
                guard case .cannotListen(let at, let reason)? = error as? TransportFailure else { return false }
                return at.contains("\(first.points[0].address.port)") && reason.contains("in use")
            }
        }
    }
}

@Suite("STUN keep-alives")
struct STUNBindingTests {
    let transaction = (1...12).map { UInt8($0) }

    @Test("IPv4: the mapped address under its mask (RFC 5389 section 15.2)")
    func version4() throws {
        let request: [UInt8] = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42] + transaction
        let source = TransportAddress(ip: IPAddress(v4: 0xc000_0201), port: 32_853)
        let response = try #require(STUNBinding.response(to: request, from: source))
        #expect(
            response == [1, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42] + transaction
                + [0, 0x20, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43])
    }

    @Test("IPv6: masked by cookie and transaction (RFC 5769 section 2.3)")
    func version6() throws {
        let id: [UInt8] = [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae]
        let source = TransportAddress(
            ip: IPAddress(high: 0x2001_0db8_1234_5678, low: 0x0011_2233_4455_6677), port: 32_853)
        let response = try #require(
            STUNBinding.response(to: [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42] + id, from: source))
        #expect(
            response.suffix(20) == [
                0, 2, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2,
                0xb9,
                0xd9,
            ])
    }

    @Test("An attribute that must be understood is refused with 420")
    func unknown() throws {
        let request: [UInt8] = [0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42] + transaction + [0, 3, 0, 4, 0, 0, 0, 6]
        let response = try #require(
            STUNBinding.response(to: request, from: TransportAddress(ip: .loopback4, port: 1)))
        #expect(response.prefix(2) == [1, 0x11])
        #expect(response[20..<28] == [0, 9, 0, 21, 0, 0, 4, 20])
        #expect(response.suffix(8) == [0, 10, 0, 2, 0, 3, 0, 0])
    }

    @Test(
        "What is not a whole Binding request gets no answer",
        arguments: [
            [0, 1, 0, 4, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
            [1, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
            [0, 1, 0, 4, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 6, 0, 9],
            [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x43, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [0, 1], [],
        ] as [[UInt8]])
    func silent(bytes: [UInt8]) {
        #expect(STUNBinding.response(to: bytes, from: TransportAddress(ip: .loopback4, port: 1)) == nil)
    }

    @Test("A Binding request over UDP is answered and the delegate does not see it", .timeLimit(.minutes(1)))
    func overUDP() async throws {
        let configuration = TransportConfiguration(listeningPoints: [.free(.udp)])
        let ask: [UInt8] = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42] + transaction
        try await Station.run(configuration) { server in
            try await Station.run(configuration) { client in
                let target = Target(transport: .udp, address: server.points[0].address)
                try await client.send(ask, to: .target(target))
                try await client.send([0x41], to: .target(target))
                #expect(try await server.delegate.nextMessage().0 == [0x41])
                #expect(try await server.counters().bindingRequestsAnswered == 1)
                // The client is a server as well, and drops a response that it has no use for.
                while try await client.counters().datagramsReceived == 0 { await Task.yield() }
                #expect(try await client.counters().datagramsDropped == 1)
            }
        }
    }
}
