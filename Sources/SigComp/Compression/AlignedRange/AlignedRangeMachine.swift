/// What the program has in memory while a message runs, and what each token does to it: the same for writing and reading, so that
/// both ends stay in step. ``cycles`` counts what the bytecode would have used.
final class AlignedRangeMachine {
    let program: AlignedRangeProgram
    let layout: AlignedRangeLayout
    /// All positions: live slots, the tail, what was written behind it, and the message before.
    let history: UnsafeMutablePointer<UInt8>
    let models: UnsafeMutablePointer<UInt16>
    /// By the lowest byte of a copy's source: the length of the copy that was made from there last, and the source's upper bits.
    let lengths: UnsafeMutablePointer<UInt16>
    let table: UnsafeMutablePointer<UInt8>
    /// The present message as far as it will be remembered.
    let recent: UnsafeMutablePointer<UInt8>
    /// The state whose value each slot of ``history`` holds.
    var slots: [StateItem?]

    var tailPosition = 0
    /// The bytes before the tail: the header of the item that was sealed last.
    var itemHeader = [UInt8](repeating: 0, count: 8)
    /// The slots that were looked up for this message.
    private var isVerified: [Bool]
    /// The bytes of the tail.
    var written = 0
    /// The tail's length when the message began.
    var initialTail = 0
    var given = 0
    var aligned = 0
    var other = 0
    /// What kinds of bytes were coded since the latest copy: 0 none, 1 hexadecimal or punctuation, 2 small letters, 3 capitals.
    var context = 0
    var remembered = 0
    /// By how much the tail grew with the latest token.
    var lastKept = 0
    var cycles = 0

    static let positions = 65_536
    static let longestCopy = 1_023
    private static let recentRoom = 1_024

    init(program: AlignedRangeProgram) {
        self.program = program
        layout = program.layout
        history = .allocate(capacity: Self.positions)
        history.initialize(repeating: 0, count: Self.positions)
        models = .allocate(capacity: program.modelCount)
        models.initialize(repeating: Self.initialModel, count: program.modelCount)
        lengths = .allocate(capacity: 256)
        lengths.initialize(repeating: 0, count: 256)
        table = .allocate(capacity: program.tableLength)
        table.initialize(repeating: 0, count: program.tableLength)
        recent = .allocate(capacity: layout.recentLength + Self.recentRoom)
        recent.initialize(repeating: 0, count: layout.recentLength + Self.recentRoom)
        slots = Array(repeating: nil, count: Self.positions / layout.slotSize)
        isVerified = Array(repeating: false, count: slots.count)
    }

    static let initialModel: UInt16 = 0x8080

    deinit {
        history.deallocate()
        models.deallocate()
        lengths.deallocate()
        table.deallocate()
        recent.deallocate()
    }

    // MARK: Positions

    /// The position where the next byte is written.
    var end: Int { (tailPosition &+ written) & 0xFFFF }

    @inline(__always)
    func offset(_ position: Int) -> Int { (position &- tailPosition) & 0xFFFF }

    /// Every message must find its states anew.
    func forgetVerification() {
        for slot in isVerified.indices { isVerified[slot] = false }
    }

    /// Makes sure that the slot of a position can be read; false when its state is not there.
    @inline(__always)
    func load(slotOf position: Int, _ states: StateStore) -> Bool {
        let slot = (position & 0xFFFF) >> layout.slotShift
        return isVerified[slot] || verify(slot, states)
    }

    private func verify(_ slot: Int, _ states: StateStore) -> Bool {
        let entry = table + 8 * slot
        guard let identifier = PartialStateIdentifier(UnsafeBufferPointer(start: entry + 2, count: 6)),
            let item = try? states.access(identifier)
        else { return false }
        let start = slot << layout.slotShift
        let begin = start - (Int(entry[0]) << 8 | Int(entry[1]))
        guard begin >= 0, begin + layout.slotSize <= item.value.count else { return false }
        if slots[slot] !== item {
            item.value.withUnsafeBufferPointer { value in
                guard let base = value.baseAddress else { return }
                (history + start).update(from: base + begin, count: layout.slotSize)
            }
            slots[slot] = item
        }
        isVerified[slot] = true
        return true
    }

    // MARK: Tokens

    static let wordKinds: [UInt8] = (0..<256).map { byte in
        switch byte {
        case 48..<58, 97..<103: 1
        case 65..<97: 3
        case 103...: 2
        default: 0
        }
    }
    /// What `classify` costs, call and return included.
    static let classCosts: [UInt8] = (0..<256).map { byte in
        switch byte {
        case ..<48: 5
        case 48..<58: 7
        case 58..<65: 6
        case 97..<103: 7
        default: 8
        }
    }

    enum Source {
        static let same = 0
        static let swapped = 1
        static let distant = 2
        static let recent = 3
    }

    /// The byte at the aligned position; nil when its state is not there.
    @inline(__always)
    func alignedByte(_ states: StateStore) -> Int? {
        let position = (aligned &+ given) & 0xFFFF
        if offset(position) < layout.reach {
            cycles &+= Cost.nearFetch + 1
        } else {
            guard load(slotOf: position, states) else { return nil }
            cycles &+= Cost.storedPiece + Cost.whole + 2
        }
        return Int(history[position])
    }

    /// Codes whether a byte or a copy comes: 0 or 1. nil when the aligned byte cannot be read.
    @inline(__always)
    func codeKind<Coder: BitCoding>(_ kind: Int, _ coder: inout Coder, _ states: StateStore) -> (kind: Int, class: Int)?
    {
        guard let byte = alignedByte(states) else { return nil }
        let index = Int(Self.wordKinds[byte]) << 2 | context
        cycles &+= Cost.token + Int(Self.classCosts[byte])
        return (coder.code(kind, models + program.kind + index), index)
    }

    @inline(__always)
    func codeTree<Coder: BitCoding>(_ value: Int, bits: Int, at model: Int, _ coder: inout Coder) -> Int {
        var node = 1
        var left = bits
        while left > 0 {
            left &-= 1
            node = node << 1 | coder.code(value >> left & 1, models + model + node)
        }
        cycles &+= Cost.tree + bits &* Cost.branch
        return node &- 1 << bits
    }

    func codeNumber<Coder: BitCoding>(_ value: Int, at model: Int, low: Int, _ coder: inout Coder) -> Int {
        let size = codeTree(Int.bitWidth - 1 - max(value, 1).leadingZeroBitCount, bits: 4, at: model, &coder)
        let digits = low + 8 * size
        var number = 1
        var left = size
        while left > 0 {
            left &-= 1
            let index = number < 8 ? number : 0
            number = number << 1 | coder.code(value >> left & 1, models + digits + index)
        }
        cycles &+= Cost.number + size &* Cost.digit + 2 &* min(size, 3)
        return number
    }

    /// Codes a byte and does what it does. `class` is what ``codeKind(_:_:_:)`` gave.
    @inline(__always)
    func codeLiteral<Coder: BitCoding>(_ byte: Int, class index: Int, _ coder: inout Coder) -> Int {
        let upper = codeTree(byte >> 4, bits: 4, at: program.high + 16 &* index, &coder)
        let lower = codeTree(byte & 15, bits: 4, at: program.low + 128 &* context + 16 &* (upper & 7), &coder)
        let byte = upper << 4 | lower
        cycles &+= Cost.literal + Int(Self.classCosts[byte])
        let kind = Int(Self.wordKinds[byte])
        if kind == 0 {
            context = 1
            cycles &+= 2
        } else if kind > context {
            context = kind
            cycles &+= 2
        } else {
            cycles &+= 1
        }
        history[end] = UInt8(truncatingIfNeeded: byte)
        return byte
    }

    /// Codes where a copy comes from, and makes that the aligned source.
    func codeSource<Coder: BitCoding>(_ kind: Int, position: Int, _ coder: inout Coder) -> (kind: Int, position: Int) {
        let kind = codeTree(kind, bits: 2, at: program.source + 4 &* context, &coder)
        cycles &+= Cost.copy
        switch kind {
        case Source.same: break
        case Source.swapped:
            swap(&aligned, &other)
            cycles &+= 5
        case Source.distant:
            let distance = codeNumber(
                (end &- position) & 0xFFFF, at: program.distance, low: program.distance + 16, &coder)
            turn(to: end &- distance)
            cycles &+= 12
        default:
            let first = recentPosition &- 1
            let number = codeNumber(
                (position &- first) & 0xFFFF, at: program.recentNumber, low: program.recentNumber + 16, &coder)
            turn(to: first &+ number)
            cycles &+= 11
        }
        return (kind, (aligned &+ given) & 0xFFFF)
    }

    /// Where the message before begins.
    var recentPosition: Int { (tailPosition &+ layout.recentOffset) & 0xFFFF }

    @inline(__always)
    private func turn(to position: Int) {
        other = aligned
        aligned = (position &- given) & 0xFFFF
    }

    /// The length of the copy made from a position last; 0 when there was none.
    @inline(__always)
    func expectedLength(at position: Int) -> Int {
        let expected = Int(lengths[position & 0xFF] &- UInt16(position & 0xFC00))
        return expected < 1_024 ? expected : 0
    }

    @inline(__always)
    func isFamiliar(_ position: Int) -> Bool { lengths[position & 0xFF] &- UInt16(position & 0xFC00) < 1_024 }

    /// Whether a slot still maps a dictionary.
    func isDictionary(_ slot: Int) -> Bool {
        guard slot < layout.initialEntries.count else { return false }
        return names(layout.initialEntries[slot].identifier, in: slot)
    }

    /// Whether the table has the state with this beginning of an identifier for a slot.
    func names(_ identifier: [UInt8], in slot: Int) -> Bool {
        UnsafeBufferPointer(start: table + 8 * slot + 2, count: 6).elementsEqual(identifier)
    }

    func codeLength<Coder: BitCoding>(_ length: Int, kind: Int, position: Int, _ coder: inout Coder) -> Int {
        let upper = UInt16(position & 0xFC00)
        let expected = Int(lengths[position & 0xFF] &- upper)
        var result = expected
        cycles &+= Cost.measured
        var isRepeated = false
        if expected < 1_024 {
            cycles &+= Cost.familiar
            isRepeated = coder.code(length == expected ? 0 : 1, models + program.hit + kind) == 0
        }
        if isRepeated {
            cycles &+= 1
        } else {
            cycles &+= Cost.strange
            result = codeNumber(length, at: program.length + 16 &* kind, low: program.lengthLow, &coder)
        }
        lengths[position & 0xFF] = upper &+ UInt16(truncatingIfNeeded: result)
        context = 0
        return result
    }

    /// How many bytes of a copy stay in the tail: all or none.
    @inline(__always)
    func kept(length: Int, position: Int) -> Int {
        guard length >= layout.longCopy else { return length }
        let distance = (end &- position &+ program.tail) & 0xFFFF
        cycles &+= 4
        let old = layout.oldDistance + program.tail
        if distance == old { return length }
        if distance > old {
            cycles &+= 1
            if distance < 49_152 { return length }
        }
        cycles &+= 1
        return 0
    }

    /// Writes a copy behind the tail; false when it cannot be done here as the UDVM does it.
    func copy(from position: Int, length: Int, _ states: StateStore) -> Bool {
        var source = position
        var target = end
        var left = length
        guard length > 0, written &+ length <= layout.recentOffset else { return false }
        cycles &+= 1
        while left > 0 {
            let offset = offset(source)
            if offset < layout.reach {
                guard offset &+ left <= layout.reach else { return false }
                cycles &+= Cost.nearFetch &- 1 &+ left
                copyBytes(from: source, to: target, left)
                return true
            }
            guard load(slotOf: source, states) else { return false }
            let room = layout.slotSize &- (source & (layout.slotSize &- 1))
            let piece = min(room, left)
            cycles &+= Cost.storedPiece &- 1 &+ piece &+ (room < left ? 0 : Cost.whole)
            copyBytes(from: source, to: target, piece)
            source = (source &+ piece) & 0xFFFF
            target = (target &+ piece) & 0xFFFF
            left &-= piece
        }
        cycles &+= 1
        return true
    }

    @inline(__always)
    private func copyBytes(from source: Int, to target: Int, _ count: Int) {
        let isPlain =
            source &+ count <= Self.positions && target &+ count <= Self.positions
            && (target <= source || target >= source &+ count)
        if isPlain {
            (history + target).update(from: history + source, count: count)
        } else {
            for index in 0..<count { history[(target &+ index) & 0xFFFF] = history[(source &+ index) & 0xFFFF] }
        }
    }

    /// What follows every token: output, memory of the message, growth of the tail.
    @inline(__always)
    func emit(length: Int, kept: Int) {
        lastKept = written < layout.growthLimit ? kept : 0
        cycles &+= Cost.emit &+ length
        if remembered < layout.recentLength {
            cycles &+= 1 &+ length
            for index in 0..<length { recent[remembered &+ index] = history[(end &+ index) & 0xFFFF] }
            remembered &+= length
        }
        given = (given &+ length) & 0xFFFF
        if written < layout.growthLimit {
            cycles &+= 1
            written &+= kept
        }
    }

    /// What the instructions between decisions cost (RFC 3320, section 9), as they stand in ``AlignedRangeSource``.
    enum Cost {
        static let bit = 18
        static let shift = 6
        static let emptyShift = 4
        static let tree = 3
        static let branch = 23
        static let number = 9
        static let digit = 25
        static let token = 12 + bit
        static let literal = 212 - 2 * (tree + 4 * branch)
        static let copy = 55 - (tree + 2 * branch)
        static let familiar = 3 + bit
        static let strange = 5
        static let measured = 18 + 8
        /// `fetch` from memory, call and return included, without its bytes.
        static let nearFetch = 7
        /// A piece of `fetch` from a state, without its bytes.
        static let storedPiece = 24
        static let whole = 1
        static let emit = 7
        static let start = 7
        static let boot = 3
        static let end = 5
        static let seal = 33
    }
}
