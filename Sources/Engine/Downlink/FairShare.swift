/// Strict order that starves nobody: the first candidate goes first, until eight times as much has passed another candidate as that
/// one last needed; then it is that one's turn.
struct FairShare {
    /// What goes before for each byte of one that waits behind.
    static let advantage = 8

    private struct Party {
        /// Bytes that went before it since its last turn, while it could have gone.
        var passed = 0
        /// Bytes of its last turn.
        var cost = 512
    }

    private var parties: [Party]

    init(count: Int) { parties = Array(repeating: Party(), count: count) }

    /// The candidate whose turn it is; candidates are in falling order.
    func choose(among candidates: [Int]) -> Int? {
        guard let first = candidates.first else { return nil }
        let isDue = { (index: Int) in parties[index].passed >= Self.advantage * parties[index].cost }
        return candidates.dropFirst().last(where: isDue) ?? first
    }

    /// One of the candidates has had its turn.
    mutating func took(_ bytes: Int, _ chosen: Int, among candidates: [Int]) {
        parties[chosen].passed = 0
        parties[chosen].cost = bytes
        for other in candidates where other > chosen { parties[other].passed += bytes }
    }
}
