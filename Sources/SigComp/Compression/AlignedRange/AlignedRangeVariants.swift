/// The layouts in use.
extension AlignedRangeLayout {
    /// For 65536 bytes of memory and of states.
    static let large = AlignedRangeLayout(
        slotSize: 2_048, slotCount: 22, recentLength: 768, growthLimit: 12_288, reach: 16_384, longCopy: 100,
        oldDistance: 22_528)

    /// The layout for what an endpoint offers; nil when it is too little. Both ends must offer as much, as both keep the history.
    static func fitting(_ parameters: SigCompParameters) -> AlignedRangeLayout? {
        guard parameters.stateMemorySize >= 65_536, parameters.decompressionMemorySize >= 65_536,
            parameters.cyclesPerBit >= 64
        else { return nil }
        return large
    }

    private init?(
        slotSize: Int, slotCount: Int, recentLength: Int, growthLimit: Int, reach: Int, longCopy: Int, oldDistance: Int
    ) {
        self.slotSize = slotSize
        self.slotCount = slotCount
        self.recentLength = recentLength
        self.growthLimit = growthLimit
        self.reach = reach
        self.longCopy = longCopy
        self.oldDistance = oldDistance
        var entries: [Entry] = []
        let hash = StateHash()
        for dictionary in StaticDictionary.allCases {
            guard let item = dictionary.item(hash: hash) else { return nil }
            let start = entries.count * slotSize
            let count = (item.value.count + slotSize - 1) / slotSize
            for slot in 0..<count {
                // The last slot is moved back so that all of it lies within the dictionary.
                let base = slot + 1 < count ? start : start + count * slotSize - item.value.count
                entries.append(Entry(base: base, identifier: Array(item.identifier.bytes.prefix(6))))
            }
        }
        // The place of an introduction; without one, the first dictionary again.
        entries.append(Entry(base: entries.count * slotSize, identifier: entries[0].identifier))
        initialEntries = entries
    }
}
