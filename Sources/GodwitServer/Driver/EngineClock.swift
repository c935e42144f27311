import Glibc
import LinkProfiles

/// The engine's time: the wall clock at start plus what the monotonic clock measured since, so that it never runs
/// backwards; brought back to the wall clock every few seconds.
///
/// A wall clock that was set forward is followed at once (lives and expiries are wall-clock times). One that was set back is
/// approached by running at nineteen twentieths of the speed, so that timers go on meanwhile.
struct EngineClock {
    private var offset: Int64
    private var anchoredAt: Int64
    private static let period: Int64 = 5_000_000

    init() { self.init(wall: Self.wall(), monotonic: Self.monotonic()) }

    init(wall: Int64, monotonic: Int64) {
        offset = wall - monotonic
        anchoredAt = monotonic
    }

    /// The present time.
    mutating func now() -> Instant {
        let monotonic = Self.monotonic()
        if monotonic - anchoredAt >= Self.period { anchor(wall: Self.wall(), monotonic: monotonic) }
        return time(monotonic: monotonic)
    }

    func time(monotonic: Int64) -> Instant { Instant(microseconds: monotonic + offset) }

    /// Compares with the wall clock and corrects.
    mutating func anchor(wall: Int64, monotonic: Int64) {
        let lag = wall - (monotonic + offset)
        offset += max(lag, -(monotonic - anchoredAt) / 20)
        anchoredAt = monotonic
    }

    private static func wall() -> Int64 { read(CLOCK_REALTIME) }
    private static func monotonic() -> Int64 { read(CLOCK_MONOTONIC) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}
