import LinkProfiles
import MessageStore
import Testing

@Suite("The retry schedule")
struct RetryScheduleTests {
    @Test("20 s doubles to 24 h and stays there")
    func doubling() {
        let schedule = RetrySchedule()
        let seconds = (1...16 as ClosedRange<UInt32>).map { schedule.delay(afterFailures: $0).inSeconds }
        #expect(
            seconds == [
                20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_120, 10_240, 20_480, 40_960, 81_920, 86_400, 86_400, 86_400,
            ])
        #expect(schedule.delay(afterFailures: 0) == schedule.delay(afterFailures: 1))
        #expect(schedule.delay(afterFailures: .max).inSeconds == 86_400)
    }

    @Test("jitter stays within its share and never beyond the ceiling", arguments: [0.0, 0.2, 0.5, 0.9, -1])
    func jitter(_ jitter: Double) {
        let schedule = RetrySchedule(jitter: jitter)
        let share = min(max(0, jitter), 0.5)
        for failures in 1...20 as ClosedRange<UInt32> {
            let plain = schedule.delay(afterFailures: failures).inSeconds
            var last = TimeSpan.zero
            for random in stride(from: -0.5, through: 1.5, by: 0.05) {
                let delay = schedule.delay(afterFailures: failures, random: random)
                #expect(delay.inSeconds >= plain * (1 - share) - 0.001)
                #expect(delay.inSeconds <= min(plain * (1 + share), 86_400) + 0.001)
                #expect(delay >= last)
                last = delay
            }
        }
    }

    @Test("a middle random number changes nothing")
    func middle() {
        #expect(RetrySchedule().delay(afterFailures: 3, random: 0.5) == .seconds(80 as Int64))
    }

    @Test("values no profile should hold still give a positive delay below the ceiling")
    func odd() {
        for initial in [Int64.min, -1, 0, 1, .max] {
            for maximum in [Int64.min, -1, 0, 1, .max] {
                let schedule = RetrySchedule(
                    initial: TimeSpan(microseconds: initial), maximum: TimeSpan(microseconds: maximum), jitter: 0.5)
                for failures in [0, 1, 2, 63, 64, UInt32.max] {
                    let plain = schedule.delay(afterFailures: failures)
                    #expect(plain.microseconds >= 1 && plain.microseconds <= max(1, maximum))
                    let delay = schedule.delay(afterFailures: failures, random: 0.999)
                    #expect(delay.microseconds >= 1 && delay.microseconds <= max(1, maximum))
                }
            }
        }
    }
}
