import LinkProfiles
import MessageStore
import SIPCore
import Testing

@testable import Engine

/// Random operations on the location service and on a plain dictionary must leave the same.
@Suite struct RegistrarModelTests {
    struct ModelBinding: Equatable {
        var number: Int64
        var contact: String
        var path: String
        var expires: UInt32
        var q: UInt16
        var regID: UInt32
        var route: BindingRoute
        /// Grows with every write: later ones come first among equal q.
        var written: Int
    }

    struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var word = state
            word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
            return word ^ (word >> 31)
        }
    }

    struct World {
        let locations = LocationService(domains: ["example.com"], key: (1, 2))
        var model: [String: [ModelBinding]] = [:]
        var random: Random
        var second: UInt32 = 1_000
        var nextNumber: Int64 = 0
        var step = 0

        mutating func name() -> String { "sip:u\(Int.random(in: 0..<40, using: &random))@example.com" }

        mutating func route() -> BindingRoute {
            switch Int.random(in: 0..<4, using: &random) {
            case 0: .contact
            case 1: .flow(RegistrarScene.udp(UInt16.random(in: 1_000..<1_010, using: &random)))
            default: .flow(RegistrarScene.tcp(UInt64.random(in: 1..<12, using: &random)))
            }
        }

        mutating func put() {
            let name = name()
            guard let user = locations.addUser(name) else { return }
            var known = model[name] ?? []
            var number = known.randomElement(using: &random)?.number ?? 0
            if known.isEmpty || Bool.random(using: &random) {
                nextNumber += 1
                number = nextNumber
            }
            let binding = ModelBinding(
                number: number,
                contact: "sip:a@\(String(repeating: "h", count: Int.random(in: 1..<30, using: &random)))",
                path: Bool.random(using: &random) ? "" : "<sip:p;lr>",
                expires: second + UInt32.random(in: 1..<200, using: &random),
                q: [0, 250, 500, 1_000].randomElement(using: &random) ?? 0,
                regID: UInt32.random(in: 0..<2, using: &random), route: route(), written: step)
            locations.put(
                BindingRecord(
                    number: BindingNumber(number), expiresAtSecond: binding.expires, cseq: UInt32(step), q: binding.q,
                    regID: binding.regID, contact: Array(binding.contact.utf8)[...], callID: Array("call".utf8)[...],
                    path: Array(binding.path.utf8)[...], parameters: Array(";+sip.instance=\"<urn:x>\"".utf8)[...],
                    instance: Array("urn:x".utf8)[...], route: binding.route), of: user)
            if let index = known.firstIndex(where: { $0.number == number }) {
                // A refresh of the same size and q stays where it is; any other goes before its equals.
                let old = known[index]
                let stays = old.q == binding.q && old.contact.count == binding.contact.count && old.path == binding.path
                known[index] = binding
                if stays { known[index].written = old.written }
            } else {
                known.append(binding)
            }
            model[name] = known
        }

        mutating func remove() {
            let name = name()
            guard let user = locations.user(name), let known = model[name],
                let victim = known.randomElement(using: &random)
            else { return }
            #expect(locations.remove(BindingNumber(victim.number), of: user))
            #expect(!locations.remove(BindingNumber(victim.number), of: user))
            model[name] = known.filter { $0.number != victim.number }
        }

        mutating func close() {
            let connection = UInt64.random(in: 1..<12, using: &random)
            let flow = RegistrarScene.tcp(connection)
            let closed = locations.flowClosed(flow)
            var removed: Set<Int64> = []
            for (name, known) in model {
                model[name] = known.compactMap { binding in
                    guard binding.route == .flow(flow) else { return binding }
                    if binding.regID != 0 {
                        removed.insert(binding.number)
                        return nil
                    }
                    var kept = binding
                    kept.route = .contact
                    return kept
                }
            }
            #expect(Set(closed.removed.map(\.rawValue)) == removed)
        }

        mutating func advance() {
            second += UInt32.random(in: 0..<20, using: &random)
            var expired: Set<Int64> = []
            for (name, known) in model {
                expired.formUnion(known.filter { $0.expires <= second }.map(\.number))
                model[name] = known.filter { $0.expires > second }
            }
            let gone = locations.advance(to: Instant(microseconds: Int64(second) * 1_000_000 + 5))
            #expect(Set(gone.map(\.number.rawValue)) == expired)
            #expect(gone.count == expired.count)
            let soonest = model.values.joined().map(\.expires).min()
            if let soonest, let deadline = locations.nextDeadline {
                #expect(deadline.unixSeconds <= Int64(soonest))
            } else {
                #expect(soonest == nil)
            }
        }

        mutating func forget() {
            let name = name()
            guard let user = locations.user(name) else { return }
            let isIdle = (model[name] ?? []).isEmpty
            #expect(locations.removeIfIdle(user) == isIdle)
            if isIdle {
                model[name] = nil
                #expect(locations.user(name) == nil)
            }
        }

        func compare() {
            #expect(locations.bindingCount == model.values.reduce(0) { $0 + $1.count })
            for (name, known) in model {
                guard let user = locations.user(name) else {
                    #expect(known.isEmpty)
                    continue
                }
                let expected = known.sorted { ($0.q, $0.written) > ($1.q, $1.written) }
                let actual = Array(locations.bindings(of: user))
                #expect(actual.map(\.number.rawValue) == expected.map(\.number))
                for (one, other) in zip(actual, expected) {
                    #expect(String(decoding: one.contact, as: UTF8.self) == other.contact)
                    #expect(String(decoding: one.path, as: UTF8.self) == other.path)
                    #expect(String(decoding: one.instance, as: UTF8.self) == "urn:x")
                    #expect(one.expiresAtSecond == other.expires)
                    #expect(one.q == other.q && one.regID == other.regID)
                    #expect(one.route == other.route)
                }
            }
        }
    }

    @Test(arguments: 1...12)
    func behavesLikeADictionary(_ seed: UInt64) {
        var world = World(random: Random(state: seed))
        for step in 0..<2_000 {
            world.step = step
            switch Int.random(in: 0..<20, using: &world.random) {
            case 0..<10: world.put()
            case 10..<13: world.remove()
            case 13: world.close()
            case 14..<17: world.advance()
            default: world.forget()
            }
            if step % 50 == 0 { world.compare() }
        }
        world.compare()
        world.second += 1_000
        world.advance()
        #expect(world.locations.bindingCount == 0)
        #expect(world.locations.connections.isEmpty)
        for index in Array(world.locations.all) { world.locations.removeIfIdle(index) }
        #expect(world.locations.count == 0)
        #expect(world.locations.users.isEmpty)
        #expect(world.locations.nextDeadline == nil)
    }

    /// Registrations, commits and failures at random: what was rolled back is gone, what was confirmed is there.
    @Test(arguments: 1...8)
    func undoLeavesWhatTheStoreHolds(_ seed: UInt64) {
        var random = Random(state: seed &* 77)
        let scene = RegistrarScene { $0.maximumBindings = 1_000 }
        var stored: [BindingNumber: StoredBinding] = [:]
        var open: [(RegistrationUndo, [StoreCommand])] = []
        var cseq = 0
        for _ in 0..<1_500 {
            if Int.random(in: 0..<3, using: &random) > 0 {
                cseq += 1
                let contact = "<sip:a@h\(Int.random(in: 0..<4, using: &random))>"
                let expires = Bool.random(using: &random) ? 600 : 0
                let outcome = scene.register([contact], callID: "c", cseq: cseq, headers: ["Expires: \(expires)"])
                #expect(outcome.status == 200)
                if let undo = outcome.undo { open.append((undo, outcome.commands)) }
            } else if !open.isEmpty {
                // The store takes a whole group or none of it, and groups follow each other.
                let group = open.prefix(Int.random(in: 1...open.count, using: &random))
                open.removeFirst(group.count)
                let isCommitted = Int.random(in: 0..<3, using: &random) > 0
                for (undo, commands) in group {
                    guard isCommitted else {
                        _ = scene.registrar.rollBack(undo)
                        continue
                    }
                    for command in commands {
                        switch command {
                        case .bind(let binding): stored[binding.number] = binding
                        case .unbind(let number): stored[number] = nil
                        default: break
                        }
                    }
                    scene.registrar.confirm(undo)
                }
            }
            if open.isEmpty {
                let held = Set(scene.bindings().map(\.number))
                #expect(held == Set(stored.keys))
                for binding in scene.bindings() { #expect(stored[binding.number]?.cseq == binding.cseq) }
            }
        }
        #expect(scene.registrar.pending.changes.count == open.count)
    }

    /// Whatever stands in a Contact or a Path, the answer is a status and nothing changes unless it is 200.
    @Test(arguments: 1...4)
    func anyContactIsAnswered(_ seed: UInt64) {
        var random = Random(state: seed &* 991)
        let pieces = [
            "<sip:a@h1>", "sip:a@h1", "*", ";", "q=", "0.5", "expires=", "60", "\"", "\\", "reg-id=1", "+sip.instance=",
            "\"<urn:x>\"", ",", " ", "\r\n ", "=", "<", ">", "%00", "sips:", "@", "\u{e9}", "99999999999999999999",
        ]
        let scene = RegistrarScene()
        for step in 1...600 {
            let contact = (0..<Int.random(in: 1..<9, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }
            let text =
                "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK\(step)\r\nFrom: <sip:a@example.com>;tag=1\r\n"
                + "To: <sip:a@example.com>\r\nCall-ID: \(step)\r\nCSeq: \(step) REGISTER\r\nMax-Forwards: 70\r\n"
                + "Contact: \(contact.joined())\r\nSupported: path, outbound\r\nContent-Length: 0\r\n\r\n"
            guard case .message(let request) = SIPMessage.parse(Array(text.utf8)) else { continue }
            let before = scene.locations.bindingCount
            let outcome = scene.registrar.register(
                request, flow: scene.flow, profile: scene.profile, authenticated: nil, at: scene.now)
            #expect([200, 400, 403, 423].contains(outcome.status))
            if outcome.status != 200 {
                #expect(scene.locations.bindingCount == before)
                #expect(outcome.commands.isEmpty)
            }
            #expect(
                !String(decoding: outcome.tail, as: UTF8.self).replacing("\r\n", with: "").contains {
                    $0 == "\r" || $0 == "\n"
                })
            outcome.undo.map(scene.registrar.confirm)
        }
    }
}
