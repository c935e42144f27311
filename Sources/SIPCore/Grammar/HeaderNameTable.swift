/// Finds a header's name by length and folded letters: a hash table of 512 slots, built once.
struct HeaderNameTable: Sendable {
    static let shared = HeaderNameTable()

    private struct Slot {
        var length: Int = 0
        /// The first eight letters, folded, the first in the lowest byte.
        var head: UInt64 = 0
        /// The last eight letters of names longer than eight.
        var tail: UInt64 = 0
        var name: HeaderName = .other
    }

    private var slots: [Slot]
    private static let mask = 511

    init() {
        slots = Array(repeating: Slot(), count: HeaderNameTable.mask + 1)
        for name in HeaderName.allCases where name != .other {
            insert(name.longForm, name)
            if name.compactForm.utf8CodeUnitCount == 1 { insert(name.compactForm, name) }
        }
    }

    private mutating func insert(_ text: StaticString, _ name: HeaderName) {
        let bytes = text.description.utf8.map { $0 }
        let (head, tail) = Self.key(bytes.span, 0, bytes.count)
        var index = Self.hash(head, tail, bytes.count)
        while slots[index].length != 0 { index = (index + 1) & Self.mask }
        slots[index] = Slot(length: bytes.count, head: head, tail: tail, name: name)
    }

    @inline(__always)
    private static func hash(_ head: UInt64, _ tail: UInt64, _ length: Int) -> Int {
        let mixed = (head ^ (tail << 1) ^ UInt64(truncatingIfNeeded: length)) &* 0x9e37_79b9_7f4a_7c15
        return Int(truncatingIfNeeded: mixed >> 55) & mask
    }

    @inline(__always)
    private static func key(_ bytes: Span<UInt8>, _ start: Int, _ count: Int) -> (UInt64, UInt64) {
        let fold: UInt64 = 0x2020_2020_2020_2020
        if count >= 8 {
            let head = bytes.word(at: start) | fold
            return (head, count == 8 ? 0 : bytes.word(at: start + count - 8) | fold)
        }
        var head: UInt64 = 0
        var shift: UInt64 = 0
        for index in start..<(start + count) {
            head |= UInt64(bytes[index] | 0x20) << shift
            shift += 8
        }
        return (head, 0)
    }

    /// The name in a range that holds token characters only; ``HeaderName/other`` when unknown.
    func name(_ bytes: Span<UInt8>, _ range: ByteRange) -> HeaderName {
        let count = range.count
        guard count > 0, count <= 20, range.upper <= bytes.count else { return .other }
        let (head, tail) = Self.key(bytes, range.lower, count)
        var index = Self.hash(head, tail, count)
        let slots = slots.span
        while true {
            let slot = slots[index]
            if slot.length == 0 { return .other }
            if slot.length == count, slot.head == head, slot.tail == tail {
                // Sixteen letters are compared already; the few longer names are compared in full.
                guard count > 16 else { return slot.name }
                return bytes.equalsFolded(slot.name.longForm, at: range) ? slot.name : .other
            }
            index = (index + 1) & Self.mask
        }
    }
}
