import LinkProfiles
import NIOCore
import SIPCore
import Testing

@testable import Transport

@Suite("Streams", .timeLimit(.minutes(1)))
struct StreamTests {
    static func configuration(
        _ ip: IPAddress = .loopback4, _ change: (inout LinkProfile) -> Void = { _ in }
    ) -> TransportConfiguration {
        var profile = LinkProfile()
        change(&profile)
        let fixed = profile
        return TransportConfiguration(listeningPoints: [.free(.tcp, ip)], profile: { _, _, _ in fixed })
    }

    @Test(
        "A connection is opened for a target, told to both sides, and used by every message to it",
        arguments: [IPAddress.loopback4, .loopback6])
    func reuse(ip: IPAddress) async throws {
        try await Station.run(Self.configuration(ip)) { server in
            server.delegate.answer = { layer, bytes, flow in layer.send(bytes, to: .flow(flow), token: 0) }
            try await Station.run(Self.configuration(ip)) { client in
                let target = Target(transport: .tcp, address: server.points[0].address)
                try await client.onLoop { layer in
                    layer.send(request("one"), to: .target(target), token: 1)
                    layer.send(request("two"), to: .target(target), token: 2)
                    layer.flush()
                }
                let (flow, opened) = try await client.delegate.nextOpened()
                #expect(opened == target && flow.remote == target.address && flow.connection != 0)
                #expect(try await client.delegate.nextMessage().0 == request("one"))
                try await client.send(request("three"), to: .target(target), token: 3)
                try await client.send(request("four"), to: .flow(flow), token: 4)
                for name in ["two", "three", "four"] {
                    let (bytes, from) = try await client.delegate.nextMessage()
                    #expect(bytes == request(name) && from == flow)
                }
                let (accepted, none) = try await server.delegate.nextOpened()
                #expect(none == nil)
                let counters = try await server.counters()
                #expect(counters.connectionsAccepted == 1 && counters.streamMessagesReceived == 4)
                #expect(try await client.counters().connectionsOpened == 1)

                try await client.onLoop { $0.close(flow) }
                #expect(try await client.delegate.nextClosed() == flow)
                #expect(try await server.delegate.nextClosed() == accepted)
                try await server.send(request("late"), to: .flow(accepted), token: 5)
                #expect(try await server.delegate.nextFailed() == (5, "the connection is gone"))
                try await client.send(request("five"), to: .target(target), token: 0)
                #expect(try await server.delegate.nextOpened().0 != accepted)
            }
        }
    }

    @Test("Messages arrive whole however they are cut", arguments: [1, 7, 100, 100_000])
    func pieces(size: Int) async throws {
        try await Station.run(Self.configuration()) { server in
            let peer = try await RawPeer.connect(to: server.points[0].address)
            let names = ["a", "b", "c"]
            let bytes = names.flatMap { request($0, body: 40) }
            for start in stride(from: 0, to: bytes.count, by: size) {
                try await peer.write(Array(bytes[start..<min(start + size, bytes.count)]))
            }
            for name in names { #expect(try await server.delegate.nextMessage().0 == request(name, body: 40)) }
            await peer.close()
        }
    }

    @Test("A double CRLF is answered with a CRLF (RFC 5626 section 4.4.1)")
    func ping() async throws {
        try await Station.run(Self.configuration()) { server in
            let peer = try await RawPeer.connect(to: server.points[0].address)
            try await peer.write([0x0d, 0x0a, 0x0d, 0x0a])
            #expect(await peer.read(2) == [0x0d, 0x0a])
            try await peer.write(request("a") + [0x0d, 0x0a, 0x0d, 0x0a])
            #expect(try await server.delegate.nextMessage().0 == request("a"))
            #expect(await peer.read(2) == [0x0d, 0x0a])
            #expect(try await server.counters().pingsReceived == 2)
            await peer.close()
        }
    }

    @Test("A silent connection is closed after the profile's idle time")
    func idle() async throws {
        try await Station.run(Self.configuration { $0.connectionIdle = .milliseconds(40) }) { server in
            let peer = try await RawPeer.connect(to: server.points[0].address)
            let (flow, _) = try await server.delegate.nextOpened()
            #expect(try await server.delegate.nextClosed() == flow)
            #expect(await peer.readToEnd() == [])
            #expect(try await server.counters().idleTimeouts == 1)
            #expect(try await server.counters().connectionsOpen == 0)
        }
    }

    @Test("A message that trickles in is given up after the profile's completion time, though bytes keep coming")
    func slowloris() async throws {
        try await Station.run(Self.configuration { $0.messageCompletion = .milliseconds(60) }) { server in
            let peer = try await RawPeer.connect(to: server.points[0].address)
            try await peer.write(request("whole"))
            let bytes = request("slow", body: 60_000)
            let writing = Task {
                for byte in bytes { try await peer.write([byte]) }
            }
            _ = try await server.delegate.nextMessage()
            _ = try await server.delegate.nextClosed()
            writing.cancel()
            #expect(try await server.counters().completionTimeouts == 1)
            await peer.close()
        }
    }

    @Test("A message that cannot be framed reaches the delegate, whose answer leaves before the end")
    func unframeable() async throws {
        try await Station.run(Self.configuration()) { server in
            server.delegate.answer = { layer, _, flow in layer.send(request("answer"), to: .flow(flow), token: 0) }
            let peer = try await RawPeer.connect(to: server.points[0].address)
            let bad = Array("MESSAGE sip:a@b SIP/2.0\r\nContent-Length: many\r\n\r\n".utf8)
            try await peer.write(bad)
            let (bytes, flow) = try await server.delegate.nextMessage()
            #expect(bytes == bad)
            #expect(await peer.readToEnd() == request("answer"))
            #expect(try await server.delegate.nextClosed() == flow)
            #expect(try await server.counters().framingFailures == 1)
        }
    }

    @Test("A peer that does not read is cut off, its messages reported, and others are served")
    func slowPeer() async throws {
        var configuration = Self.configuration()
        configuration.pendingByteLimit = 200_000
        try await Station.run(configuration) { server in
            let slow = try await RawPeer.connect(to: server.points[0].address, reading: false)
            let (flow, _) = try await server.delegate.nextOpened()
            let quick = try await RawPeer.connect(to: server.points[0].address)
            let (other, _) = try await server.delegate.nextOpened()
            let big = request("big", body: 60_000)
            var sent: UInt64 = 0
            while try await server.counters().overflows == 0 {
                sent += 1
                try await server.send(big, to: .flow(flow), token: sent)
                try await server.send([0x41], to: .flow(other))
            }
            var failed: [UInt64] = []
            var isClosed = false
            while failed.last != sent || !isClosed {
                switch try await server.delegate.next() {
                case .failed(let token, _): failed.append(token)
                case .closed(let closed): isClosed = closed == flow
                default: break
                }
                if isClosed, failed.contains(sent) { break }
            }
            // Three or four messages were waiting, and the one that was too much.
            #expect(failed.count >= 2 && Set(failed).count == failed.count)
            #expect(await quick.read(Int(sent)) == [UInt8](repeating: 0x41, count: Int(sent)))
            await slow.close()
            await quick.close()
        }
    }

    @Test("A refused connection fails every message that waited for it")
    func refused() async throws {
        var address: TransportAddress?
        try await Station.run(Self.configuration()) { address = $0.points[0].address }
        let target = Target(transport: .tcp, address: try #require(address))
        try await Station.run(Self.configuration()) { client in
            try await client.onLoop { layer in
                for token in 1...3 { layer.send(request("x"), to: .target(target), token: UInt64(token)) }
                layer.flush()
            }
            for token in 1...3 {
                let (failed, reason) = try await client.delegate.nextFailed()
                #expect(failed == token && reason.contains("cannot connect"))
            }
            let counters = try await client.counters()
            #expect(counters.connectFailures == 1 && counters.connectionsOpen == 0)
            #expect(counters.transmissionsFailed == 3)
        }
    }

    @Test("No more connections than the limits allow, in all and from one source", arguments: [true, false])
    func limits(perSource: Bool) async throws {
        var configuration = Self.configuration()
        if perSource { configuration.connectionLimitPerSource = 2 } else { configuration.connectionLimit = 2 }
        try await Station.run(configuration) { server in
            let first = try await RawPeer.connect(to: server.points[0].address)
            _ = try await RawPeer.connect(to: server.points[0].address)
            _ = try await server.delegate.nextOpened()
            _ = try await server.delegate.nextOpened()
            let third = try await RawPeer.connect(to: server.points[0].address)
            #expect(await third.readToEnd() == [])
            #expect(try await server.counters().connectionsRefused == 1)
            await first.close()
            _ = try await server.delegate.nextClosed()
            let fourth = try await RawPeer.connect(to: server.points[0].address)
            try await fourth.write(request("again"))
            #expect(try await server.delegate.nextMessage().0 == request("again"))
        }
    }

    @Test("Shutting down lets queued messages leave")
    func shutdown() async throws {
        let delegate = RecordingDelegate()
        try await Station.run(Self.configuration()) { server in
            let client = TransportLayer(
                eventLoop: server.layer.eventLoop, configuration: Self.configuration(), delegate: delegate,
                logger: server.layer.logger)
            _ = try await client.start()
            let target = Target(transport: .tcp, address: server.points[0].address)
            let loop = Station(layer: client, delegate: delegate, points: [])
            try await loop.send(request("first"), to: .target(target))
            _ = try await delegate.nextOpened()
            _ = try await loop.onLoop { $0.send(request("last", body: 50_000), to: .target(target), token: 0) }
            await client.shutdown()
            #expect(try await server.delegate.nextMessage().0 == request("first"))
            #expect(try await server.delegate.nextMessage().0 == request("last", body: 50_000))
            _ = try await server.delegate.nextClosed()
        }
    }
}

@Suite("Any bytes on any port", .timeLimit(.minutes(1)))
struct ArbitraryBytesTests {
    @Test("Arbitrary bytes on a stream end at worst their own connection", arguments: 0..<20 as Range<UInt64>)
    func streams(seed: UInt64) async throws {
        try await Station.run(StreamTests.configuration { $0.messageCompletion = .milliseconds(100) }) { server in
            let good = try await RawPeer.connect(to: server.points[0].address)
            let bad = try await RawPeer.connect(to: server.points[0].address)
            var state = seed &+ 1
            var bytes = request("seed\(seed)", body: 30)
            for _ in 0..<40 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes[Int(state >> 40) % bytes.count] = UInt8(truncatingIfNeeded: state >> 33)
            }
            try await bad.write(bytes + bytes)
            try await good.write(request("good"))
            while try await server.delegate.nextMessage().0 != request("good") {}
            await bad.close()
            await good.close()
        }
    }

    @Test("Arbitrary datagrams are handed on, answered or dropped")
    func datagrams() async throws {
        let configuration = TransportConfiguration(listeningPoints: [.free(.udp)])
        try await Station.run(configuration) { server in
            try await Station.run(configuration) { client in
                let target = Target(transport: .udp, address: server.points[0].address)
                try await client.onLoop { layer in
                    var state: UInt64 = 7
                    for length in 0..<200 {
                        let bytes = (0..<length).map { _ in
                            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                            return UInt8(truncatingIfNeeded: state >> 40)
                        }
                        layer.send(bytes, to: .target(target), token: 0)
                    }
                    layer.send(Array("last".utf8), to: .target(target), token: 0)
                    layer.flush()
                }
                while try await server.delegate.nextMessage().0 != Array("last".utf8) {}
                #expect(try await server.counters().datagramsReceived == 201)
            }
        }
    }
}
