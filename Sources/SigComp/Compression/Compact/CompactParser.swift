/// A message cut into pieces that the compact codes have, as cheaply as can be found.
struct CompactParser {
    enum Token {
        case literal(UInt8)
        case history(distance: Int, length: Int)
        case dictionary(offset: Int, length: Int)
    }

    private static let literalBits: [Int] = (0...255).map { byte in
        CompactCode.symbols.code(byte)?.bits ?? (CompactCode.symbols.code(CompactCode.escapeSymbol)?.bits ?? 0) + 8
    }
    private static let historyBits = CompactCode.symbols.code(CompactCode.historySymbol)?.bits ?? 0
    private static let dictionaryBits =
        (CompactCode.symbols.code(CompactCode.dictionarySymbol)?.bits ?? 0) + CompactProgram.dictionaryBits
    private static let lengthBits: [Int] = (0...CompactCode.lengthRange.upperBound).map { length in
        CompactCode.lengths.code(length)?.bits ?? 0
    }
    /// How many earlier places are looked at for every byte.
    private static let searchLimit = 48

    private let dictionary = TrigramIndex(
        Array(StaticDictionary.session.value.prefix(CompactProgram.dictionaryLength)))

    /// - Parameters:
    ///   - history: what stands before the message.
    ///   - reach: the longest distance.
    func tokens(of message: [UInt8], after history: [UInt8], reach: Int) -> [Token] {
        let text = history + message
        let index = TrigramIndex(text)
        let reach = min(reach, CompactCode.distanceLimit)
        let origin = history.count
        var best = [Step](repeating: Step(), count: message.count + 1)
        best[0].cost = 0
        for position in message.indices {
            let cost = best[position].cost
            func offer(_ length: Int, _ bits: Int, _ token: Token) {
                guard cost + bits < best[position + length].cost else { return }
                best[position + length] = Step(cost: cost + bits, length: length, token: token)
            }
            offer(1, Self.literalBits[Int(message[position])], .literal(message[position]))
            let limit = min(CompactCode.lengthRange.upperBound, message.count - position)
            guard limit >= CompactCode.lengthRange.lowerBound else { continue }
            index.matches(before: origin + position, reach: reach, limit: limit, tries: Self.searchLimit) {
                distance, lengths in
                let bits = Self.historyBits + (CompactCode.distances.code(distance)?.bits ?? 0)
                for length in lengths {
                    offer(length, bits + Self.lengthBits[length], .history(distance: distance, length: length))
                }
            }
            let dictionaryLimit = min(limit, CompactProgram.dictionaryCopyLimit)
            dictionary.matches(of: text, at: origin + position, limit: dictionaryLimit, tries: Self.searchLimit) {
                offset, lengths in
                for length in lengths {
                    offer(
                        length, Self.dictionaryBits + Self.lengthBits[length],
                        .dictionary(offset: offset, length: length))
                }
            }
        }
        return Self.path(best)
    }

    private struct Step {
        var cost = Int.max / 2
        var length = 0
        var token = Token.literal(0)
    }

    private static func path(_ steps: [Step]) -> [Token] {
        var tokens: [Token] = []
        var position = steps.count - 1
        while position > 0 {
            tokens.append(steps[position].token)
            position -= steps[position].length
        }
        return tokens.reversed()
    }
}
