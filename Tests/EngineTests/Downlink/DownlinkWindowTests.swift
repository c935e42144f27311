import LinkProfiles
import Testing

@testable import Engine

/// Quiet hours, radio windows, and waking the radio once.
@Suite("Downlink windows")
struct DownlinkWindowTests {
    typealias Of = DownlinkSchedulerTests

    /// `DownlinkRun.start` is 08:00:00 UTC.
    static func budget(_ change: (inout LinkBudget) -> Void) -> LinkBudget {
        Of.slow {
            $0.byteRate = 10_000
            change(&$0)
        }
    }

    static func quiet(_ text: String) throws -> [DayPeriod] { [try #require(DayPeriod(text))] }

    @Test func quietHoursLetAnswersAndUrgentMessagesThrough() throws {
        let hours = try Self.quiet("07:30-09:00")
        var run = DownlinkRun(Self.budget { $0.quietHours = hours })
        run.play([
            Of.wish(Of.notification(1), .arrival), Of.wish(Of.message(1), .normal), Of.wish(Of.message(2), .urgent),
            Of.wish(Of.response(1), .answer), Of.wish(Of.message(3), .emergency),
        ])
        #expect(
            run.departures.prefix(3).map(\.key) == [Of.response(1), Of.message(3), Of.message(2)])
        #expect(run.departures.dropFirst(3).map(\.key) == [Of.message(1), Of.notification(1)])
        #expect(run.departures[3].at == Of.at(3_600))
    }

    @Test func nothingButAnswersLeavesWhileTheReceiverIsOff() {
        var run = DownlinkRun(
            Self.budget {
                $0.listensEvery = .seconds(600 as Int64)
                $0.listensFor = .seconds(30 as Int64)
                $0.listensAt = .seconds(100 as Int64)
            })
        run.play([Of.wish(Of.message(1), .emergency, at: 10), Of.wish(Of.response(1), .answer, at: 20)])
        #expect(run.departures.map(\.key) == [Of.response(1), Of.message(1)])
        #expect(run.departures.map(\.at) == [Of.at(20), Of.at(100)])
    }

    /// More than a window holds goes on in the next one.
    @Test func aWindowIsNotOverrun() {
        var run = DownlinkRun(
            Self.budget {
                $0.byteRate = 300
                $0.listensEvery = .seconds(600 as Int64)
                $0.listensFor = .seconds(10 as Int64)
            })
        run.play((0..<25).map { Of.wish(Of.message(UInt32($0)), .normal) })
        #expect(run.departures.count == 25)
        for departure in run.departures {
            #expect((departure.at - DownlinkRun.start).microseconds % 600_000_000 < 10_000_000)
        }
        #expect(run.departures[10].at == Of.at(600) && run.departures[24].at == Of.at(1_204))
    }

    @Test func whoJustSpokeHears() {
        var scheduler = DownlinkScheduler(
            Self.budget {
                $0.listensEvery = .seconds(600 as Int64)
                $0.listensFor = .seconds(10 as Int64)
                $0.awake = .seconds(5 as Int64)
            }, largestPacket: 300, at: Of.at(0))
        scheduler.offer(Of.message(1), .normal, at: Of.at(100))
        #expect(scheduler.next(at: Of.at(100)) == nil)
        #expect(scheduler.nextGrant(after: Of.at(100)) == Of.at(600))
        scheduler.heard(at: Of.at(200))
        #expect(scheduler.nextGrant(after: Of.at(200)) == Of.at(200))
        #expect(scheduler.next(at: Of.at(204))?.key == Of.message(1))
    }

    @Test func notificationsWakeTheRadioOnce() {
        var run = DownlinkRun(
            Self.budget {
                $0.bundling = .seconds(20 as Int64)
                $0.awake = .seconds(5 as Int64)
            })
        run.play([0, 3, 7, 19].enumerated().map { Of.wish(Of.notification(UInt32($0)), .change, at: $1) })
        #expect(run.departures.count == 4)
        #expect(run.departures.first?.at == Of.at(20))
        #expect((run.departures.last?.at ?? .distantFuture) < Of.at(20.2))
    }

    @Test func aMessageTakesWaitingNotificationsAlong() {
        var run = DownlinkRun(
            Self.budget {
                $0.bundling = .seconds(20 as Int64)
                $0.awake = .seconds(5 as Int64)
            })
        run.play([
            Of.wish(Of.notification(1), .change), Of.wish(Of.message(1), .normal, at: 4),
            Of.wish(Of.notification(2), .change, at: 6), Of.wish(Of.notification(3), .change, at: 30),
        ])
        #expect(
            run.departures.map(\.key) == [1, 2, 3].reduce(into: [Of.message(1)]) { $0.append(Of.notification($1)) })
        #expect(run.departures[1].at < Of.at(4.1) && run.departures[2].at == Of.at(6))
        #expect(run.departures[3].at == Of.at(50))
    }

    @Test(arguments: [
        ("22:00-06:00", 0.0, 0.0), ("08:00-08:10", 0, 600), ("07:00-08:30", 60, 1_800), ("23:00-08:20", 0, 1_200),
        ("08:00-24:00", 0, 57_600), ("00:00-08:00", 0, 0), ("07:59-08:01", 59, 60),
    ])
    func quietHoursEnd(text: String, seconds: Double, end: Double) throws {
        var budget = LinkBudget()
        budget.quietHours = try Self.quiet(text)
        #expect(budget.quietEnds(at: Of.at(seconds)) == Of.at(end))
    }

    @Test func meetingQuietHoursEndTogether() throws {
        var budget = LinkBudget()
        budget.quietHours = try Self.quiet("08:10-08:20") + Self.quiet("07:00-08:10") + Self.quiet("08:15-08:30")
        #expect(budget.quietEnds(at: Of.at(0)) == Of.at(1_800))
        budget.quietHours = try Self.quiet("06:00-18:00") + Self.quiet("18:00-06:00")
        #expect(budget.quietEnds(at: Of.at(0)) == .distantFuture)
    }
}
