import LinkProfiles
import SIPCore
import SigComp
import Testing
import Transport

@testable import GodwitServer

@Suite("A server with SigComp", .serialized)
struct CompressionTests {
    private static let clientID = "urn:uuid:22222222-2222-4222-8222-222222222222"
    private static let text = String(repeating: "The tide turns at four; bring both anchors. ", count: 16)

    /// A client that knows the server for a Godwit, and asks for SigComp itself.
    private func client(of port: UInt16, identifier: String = clientID) throws -> LoopbackPeer {
        let parameters = SigCompParameters(cyclesPerBit: 64, decompressionMemorySize: 65_536, stateMemorySize: 65_536)
        var settings = CompressionSettings(
            identifier: identifier, endpoint: SigCompConfiguration(parameters: parameters))
        settings.peers = [
            CompressedPeer(network: try #require(NetworkPrefix("127.0.0.1")), port: port, isPair: true)
        ]
        let peer = try LoopbackPeer(server: port, compression: settings)
        peer.contactParameters = ";comp=sigcomp;sigcomp-id=\(identifier)"
        return peer
    }

    /// Alice without SigComp sends to Bob who has it, live and stored.
    private func converse(_ alice: LoopbackPeer, _ bob: LoopbackPeer) throws {
        for number in 1...6 {
            alice.message(from: "alice", to: "bob", Self.text, id: "\(number)")
            let message = try bob.receiveMessage()
            #expect(message.text(message.body) == Self.text)
            bob.answer(message, 200)
            #expect(try alice.receiveFinal().statusCode == 200)
        }
    }

    @Test func messagesToADeviceThatAsksAreCompressed() async throws {
        let site = Site()
        let (server, port) = try await site.start()
        let alice = try LoopbackPeer(server: port)
        let bob = try client(of: port)
        bob.register("bob", sequence: 1)
        #expect(try bob.receiveFinal().statusCode == 200)
        try converse(alice, bob)
        #expect(alice.plain == 6 && alice.compressed == 0)
        #expect(bob.compressed >= 5)

        let counters = try #require(try site.ask(AdminRequest(.stats)).counters)
        #expect(counters["sigcomp_messages_received"] ?? 0 >= 2)
        let sent = try #require(counters["sigcomp_message_messages_sent"])
        #expect(sent >= 5)
        let plain = try #require(counters["sigcomp_message_plain_bytes_sent"])
        #expect(try #require(counters["sigcomp_message_bytes_sent"]) < plain / 2)
        #expect(counters["sigcomp_compartments"] == 1)
        let peers = try #require(try site.ask(AdminRequest(.sigcomp)).compressionPeers)
        #expect(peers.map(\.name) == [Self.clientID])
        #expect(peers[0].address == "127.0.0.1:\(bob.port)" && peers[0].messagesSent >= UInt64(sent))
        await server.stop()
    }

    @Test func aRestartedServerIsFoundOutWithoutLosingAMessage() async throws {
        let site = Site()
        let (first, port) = try await site.start()
        let (alice, bob) = (try LoopbackPeer(server: port), try client(of: port))
        bob.register("bob", sequence: 1)
        _ = try bob.receiveFinal()
        try converse(alice, bob)
        await first.stop()

        let (second, _) = try await site.start("listen: [\"udp:127.0.0.1:\(port)\"]")
        alice.message(from: "alice", to: "bob", Self.text, id: "again")
        let message = try bob.receiveMessage()
        #expect(message.text(message.callID) == "message-again")
        // The answer may rest on what the first server knew: it is refused then, and made anew for the retransmission.
        bob.answer(message, 200)
        bob.wait(atMost: 2)
        while let repeated = try? bob.receive(), repeated.isRequest { bob.answer(repeated, 200) }
        #expect(try alice.receiveFinal().statusCode == 200)
        await second.stop()
    }

    @Test func garbageIsAnsweredAndCounted() async throws {
        let site = Site()
        let (server, port) = try await site.start()
        let peer = try LoopbackPeer(server: port)
        peer.send(bytes: [0xf9, 1, 2, 3, 4, 5, 6])
        #expect(try peer.receiveBytes().prefix(4) == [0xf8, 0, 1, DecompressionFailureReason.stateNotFound.rawValue])
        peer.message(from: "alice", to: "bob", "plain goes on", id: "p")
        #expect(try peer.receiveFinal().statusCode == 202)
        let counters = try #require(try site.ask(AdminRequest(.stats)).counters)
        #expect(counters["sigcomp_failures_state_not_found"] == 1)
        #expect(counters["sigcomp_negative_acknowledgements_sent"] == 1)
        await server.stop()
    }

    @Test func switchedOffItIsNeitherTakenNorSent() async throws {
        let site = Site()
        let (server, port) = try await site.start("sigcomp: {enabled: false}")
        let (alice, bob) = (try LoopbackPeer(server: port), try LoopbackPeer(server: port))
        bob.contactParameters = ";comp=sigcomp"
        bob.register("bob", sequence: 1)
        #expect(try bob.receiveFinal().statusCode == 200)
        alice.send(bytes: [0xf9, 1, 2, 3, 4, 5, 6])
        try converse(alice, bob)
        let counters = try #require(try site.ask(AdminRequest(.stats)).counters)
        #expect(counters["unreadable"] == 1)
        #expect(!counters.keys.contains { $0.hasPrefix("sigcomp") })
        #expect(try site.ask(AdminRequest(.sigcomp)).compressionPeers == [])
        await server.stop()
    }

    @Test func whoDoesNotProveWhoHeIsLeavesNothingBehind() async throws {
        let site = Site()
        let (server, port) = try await site.start("authentication: {required: true}")
        let mallory = try client(of: port)
        mallory.register("bob", sequence: 1)
        #expect(try mallory.receiveFinal().statusCode == 401)
        let counters = try #require(try site.ask(AdminRequest(.stats)).counters)
        #expect(counters["sigcomp_states_declined"] == 1)
        #expect(counters["sigcomp_compartments"] == 0)
        #expect(counters["sigcomp_state_bytes"] == 0)
        await server.stop()
    }
}
