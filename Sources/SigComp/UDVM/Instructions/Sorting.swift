/// SORT-ASCENDING and SORT-DESCENDING (RFC 3320, section 9.1.3).
extension UDVM {
    mutating func sortAscending() throws(DecompressionFailureReason) { try sort { $0 < $1 } }

    mutating func sortDescending() throws(DecompressionFailureReason) { try sort { $0 > $1 } }

    private mutating func sort(_ precedes: (UInt16, UInt16) -> Bool) throws(DecompressionFailureReason) {
        let start = try multitype()
        let lists = try multitype()
        let length = try multitype()
        let ceilingOfLogarithm = length > 1 ? Int.bitWidth - (length - 1).leadingZeroBitCount : 0
        try charge(1 + length * (ceilingOfLogarithm + lists))
        guard lists > 0, length > 0 else { return }
        guard start + 2 * lists * length <= memory.size else { throw .segfault }
        let keys = try words(at: start, count: length)
        // The standard library's sort keeps the order of equal elements.
        let order = (0..<length).sorted { precedes(keys[$0], keys[$1]) }
        for list in 0..<lists {
            let address = start + 2 * list * length
            let words = try words(at: address, count: length)
            for (index, source) in order.enumerated() {
                try memory.setWord(Int(words[source]), at: address + 2 * index)
            }
        }
    }

    private func words(at address: Int, count: Int) throws(DecompressionFailureReason) -> [UInt16] {
        var words: [UInt16] = []
        words.reserveCapacity(count)
        for index in 0..<count { words.append(UInt16(truncatingIfNeeded: try memory.word(at: address + 2 * index))) }
        return words
    }
}
