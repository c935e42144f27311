/// What OUTPUT has given so far: at most 65536 bytes (RFC 3320, section 9.4.8). Kept from one message to the next.
struct DecompressedOutput: ~Copyable {
    static let capacity = 65_536

    private let bytes: UnsafeMutablePointer<UInt8>
    private(set) var count = 0

    init() {
        bytes = .allocate(capacity: Self.capacity)
        bytes.initialize(repeating: 0, count: Self.capacity)
    }

    deinit {
        bytes.deallocate()
    }

    mutating func reset() { count = 0 }

    @inline(__always)
    mutating func append(_ source: UnsafeBufferPointer<UInt8>) throws(DecompressionFailureReason) {
        guard source.count <= Self.capacity &- count else { throw .outputOverflow }
        if source.count == 1 {
            bytes[count] = source[0]
        } else if let start = source.baseAddress {
            (bytes + count).update(from: start, count: source.count)
        }
        count &+= source.count
    }

    var array: [UInt8] { Array(UnsafeBufferPointer(start: bytes, count: count)) }
}
