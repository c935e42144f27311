import LinkProfiles
import MessageStore
import SIPCore
import Testing

@testable import Engine

/// What happens between a change and its commit, and after a restart.
@Suite struct RegistrarUndoTests {
    var scene = RegistrarScene()

    @Test func rollingBackTheFirstRegistrationLeavesNothing() throws {
        let outcome = scene.register(["<sip:a@h1>"])
        #expect(scene.registrar.rollBack(try #require(outcome.undo)) == [.unreachable])
        #expect(scene.locations.bindingCount == 0)
        // The store did not learn the user's number: the next registration tells it, under the same number.
        let again = scene.register(["<sip:a@h1>"])
        #expect(again.commands.first == .name(AddressNumber(1), addressOfRecord: "sip:alice@example.com"))
        again.undo.map(scene.registrar.confirm)
        #expect(scene.register(["<sip:a@h1>"], cseq: 2).commands.count == 1)
    }

    @Test func aUserNobodyKnowsCanGo() throws {
        let outcome = scene.register(["<sip:a@h1>"])
        #expect(!scene.locations.removeIfIdle(outcome.user))
        #expect(scene.registrar.rollBack(try #require(outcome.undo)) == [.unreachable])
        #expect(scene.locations.removeIfIdle(outcome.user))
        #expect(scene.locations.count == 0)
        #expect(scene.locations.user("sip:alice@example.com") == nil)
    }

    @Test func rollingBackARefreshPutsTheOldOneBack() throws {
        scene.register(["<sip:a@h1>;expires=600;q=0.5"], cseq: 1).undo.map(scene.registrar.confirm)
        let before = try #require(scene.bindings().first).bytes
        let refresh = scene.register(["<sip:a@h1>;expires=900;q=0.9"], cseq: 2)
        #expect(scene.registrar.rollBack(try #require(refresh.undo)) == [])
        #expect(try #require(scene.bindings().first).bytes == before)
        #expect(scene.register(["<sip:a@h1>;expires=900"], cseq: 2).status == 200)
    }

    @Test func rollingBackARemovalPutsAllBack() throws {
        scene.register(["<sip:a@h1>;q=0.1", "<sip:a@h2>;q=0.2", "<sip:a@h3>;q=0.3"]).undo.map(scene.registrar.confirm)
        let removal = scene.register(["*"], cseq: 2, headers: ["Expires: 0"])
        #expect(removal.effect == [.unreachable])
        #expect(scene.registrar.rollBack(try #require(removal.undo)) == [.reachable])
        #expect(scene.contacts() == ["sip:a@h3", "sip:a@h2", "sip:a@h1"])
    }

    @Test func tellingWaitsForTheCommitOfWhatItTells() throws {
        let change = scene.register(["<sip:a@h1>"])
        #expect(scene.register([], cseq: 2).awaitsCommit)
        #expect(!scene.register([], to: "sip:bob@example.com").awaitsCommit)
        scene.registrar.confirm(try #require(change.undo))
        #expect(!scene.register([], cseq: 3).awaitsCommit)
    }

    @Test func aLaterChangeStandsWhenAnEarlierOneFails() throws {
        let first = scene.register(["<sip:a@h1>;expires=600"], cseq: 1)
        let second = scene.register(["<sip:a@h1>;expires=900"], cseq: 2)
        #expect(scene.registrar.rollBack(try #require(first.undo)) == [])
        #expect(scene.bindings().map(\.cseq) == [2])
        scene.registrar.confirm(try #require(second.undo))
        #expect(scene.bindings().map(\.cseq) == [2])
    }

    @Test func whenBothFailTheStateBeforeBothIsBack() throws {
        scene.register(["<sip:a@h1>;expires=600"], cseq: 1).undo.map(scene.registrar.confirm)
        let second = scene.register(["<sip:a@h1>;expires=700"], cseq: 2)
        let third = scene.register(["<sip:a@h1>;expires=0"], cseq: 3)
        #expect(scene.registrar.rollBack(try #require(second.undo)) == [])
        #expect(scene.registrar.rollBack(try #require(third.undo)) == [.reachable])
        #expect(scene.bindings().map(\.cseq) == [1])
    }

    @Test mutating func aConnectionThatClosedMeanwhileDoesNotComeBack() throws {
        scene.flow = RegistrarScene.tcp(7)
        scene.register(["<sip:a@h1>"], cseq: 1).undo.map(scene.registrar.confirm)
        scene.flow = RegistrarScene.tcp(8)
        let moved = scene.register(["<sip:a@h1>"], cseq: 2)
        var commands: [StoreCommand] = []
        #expect(scene.registrar.flowClosed(RegistrarScene.tcp(7), commands: &commands).isEmpty)
        #expect(scene.registrar.rollBack(try #require(moved.undo)) == [])
        #expect(scene.bindings().map(\.route) == [.contact])
        #expect(scene.locations.connections.isEmpty)
    }

    // MARK: Restart

    @Test func comesBackFromTheStore() throws {
        let instance = "+sip.instance=\"<urn:x:1>\""
        var stored: [StoredBinding] = []
        stored +=
            scene.register(["<sip:a@h1;transport=udp>;q=0.25;x=y"], headers: ["Supported: path", "Path: <sip:p;lr>"])
            .bound
        stored +=
            scene.register(
                ["<sip:b@h2>;reg-id=3;\(instance)"], to: "sip:b%40c@example.org", headers: ["Supported: outbound"]
            ).bound

        let fresh = RegistrarScene()
        fresh.locations.restore(AddressNumber(1), addressOfRecord: "sip:alice@example.com")
        fresh.locations.restore(AddressNumber(2), addressOfRecord: "sip:b%40c@example.org")
        for binding in stored { #expect(fresh.registrar.restore(binding)) }
        #expect(!fresh.registrar.restore(StoredBinding(strange: AddressNumber(99))))
        fresh.locations.continueNumbering(lastAddress: AddressNumber(2), lastBinding: BindingNumber(120))
        fresh.locations.endRecovery()
        for user in ["sip:alice@example.com", "sip:b%40c@example.org"] {
            #expect(fresh.bindings(user).map(\.bytes) == scene.bindings(user).map(\.bytes))
            #expect(!fresh.bindings(user).isEmpty)
        }
        #expect(
            fresh.locations.addressOfRecord(
                of: try #require(fresh.locations.user("sip:B@x") ?? fresh.locations.user("sip:b%40c@EXAMPLE.org")))
                == "sip:b%40c@example.org")
        let next = fresh.register(["<sip:n@h9>"], to: "sip:new@example.com")
        #expect(next.bound.map(\.number) == [BindingNumber(121)])
        #expect(next.bound.map(\.address) == [AddressNumber(3)])
    }

    @Test mutating func connectionsDoNotSurviveTheRestart() throws {
        scene.flow = RegistrarScene.tcp(7)
        let plain = scene.register(["<sip:a@h1>"]).bound
        let outbound = scene.register(["<sip:a@h2>;reg-id=1;+sip.instance=\"<urn:x:1>\""], callID: "c2").bound
        let fresh = RegistrarScene()
        fresh.locations.restore(AddressNumber(1), addressOfRecord: "sip:alice@example.com")
        for binding in plain + outbound { #expect(fresh.registrar.restore(binding)) }
        #expect(fresh.bindings().first { !$0.isOutbound }?.route == .contact)
        #expect(fresh.bindings().first { $0.isOutbound }?.route == .lost)
    }

    @Test(arguments: [
        "", "udp", "udp 192.0.2.1:5060", "udp 192.0.2.9:5060 198.51.100.7:1", "tcp 192.0.2.1:5060 198.51.100.7:1",
        "udp x 198.51.100.7:1", "udp 192.0.2.1:5060 198.51.100.7:99999",
    ])
    func flowsThatCannotBeReusedAreForgotten(_ text: String) {
        #expect(BindingFlowText.flow(text, listeners: RegistrarScene.listeners) == nil)
    }

    @Test func flowsOfIPv6SurviveToo() {
        let local = TransportAddress(ip: IPAddress(high: 0x2001_0DB8_0000_0000, low: 1), port: 5070)
        let point = LocalPoint(transport: .udp, address: local, advertisedHost: "x", advertisedPort: 5070)
        let flow = Flow(
            transport: .udp, listener: 0,
            remote: TransportAddress(ip: IPAddress(high: 0xFE80_0000_0000_0000, low: 0xABCD), port: 4))
        let text = BindingFlowText.text(of: .flow(flow), listeners: [point])
        #expect(text == "udp [2001:db8::1]:5070 [fe80::abcd]:4")
        #expect(BindingFlowText.flow(text, listeners: [point]) == flow)
    }

    @Test func addressesOfFormerDomainsAreKeptButNotFound() throws {
        let fresh = RegistrarScene()
        fresh.locations.restore(AddressNumber(5), addressOfRecord: "sip:alice@former.example")
        #expect(fresh.locations.user("sip:alice@former.example") == nil)
        let user = try #require(fresh.locations.user(numbered: AddressNumber(5)))
        #expect(fresh.locations.addressOfRecord(of: user) == "sip:alice@former.example")
    }
}

extension StoredBinding {
    fileprivate init(strange address: AddressNumber) {
        self.init(
            number: BindingNumber(1), address: address, contact: "sip:x@y", parameters: "", callID: "c", cseq: 1,
            q: 1_000,
            expiresAt: RegistrarScene.start, path: "", instance: "", regID: 0, flow: "")
    }
}
