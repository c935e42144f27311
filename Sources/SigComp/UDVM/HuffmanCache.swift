/// INPUT-HUFFMAN instructions that were decoded before.
///
/// An entry holds the bytes of the instruction and is used only where the memory has the very same bytes at the very same
/// address, so bytecode that modifies itself cannot be mistaken. Only instructions whose operands are all constants are kept.
struct HuffmanCache: ~Copyable {
    /// One set of operands.
    struct Code {
        var bits: Int32
        var lower: Int32
        var upper: Int32
        var uncompressed: Int32
    }

    struct Entry {
        /// -1: unused.
        var address = -1
        /// The bytes of the instruction.
        var length = 0
        var destination = 0
        var target = 0
        var count = 0
    }

    static let codeLimit = 16
    private static let lengths = 8...200
    private static let slots = 8

    private let entries: UnsafeMutablePointer<Entry>
    private let codes: UnsafeMutablePointer<Code>
    private let bytes: UnsafeMutablePointer<UInt8>

    init() {
        entries = .allocate(capacity: Self.slots)
        entries.initialize(repeating: Entry(), count: Self.slots)
        codes = .allocate(capacity: Self.slots * Self.codeLimit)
        codes.initialize(
            repeating: Code(bits: 0, lower: 0, upper: 0, uncompressed: 0), count: Self.slots * Self.codeLimit)
        bytes = .allocate(capacity: Self.slots * Self.lengths.upperBound)
        bytes.initialize(repeating: 0, count: Self.slots * Self.lengths.upperBound)
    }

    deinit {
        entries.deallocate()
        codes.deallocate()
        bytes.deallocate()
    }

    @inline(__always)
    private func slot(_ address: Int) -> Int { (address ^ address >> 3) & (Self.slots &- 1) }

    /// The entry for an instruction, if the memory still has its bytes.
    @inline(__always)
    func entry(at address: Int, in memory: borrowing UDVMMemory) -> Entry? {
        let slot = slot(address)
        let entry = entries[slot]
        guard entry.address == address,
            memory.hasBytes(bytes + slot &* Self.lengths.upperBound, at: address, count: entry.length)
        else { return nil }
        return entry
    }

    /// One of the codes of an entry that ``entry(at:in:)`` has just given.
    @inline(__always)
    func code(_ index: Int, at address: Int) -> Code {
        codes[slot(address) &* Self.codeLimit &+ (index & (Self.codeLimit &- 1))]
    }

    /// Keeps an instruction; at most ``codeLimit`` codes.
    mutating func insert(_ entry: Entry, codes new: [Code], in memory: borrowing UDVMMemory) {
        guard Self.lengths.contains(entry.length), new.count == entry.count, new.count <= Self.codeLimit else { return }
        let slot = slot(entry.address)
        let kept = bytes + slot * Self.lengths.upperBound
        let isCopied: Void? = try? memory.withBytes(at: entry.address, count: entry.length) { source in
            if let start = source.baseAddress { kept.update(from: start, count: source.count) }
        }
        guard isCopied != nil else { return }
        entries[slot] = entry
        for (index, code) in new.enumerated() { codes[slot * Self.codeLimit + index] = code }
    }
}

extension UDVMMemory {
    /// Whether the memory has these bytes, at least 8, at an address.
    @inline(__always)
    func hasBytes(_ other: UnsafeMutablePointer<UInt8>, at address: Int, count: Int) -> Bool {
        guard address >= 0, count >= 8, count <= size &- address else { return false }
        return withUnsafeBytes(at: address) { own in
            let other = UnsafeRawPointer(other)
            var index = 0
            while index < count &- 8 {
                if own.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                    != other.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                {
                    return false
                }
                index &+= 8
            }
            return own.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
                == other.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
        }
    }
}

extension UDVM {
    /// Decodes the instruction at the cursor, whose opcode is read already, and keeps it if all its operands are constants
    /// and its codes have 16 bits at most. Leaves the cursor where it was.
    mutating func keepHuffmanInstruction() {
        let start = cursor
        defer { cursor = start }
        guard let destination = constantMultitype(), let relative = constantMultitype(), let count = try? literal(),
            count > 0, count <= HuffmanCache.codeLimit
        else { return }
        var codes: [HuffmanCache.Code] = []
        var total = 0
        for _ in 0..<count {
            guard let bits = constantMultitype(), let lower = constantMultitype(), let upper = constantMultitype(),
                let uncompressed = constantMultitype()
            else { return }
            total += bits
            guard total <= 16 else { return }
            codes.append(
                HuffmanCache.Code(
                    bits: Int32(bits), lower: Int32(lower), upper: Int32(upper), uncompressed: Int32(uncompressed)))
        }
        let entry = HuffmanCache.Entry(
            address: instructionAddress, length: cursor - instructionAddress, destination: destination,
            target: (instructionAddress + relative) & 0xFFFF, count: count)
        huffmanCache.insert(entry, codes: codes, in: memory)
    }

    /// The number of a multitype that does not refer to the memory; nil for one that does or that is none.
    private mutating func constantMultitype() -> Int? {
        guard let first = try? memory.byte(at: cursor) else { return nil }
        switch first {
        case 0x40...0x7F, 0x81, 0xC0...0xDF: return nil
        default: return try? multitype()
        }
    }
}
