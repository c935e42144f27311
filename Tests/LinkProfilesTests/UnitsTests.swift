import LinkProfiles
import Testing

@Suite("Durations and sizes as files write them")
struct UnitsTests {
    @Test(
        arguments: [
            ("500ms", 500_000), ("4s", 4_000_000), ("1.5s", 1_500_000), ("5m", 300_000_000), ("1h30m", 5_400_000_000),
            ("7d", 604_800_000_000), ("0", 0), ("250us", 250),
        ] as [(String, Int64)])
    func readsDurations(text: String, microseconds: Int64) {
        #expect(TimeSpan(text)?.microseconds == microseconds)
    }

    @Test(arguments: ["", "5", "s", "5 s", "-1s", "1s2", "4sec", "1..5s", "∞", "٣s", "99999999999d"])
    func refusesOtherDurations(text: String) {
        #expect(TimeSpan(text) == nil)
    }

    @Test func writesDurationsThatReadBackTheSame() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let span = TimeSpan(microseconds: Int64.random(in: 0...(1 << 46), using: &random))
            #expect(TimeSpan(span.text) == span, "\(span.microseconds) µs were written as \(span.text)")
        }
    }

    @Test(arguments: [
        ("1300", 1_300), ("64KiB", 65_536), ("1.5kB", 1_500), ("10MB", 10_000_000), ("2 GiB", 2_147_483_648), ("7B", 7),
    ])
    func readsSizes(text: String, bytes: Int) {
        #expect(ByteSize.parse(text) == bytes)
        #expect(ByteSize.parse(ByteSize.text(bytes)) == bytes)
    }

    @Test(arguments: ["", "KiB", "-5", "1.5", "5kb", "1e3", "5 K", "0x10"])
    func refusesOtherSizes(text: String) {
        #expect(ByteSize.parse(text) == nil)
    }
}
