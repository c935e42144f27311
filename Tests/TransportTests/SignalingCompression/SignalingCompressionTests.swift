import LinkProfiles
import SIPCore
import SigComp
import Testing

@testable import Transport

@Suite("SigComp between sockets and SIP (RFC 5049, RFC 3486)")
struct SignalingCompressionTests {
    typealias Scene = CompressionScene

    let client = CompressionParty(CompressionScene.settings(CompressionScene.clientID))
    let server = CompressionParty(CompressionScene.settings(CompressionScene.serverID))
    /// How the server is seen by the client, and the client by the server.
    let toServer = CompressionScene.udp(5060, ip: 0xC000_0201)
    let toClient = CompressionScene.udp(5062)

    @Test("A request to a URI with comp=sigcomp and its response are compressed, and grow smaller with what is known")
    func exchange() throws {
        var sizes: [Int] = []
        for number in 1...8 {
            let request = Scene.message(number)
            let wire = client.send(request, on: toServer)
            #expect(wire.isSigComp && wire.count < request.count)
            sizes.append(wire.count)
            let got = try #require(server.receive(wire, on: toClient).message)
            let expected = request.text.replacing(
                "branch=z9hG4bKc\(number)",
                with: "branch=z9hG4bKc\(number);comp=sigcomp;sigcomp-id=\"\(Scene.clientID)\"")
            #expect(got.text == expected)
            let answer = try Scene.answer(got)
            let back = server.send(answer, on: toClient)
            #expect(back.isSigComp)
            #expect(client.receive(back, on: toServer).message == answer)
        }
        #expect(try #require(sizes.last) < sizes[0] / 2)
        let counters = server.compression.counters
        #expect(counters.traffic.messagesReceived == 8 && counters.traffic.messagesSent == 8)
        #expect(counters.byMethod[.message] == counters.traffic)
        #expect(Int(counters.traffic.bytesReceived) == sizes.reduce(0, +))
        #expect(counters.failures.isEmpty && counters.compartments == 1)
    }

    @Test(
        "Who does not ask gets plain SIP, byte for byte",
        arguments: ["", ";transport=udp", ";comp=deflate", ";compact=sigcomp;lr"])
    func plain(uri: String) throws {
        let request = Scene.message(uri: uri)
        #expect(client.send(request, on: toServer) == request)
        let answer = try Scene.answer(request)
        #expect(client.send(answer, on: toServer) == answer)
        let body = Scene.message(uri: uri, body: "a body may say ;comp=sigcomp")
        #expect(client.send(body, on: toServer) == body)
        #expect(client.compression.counters.traffic == CompressionTraffic())
    }

    @Test("The first Route value decides, not the Request-URI")
    func route() {
        let away = Scene.message(uri: ";comp=sigcomp", headers: "Route: <sip:192.0.2.8;lr>\r\n")
        #expect(client.send(away, on: toServer) == away)
        let there = Scene.message(uri: "", headers: "Route: <sip:192.0.2.8;lr;comp=SIGCOMP>, <sip:192.0.2.7;lr>\r\n")
        #expect(client.send(there, on: toServer).isSigComp)
    }

    @Test("What the configuration names gets SigComp unasked, both ways")
    func configured() throws {
        let peer = CompressedPeer(
            network: try #require(NetworkPrefix("192.0.2.1")), port: 5060, identifier: Scene.serverID)
        let client = CompressionParty(Scene.settings(Scene.clientID) { $0.peers = [peer] })
        let request = Scene.message(uri: "")
        #expect(client.send(request, on: toServer).isSigComp)
        #expect(client.send(request, on: Scene.udp(5061, ip: 0xC000_0201)) == request)
        #expect(client.compression.peers(limit: 9).map(\.name) == [Scene.serverID])
    }

    @Test("Answers to those who are not known rest on nothing that was sent before (RFC 5049 section 9.4)")
    func strangers() throws {
        server.admission = .declined
        var sizes: Set<Int> = []
        for number in 1...4 {
            let got = try #require(
                server.receive(client.send(Scene.message(number), on: toServer), on: toClient).message)
            let answer = try Scene.answer(got)
            let wire = server.send(answer, on: toClient)
            sizes.insert(wire.count)
            // Somebody who has seen nothing before can read it.
            let other = CompressionParty(Scene.settings("urn:x:other"))
            #expect(other.receive(wire, on: toServer).message == answer)
        }
        #expect(sizes.count <= 2)
        #expect(server.compression.counters.compartments == 0 && server.compression.peers(limit: 9).isEmpty)
    }

    @Test("A peer that never reacts to SigComp gets plain SIP, for some time (RFC 3486 section 7)")
    func silence() {
        let request = Scene.message()
        let sent = (0..<4).map { _ in client.send(request, on: toServer) }
        #expect(sent.map(\.isSigComp) == [true, true, true, false])
        #expect(sent[3] == request)
        client.now += 601_000_000
        #expect(client.send(request, on: toServer).isSigComp)
    }

    @Test("A peer that has answered is believed for longer, and at once again when it is heard")
    func patience() throws {
        func exchange(_ number: Int) throws {
            let got = try #require(
                server.receive(client.send(Scene.message(number), on: toServer), on: toClient).message)
            _ = client.receive(server.send(try Scene.answer(got), on: toClient), on: toServer)
        }
        try exchange(1)
        let sent = (2..<12).map { client.send(Scene.message($0), on: toServer).isSigComp }
        #expect(sent == [Bool](repeating: true, count: 8) + [false, false])
        _ = client.receive(server.send(Scene.message(20), on: toClient), on: toServer)
        #expect(client.send(Scene.message(13), on: toServer).isSigComp)
    }

    @Test("A server that has forgotten everything says so, and the repetition gets through (RFC 4077 section 2.3.1)")
    func restart() throws {
        for number in 1...4 {
            let got = try #require(
                server.receive(client.send(Scene.message(number), on: toServer), on: toClient).message)
            _ = client.receive(server.send(try Scene.answer(got), on: toClient), on: toServer)
        }
        let reborn = CompressionParty(Scene.settings(Scene.serverID))
        let request = Scene.message(5)
        let (lost, nack) = reborn.receive(client.send(request, on: toServer), on: toClient)
        #expect(lost == nil)
        #expect(reborn.compression.counters.failures == [.stateNotFound: 1])
        let repeated = client.receive(try #require(nack), on: toServer)
        #expect(repeated.message == nil && repeated.answer == nil, "SIP repeats over datagrams, SigComp does not")
        #expect(client.compression.counters.negativeAcknowledgementsReceived == [.stateNotFound: 1])
        #expect(reborn.receive(client.send(request, on: toServer), on: toClient).message != nil)
    }

    @Test("On a connection SigComp itself repeats what was refused (RFC 4077 section 2.3.2)")
    func restartOnStream() throws {
        let flow = Scene.tcp(1)
        func record(_ number: Int) throws -> [UInt8] {
            try #require(client.compression.record(Scene.message(number), on: flow, at: client.now))
        }
        for number in 1...4 {
            let got = try #require(server.receive(try record(number), on: flow).message)
            let back = try #require(server.compression.record(try Scene.answer(got), on: flow, at: server.now))
            _ = client.receive(back, on: flow)
        }
        let reborn = CompressionParty(Scene.settings(Scene.serverID))
        var got = reborn.receive(try record(5), on: flow)
        #expect(got.message == nil)
        var repetitions = 0
        while let nack = got.answer {
            repetitions += 1
            got = reborn.receive(try #require(client.receive(nack, on: flow).answer), on: flow)
        }
        #expect(try #require(got.message).text.contains("CSeq: 5 MESSAGE"))
        #expect(1...3 ~= repetitions)
        #expect(client.compression.counters.messagesRepeated == UInt64(repetitions))
    }

    @Test(
        "Garbage is answered and counted by reason",
        arguments: [
            ([0xf9, 1, 2, 3, 4, 5, 6], DecompressionFailureReason.stateNotFound),
            ([0xf8, 0, 0x11, 0xff], .invalidOpcode),
            ([0xf8, 0x00, 0x10, 0x00], .invalidCodeLocation),
            ([0xff, 1], .messageTooShort),
        ] as [([UInt8], DecompressionFailureReason)])
    func garbage(bytes: [UInt8], reason: DecompressionFailureReason) throws {
        let answer = try #require(server.receive(bytes, on: toClient).answer)
        #expect(server.compression.counters.failures == [reason: 1])
        guard case .negativeAcknowledgement(let nack) = try server.compression.endpoint.receive(answer) else {
            throw Scene.NoMessage()
        }
        #expect(nack.failure.reason == reason)
        #expect(nack.messageHash == server.compression.endpoint.dispatcher.states.store.hash.identifier(of: bytes))
    }

    @Test("NACKs are bounded for each address and for all, and all failures are counted")
    func bounds() {
        let server = CompressionParty(
            Scene.settings(Scene.serverID) {
                $0.negativeAcknowledgementsPerSource = 3
                $0.negativeAcknowledgementsInAll = 8
            })
        func answers(from ip: UInt32, _ count: Int) -> Int {
            (0..<count).count { _ in
                server.receive([0xf9, 1, 2, 3, 4, 5, 6], on: Scene.udp(5060, ip: ip)).answer != nil
            }
        }
        #expect(answers(from: 1, 10) == 3)
        #expect((2...9).map { answers(from: $0, 2) }.reduce(0, +) == 5)
        let counters = server.compression.counters
        #expect(counters.failures == [.stateNotFound: 26])
        #expect(counters.negativeAcknowledgementsSent == 8 && counters.negativeAcknowledgementsWithheld == 18)
        server.now += 1_000_000
        #expect(answers(from: 1, 10) == 3)
    }

    @Test("Strangers can cause a bounded amount of work, and known peers do not suffer from it")
    func strangersWork() throws {
        let server = CompressionParty(
            Scene.settings(Scene.serverID) {
                $0.strangerCyclesPerSource = 500_000
                $0.strangerCyclesInAll = 1_000_000
            })
        let known = Scene.message(1)
        #expect(server.receive(client.send(known, on: toServer), on: toClient).message != nil)
        // JUMP to itself, until the cycles are used up.
        var endless = try #require(SigCompMessageBuilder(bytecode: [0x16, 0x00], destination: 128)).bytes
        endless += [UInt8](repeating: 0, count: 200)
        for address in UInt32(1)...40 {
            for _ in 0..<10 { _ = server.receive(endless, on: Scene.udp(5060, ip: address)) }
        }
        let counters = server.compression.counters
        let looked = try #require(counters.failures[.cyclesExhausted])
        let cost = UInt64((1_000 + 8 * endless.count) * 64)
        #expect(looked >= 1_000_000 / cost && looked <= 1_000_000 / cost + 2)
        #expect(looked + counters.messagesRefused == 400)
        #expect(server.receive(client.send(Scene.message(2), on: toServer), on: toClient).message != nil)
        server.now += 1_000_000
        _ = server.receive(endless, on: Scene.udp(5060, ip: 99))
        #expect(server.compression.counters.failures[.cyclesExhausted] == looked + 1)
    }

    @Test("Over paths that lose, repeat and reorder every message arrives as it was or not at all", arguments: 1...6)
    func lossyPath(seed: UInt64) throws {
        var random = LossGenerator(state: seed)
        var underway: [(bytes: [UInt8], isUp: Bool, plain: [UInt8])] = []
        var (sent, arrived, refused) = (0, 0, 0)
        for number in 1...400 {
            let isUp = random.next(upTo: 2) == 0
            let body = String(repeating: "\(random.next(upTo: 1_000)) fathoms; ", count: random.next(upTo: 30))
            let plain = Scene.message(
                number, via: ";comp=sigcomp;sigcomp-id=\"\(isUp ? Scene.clientID : Scene.serverID)\"", body: body)
            sent += 1
            underway.append((isUp ? client.send(plain, on: toServer) : server.send(plain, on: toClient), isUp, plain))
            while underway.count > random.next(upTo: 6) {
                let packet = underway.remove(at: random.next(upTo: underway.count))
                if random.next(upTo: 10) == 0 { continue }
                if random.next(upTo: 10) == 0 { underway.append(packet) }
                let (message, answer) =
                    packet.isUp
                    ? server.receive(packet.bytes, on: toClient) : client.receive(packet.bytes, on: toServer)
                if let message {
                    arrived += 1
                    #expect(message == packet.plain)
                } else {
                    refused += 1
                }
                if let answer { underway.append((answer, !packet.isUp, [])) }
            }
        }
        #expect(arrived > sent / 2)
        #expect(refused < sent / 4)
    }

    @Test("A NACK, and what may be one, is never answered")
    func noLoops() throws {
        let nack = try #require(server.receive([0xf9, 1, 2, 3, 4, 5, 6], on: toClient).answer)
        #expect(client.receive(nack, on: toServer) == (nil, nil))
        #expect(client.receive(Array(nack.prefix(8)), on: toServer).answer == nil)
    }

    @Test(
        "In a stream with SigComp everything is SigComp: plain messages, keep-alives (RFC 5049 section 5, RFC 5626 4.4.1)"
    )
    func passedThrough() throws {
        let flow = Scene.tcp(1)
        let plain = Scene.message(uri: "")
        let wire = try #require(client.compression.record(plain, on: flow, at: 1))
        #expect(wire.isSigComp)
        #expect(server.receive(wire, on: flow).message == plain)
        guard case .ping = server.compression.receive(PassThroughProgram.prefix + LineEnds.ping, on: flow, at: 9) else {
            throw Scene.NoMessage()
        }
        guard case .nothing = server.compression.receive(PassThroughProgram.prefix + LineEnds.pong, on: flow, at: 9)
        else {
            throw Scene.NoMessage()
        }
        #expect(server.compression.counters.messagesWithoutOutput == 0)
    }

    @Test("What is too large for SigComp is not taken for it (RFC 5049 section 7)")
    func tooLarge() {
        let target = Target(transport: .tcp, address: toServer.remote)
        let large = Scene.message(body: String(repeating: "x", count: 65_600))
        #expect(client.compression.record(large, on: Scene.tcp(1), at: 1) == nil)
        #expect(!client.compression.wantsStream(large, to: target, at: 1))
        #expect(client.compression.wantsStream(Scene.message(), to: target, at: 1))
        #expect(client.send(large, on: toServer).prefix(7).elementsEqual("MESSAGE".utf8))
    }
}

/// Which packets are lost is repeatable.
private struct LossGenerator {
    var state: UInt64

    mutating func next(upTo bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(truncatingIfNeeded: state >> 33) % max(1, bound)
    }
}
