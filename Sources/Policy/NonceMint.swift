import LinkProfiles
import SIPCore

/// Makes and reads nonces: milliseconds and a running number, sealed with a keyed hash. Thirty-two hex digits.
struct NonceMint {
    private let key: (UInt64, UInt64)
    private let startedAt: Int64
    private var running: UInt64 = 0

    init(key: (UInt64, UInt64), at start: Instant) {
        self.key = key
        startedAt = start.microseconds / 1_000
    }

    static let length = 32

    mutating func append(at now: Instant, to text: inout [UInt8]) {
        running = (running + 1) & 0x3F_FFFF
        let stamp = UInt64(clamping: now.microseconds / 1_000) << 22 | running
        Self.appendHex(stamp, to: &text)
        Self.appendHex(seal(stamp), to: &text)
    }

    enum Reading: Equatable {
        /// Ours and young enough. The stamp is unique.
        case valid(stamp: UInt64)
        /// Ours, but too old or from an earlier run.
        case stale
        /// Not made here, or not with this key.
        case foreign
    }

    func read(_ text: ArraySlice<UInt8>, lifetime: TimeSpan, at now: Instant) -> Reading {
        guard text.count == Self.length, let stamp = Self.word(text.prefix(16)), let seal = Self.word(text.suffix(16)),
            seal ^ self.seal(stamp) == 0
        else { return .foreign }
        let madeAt = Int64(stamp >> 22)
        let age = now.microseconds / 1_000 - madeAt
        guard madeAt >= startedAt, age >= 0, age * 1_000 <= lifetime.microseconds else { return .stale }
        return .valid(stamp: stamp)
    }

    private func seal(_ stamp: UInt64) -> UInt64 {
        var hash = KeyedHash(key: key)
        hash.combine(stamp)
        return hash.finalize()
    }

    private static func appendHex(_ word: UInt64, to text: inout [UInt8]) {
        var shift: UInt64 = 64
        while shift > 0 {
            shift -= 4
            text.append(Hex.digit(UInt8(truncatingIfNeeded: word >> shift) & 15))
        }
    }

    private static func word(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var word: UInt64 = 0
        for digit in digits {
            guard let value = Hex.value(digit) else { return nil }
            word = word << 4 | UInt64(value)
        }
        return word
    }
}

/// Remembers how far each nonce was counted up, so that no request is accepted twice (RFC 7616 section 3.4.6, `nc`).
///
/// Two generations bound the memory. A nonce that is not remembered is accepted only if it is younger than every nonce ever
/// forgotten, so that forgetting never opens the door.
struct NonceLedger {
    struct Use {
        var highest: UInt32
        /// Bit n: the count `highest - n` was used. Requests over UDP may overtake each other.
        var window: UInt32
    }

    private var current: [UInt64: Use] = [:]
    private var previous: [UInt64: Use] = [:]
    private let limit: Int
    private let lifetime: TimeSpan
    private var turnedAt: Instant
    private var newestInCurrent: UInt64 = 0
    private var newestInPrevious: UInt64 = 0
    private var newestForgotten: UInt64 = 0

    init(limit: Int, lifetime: TimeSpan, at start: Instant) {
        self.limit = max(1, limit / 2)
        self.lifetime = lifetime
        turnedAt = start
    }

    /// Nonces remembered.
    var count: Int { current.count + previous.count }

    enum Judgement { case fresh, replayed, forgotten }

    /// Counts a use. `stamp` identifies the nonce and grows with its time.
    mutating func use(_ stamp: UInt64, count: UInt32, at now: Instant) -> Judgement {
        if var known = current[stamp] {
            guard known.take(count) else { return .replayed }
            current[stamp] = known
            return .fresh
        }
        turnIfDue(at: now)
        if var known = previous.removeValue(forKey: stamp) {
            let isFresh = known.take(count)
            remember(stamp, known)
            return isFresh ? .fresh : .replayed
        }
        guard stamp > newestForgotten else { return .forgotten }
        guard count > 0 else { return .replayed }
        remember(stamp, Use(highest: count, window: 1))
        return .fresh
    }

    private mutating func remember(_ stamp: UInt64, _ use: Use) {
        current[stamp] = use
        newestInCurrent = max(newestInCurrent, stamp)
    }

    private mutating func turnIfDue(at now: Instant) {
        guard current.count >= limit || (now - turnedAt > lifetime && count > 0) else { return }
        if !previous.isEmpty { newestForgotten = max(newestForgotten, newestInPrevious) }
        previous = current
        newestInPrevious = newestInCurrent
        current = [:]
        newestInCurrent = 0
        turnedAt = now
    }
}

extension NonceLedger.Use {
    /// Notes a count; false when it was noted before or is too far behind to know.
    mutating func take(_ count: UInt32) -> Bool {
        if count > highest {
            let step = count - highest
            window = step < 32 ? window << step | 1 : 1
            highest = count
            return true
        }
        let back = highest - count
        guard count > 0, back < 32, window & (1 << back) == 0 else { return false }
        window |= 1 << back
        return true
    }
}
