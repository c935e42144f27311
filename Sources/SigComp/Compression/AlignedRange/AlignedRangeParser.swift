/// Chooses tokens: the cheapest way through the next part of a message, with the models as they are when the part begins.
final class AlignedRangeParser {
    struct Token {
        var position = 0
        var length: Int32 = 1
        /// nil for a byte.
        var source: Int8 = -1
    }

    /// The cheapest way to a place, and what the context is there.
    private struct Node {
        var cost = Int32.max
        var from: Int32 = 0
        var position: UInt16 = 0
        var aligned: UInt16 = 0
        var other: UInt16 = 0
        var source: Int8 = -1
        var context: UInt8 = 0
    }

    private let machine: AlignedRangeMachine
    private let index: AlignedRangeIndex
    private let reading: AlignedRangeReading
    private var prices: AlignedRangePrices
    private let nodes: UnsafeMutablePointer<Node>

    /// How far a part looks ahead, and after how much of it the next one is planned.
    static let lookahead = 448
    static let commitment = 320
    /// Inside a copy of at least this length no token is tried to begin.
    private static let longEnough = 320
    private static let chainLimit = 96
    private static let recentChainLimit = 8

    init(machine: AlignedRangeMachine, index: AlignedRangeIndex, reading: AlignedRangeReading) {
        self.machine = machine
        self.index = index
        self.reading = reading
        prices = AlignedRangePrices(program: machine.program, models: machine.models)
        nodes = .allocate(capacity: Self.lookahead + 1)
        nodes.initialize(repeating: Node(), count: Self.lookahead + 1)
    }

    deinit {
        prices.free()
        nodes.deallocate()
    }

    /// The tokens from `start` on, the last first; `message` has its end mark and some bytes of padding behind `count`.
    func plan(_ message: UnsafePointer<UInt8>, from start: Int, count: Int, into tokens: inout [Token]) {
        prices.update()
        let end = min(Self.lookahead, count &- start)
        for place in 0...end { nodes[place].cost = .max }
        nodes[0] = Node(
            cost: 0, aligned: UInt16(machine.aligned), other: UInt16(machine.other), context: UInt8(machine.context))
        var skipped = 0
        var place = 0
        while place < end {
            if place >= skipped, nodes[place].cost != .max {
                skipped = max(skipped, extend(place, message + start, end: end))
            }
            place &+= 1
        }
        tokens.removeAll(keepingCapacity: true)
        while place > 0 {
            let node = nodes[place]
            let from = Int(node.from)
            tokens.append(Token(position: Int(node.position), length: Int32(place &- from), source: node.source))
            place = from
        }
    }

    /// Tries every token that may begin at a place; gives the place before which none needs to be tried.
    @inline(__always)
    private func extend(_ place: Int, _ message: UnsafePointer<UInt8>, end: Int) -> Int {
        let node = nodes[place]
        let program = machine.program
        let given = machine.given &+ place
        let alignedPosition = (Int(node.aligned) &+ given) & 0xFFFF
        let index = Int(AlignedRangeMachine.wordKinds[Int(machine.history[alignedPosition])]) << 2 | Int(node.context)
        extendByByte(place, node, Int(message[place]), index)

        let copyCost = node.cost &+ prices.price(1, program.kind &+ index)
        let sourceModel = program.source &+ 4 &* Int(node.context)
        let first = prices.price(0, sourceModel &+ 1)
        let second = prices.price(1, sourceModel &+ 1)
        var skipped = 0
        var longest = 0

        let same = reading.match(at: alignedPosition, message + place, limit: end &- place)
        if same > 0 {
            longest = same
            extend(
                place, node, from: alignedPosition, source: AlignedRangeMachine.Source.same, same,
                copyCost &+ first &+ prices.price(0, sourceModel &+ 2))
        }
        let otherPosition = (Int(node.other) &+ given) & 0xFFFF
        let swapped = reading.match(at: otherPosition, message + place, limit: end &- place)
        if swapped > 0 {
            longest = max(longest, swapped)
            extend(
                place, node, from: otherPosition, source: AlignedRangeMachine.Source.swapped, swapped,
                copyCost &+ first &+ prices.price(1, sourceModel &+ 2))
        }
        if end &- place >= AlignedRangeIndex.minimumLength {
            let distant = copyCost &+ second &+ prices.price(0, sourceModel &+ 3)
            let recent = copyCost &+ second &+ prices.price(1, sourceModel &+ 3)
            longest = max(
                longest, extendByChain(place, node, message, end: end, known: longest, distant: distant, recent: recent)
            )
        }
        if longest >= Self.longEnough { skipped = place &+ longest &- 8 }
        return skipped
    }

    @inline(__always)
    private func extendByByte(_ place: Int, _ node: Node, _ byte: Int, _ index: Int) {
        let program = machine.program
        let cost =
            node.cost &+ prices.price(0, program.kind &+ index)
            &+ prices.tree(byte >> 4, bits: 4, at: program.high &+ 16 &* index)
            &+ prices.tree(
                byte & 15, bits: 4, at: program.low &+ 128 &* Int(node.context) &+ 16 &* (byte >> 4 & 7))
        guard cost < nodes[place &+ 1].cost else { return }
        let kind = AlignedRangeMachine.wordKinds[byte]
        nodes[place &+ 1] = Node(
            cost: cost, from: Int32(place), aligned: node.aligned, other: node.other,
            context: kind == 0 ? 1 : max(kind, node.context))
    }

    private func extendByChain(
        _ place: Int, _ node: Node, _ message: UnsafePointer<UInt8>, end: Int, known: Int, distant: Int32,
        recent: Int32
    ) -> Int {
        // An aligned copy of the same length costs less.
        var longest = max(AlignedRangeIndex.minimumLength - 1, known)
        let first = machine.recentPosition
        var next = index.firstRecent(message + place)
        for _ in 0..<Self.recentChainLimit {
            guard let number = next else { break }
            let position = (first &+ number) & 0xFFFF
            let length = reading.match(at: position, message + place, limit: end &- place)
            if length > longest {
                extend(
                    place, node, from: position, source: AlignedRangeMachine.Source.recent,
                    above: longest == known ? 0 : longest, length,
                    recent &+ prices.number(number &+ 1, kind: AlignedRangePrices.Number.recent))
                longest = length
            }
            next = index.nextRecent(after: number)
        }
        var best = max(AlignedRangeIndex.minimumLength - 1, known)
        var candidate = index.latest(message + place)
        for _ in 0..<Self.chainLimit where best < end &- place {
            // Only a longer one is worth more: those before are nearer.
            let probe = (candidate &+ best) & 0xFFFF
            if machine.history[probe] == message[place &+ best] {
                let length = reading.match(at: candidate, message + place, limit: end &- place)
                if length > best {
                    let least = best == known ? 0 : best
                    best = length
                    extend(
                        place, node, from: candidate, source: AlignedRangeMachine.Source.distant, above: least, length,
                        distant
                            &+ prices.number(
                                (machine.end &- candidate) & 0xFFFF, kind: AlignedRangePrices.Number.distance))
                }
            }
            let next = index.older(than: candidate)
            guard next != candidate else { break }
            candidate = next
        }
        return max(longest, best)
    }

    /// Tries a copy in the lengths that are worth it: all short ones, the whole, and the one that was made from there last.
    @inline(__always)
    private func extend(
        _ place: Int, _ node: Node, from position: Int, source: Int, above least: Int = 0, _ length: Int, _ cost: Int32
    ) {
        let expected = machine.expectedLength(at: position)
        let hit = machine.program.hit &+ source
        let isFamiliar = machine.isFamiliar(position)
        let strange = cost &+ (isFamiliar ? prices.price(1, hit) : 0)
        let given = machine.given &+ place
        var next = Node(from: Int32(place), position: UInt16(position), source: Int8(source))
        if source == AlignedRangeMachine.Source.same {
            next.aligned = node.aligned
            next.other = node.other
        } else {
            next.aligned = UInt16(truncatingIfNeeded: position &- given)
            next.other = node.aligned
        }
        let kind = AlignedRangePrices.Number.length &+ source
        var tried = length
        while tried > least {
            next.cost =
                tried == expected ? cost &+ prices.price(0, hit) : strange &+ prices.number(tried, kind: kind)
            if next.cost < nodes[place &+ tried].cost { nodes[place &+ tried] = next }
            if tried > Self.shortCopy &+ 1, tried &+ 8 <= length {
                tried = expected < tried && expected > Self.shortCopy ? expected : Self.shortCopy
            } else {
                tried &-= 1
            }
        }
    }
    private static let shortCopy = 40
}

/// Which positions can be copied from in the present message.
final class AlignedRangeReading {
    private let machine: AlignedRangeMachine
    /// By slot: the first position behind it up to which everything can be read; 0 when nothing can.
    private var ends: [Int]
    /// The state that was indexed for each slot.
    private var indexed: [StateItem?]
    /// The tail as it is indexed, and where it lies.
    private var indexedTail: [UInt8] = []
    private var indexedPosition = 0

    init(machine: AlignedRangeMachine) {
        self.machine = machine
        ends = Array(repeating: 0, count: machine.slots.count)
        indexed = Array(repeating: nil, count: machine.slots.count)
    }

    /// Loads every slot that the peer still has, and brings the index up to date.
    ///
    /// - Parameter lacking: the beginnings of the identifiers of states that the peer does not have.
    func prepare(_ states: StateStore, lacking: [[UInt8]], index: AlignedRangeIndex) {
        let layout = machine.layout
        var isAnotherHistory = false
        for slot in stride(from: ends.count - 1, through: 0, by: -1) {
            let start = slot << layout.slotShift
            ends[slot] = 0
            guard machine.offset(start) >= layout.reach, isAlive(start), machine.load(slotOf: start, states),
                !lacking.contains(where: { machine.names($0, in: slot) })
            else {
                continue
            }
            ends[slot] = slot + 1 < ends.count && ends[slot + 1] > 0 ? ends[slot + 1] : start + layout.slotSize
            guard machine.slots[slot] !== indexed[slot] else { continue }
            isAnotherHistory = isAnotherHistory || !isIndexed(slot, start)
            indexed[slot] = machine.slots[slot]
        }
        if isAnotherHistory { indexAnew(index) }
        keepCommonTail()
        indexTail(index)
        let recent = machine.recentPosition
        index.setRecent(
            machine.history + recent, count: min(layout.recentLength, AlignedRangeMachine.positions - recent))
    }

    /// Another peer's history: a position that was added twice would cut the chains.
    private func indexAnew(_ index: AlignedRangeIndex) {
        index.clear()
        indexedTail = []
        indexedPosition = machine.tailPosition
        let first = machine.tailPosition >> machine.layout.slotShift
        for distance in stride(from: ends.count - 1, through: 1, by: -1) {
            let slot = (first + ends.count - distance) % ends.count
            guard ends[slot] > 0 else { continue }
            let start = slot << machine.layout.slotShift
            index.insert(machine.history, from: start, to: start + machine.layout.slotSize)
        }
    }

    /// Whether a new slot is what was indexed as the tail.
    private func isIndexed(_ slot: Int, _ start: Int) -> Bool {
        let size = machine.layout.slotSize
        return indexedPosition == start && indexedTail.count >= size
            && UnsafeBufferPointer(start: machine.history + start, count: size).elementsEqual(indexedTail[..<size])
    }

    /// Forgets of the indexed tail what the present one does not have.
    private func keepCommonTail() {
        if indexedPosition != machine.tailPosition {
            let moved = machine.offset(indexedPosition)
            let sealed = AlignedRangeMachine.positions - moved
            indexedTail.removeFirst(sealed < indexedTail.count ? sealed : indexedTail.count)
            indexedPosition = machine.tailPosition
        }
        let room = min(indexedTail.count, machine.written, AlignedRangeMachine.positions - machine.tailPosition)
        var common = 0
        while common < room, indexedTail[common] == machine.history[machine.tailPosition + common] { common += 1 }
        indexedTail.removeLast(indexedTail.count - common)
    }

    /// Adds what has been appended to the tail.
    func indexTail(_ index: AlignedRangeIndex) {
        let start = machine.tailPosition + indexedTail.count
        let end = min(machine.tailPosition + machine.written, AlignedRangeMachine.positions)
        guard end > start else { return }
        // The last bytes before had too few behind them.
        let first = max(machine.tailPosition, start - AlignedRangeIndex.minimumLength + 1)
        index.insert(machine.history, from: first, to: end)
        indexedTail.append(contentsOf: UnsafeBufferPointer(start: machine.history + start, count: end - start))
    }

    /// Whether a slot has not been freed: it is one of the latest, or still a dictionary.
    private func isAlive(_ start: Int) -> Bool {
        let layout = machine.layout
        let back = (machine.tailPosition - start) & 0xFFFF
        return back <= layout.slotCount * layout.slotSize || machine.isDictionary(start >> layout.slotShift)
    }

    /// Whether the aligned byte at a position can be read.
    @inline(__always)
    func canRead(_ position: Int) -> Bool {
        machine.offset(position) < machine.layout.reach || ends[position >> machine.layout.slotShift] > 0
    }

    /// How many bytes can be copied from a position.
    @inline(__always)
    func room(at position: Int) -> Int {
        let layout = machine.layout
        let offset = machine.offset(position)
        if offset < machine.written { return min(machine.written &- offset, AlignedRangeMachine.positions &- position) }
        if offset < layout.reach {
            guard offset >= layout.recentOffset else { return 0 }
            return min(
                layout.recentOffset &+ layout.recentLength &- offset, AlignedRangeMachine.positions &- position)
        }
        let end = ends[position >> layout.slotShift]
        guard end == machine.tailPosition else { return max(0, end &- position) }
        return min(end &+ machine.written, AlignedRangeMachine.positions) &- position
    }

    /// How many of the next bytes of a message stand at a position.
    @inline(__always)
    func match(at position: Int, _ message: UnsafePointer<UInt8>, limit: Int) -> Int {
        guard machine.history[position] == message[0] else { return 0 }
        let limit = min(limit, room(at: position), AlignedRangeMachine.longestCopy)
        let source = UnsafeRawPointer(machine.history + position)
        let target = UnsafeRawPointer(message)
        var length = 0
        while length &+ 8 <= limit {
            let difference =
                source.loadUnaligned(fromByteOffset: length, as: UInt64.self)
                ^ target.loadUnaligned(fromByteOffset: length, as: UInt64.self)
            if difference != 0 { return length &+ difference.littleEndian.trailingZeroBitCount >> 3 }
            length &+= 8
        }
        while length < limit, machine.history[position &+ length] == message[length] { length &+= 1 }
        return length
    }
}
