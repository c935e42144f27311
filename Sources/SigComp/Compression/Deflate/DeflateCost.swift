/// What the inflater costs at the peer, instruction for instruction (RFC 3320, section 9).
struct DeflateCost {
    private static let start = 5
    private static let announcement = 5
    private static let block = 1
    private static let literal = 11
    private static let match = 28
    /// Of the end of a block: reading its code, and the way to the next header.
    private static let endOfBlock = 6
    private static let end = 9
    /// MULTILOAD of 124 words, and the jumps there and back.
    private static let initialization = 127

    /// The length of the data without the code that ends the last block, which the end of the message replaces.
    let length: Int
    private let cost: Int
    /// What is spent by then and how many bits are read, before and after each copy: long copies cost more than their bits grant.
    private var steps: [(cost: Int, bits: Int)] = []

    /// nil when the data is not DEFLATE with the fixed codes.
    init?(_ data: [UInt8]) {
        var tokens = DeflateTokens(data)
        var cost = 0
        while let isLast = tokens.beginBlock() {
            cost += Self.block
            var position = tokens.position
            reading: while let token = tokens.next() {
                switch token {
                case .literal: cost += Self.literal
                case .match(let length, _):
                    steps.append((cost, tokens.position))
                    cost += Self.match + 2 * length
                    steps.append((cost, position))
                case .endOfBlock:
                    cost += Self.endOfBlock
                    break reading
                }
                position = tokens.position
            }
            if isLast {
                self.cost = cost
                length = (position + 7) / 8
                return
            }
        }
        return nil
    }

    /// Whether the peer's cycles suffice, at every moment (RFC 3320, section 8.6).
    ///
    /// - Parameters:
    ///   - headerLength: of the SigComp message, uploaded bytecode included.
    ///   - presetLength: the bytes of the dictionary that an upload puts into the window; nil for a message that refers to a state.
    ///   - stateLength: of the state that is made at the end; 0 for none.
    func fits(
        cyclesPerBit: Int, headerLength: Int, presetLength: Int?, announcementLength: Int, stateLength: Int
    ) -> Bool {
        let beginning =
            Self.start + (announcementLength > 0 ? Self.announcement + announcementLength : 0)
            + (presetLength.map { Self.initialization + 1 + $0 } ?? 0)
        let granted = (1_000 + 8 * headerLength) * cyclesPerBit
        for step in steps where beginning + step.cost > granted + step.bits * cyclesPerBit { return false }
        return beginning + cost + Self.end + stateLength <= granted + 8 * (1 + length) * cyclesPerBit
    }
}
