import NIOCore
import SIPCore
import SigComp
import Testing

@testable import Transport

@Suite("SigComp and plain SIP on the same sockets (RFC 5049 section 5)", .timeLimit(.minutes(1)))
struct CompressedSocketTests {
    typealias Scene = CompressionScene

    private func configuration(
        _ identifier: String, _ points: [ListeningPoint], _ change: (inout CompressionSettings) -> Void = { _ in }
    ) -> TransportConfiguration {
        var configuration = TransportConfiguration(listeningPoints: points)
        configuration.compression = Scene.settings(identifier, change)
        return configuration
    }

    /// Answers every request as ``CompressionScene/answer(_:)`` does.
    private func answering(_ station: Station) {
        station.delegate.answer = { layer, bytes, flow in
            guard let answer = try? Scene.answer(bytes) else { return }
            layer.send(answer, to: .flow(flow), token: 0)
        }
    }

    private func compression(_ station: Station) async throws -> CompressionCounters {
        try #require(try await station.onLoop { $0.compressionCounters })
    }

    @Test("A request and its answer over datagrams and connections", arguments: [SIPTransport.udp, .tcp])
    func exchange(transport: SIPTransport) async throws {
        try await Station.run(configuration(Scene.serverID, [.free(transport)])) { server in
            try await Station.run(configuration(Scene.clientID, [.free(transport)])) { client in
                let target = Target(transport: transport, address: server.points[0].address)
                for number in 1...5 {
                    try await client.send(Scene.message(number), to: .target(target))
                    let (request, flow) = try await server.delegate.nextMessage()
                    #expect(request.text.contains(";comp=sigcomp;sigcomp-id=\"\(Scene.clientID)\""))
                    try await server.send(try Scene.answer(request), to: .flow(flow))
                    let (answer, _) = try await client.delegate.nextMessage()
                    #expect(answer == (try Scene.answer(request)))
                }
                let (sent, received) = (try await compression(client), try await compression(server))
                #expect(sent.traffic.messagesSent == 5 && sent.traffic.messagesReceived == 5)
                #expect(received.traffic.messagesReceived == 5)
                #expect(received.traffic.bytesReceived == sent.traffic.bytesSent)
                #expect(received.traffic.bytesReceived < received.traffic.plainBytesReceived / 2)
                let counters = try await server.counters()
                if transport == .udp {
                    #expect(counters.datagramBytesReceived == sent.traffic.bytesSent)
                } else {
                    #expect(counters.connectionsAccepted == 1)
                }
                let peers = try await server.onLoop { $0.compressionPeers(limit: 5) }
                #expect(peers.map(\.name) == [Scene.clientID])
                #expect(peers[0].traffic.messagesSent == 5 && peers[0].stateBytes > 0)
            }
        }
    }

    @Test("To one target go a connection for SigComp and one for plain SIP; neither carries the other's")
    func connections() async throws {
        try await Station.run(configuration(Scene.serverID, [.free(.tcp)])) { server in
            try await Station.run(configuration(Scene.clientID, [.free(.tcp)])) { client in
                let target = Target(transport: .tcp, address: server.points[0].address)
                var flows: [Bool: Set<Flow>] = [:]
                for number in 1...6 {
                    let isCompressed = number.isMultiple(of: 2)
                    let message = Scene.message(number, uri: isCompressed ? ";comp=sigcomp" : "")
                    try await client.send(message, to: .target(target))
                    let (seen, flow) = try await server.delegate.nextMessage()
                    #expect(seen.text.contains("CSeq: \(number) "))
                    flows[isCompressed, default: []].insert(flow)
                }
                #expect(flows[true]?.count == 1 && flows[false]?.count == 1 && flows[true] != flows[false])
                // What is sent back on them is of their kind, whatever the message asks for.
                let compressed = try #require(flows[true]?.first)
                try await server.send(Scene.message(7, uri: ""), to: .flow(compressed))
                #expect(try await client.delegate.nextMessage().0 == Scene.message(7, uri: ""))
                let plain = try #require(flows[false]?.first)
                try await server.send(Scene.message(8), to: .flow(plain))
                #expect(try await client.delegate.nextMessage().0 == Scene.message(8))
                #expect(try await compression(server).traffic.messagesSent == 0)
            }
        }
    }

    @Test("Peers that know nothing of SigComp see plain SIP", arguments: [SIPTransport.udp, .tcp])
    func plain(transport: SIPTransport) async throws {
        try await Station.run(configuration(Scene.serverID, [.free(transport)])) { server in
            answering(server)
            try await Station.run(TransportConfiguration(listeningPoints: [.free(transport)])) { client in
                let target = Target(transport: transport, address: server.points[0].address)
                let request = Scene.message(uri: "")
                try await client.send(request, to: .target(target))
                #expect(try await server.delegate.nextMessage().0 == request)
                #expect(try await client.delegate.nextMessage().0 == (try Scene.answer(request)))
                #expect(try await compression(server) == CompressionCounters())
            }
        }
    }

    @Test("Garbage in a datagram is answered with a NACK at the sender's port, and plain SIP goes on")
    func garbage() async throws {
        try await Station.run(configuration(Scene.serverID, [.free(.udp)])) { server in
            // Without SigComp the client's transport hands NACKs on as they are.
            try await Station.run(TransportConfiguration(listeningPoints: [.free(.udp)])) { client in
                let target = Target(transport: .udp, address: server.points[0].address)
                try await client.send([0xf9, 1, 2, 3, 4, 5, 6], to: .target(target))
                let (nack, _) = try await client.delegate.nextMessage()
                let endpoint = SigCompEndpoint(configuration: SigCompConfiguration())
                guard case .negativeAcknowledgement(let read) = try endpoint.receive(nack) else {
                    throw Scene.NoMessage()
                }
                #expect(read.failure.reason == .stateNotFound && read.failure.details == [1, 2, 3, 4, 5, 6])
                try await client.send(Scene.message(uri: ""), to: .target(target))
                #expect(try await server.delegate.nextMessage().0 == Scene.message(uri: ""))
                #expect(try await compression(server).failures == [.stateNotFound: 1])
            }
        }
    }

    @Test("A stream that cannot be cut into messages gets the NACK for that, and ends")
    func framing() async throws {
        try await Station.run(configuration(Scene.serverID, [.free(.tcp)])) { server in
            let peer = try await RawPeer.connect(to: server.points[0].address)
            var stream: [UInt8] = []
            RecordMarking.append(PassThroughProgram.prefix + Scene.message(uri: ""), to: &stream)
            try await peer.write(stream + [0xf8, 0x01, 0xff, 0x80])
            #expect(try await server.delegate.nextMessage().0 == Scene.message(uri: ""))
            var deframer = RecordDeframer()
            deframer.append(await peer.readToEnd())
            let answer = try #require(try deframer.next())
            guard
                case .negativeAcknowledgement(let nack) =
                    try SigCompEndpoint(configuration: SigCompConfiguration()).receive(answer, over: .stream)
            else { throw Scene.NoMessage() }
            #expect(nack.failure.reason == .framingError)
            #expect(nack.messageHash.bytes == [UInt8](repeating: 0, count: 20))
            _ = try await server.delegate.nextClosed()
            #expect(try await server.counters().framingFailures == 1)
        }
    }

    @Test("A message that arrives byte by byte is one message")
    func trickle() async throws {
        try await Station.run(configuration(Scene.serverID, [.free(.tcp)])) { server in
            let peer = try await RawPeer.connect(to: server.points[0].address)
            var stream: [UInt8] = []
            let message = Scene.message(uri: "", body: "\u{ff}\u{ff} bytes ff are quoted")
            RecordMarking.append(PassThroughProgram.prefix + message, to: &stream)
            for part in stream.indices.striding(by: 97, in: stream) { try await peer.write(part) }
            #expect(try await server.delegate.nextMessage().0 == message)
            await peer.close()
        }
    }

    @Test("On a connection a refused message is sent again in another form, and none is lost")
    func refused() async throws {
        try await Station.run(configuration(Scene.serverID, [.free(.tcp)])) { server in
            answering(server)
            try await Station.run(configuration(Scene.clientID, [.free(.tcp)])) { client in
                let target = Target(transport: .tcp, address: server.points[0].address)
                for number in 1...8 {
                    if number == 5 {
                        // The server forgets everything, as after a restart behind a balancer.
                        _ = try await server.onLoop { layer in
                            layer.compression?.endpoint.close(CompartmentIdentifier(Scene.clientID))
                        }
                    }
                    try await client.send(Scene.message(number), to: .target(target))
                    #expect(try await server.delegate.nextMessage().0.text.contains("CSeq: \(number) "))
                    _ = try await client.delegate.nextMessage()
                }
                let counters = try await compression(client)
                #expect(counters.messagesRepeated >= 1)
                #expect(counters.negativeAcknowledgementsReceived.keys.map(\.self) == [.stateNotFound])
                #expect(try await client.counters().connectionsOpened == 1)
            }
        }
    }

    @Test("What is too large for SigComp goes by a connection of its own, and not at all where there is only one")
    func tooLarge() async throws {
        let large = Scene.message(9, body: String(repeating: "x", count: 65_530))
        try await Station.run(configuration(Scene.serverID, [.free(.tcp)])) { server in
            try await Station.run(configuration(Scene.clientID, [.free(.tcp)])) { client in
                let target = Target(transport: .tcp, address: server.points[0].address)
                try await client.send(Scene.message(1), to: .target(target))
                let (_, flow) = try await server.delegate.nextMessage()
                try await client.send(large, to: .target(target))
                let (_, opened) = try await client.delegate.nextOpened()
                #expect(opened == target)
                _ = try await client.delegate.nextOpened()
                try await server.send(large, to: .flow(flow), token: 4)
                #expect(try await server.delegate.nextFailed().0 == 4)
            }
        }
    }

    @Test(
        "Where a listening point or a link does not offer it, SigComp is bytes like any other",
        arguments: [false, true])
    func switchedOff(byLink: Bool) async throws {
        var point = ListeningPoint.free(.udp)
        point.offersSigComp = byLink
        let configuration = configuration(Scene.serverID, [point]) { settings in
            if byLink { settings.isOffered = { _, remote in remote.ip != .loopback4 } }
        }
        try await Station.run(configuration) { server in
            try await Station.run(TransportConfiguration(listeningPoints: [.free(.udp)])) { client in
                let target = Target(transport: .udp, address: server.points[0].address)
                try await client.send([0xf9, 1, 2, 3, 4, 5, 6], to: .target(target))
                let (seen, flow) = try await server.delegate.nextMessage()
                #expect(seen == [0xf9, 1, 2, 3, 4, 5, 6])
                try await server.send(Scene.message(), to: .flow(flow))
                #expect(try await client.delegate.nextMessage().0 == Scene.message())
            }
        }
    }

    @Test("A sender whom the application does not know leaves no state")
    func declined() async throws {
        try await Station.run(configuration(Scene.serverID, [.free(.udp)])) { server in
            server.delegate.admission = .declined
            try await Station.run(configuration(Scene.clientID, [.free(.udp)])) { client in
                let target = Target(transport: .udp, address: server.points[0].address)
                try await client.send(Scene.message(), to: .target(target))
                _ = try await server.delegate.nextMessage()
                let counters = try await compression(server)
                #expect(counters.statesDeclined == 1 && counters.compartments == 0 && counters.stateBytes == 0)
            }
        }
    }
}

extension Range<Int> {
    /// The slices of `array` of at most so many elements.
    fileprivate func striding(by length: Int, in array: [UInt8]) -> [[UInt8]] {
        stride(from: lowerBound, to: upperBound, by: length).map {
            Array(array[$0..<Swift.min($0 + length, upperBound)])
        }
    }
}
