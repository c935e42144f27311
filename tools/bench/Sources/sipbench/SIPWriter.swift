import Glibc

/// Writes one message into a datagram's room.
struct SIPWriter {
    let start: UnsafeMutablePointer<UInt8>
    private(set) var count = 0

    init(start: UnsafeMutablePointer<UInt8>) { self.start = start }

    @inline(__always)
    mutating func text(_ text: StaticString) {
        memcpy(start + count, text.utf8Start, text.utf8CodeUnitCount)
        count += text.utf8CodeUnitCount
    }

    @inline(__always)
    mutating func bytes(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let base = bytes.baseAddress else { return }
        memcpy(start + count, base, bytes.count)
        count += bytes.count
    }

    mutating func bytes(_ bytes: [UInt8]) { bytes.withUnsafeBufferPointer { self.bytes($0) } }

    mutating func decimal(_ value: Int) {
        var digits = 1
        var limit = 10
        while value >= limit {
            digits += 1
            limit &*= 10
        }
        decimal(value, digits: digits)
    }

    /// Leading zeros up to `digits`.
    mutating func decimal(_ value: Int, digits: Int) {
        var value = value
        for place in stride(from: digits - 1, through: 0, by: -1) {
            start[count + place] = UInt8(48 + value % 10)
            value /= 10
        }
        count += digits
    }

    /// Eight digits.
    mutating func hex(_ value: UInt32) {
        var value = value
        for place in stride(from: 7, through: 0, by: -1) {
            let digit = UInt8(value & 15)
            start[count + place] = digit < 10 ? 48 + digit : 87 + digit
            value >>= 4
        }
        count += 8
    }

    var written: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }
}
