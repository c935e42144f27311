/// The memory of the UDVM (RFC 3320, section 7): up to 65536 bytes, kept from one message to the next and cleared between.
///
/// Every access is checked against ``size``, so no instruction reaches beyond it, whatever its operands are.
struct UDVMMemory: ~Copyable {
    static let capacity = 65_536

    /// The bytes that the present message may use.
    private(set) var size = 0
    private let bytes: UnsafeMutablePointer<UInt8>

    init() {
        bytes = .allocate(capacity: Self.capacity)
        bytes.initialize(repeating: 0, count: Self.capacity)
    }

    deinit {
        bytes.deallocate()
    }

    /// Clears the memory and gives it a size, which is cut to 0...65536.
    mutating func reset(size: Int) {
        self.size = min(max(size, 0), Self.capacity)
        bytes.update(repeating: 0, count: self.size)
    }

    @inline(__always)
    func byte(at address: Int) throws(DecompressionFailureReason) -> Int {
        guard UInt(bitPattern: address) < UInt(bitPattern: size) else { throw .segfault }
        return Int(bytes[address])
    }

    /// The 2-byte value at an address, most significant byte first.
    @inline(__always)
    func word(at address: Int) throws(DecompressionFailureReason) -> Int {
        guard address >= 0, address &+ 1 < size else { throw .segfault }
        return Int(bytes[address]) << 8 | Int(bytes[address &+ 1])
    }

    @inline(__always)
    mutating func setByte(_ value: Int, at address: Int) throws(DecompressionFailureReason) {
        guard UInt(bitPattern: address) < UInt(bitPattern: size) else { throw .segfault }
        bytes[address] = UInt8(truncatingIfNeeded: value)
    }

    @inline(__always)
    mutating func setWord(_ value: Int, at address: Int) throws(DecompressionFailureReason) {
        guard address >= 0, address &+ 1 < size else { throw .segfault }
        bytes[address] = UInt8(truncatingIfNeeded: value >> 8)
        bytes[address &+ 1] = UInt8(truncatingIfNeeded: value)
    }

    /// A piece of the memory, for reading while `body` runs.
    @inline(__always)
    func withBytes<Result>(
        at address: Int, count: Int, _ body: (UnsafeBufferPointer<UInt8>) throws(DecompressionFailureReason) -> Result
    ) throws(DecompressionFailureReason) -> Result {
        guard address >= 0, count >= 0, count <= size &- address else { throw .segfault }
        return try body(UnsafeBufferPointer(start: bytes + address, count: count))
    }

    /// Copies byte after byte in ascending order: what has just been written may be read again.
    @inline(__always)
    mutating func copyAscending(from source: Int, to destination: Int, count: Int) throws(DecompressionFailureReason) {
        guard source >= 0, destination >= 0, count >= 0, count <= size &- source, count <= size &- destination else {
            throw .segfault
        }
        if destination <= source || destination >= source &+ count {
            (bytes + destination).update(from: bytes + source, count: count)
        } else {
            for index in 0..<count { bytes[destination &+ index] = bytes[source &+ index] }
        }
    }

    mutating func write(_ source: UnsafeBufferPointer<UInt8>, at address: Int) throws(DecompressionFailureReason) {
        guard address >= 0, source.count <= size &- address else { throw .segfault }
        guard let start = source.baseAddress else { return }
        (bytes + address).update(from: start, count: source.count)
    }

    /// The memory from an address on; `body` must stay below ``size``.
    @inline(__always)
    func withUnsafeBytes<Result>(at address: Int, _ body: (UnsafeRawPointer) -> Result) -> Result {
        body(UnsafeRawPointer(bytes + address))
    }
}
