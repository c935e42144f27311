/// Reading primitives over bytes. None of them traps, whatever the offsets: out of range reads as absent.
extension Span<UInt8> {
    /// Eight bytes, the first in the lowest byte. The caller has checked that they exist; `RawSpan` checks again.
    @inline(__always)
    func word(at offset: Int) -> UInt64 {
        UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// Whether the range holds exactly that text.
    func equals(_ text: StaticString, at range: ByteRange) -> Bool {
        let count = text.utf8CodeUnitCount
        guard range.count == count, range.upper <= self.count else { return false }
        let other = unsafe UnsafeBufferPointer(start: text.utf8Start, count: count)
        for index in 0..<count where unsafe self[range.lower + index] != other[index] { return false }
        return true
    }

    /// Whether two ranges hold the same bytes.
    func equals(_ a: ByteRange, _ b: ByteRange) -> Bool {
        guard a.count == b.count, a.upper <= count, b.upper <= count else { return false }
        for index in 0..<a.count where self[a.lower + index] != self[b.lower + index] { return false }
        return true
    }

    /// Whether the range holds that text in any case. The text is ASCII.
    func equalsFolded(_ text: StaticString, at range: ByteRange) -> Bool {
        let count = text.utf8CodeUnitCount
        guard range.count == count, range.upper <= self.count else { return false }
        let other = unsafe UnsafeBufferPointer(start: text.utf8Start, count: count)
        for index in 0..<count {
            let (a, b) = unsafe (self[range.lower + index], other[index])
            if a != b, a.lowercasedASCII != b.lowercasedASCII { return false }
        }
        return true
    }

    /// The offset behind white space: SP, HT, and the line ends of folding.
    @inline(__always)
    func skipSpace(_ offset: Int, _ end: Int) -> Int {
        var index = offset
        while index < end, self[index].isSpace { index += 1 }
        return index
    }

    /// The end of the range with the white space before it left off.
    @inline(__always)
    func trimEnd(_ start: Int, _ end: Int) -> Int {
        var index = end
        while index > start, self[index - 1].isSpace { index -= 1 }
        return index
    }

    /// The offset of the first byte outside the set.
    @inline(__always)
    func skip(_ set: ByteSet, _ offset: Int, _ end: Int) -> Int {
        var index = offset
        while index < end, set.contains(self[index]) { index += 1 }
        return index
    }

    /// The offset behind the quoted string whose opening quote is at `offset`; nil when it is not closed.
    func skipQuoted(_ offset: Int, _ end: Int) -> Int? {
        var index = offset + 1
        while index < end {
            switch self[index] {
            case UInt8(ascii: "\""): return index + 1
            case UInt8(ascii: "\\"): index += 2
            default: index += 1
            }
        }
        return nil
    }

    /// A decimal number below 2^52, leading zeros allowed; nil when empty, larger or with anything else in it.
    func decimal(_ start: Int, _ end: Int) -> UInt64? {
        guard start < end else { return nil }
        var value: UInt64 = 0
        for index in start..<end {
            let digit = self[index] &- 0x30
            guard digit <= 9, value <= 0xffff_ffff_ffff else { return nil }
            value = value * 10 + UInt64(digit)
        }
        return value
    }
}

extension UInt8 {
    @inline(__always) var isSpace: Bool { self == 0x20 || self == 0x0d || self == 0x0a || self == 0x09 }
    @inline(__always) var isDigit: Bool { self &- 0x30 <= 9 }
    @inline(__always) var isLetter: Bool { (self | 0x20) &- 0x61 <= 25 }
    @inline(__always) var lowercasedASCII: UInt8 { self &- 0x41 <= 25 ? self | 0x20 : self }
    /// The value of a hexadecimal digit; nil for anything else.
    @inline(__always) var hexValue: UInt8? {
        if isDigit { return self &- 0x30 }
        let folded = (self | 0x20) &- 0x61
        return folded <= 5 ? folded + 10 : nil
    }
}
