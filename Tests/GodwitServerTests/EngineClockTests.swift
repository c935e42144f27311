import LinkProfiles
import Testing

@testable import GodwitServer

@Suite("The engine's clock")
struct EngineClockTests {
    @Test func followsAWallClockSetForward() {
        var clock = EngineClock(wall: 1_000_000_000, monotonic: 0)
        clock.anchor(wall: 5_000_000_000, monotonic: 5_000_000)
        #expect(clock.time(monotonic: 5_000_000).microseconds == 5_000_000_000)
    }

    @Test func neverRunsBackwardsWhenTheWallClockDoes() {
        var clock = EngineClock(wall: 100_000_000, monotonic: 0)
        var last = clock.time(monotonic: 0)
        // The wall clock is set back by a second after ten.
        for step in 1...200 {
            let monotonic = Int64(step) * 5_000_000
            let wall = 100_000_000 + monotonic - (step > 2 ? 1_000_000 : 0)
            let before = clock.time(monotonic: monotonic)
            clock.anchor(wall: wall, monotonic: monotonic)
            let after = clock.time(monotonic: monotonic)
            #expect(after >= last && before >= last)
            last = after
        }
        #expect(last.microseconds == 100_000_000 + 1_000_000_000 - 1_000_000)
    }

    @Test func differsLittleFromTheWallClock() {
        var clock = EngineClock()
        let first = clock.now()
        let second = clock.now()
        #expect(second >= first)
    }
}
