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
        return crossing(message, wire, arrival: down.carry(bytes: wire.count, at: now).first) { [unowned self] in
            decompressed(wire, sentAs: message, by: far, at: $0) { self.refuse($0, to: self.near, up: true, at: $1) }
        }
    }

    func towardsServer(_ message: [UInt8], at now: Instant) -> Crossing? {
        let wire = compressed(message, by: far, at: now)
        bytesUp += wire.count + headers
        return crossing(message, wire, arrival: up.carry(bytes: wire.count, at: now).first) { [unowned self] in
            decompressed(wire, sentAs: message, by: near, at: $0) { self.refuse($0, to: self.far, up: false, at: $1) }
        }
    }

    private func compressed(_ message: [UInt8], by endpoint: SigCompEndpoint?, at now: Instant) -> [UInt8] {
        guard let endpoint else { return message }
        return endpoint.compress(message, for: compartment, at: UInt64(now.microseconds)).bytes
    }

    private func crossing(
        _ message: [UInt8], _ wire: [UInt8], arrival: Instant?, receive: @escaping (Instant) -> [UInt8]?
    ) -> Crossing? {
        arrival.map { arrival in Crossing(wireBytes: wire.count, arrival: arrival) { receive(arrival) } }
    }

    private func decompressed(
        _ wire: [UInt8], sentAs message: [UInt8], by endpoint: SigCompEndpoint?, at now: Instant,
        refusing refuse: ([UInt8], Instant) -> Void
    ) -> [UInt8]? {
        guard let endpoint, let first = wire.first, first >= 0xF8 else { return wire }
        do {
            guard case .message(let received) = try endpoint.receive(wire, over: .message) else { return nil }
            endpoint.accept(received, for: compartment, at: UInt64(now.microseconds))
            if received.output != message { faults.append("a message was decompressed to another") }
            return received.output
        } catch {
            faults.append("not decompressed: \(error)")
            if let nack = endpoint.negativeAcknowledgement(of: error, to: wire) { refuse(nack, now) }
            return nil
        }
    }

    /// A NACK goes back (RFC 4077); the message itself is sent again by its transaction. On this link it is there at once.
    private func refuse(_ nack: [UInt8], to endpoint: SigCompEndpoint?, up isUp: Bool, at now: Instant) {
        if isUp { bytesUp += nack.count + headers } else { bytesDown += nack.count + headers }
        guard case .negativeAcknowledgement(let reason)? = try? endpoint?.receive(nack, over: .message) else { return }
        _ = endpoint?.received(reason, at: UInt64(now.microseconds), isRepeating: false)
    }
}
