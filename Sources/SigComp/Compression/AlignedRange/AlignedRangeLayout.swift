/// The sizes of one variant of the program, chosen by what the peer offers.
///
/// History is a ring of 65536 positions, cut into slots. The latest bytes are the *tail*, which every head carries; a full slot's
/// worth of it becomes a state of its own. `recentOffset` behind the tail's first position lies the message before, whole.
struct AlignedRangeLayout: Hashable {
    struct Entry: Hashable {
        /// The position of the first byte of the state's value.
        let base: Int
        let identifier: [UInt8]
    }

    /// Bytes of a slot: a power of 2, at least 256.
    let slotSize: Int
    /// How many slots are kept.
    let slotCount: Int
    /// How much of the message before is remembered.
    let recentLength: Int
    /// Above this, the tail does not grow.
    let growthLimit: Int
    /// Positions this far behind the tail's first are in memory.
    let reach: Int
    /// Copies of at least this length are not appended to the history, unless their source is `oldDistance` back or farther.
    let longCopy: Int
    let oldDistance: Int
    /// What the table of slots begins with: the dictionaries.
    let initialEntries: [Entry]

    /// A head displaces heads, after what other algorithms have made; slots are freed by name.
    static let headPriority = 256
    static let slotPriority = 512

    var slotShift: Int { slotSize.trailingZeroBitCount }
    var recentOffset: Int { reach - 2_048 }
    /// Where the history begins, behind the dictionaries.
    var firstPosition: Int { initialEntries.count * slotSize }
}
