import LinkProfiles
import MessageStore
import SIPCore
import Testing

@testable import Engine

/// Path (RFC 3327), Service-Route (RFC 3608), outbound (RFC 5626) and sips (RFC 5630).
@Suite struct RegistrarOutboundTests {
    var scene = RegistrarScene()
    static let instance = "urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF"
    let supported = ["Supported: path, outbound"]

    private func contact(_ host: String, reg: Int, instance: String = instance, extra: String = "") -> String {
        "<sip:a@\(host)>;reg-id=\(reg);+sip.instance=\"<\(instance)>\"\(extra)"
    }

    // MARK: Path

    /// RFC 3327 section 5.5.1.
    @Test func storesAndEchoesThePath() throws {
        let outcome = scene.register(
            ["<sip:UA1@192.0.2.4>"], vias: 3,
            headers: ["Supported: path", "Path: <sip:P3.EXAMPLEHOME.COM;lr>,<sip:P1.EXAMPLEVISITED.COM;lr>"])
        #expect(outcome.status == 200)
        #expect(outcome.fields("Path") == ["<sip:P3.EXAMPLEHOME.COM;lr>,<sip:P1.EXAMPLEVISITED.COM;lr>"])
        #expect(outcome.bound.first?.path == "<sip:P3.EXAMPLEHOME.COM;lr>,<sip:P1.EXAMPLEVISITED.COM;lr>")
        let binding = try #require(scene.bindings().first)
        #expect(
            String(decoding: binding.path, as: UTF8.self)
                == "<sip:P3.EXAMPLEHOME.COM;lr>,<sip:P1.EXAMPLEVISITED.COM;lr>")
        #expect(scene.register([], cseq: 2).fields("Path").isEmpty)
    }

    @Test func refusesAPathTheUserAgentDoesNotKnowOf() {
        let outcome = scene.register(["<sip:a@h1>"], headers: ["Path: <sip:p1;lr>"])
        #expect(outcome.status == 420)
        #expect(outcome.fields("Unsupported") == ["path"])
        #expect(scene.register(["<sip:a@h1>"], headers: ["Path: <sip:p1;lr>", "Require: path"]).status == 200)
        let lenient = RegistrarScene { $0.acceptsUnsupportedPath = true }
        #expect(lenient.register(["<sip:a@h1>"], headers: ["Path: <sip:p1;lr>"]).status == 200)
    }

    @Test func refusesAPathItCannotRead() {
        #expect(scene.register(["<sip:a@h1>"], headers: ["Supported: path", "Path: <mailto:x>"]).status == 400)
    }

    @Test func aNewPathMakesReachable() {
        #expect(scene.register(["<sip:a@h1>"], headers: ["Supported: path", "Path: <sip:p1;lr>"]).status == 200)
        let same = scene.register(["<sip:a@h1>"], cseq: 2, headers: ["Supported: path", "Path: <sip:p1;lr>"])
        #expect(!same.effect.contains(.reachable))
        let moved = scene.register(["<sip:a@h1>"], cseq: 3, headers: ["Supported: path", "Path: <sip:p2;lr>"])
        #expect(moved.effect.contains(.reachable))
    }

    @Test func addsTheServiceRoute() {
        let scene = RegistrarScene { $0.serviceRoute = "<sip:hsp.example.com;lr>" }
        #expect(scene.register(["<sip:a@h1>"]).fields("Service-Route") == ["<sip:hsp.example.com;lr>"])
        #expect(scene.register([]).fields("Service-Route") == ["<sip:hsp.example.com;lr>"])
        #expect(scene.register(["<sip:a@h1>;expires=1"], cseq: 2).fields("Service-Route").isEmpty)
    }

    // MARK: Outbound

    @Test mutating func bindsToInstanceAndRegID() throws {
        scene.flow = RegistrarScene.tcp(7)
        let outcome = scene.register([contact("h1", reg: 1)], headers: supported)
        #expect(outcome.status == 200)
        #expect(outcome.fields("Require") == ["outbound"])
        #expect(outcome.fields("Flow-Timer") == ["120"])
        let stored = try #require(outcome.bound.first)
        #expect(stored.instance == Self.instance)
        #expect(stored.regID == 1)
        #expect(stored.flow == "")
        #expect(scene.bindings().map { String(decoding: $0.instance, as: UTF8.self) } == [Self.instance])

        // The same instance from another address and connection takes the place of the first.
        scene.flow = RegistrarScene.tcp(8)
        let again = scene.register([contact("h2", reg: 1)], callID: "c2", headers: supported)
        #expect(again.bound.map(\.number) == [stored.number])
        #expect(again.effect.contains(.reachable))
        #expect(scene.contacts() == ["sip:a@h2"])
        #expect(scene.bindings().map(\.route) == [.flow(RegistrarScene.tcp(8))])
    }

    @Test func flowsOfOneInstanceAndInstancesOfOneUserStandSideBySide() {
        #expect(scene.register([contact("h1", reg: 1)], headers: supported).status == 200)
        #expect(scene.register([contact("h1", reg: 2)], callID: "c2", headers: supported).status == 200)
        #expect(
            scene.register([contact("h1", reg: 1, instance: "urn:x:2")], callID: "c3", headers: supported).status == 200
        )
        #expect(scene.register(["<sip:a@h1>"], callID: "c4").status == 200)
        #expect(scene.bindings().count == 4)
        #expect(
            scene.register([contact("h1", reg: 2, extra: ";expires=0")], callID: "c2", cseq: 2, headers: supported)
                .status == 200)
        #expect(scene.bindings().map(\.regID).sorted() == [0, 1, 1])
    }

    @Test func withoutSupportedTheBindingIsOutboundButNothingIsPromised() {
        let outcome = scene.register([contact("h1", reg: 1)])
        #expect(outcome.status == 200)
        #expect(outcome.fields("Require").isEmpty)
        #expect(outcome.fields("Flow-Timer").isEmpty)
        #expect(scene.bindings().map(\.isOutbound) == [true])
    }

    @Test func anEdgeWithoutOutboundIsRefused() {
        let behind = scene.register([contact("h1", reg: 1)], vias: 2, headers: supported)
        #expect(behind.status == 439)
        let plainPath = scene.register([contact("h1", reg: 1)], vias: 2, headers: supported + ["Path: <sip:edge;lr>"])
        #expect(plainPath.status == 439)
        #expect(scene.locations.bindingCount == 0)

        let good = scene.register(
            [contact("h1", reg: 1)], vias: 2, headers: supported + ["Path: <sip:token@edge;lr;ob>"])
        #expect(good.status == 200)
        #expect(good.fields("Require") == ["outbound"])
        #expect(good.fields("Flow-Timer").isEmpty)
    }

    @Test func behindAnEdgeWithoutOutboundRegIDIsIgnored() {
        let outcome = scene.register(
            [contact("h1", reg: 1)], vias: 2, headers: ["Supported: path", "Path: <sip:edge;lr>"])
        #expect(outcome.status == 200)
        #expect(outcome.fields("Require").isEmpty)
        #expect(scene.bindings().map(\.regID) == [0])
        // So that the next one with another contact makes a binding of its own.
        #expect(
            scene.register(
                [contact("h2", reg: 1)], cseq: 2, vias: 2, headers: ["Supported: path", "Path: <sip:edge;lr>"]
            ).status == 200)
        #expect(scene.bindings().count == 2)
    }

    @Test func regIDNeedsAnInstance() {
        #expect(scene.register(["<sip:a@h1>;reg-id=1"], headers: supported).status == 200)
        #expect(scene.bindings().map(\.regID) == [0])
        #expect(scene.register([contact("h2", reg: 0)], cseq: 2, headers: supported).status == 200)
        #expect(scene.bindings().allSatisfy { $0.regID == 0 })
    }

    @Test func onlyOneContactWithRegID() {
        #expect(scene.register([contact("h1", reg: 1), "<sip:a@h2>"], headers: supported).status == 400)
        #expect(scene.register(["<sip:a@h2>"], headers: supported).status == 200)
        let swap = scene.register([contact("h1", reg: 1), "<sip:a@h2>;expires=0"], cseq: 2, headers: supported)
        #expect(swap.status == 200)
        #expect(scene.contacts() == ["sip:a@h1"])
    }

    @Test mutating func aClosedConnectionTakesItsOutboundBindingsAlong() {
        scene.flow = RegistrarScene.tcp(7)
        #expect(scene.register([contact("h1", reg: 1)], headers: supported).status == 200)
        #expect(scene.register(["<sip:a@h3>"], callID: "c3").status == 200)
        scene.flow = RegistrarScene.tcp(8)
        #expect(scene.register([contact("h2", reg: 2)], callID: "c2", headers: supported).status == 200)

        var commands: [StoreCommand] = []
        #expect(scene.registrar.flowClosed(RegistrarScene.tcp(7), commands: &commands).count == 1)
        #expect(commands == [.unbind(BindingNumber(1))])
        #expect(Set(scene.contacts()) == ["sip:a@h2", "sip:a@h3"])
        let plain = scene.bindings().first { !$0.isOutbound }
        #expect(plain?.route == .contact)
        #expect(scene.registrar.flowClosed(RegistrarScene.tcp(7), commands: &commands).isEmpty)
        #expect(scene.registrar.flowClosed(scene.flow, commands: &commands).count == 1)
        #expect(scene.locations.connections.isEmpty)
    }

    @Test mutating func manyUsersShareAConnection() {
        scene.flow = RegistrarScene.tcp(7)
        for n in 0..<20 {
            #expect(
                scene.register([contact("h1", reg: 1)], to: "sip:u\(n)@example.com", headers: supported).status == 200)
        }
        var commands: [StoreCommand] = []
        #expect(scene.registrar.flowClosed(scene.flow, commands: &commands).count == 20)
        #expect(commands.count == 20)
        #expect(scene.locations.bindingCount == 0)
        #expect(scene.locations.connections.isEmpty)
    }

    // MARK: sips

    @Test func aSIPSContactNeedsSIPSAllTheWay() {
        #expect(scene.register(["<sips:a@h1>"], uri: "sip:example.com").status == 400)
        #expect(scene.register(["<sips:a@h1>"], uri: "sips:example.com").status == 200)
        #expect(
            scene.register(
                ["<sips:a@h1>"], uri: "sips:example.com", cseq: 2, headers: ["Supported: path", "Path: <sip:p;lr>"]
            ).status == 400)
        #expect(
            scene.register(
                ["<sips:a@h1>"], uri: "sips:example.com", cseq: 2, headers: ["Supported: path", "Path: <sips:p;lr>"]
            ).status == 200)
        #expect(scene.bindings().map(\.isSecure) == [true])
    }
}
