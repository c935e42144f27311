import LinkProfiles
import SIPTransaction
import Testing

@testable import Engine

@Suite("Downlink scheduler")
struct DownlinkSchedulerTests {
    typealias Wish = DownlinkRun.Wish

    static func notification(_ number: UInt32) -> DownlinkKey { .notification(subscription: number, generation: 0) }
    static func message(_ number: UInt32) -> DownlinkKey { .branch(context: number, generation: 0, position: 0) }
    static func response(_ number: UInt64) -> DownlinkKey { .response(TransactionID(high: 1, low: number)) }
    static func again(_ number: UInt64) -> DownlinkKey { .request(TransactionID(high: 2, low: number)) }
    static func at(_ seconds: Double) -> Instant { DownlinkRun.start + .seconds(seconds) }

    /// 2400 bit/s, packets of no more than their own bytes.
    static func slow(_ change: (inout LinkBudget) -> Void = { _ in }) -> LinkBudget {
        var budget = LinkBudget()
        budget.byteRate = 300
        budget.packetOverhead = 0
        change(&budget)
        return budget
    }

    static func wish(_ key: DownlinkKey, _ urgency: DownlinkUrgency, at seconds: Double = 0, bytes: Int = 300) -> Wish {
        Wish(at: at(seconds), key: key, urgency: urgency, bytes: bytes)
    }

    @Test func moreUrgentThingsLeaveFirstAndTheOldestOfThem() {
        var run = DownlinkRun(Self.slow())
        run.play([
            Self.wish(Self.notification(1), .change), Self.wish(Self.notification(2), .arrival),
            Self.wish(Self.message(1), .nonUrgent), Self.wish(Self.message(2), .normal),
            Self.wish(Self.message(3), .normal), Self.wish(Self.message(4), .urgent),
            Self.wish(Self.message(5), .emergency), Self.wish(Self.response(1), .answer),
        ])
        #expect(
            run.departures.map(\.key) == [
                Self.response(1), Self.message(5), Self.message(4), Self.message(2), Self.message(3), Self.message(1),
                Self.notification(2), Self.notification(1),
            ])
        #expect(run.departures.map(\.at) == (0..<8).map { Self.at(Double($0)) })
    }

    @Test func aSubscriptionWaitsOnceAndKeepsItsPlace() {
        var run = DownlinkRun(Self.slow())
        run.play(
            [Self.wish(Self.message(1), .normal)]
                + (0..<50).map { Self.wish(Self.notification(1), .change, at: Double($0) * 0.01) }
                + [
                    Self.wish(Self.notification(2), .change, at: 0.6),
                    Self.wish(Self.notification(1), .change, at: 0.7),
                ])
        #expect(run.departures.map(\.key) == [Self.message(1), Self.notification(1), Self.notification(2)])
        #expect(run.departures[1].newest == Self.at(0.7))
    }

    @Test func whatBecomesMoreUrgentMovesAheadAndNeverBack() {
        var run = DownlinkRun(Self.slow())
        run.play([
            Self.wish(Self.message(1), .normal), Self.wish(Self.notification(1), .change),
            Self.wish(Self.notification(2), .change), Self.wish(Self.notification(2), .arrival, at: 0.1),
            Self.wish(Self.notification(2), .change, at: 0.2),
        ])
        #expect(run.departures.map(\.key) == [Self.message(1), Self.notification(2), Self.notification(1)])
        #expect(run.departures[1].urgency == .arrival)
    }

    @Test func whatIsWithdrawnDoesNotLeave() {
        var scheduler = DownlinkScheduler(Self.slow(), largestPacket: 300, at: Self.at(0))
        scheduler.offer(Self.message(1), .normal, at: Self.at(0))
        scheduler.offer(Self.message(2), .normal, at: Self.at(0))
        let (first, second) = (scheduler.withdraw(Self.message(1)), scheduler.withdraw(Self.message(1)))
        #expect(first && !second)
        #expect(!scheduler.isWaiting(Self.message(1)) && scheduler.isWaiting(Self.message(2)))
        #expect(scheduler.next(at: Self.at(0))?.key == Self.message(2))
        #expect(scheduler.next(at: Self.at(0)) == nil)
        #expect(scheduler.nextGrant(after: Self.at(0)) == nil)
    }

    /// The figure of the job: however much presence waits, a message leaves when the packet on the air has left.
    @Test(arguments: [0, 10, 250, 999, 1_000, 5_431])
    func aMessageWaitsForOnePacketAtMost(milliseconds: Int64) throws {
        var run = DownlinkRun(Self.slow { $0.packetOverhead = 28 })
        let comes = 500 + Double(milliseconds) / 1_000
        var wishes: [Wish] = []
        for second in 0..<1_000 {
            wishes.append(Self.wish(Self.notification(UInt32(second % 97)), .change, at: Double(second), bytes: 422))
        }
        wishes.append(Self.wish(Self.message(1), .normal, at: comes, bytes: 600))
        wishes.sort { $0.at < $1.at }
        run.play(wishes)
        let message = try #require(run.departures.first { $0.key == Self.message(1) })
        #expect(message.at - Self.at(comes) <= run.budget.airtime(bytes: 450))
        #expect(run.byteExcess <= 0)
    }

    @Test func messagesWithoutEndDoNotStarveNotifications() {
        var run = DownlinkRun(Self.slow())
        var wishes = (0..<40).map { Self.wish(Self.notification(UInt32($0)), $0 < 20 ? .arrival : .change) }
        wishes += (0..<2_000).map { Self.wish(Self.message(UInt32($0)), .normal, at: Double($0) * 0.5) }
        run.play(wishes, atMost: .seconds(1_000 as Int64))
        let left = run.departures.filter { $0.urgency.isNotification }
        #expect(left.count == 40)
        // A ninth of the link at least: forty packets of a second each.
        #expect((left.last?.at ?? .distantFuture) <= Self.at(9 * 40 + 10))
        #expect(run.departures.prefix(8).allSatisfy { !$0.urgency.isNotification })
    }

    @Test func arrivalsWithoutEndDoNotStarveOtherChanges() {
        var run = DownlinkRun(Self.slow())
        var wishes = [Self.wish(Self.notification(999), .change)]
        wishes += (0..<500).map { Self.wish(Self.notification(UInt32($0 % 5)), .arrival, at: Double($0) * 0.2) }
        run.play(wishes, atMost: .seconds(100 as Int64))
        #expect(run.departures.contains { $0.key == Self.notification(999) && $0.at <= Self.at(20) })
    }

    @Test func notificationsLeaveTheLastPlaceToMessages() {
        var run = DownlinkRun(
            Self.slow {
                $0.byteRate = 1_000_000
                $0.outstanding = 3
            })
        var wishes = (0..<10).map { Self.wish(Self.notification(UInt32($0)), .change) }
        wishes.append(Self.wish(Self.message(1), .normal, at: 1))
        for index in wishes.indices { wishes[index].answeredAfter = .seconds(10 as Int64) }
        run.play(wishes)
        #expect(run.openCounts.max() == 3)
        let message = run.departures.firstIndex { $0.key == Self.message(1) }
        #expect(message == 2)
        #expect(run.departures[2].at == Self.at(1))
        #expect(run.departures.count == 11)
    }

    @Test func aRetransmissionNeedsNoPlaceAndPassesThoseThatDo() {
        var scheduler = DownlinkScheduler(Self.slow { $0.outstanding = 1 }, largestPacket: 300, at: Self.at(0))
        scheduler.offer(Self.message(1), .normal, at: Self.at(0))
        scheduler.offer(Self.message(2), .normal, at: Self.at(0))
        #expect(scheduler.next(at: Self.at(0))?.key == Self.message(1))
        let first = TransactionID(high: 2, low: 1)
        scheduler.sent(.normal, plain: 300, transaction: first, until: Self.at(60), at: Self.at(0))
        #expect(scheduler.next(at: Self.at(1)) == nil)
        #expect(scheduler.nextGrant(after: Self.at(1)) == Self.at(60))
        scheduler.offer(Self.again(1), .normal, at: Self.at(4))
        #expect(scheduler.next(at: Self.at(4))?.key == Self.again(1))
        scheduler.sent(.normal, plain: 300, until: Self.at(60), at: Self.at(4))
        scheduler.finished(first)
        #expect(scheduler.next(at: Self.at(5))?.key == Self.message(2))
    }

    /// An answer that never comes gives its place back when the transaction has ended by itself.
    @Test func aPlaceIsFreeAgainWhenItsTransactionHasEnded() {
        var scheduler = DownlinkScheduler(Self.slow { $0.outstanding = 1 }, largestPacket: 300, at: Self.at(0))
        for number in 1...2 { scheduler.offer(Self.message(UInt32(number)), .normal, at: Self.at(0)) }
        _ = scheduler.next(at: Self.at(0))
        scheduler.sent(
            .normal, plain: 300, transaction: TransactionID(high: 2, low: 1), until: Self.at(64), at: Self.at(0))
        #expect(scheduler.next(at: Self.at(63)) == nil)
        #expect(scheduler.next(at: Self.at(64))?.key == Self.message(2))
    }

    @Test func burstAndPacketRateHold() {
        var run = DownlinkRun(
            Self.slow {
                $0.byteRate = 1_000
                $0.burst = 2_300
                $0.packetRate = 2
                $0.packetBurst = 3
            })
        run.play((0..<40).map { Self.wish(Self.message(UInt32($0)), .normal, bytes: 200) })
        #expect(run.departures.prefix(3).allSatisfy { $0.at == Self.at(0) })
        #expect(run.departures[3].at == Self.at(0.5))
        #expect(run.byteExcess <= 0 && run.packetExcess <= 1e-6)
    }
}
