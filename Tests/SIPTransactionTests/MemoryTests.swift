import LinkProfiles
import SIPCore
import Testing

@testable import SIPTransaction

@Suite("What transactions cost")
struct MemoryTests {
    /// A million; fewer where the tests run unoptimized.
    #if DEBUG
        private static let many = 120_000
    #else
        private static let many = 1_000_000
    #endif

    /// One id after another, spread as a keyed hash spreads them.
    private static func id(_ n: Int) -> TransactionID {
        var numbers = ModelTests.Numbers(state: UInt64(n))
        return TransactionID(high: UInt64(n), low: numbers.next())
    }

    private static func complete(_ n: Int, _ layer: TransactionLayer, _ timers: TimersIndex, at: Instant) {
        layer.openServer(id(n), isInvite: false, isReliable: false, timers: timers, user: 1, at: at)
        _ = layer.respond(id(n), status: 202, tail: [], at: at)
    }

    /// A completed non-INVITE server transaction on UDP costs 64 bytes at most, at whatever number the table is just
    /// growing; and memory returns to its floor after the burst.
    @Test func sixtyFourBytesEachAndBackToTheFloor() throws {
        let layer = TransactionLayer()
        let timers = try #require(layer.register(TransactionTimers(Bench.lan)))
        let floor = layer.reservedBytes
        #expect(floor < 65_536)
        var now = Instant(microseconds: 0)
        var dearest = 0.0
        for n in 0..<Self.many {
            Self.complete(n, layer, timers, at: now)
            now = now + .microseconds(20)
            if n >= 100_000 && n % 1_000 == 0 { dearest = max(dearest, Double(layer.reservedBytes) / Double(n + 1)) }
        }
        #expect(layer.serverCount == Self.many)
        #expect(dearest <= 64)

        var events: [TransactionEvent] = []
        while let due = layer.nextDeadline {
            now = max(now, due) + .milliseconds(100)
            layer.advance(to: now, into: &events)
        }
        #expect(layer.serverCount == 0)
        #expect(events.isEmpty)
        // One or two empty pages of records, and the directory of pages.
        #expect(layer.reservedBytes <= floor + 2 * 4_096 * 48 + 65_536)
    }

    /// A burst of forgotten load does not stay in memory because of the little that goes on.
    @Test func aTrickleAfterABurst() throws {
        let layer = TransactionLayer()
        let timers = try #require(layer.register(TransactionTimers(Bench.lan)))
        var now = Instant(microseconds: 0)
        var events: [TransactionEvent] = []
        for n in 0..<60_000 {
            Self.complete(n, layer, timers, at: now)
            now = now + .microseconds(20)
        }
        for n in 60_000..<65_000 {
            Self.complete(n, layer, timers, at: now)
            now = now + .milliseconds(10)
            layer.advance(to: now, into: &events)
        }
        #expect(layer.serverCount < 3_300)
        #expect(layer.reservedBytes < 1_000_000)
    }

    @Test func clientTransactionsLeaveNothing() throws {
        let layer = TransactionLayer()
        let timers = try #require(layer.register(TransactionTimers(Bench.lan)))
        let floor = layer.reservedBytes
        var now = Instant(microseconds: 0)
        var events: [TransactionEvent] = []
        let request = [UInt8](repeating: 65, count: 600)
        for n in 0..<20_000 {
            layer.openClient(
                Self.id(n), isInvite: n % 3 == 0, isReliable: n % 5 == 0, timers: timers, request: request,
                destination: Bench.destination, user: 1, at: now)
            if n % 2 == 0 { _ = layer.responseArrived(Self.id(n), status: 200, at: now) }
        }
        while let due = layer.nextDeadline {
            now = max(now, due)
            layer.advance(to: now, into: &events)
        }
        #expect(layer.clientCount == 0)
        #expect(layer.pending.slots.count == 0)
        #expect(layer.pending.slots.livePages <= 2)
        #expect(layer.reservedBytes <= floor + 2 * 4_096 * 48 + 2 * 1_024 * 128 + 65_536)
    }
}
