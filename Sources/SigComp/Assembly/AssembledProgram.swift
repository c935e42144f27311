/// UDVM bytecode made from a source.
public struct AssembledProgram: Equatable, Sendable {
    /// The memory from address 0 to the last byte of the program; padding is 0.
    public internal(set) var image: [UInt8] = []
    /// The address of the first instruction; 0 when there is none.
    public internal(set) var start = 0
    /// The values of labels and of what `set` defines.
    public internal(set) var symbols: [String: Int] = [:]
    /// For every instruction its address and its line in the source, in the order of the source.
    public internal(set) var lines: [(address: Int, line: Int)] = []

    /// What is uploaded: from the first instruction to the last byte that is not 0 (RFC 4464, section 3.3).
    public var bytecode: [UInt8] {
        var end = image.count
        while end > start, image[end - 1] == 0 { end -= 1 }
        return start < end ? Array(image[start..<end]) : []
    }

    /// Begins a message that uploads the program; nil when the header of SigComp cannot carry it: its start is not a multiple
    /// of 64 from 128 to 1024, it is longer than 4095 bytes, or something other than padding lies before its start.
    public func message(feedback: [UInt8]? = nil) -> SigCompMessageBuilder? {
        guard image.prefix(start).allSatisfy({ $0 == 0 }) else { return nil }
        return SigCompMessageBuilder(bytecode: bytecode, destination: start, feedback: feedback)
    }

    public static func == (left: AssembledProgram, right: AssembledProgram) -> Bool {
        left.image == right.image && left.start == right.start && left.symbols == right.symbols
    }
}
