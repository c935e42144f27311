import LinkProfiles
import SIPCore
import SIPTransaction

/// A transaction layer on a bench: virtual time in milliseconds, and a record of what fell due when.
final class Bench {
    let layer = TransactionLayer()
    var now = Instant(microseconds: 1_700_000_000_000_000)
    let start: Instant
    private(set) var record: [Due] = []

    /// What fell due, in milliseconds since the start.
    struct Due: Equatable {
        let at: Int64
        let what: String
    }

    init() { start = now }

    static func id(_ n: UInt64) -> TransactionID {
        TransactionID(high: n &* 0x9e37_79b9_7f4a_7c15, low: n &* 0xd134_2543_de82_ef95 &+ 1)
    }

    static let destination = Destination.flow(
        Flow(
            transport: .udp, listener: 0,
            remote: TransportAddress(ip: IPAddress(v4: 0x7f00_0001), port: 5_060)))

    func timers(_ profile: LinkProfile) throws -> TimersIndex {
        guard let timers = layer.register(TransactionTimers(profile)) else { throw Full() }
        return timers
    }

    struct Full: Error {}

    /// Jumps from wake-up to wake-up until `milliseconds` after the start.
    func run(until milliseconds: Int64) {
        let end = start + .milliseconds(milliseconds)
        while let due = layer.nextDeadline, due <= end {
            now = max(now, due)
            step()
        }
        now = end
        step()
    }

    private func step() {
        var events: [TransactionEvent] = []
        layer.advance(to: now, into: &events)
        let at = (now - start).microseconds / 1_000
        for event in events { record.append(Due(at: at, what: Self.name(event))) }
    }

    func times(of what: String) -> [Int64] { record.filter { $0.what == what }.map(\.at) }

    static func name(_ event: TransactionEvent) -> String {
        switch event {
        case .retransmit: "retransmit"
        case .resendResponse: "resend"
        case .timedOut: "timed out"
        case .ackTimeout: "no ACK"
        case .tryingDue: "trying due"
        case .unanswered: "unanswered"
        case .ended, .clientEnded: "ended"
        }
    }

    static let lan = LinkProfile()

    /// T1 of 15 s, as on HF radio.
    static let hfRadio: LinkProfile = {
        var profile = LinkProfile()
        profile.name = "hf-radio"
        profile.t1 = .seconds(15 as Int64)
        profile.t2 = .seconds(60 as Int64)
        profile.t4 = .seconds(90 as Int64)
        return profile
    }()
}
