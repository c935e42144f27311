import Engine
import LinkProfiles
import SIPCore
import SigComp

/// The link between the server and the watcher, with SigComp at both its ends or without.
final class DayLink {
    private let near: SigCompEndpoint?
    private let far: SigCompEndpoint?
    private let compartment = CompartmentIdentifier("peer")
    private var down: SimulatedLink
    private var up: SimulatedLink
    private let headers: Int
    private(set) var bytesDown = 0
    private(set) var plainBytesDown = 0
    private(set) var bytesUp = 0
    private(set) var faults: [String] = []

    init(_ conditions: LinkConditions, headers: Int, compression: SigCompConfiguration?, random: SimulationRandom) {
        near = compression.map { SigCompEndpoint(configuration: $0) }
        far = compression.map { SigCompEndpoint(configuration: $0) }
        down = SimulatedLink(conditions: conditions, random: random.stream(1))
        up = SimulatedLink(conditions: conditions, random: random.stream(2))
        self.headers = headers
    }

    /// What crosses the link: its length there, when it arrives, and what the other end makes of it when it does.
    struct Crossing {
        let wireBytes: Int
        let arrival: Instant
        let receive: () -> [UInt8]?
    }

    func towardsWatcher(_ message: [UInt8], at now: Instant) -> Crossing? {
        let wire = compressed(message, by: near, at: now)
        plainBytesDown += message.count
        bytesDown += wire.count + headers
        return cross(message, wire, &down, to: far, at: now)
    }

    func towardsServer(_ message: [UInt8], at now: Instant) -> Crossing? {
        let wire = compressed(message, by: far, at: now)
        bytesUp += wire.count + headers
        return cross(message, wire, &up, to: near, at: now)
    }

    private func compressed(_ message: [UInt8], by endpoint: SigCompEndpoint?, at now: Instant) -> [UInt8] {
        guard let endpoint else { return message }
        return endpoint.compress(message, for: compartment, at: UInt64(now.microseconds)).bytes
    }

    private func cross(
        _ message: [UInt8], _ wire: [UInt8], _ link: inout SimulatedLink, to endpoint: SigCompEndpoint?, at now: Instant
    ) -> Crossing? {
        guard let arrival = link.carry(bytes: wire.count, at: now).first else { return nil }
        return Crossing(wireBytes: wire.count, arrival: arrival) { [unowned self] in
            decompressed(wire, sentAs: message, by: endpoint, at: arrival)
        }
    }

    private func decompressed(
        _ wire: [UInt8], sentAs message: [UInt8], by endpoint: SigCompEndpoint?, at now: Instant
    ) -> [UInt8]? {
        guard let endpoint, let first = wire.first, first >= 0xF8 else { return wire }
        do {
            guard case .message(let received) = try endpoint.receive(wire, over: .message) else {
                faults.append("a NACK came")
                return nil
            }
            endpoint.accept(received, for: compartment, at: UInt64(now.microseconds))
            if received.output != message { faults.append("a message was decompressed to another") }
            return received.output
        } catch {
            faults.append("not decompressed: \(error)")
            return nil
        }
    }
}
