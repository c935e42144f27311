import LinkProfiles
import SIPCore
import SigComp
import Testing

@testable import Transport

@Suite("Remote applications and their compartments (RFC 5049 section 9)")
struct RemoteApplicationTests {
    typealias Scene = CompressionScene

    @Test(
        "Equal identifiers have one name (RFC 5049 section 9.2)",
        arguments: [
            ("urn:uuid:0C67446E-F1A1-11D9-94D3-000A95A0E128", "urn:uuid:0c67446e-f1a1-11d9-94d3-000a95a0e128"),
            ("URN:UUID:0c67446e-f1a1-11d9-94d3-000a95a0e128", "urn:uuid:0c67446e-f1a1-11d9-94d3-000a95a0e128"),
            ("<urn:uuid:0c67446e-f1a1-11d9-94d3-000a95a0e128>", "urn:uuid:0c67446e-f1a1-11d9-94d3-000a95a0e128"),
            ("URN:Example:CaseMatters:7", "urn:example:CaseMatters:7"),
            ("sip:bob@example.com", nil), ("urn:uuid:", nil), ("urn::x", nil), ("urn:uuid", nil), ("", nil),
            ("<>", nil), ("<", nil),
            (String(repeating: "urn:x:", count: 60), nil),
        ] as [(String, String?)])
    func names(identifier: String, expected: String?) {
        #expect(RemoteApplicationName.name(of: Array(identifier.utf8)[...]) == expected)
    }

    /// What the compartments of a party are called after it got a message.
    private func compartments(after message: [UInt8], on flow: Flow, admission: CompressionAdmission) -> [String] {
        let client = CompressionParty(Scene.settings(Scene.clientID))
        let server = CompressionParty(Scene.settings(Scene.serverID))
        server.admission = admission
        let wire =
            flow.transport.isReliable
            ? client.compression.record(message, on: flow, at: 1) ?? [] : client.send(message, on: flow)
        #expect(wire.isSigComp)
        #expect(server.receive(wire, on: flow).message != nil)
        return server.compression.peers(limit: 9).map(\.name)
    }

    @Test("The sender's identifier in Via names the compartment; addresses do where there is none")
    func naming() {
        let admitted = CompressionAdmission.admitted(owner: 0)
        #expect(compartments(after: Scene.message(), on: Scene.udp(5060), admission: admitted) == [Scene.clientID])
        // A device of the time of RFC 3486 has written the Via by itself.
        let legacy = Scene.message(via: ";comp=sigcomp")
        #expect(compartments(after: legacy, on: Scene.udp(7777), admission: admitted) == ["udp:192.0.2.9:7777"])
        #expect(compartments(after: legacy, on: Scene.tcp(4), admission: admitted) == ["tcp-connection:4"])
    }

    @Test("Whoever is not known leaves nothing behind (RFC 3320 section 4.3)")
    func strangers() {
        #expect(compartments(after: Scene.message(), on: Scene.udp(5060), admission: .declined).isEmpty)
    }

    @Test("A registering device without sigcomp-id is known by its instance, and by its flow in between")
    func instances() {
        let client = CompressionParty(Scene.settings(Scene.clientID))
        let server = CompressionParty(Scene.settings(Scene.serverID))
        let contact = "Contact: <sip:bob@192.0.2.9;comp=sigcomp>;+sip.instance=\"<urn:uuid:7>\"\r\n"
        let register = Scene.message(1, via: ";comp=sigcomp", method: "REGISTER", headers: contact)
        _ = server.receive(client.send(register, on: Scene.udp(5060)), on: Scene.udp(7001))
        let message = Scene.message(2, via: ";comp=sigcomp")
        _ = server.receive(client.send(message, on: Scene.udp(5060)), on: Scene.udp(7001))
        #expect(server.compression.peers(limit: 9).map(\.name) == ["urn:uuid:7"])
        #expect(server.compression.peers(limit: 9).map(\.traffic.messagesReceived) == [2])
        // A request to its Contact, which has no identifier either, is compressed in the same compartment.
        #expect(server.send(Scene.message(3), on: Scene.udp(7001)).isSigComp)
        // From another address it is the same device once it registers there.
        _ = server.receive(client.send(register, on: Scene.udp(5060)), on: Scene.udp(7002))
        #expect(server.compression.peers(limit: 9).map(\.name) == ["urn:uuid:7"])
    }

    @Test("Nobody gets into another user's compartment by writing his identifier")
    func ownership() {
        let server = CompressionParty(Scene.settings(Scene.serverID))
        func send(_ number: Int, owner: UInt64, ip: UInt32) {
            let client = CompressionParty(Scene.settings(Scene.clientID))
            server.admission = .admitted(owner: owner)
            _ = server.receive(client.send(Scene.message(number), on: Scene.udp(5060)), on: Scene.udp(5060, ip: ip))
        }
        send(1, owner: 7, ip: 0xC000_0209)
        #expect(server.compression.counters.statesDeclined == 0)
        send(2, owner: 8, ip: 0xC000_0277)
        #expect(server.compression.counters.statesDeclined == 1)
        // Another account on the same device, and the same user elsewhere.
        send(3, owner: 8, ip: 0xC000_0209)
        send(4, owner: 7, ip: 0xC000_0266)
        #expect(server.compression.counters.statesDeclined == 1)
        #expect(server.compression.peers(limit: 9).map(\.name) == [Scene.clientID])
    }

    @Test("A connection's own compartment ends with it; one with a name stays")
    func connections() throws {
        let client = CompressionParty(Scene.settings(Scene.clientID))
        let server = CompressionParty(Scene.settings(Scene.serverID))
        for (connection, via) in [(UInt64(1), ";comp=sigcomp"), (2, "")] {
            let flow = Scene.tcp(connection)
            let wire = try #require(client.compression.record(Scene.message(via: via), on: flow, at: 5))
            _ = server.receive(wire, on: flow)
        }
        #expect(server.compression.counters.compartments == 2)
        server.compression.closed(Scene.tcp(1))
        server.compression.closed(Scene.tcp(2))
        #expect(server.compression.peers(limit: 9).map(\.name) == [Scene.clientID])
        #expect(server.compression.counters.compartments == 1)
    }

    @Test("Compartments that nobody uses are closed after their time")
    func ageing() {
        let client = CompressionParty(Scene.settings(Scene.clientID))
        let server = CompressionParty(
            Scene.settings(Scene.serverID) { $0.compartmentLifetime = .seconds(100 as Int64) })
        _ = server.receive(client.send(Scene.message(), on: Scene.udp(5060)), on: Scene.udp(5060))
        #expect(server.compression.counters.compartments == 1)
        server.now += 200_000_000
        _ = server.receive([0xf8, 0, 0], on: Scene.udp(9))
        #expect(server.compression.counters.compartments == 0)
    }

    @Test("However many applications there are, a bounded number is remembered")
    func bounds() {
        var applications = RemoteApplications(limit: 100)
        for number in 0..<10_000 {
            let flow = Scene.udp(UInt16(number))
            _ = applications.application("urn:x:\(number)", address: flow.remote, at: UInt64(number))
            applications.learn("urn:x:\(number)", on: flow)
            #expect(applications.all.count <= 100)
        }
        #expect(applications["urn:x:9999"] != nil)
        #expect(applications["urn:x:0"] == nil)
        #expect(applications.name(on: Scene.udp(9_999)) == "urn:x:9999")
    }
}
