/// Where sequences of three bytes occur in a text; finds earlier places that go on alike.
struct TrigramIndex {
    private static let bits = 12
    private let text: [UInt8]
    private var heads: [Int32]
    /// For each place, the nearest one before with the same hash.
    private var previous: [Int32]

    init(_ text: [UInt8]) {
        self.text = text
        heads = [Int32](repeating: -1, count: 1 << Self.bits)
        previous = [Int32](repeating: -1, count: text.count)
        for place in 0..<max(0, text.count - 2) {
            let key = Self.key(text, place)
            previous[place] = heads[key]
            heads[key] = Int32(place)
        }
    }

    private static func key(_ text: [UInt8], _ place: Int) -> Int {
        let word = UInt32(text[place]) | UInt32(text[place + 1]) << 8 | UInt32(text[place + 2]) << 16
        return Int((word &* 2_654_435_761) >> UInt32(32 - bits))
    }

    /// Finds places before one in the text itself, from the nearest on, each with the lengths that no nearer one has.
    ///
    /// - Parameters:
    ///   - reach: the longest distance.
    ///   - limit: the longest match.
    ///   - tries: how many places are looked at.
    func matches(before place: Int, reach: Int, limit: Int, tries: Int, found: (Int, ClosedRange<Int>) -> Void) {
        search(from: previous[place], like: text, at: place, oldest: place - reach, limit: limit, tries: tries) {
            found(place - $0, $1)
        }
    }

    /// Finds places in the text that go on like another text at `place`.
    func matches(of other: [UInt8], at place: Int, limit: Int, tries: Int, found: (Int, ClosedRange<Int>) -> Void) {
        guard place + 2 < other.count else { return }
        search(
            from: heads[Self.key(other, place)], like: other, at: place, oldest: 0, limit: limit, tries: tries,
            found: found)
    }

    private func search(
        from first: Int32, like other: [UInt8], at place: Int, oldest: Int, limit: Int, tries: Int,
        found: (Int, ClosedRange<Int>) -> Void
    ) {
        var longest = 2
        var candidate = Int(first)
        var left = tries
        while candidate >= oldest, candidate >= 0, left > 0, longest < limit {
            let length = common(candidate, other, place, limit: limit)
            if length > longest {
                found(candidate, longest + 1...length)
                longest = length
            }
            candidate = Int(previous[candidate])
            left -= 1
        }
    }

    private func common(_ candidate: Int, _ other: [UInt8], _ place: Int, limit: Int) -> Int {
        let limit = min(limit, text.count - candidate, other.count - place)
        var length = 0
        while length < limit, text[candidate + length] == other[place + length] { length += 1 }
        return length
    }
}
