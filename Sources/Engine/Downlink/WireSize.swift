/// What messages of each kind shrink to on one endpoint's wire, learned from what the transport reports.
///
/// A smoothed mean and deviation as for round trips in RFC 6298: the estimate is the mean and twice the deviation, and never
/// more than the plain size. Until the first report it is the plain size.
struct WireSize {
    /// In 1024ths of the plain size.
    private struct Ratio {
        var mean: Int32 = 1_024
        var deviation: Int32 = 0
        var isKnown = false
    }

    private var ratios = (Ratio(), Ratio(), Ratio())

    /// What a message of `plain` bytes is reckoned to take.
    func estimate(plain: Int, _ kind: WireKind) -> Int {
        let ratio = self[kind]
        let share = min(1_024, Int(ratio.mean) + 2 * Int(ratio.deviation))
        return (plain * share + 1_023) / 1_024
    }

    mutating func learn(plain: Int, wire: Int, _ kind: WireKind) {
        guard plain > 0, wire >= 0 else { return }
        let seen = Int32(clamping: min(2_048, wire * 1_024 / plain))
        var ratio = self[kind]
        if ratio.isKnown {
            ratio.deviation += (abs(seen - ratio.mean) - ratio.deviation) / 4
            ratio.mean += (seen - ratio.mean) / 8
        } else {
            ratio = Ratio(mean: seen, deviation: seen / 2, isKnown: true)
        }
        self[kind] = ratio
    }

    private subscript(kind: WireKind) -> Ratio {
        get {
            switch kind {
            case .answer: ratios.0
            case .message: ratios.1
            case .notification: ratios.2
            }
        }
        set {
            switch kind {
            case .answer: ratios.0 = newValue
            case .message: ratios.1 = newValue
            case .notification: ratios.2 = newValue
            }
        }
    }
}
