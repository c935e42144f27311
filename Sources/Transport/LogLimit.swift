internal import NIOCore

/// Keeps a peer from filling the log: a few lines of a kind in every ten seconds, and then how many were left out.
struct LogLimit {
    private static let linesPerWindow = 5
    private static let window = TimeAmount.seconds(10)

    private var windowEnd = NIODeadline.uptimeNanoseconds(0)
    private var lines = 0
    private var omitted = 0

    /// Whether a line may be written now; if so, how many like it were left out since the last one.
    mutating func admit(at now: NIODeadline = .now()) -> Int? {
        if now >= windowEnd {
            windowEnd = now + Self.window
            lines = 0
        }
        guard lines < Self.linesPerWindow else {
            omitted += 1
            return nil
        }
        lines += 1
        defer { omitted = 0 }
        return omitted
    }
}
