import Glibc

/// Nanoseconds of the monotonic clock.
@inline(__always)
func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}

let second: UInt64 = 1_000_000_000

func seconds(_ value: Double) -> UInt64 { UInt64(max(0, value) * 1e9) }

/// A small fast generator (xorshift) for the share of datagrams that get lost.
struct Chance {
    private var state: UInt64
    init(seed: UInt64) { state = seed | 1 }

    mutating func happens(_ share: Double) -> Bool {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Double(state >> 11) * (1.0 / 9_007_199_254_740_992.0) < share
    }
}

func fail(_ reason: String) -> Never {
    complain("sipbench: \(reason)\n")
    exit(2)
}

func complain(_ text: String) {
    let bytes = Array(text.utf8)
    _ = write(2, bytes, bytes.count)
}
