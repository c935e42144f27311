import LinkProfiles
import Testing

@testable import Simulation

/// A short day of few contacts; `godwit simulate --presence-day` lives the long one.
@Suite struct PresenceDayTests {
    static func day() throws -> PresenceDay {
        var day = PresenceDay(profile: try #require(SeedTests.profiles["gprs"]))
        day.contacts = 12
        day.hours = 4
        return day
    }

    /// Each means sends less than those before it did, and the watcher's state is the server's every time.
    @Test func eachMeansSavesBytesAndTheStateIsRight() throws {
        let day = try Self.day()
        let outcomes = PresenceDay.Stage.allCases.map { day.run($0) }
        for outcome in outcomes {
            #expect(outcome.faults == [], "\(outcome.stage.name)")
            #expect(outcome.changes == 288)
        }
        let bytes = outcomes.map(\.bytes)
        // Two changes in one NOTIFY can take more bytes than each in its own; the rate never adds more than that.
        for (before, after) in zip(bytes, bytes.dropFirst()) { #expect(after * 100 <= before * 102) }
        #expect(outcomes.first?.notifications == 288)
        let (first, last) = (try #require(bytes.first), try #require(bytes.last))
        #expect(last * 20 <= first, "\(last) of \(first) bytes: less than 95 % fewer")
    }

    @Test func bundlingWakesTheRadioLessOften() throws {
        let day = try Self.day()
        let (loose, bundled) = (day.run(.limited), day.run(.scheduled))
        #expect(bundled.wakeUps * 10 < loose.wakeUps * 9)
        #expect(bundled.wakeUps > 0)
    }

    @Test func aDayReplays() throws {
        let day = try Self.day()
        #expect(day.run(.compressed) == day.run(.compressed))
    }

    @Test func theRateAWatcherAsksForIsKept() throws {
        var day = try Self.day()
        day.changesPerHour = 60
        day.interval = .seconds(600 as Int64)
        let (free, limited) = (day.run(.filtered), day.run(.limited))
        // Six an hour and contact at most, and what the last interval left over.
        #expect(limited.notifications <= 12 * (6 * 4 + 2))
        #expect(free.notifications > limited.notifications * 3)
        #expect(limited.faults == [])
    }
}
