import Glibc

typealias Bytes = UnsafeBufferPointer<UInt8>

extension Bytes {
    @inline(__always)
    func part(_ from: Int, _ to: Int) -> Bytes { Bytes(rebasing: self[from..<to]) }

    @inline(__always)
    func begins(_ text: StaticString) -> Bool {
        guard count >= text.utf8CodeUnitCount, let base = baseAddress else { return false }
        return memcmp(base, text.utf8Start, text.utf8CodeUnitCount) == 0
    }

    func equals(_ text: StaticString) -> Bool { count == text.utf8CodeUnitCount && begins(text) }

    func index(of byte: UInt8, from start: Int = 0) -> Int? {
        guard let base = baseAddress, start < count,
            let found = memchr(base + start, CInt(byte), count - start)
        else { return nil }
        return found - UnsafeMutableRawPointer(mutating: base)
    }

    func index(of text: StaticString, from start: Int = 0) -> Int? {
        guard let base = baseAddress else { return nil }
        let length = text.utf8CodeUnitCount
        var place = start
        while let found = index(of: text.utf8Start[0], from: place) {
            if found + length > count { return nil }
            if memcmp(base + found, text.utf8Start, length) == 0 { return found }
            place = found + 1
        }
        return nil
    }

    func hex(at start: Int, digits: Int) -> UInt32? {
        guard start + digits <= count else { return nil }
        var value: UInt32 = 0
        for place in start..<start + digits {
            let byte = self[place]
            switch byte {
            case 48...57: value = value << 4 | UInt32(byte - 48)
            case 97...102: value = value << 4 | UInt32(byte - 87)
            default: return nil
            }
        }
        return value
    }

    /// A decimal number and where it ends.
    func decimal(at start: Int) -> (value: Int, end: Int)? {
        var value = 0
        var place = start
        while place < count, case 48...57 = self[place], place - start < 10 {
            value = value * 10 + Int(self[place] - 48)
            place += 1
        }
        return place > start ? (value, place) : nil
    }
}

/// The few fields of a message that the generator looks at.
struct SIPReader {
    /// 0 for a request.
    private(set) var status = 0
    private(set) var start: Bytes
    /// Whole Via lines without their ends, in order.
    private(set) var vias: (Bytes, Bytes, Bytes, Bytes)
    private(set) var viaCount = 0
    private(set) var from: Bytes
    private(set) var to: Bytes
    private(set) var callID: Bytes
    private(set) var cseq: Bytes
    private(set) var contentType: Bytes
    private(set) var body: Bytes

    /// Nil for what is not a SIP message.
    init?(_ message: Bytes) {
        let none = Bytes(start: nil, count: 0)
        (from, to, callID, cseq, contentType, body) = (none, none, none, none, none, none)
        vias = (none, none, none, none)
        guard let firstEnd = message.index(of: 10) else { return nil }
        start = message.part(0, firstEnd)
        if start.begins("SIP/2.0 ") {
            guard let code = start.decimal(at: 8) else { return nil }
            status = code.value
        }
        var line = firstEnd + 1
        while let feed = message.index(of: 10, from: line) {
            let end = feed > line && message[feed - 1] == 13 ? feed - 1 : feed
            if end == line {
                body = message.part(feed + 1, message.count)
                return
            }
            take(message.part(line, end))
            line = feed + 1
        }
        return nil
    }

    private mutating func take(_ line: Bytes) {
        guard let colon = line.index(of: 58) else { return }
        var value = colon + 1
        while value < line.count, line[value] == 32 { value += 1 }
        let text = line.part(value, line.count)
        switch (line[0] | 32, colon) {
        case (118, 1), (118, 3):
            switch viaCount {
            case 0: vias.0 = line
            case 1: vias.1 = line
            case 2: vias.2 = line
            case 3: vias.3 = line
            default: return
            }
            viaCount += 1
        case (102, 1), (102, 4): from = text
        case (116, 1), (116, 2): to = text
        case (105, 1): callID = text
        case (99, 7): callID = text
        case (99, 4): cseq = text
        case (99, 1), (99, 12): contentType = text
        default: break
        }
    }

    /// The branch of the top Via.
    var branch: Bytes {
        guard let found = vias.0.index(of: "branch=") else { return vias.0 }
        var end = found + 7
        while end < vias.0.count, vias.0[end] != 59, vias.0[end] != 44, vias.0[end] != 32 { end += 1 }
        return vias.0.part(found + 7, end)
    }
}
