import SIPCore

/// What reaches a port besides what it is for: requests of other applications, responses nobody asked for, damaged and random
/// bytes. None of it may cost anything that was promised, or stay in memory.
extension ScriptedEndpoint {
    func makeNoise() {
        guard isAttached, plan.transport == .udp else { return }
        let users = world.scenario.devices.map(\.user)
        let target = "sip:\(random.pick(users) ?? plan.user)@\(Scenario.domain)"
        var bytes: [UInt8]
        switch random.below(6) {
        case 0: bytes = (0..<random.below(400)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        case 1: bytes = [13, 10, 13, 10]
        case 2: bytes = stray(newRequest("OPTIONS", uri: "sip:\(Scenario.domain)"), to: "<\(target)>").bytes
        case 3: bytes = stray(newRequest("SUBSCRIBE", uri: target), to: "<\(target)>").bytes
        case 4: bytes = stray(newRequest("INVITE", uri: target), to: "<\(target)>").bytes
        default:
            let request = stray(newRequest("OPTIONS", uri: target), to: "<\(target)>")
            bytes = request.response(random.pick([100, 200, 404, 503]) ?? 200, "Stray", toTag: "x").bytes
        }
        if random.chance(0.5), !bytes.isEmpty {
            for _ in 0..<(1 + random.below(4)) {
                bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
            }
        }
        if random.chance(0.2) { bytes.removeLast(random.below(bytes.count + 1)) }
        world.trace(name, "makes noise")
        send(bytes, on: nil)
    }

    private func stray(_ request: PlainMessage, to: String) -> PlainMessage {
        var request = request
        request.add("from", "<sip:stranger@example.net>;tag=x\(branches)")
        request.add("to", to)
        request.add("call-id", "x\(branches)-\(device)@stranger")
        request.add("cseq", "1 \(request.method)")
        request.add("contact", "<sip:stranger@\(hostPort)>")
        return request
    }
}
