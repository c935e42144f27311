/// One executed instruction.
public struct ExecutionStep: Equatable, Sendable, CustomStringConvertible {
    /// nil when the bytes at the address are no instruction.
    public var instruction: DisassembledInstruction?
    public var address: Int
    /// What the message has cost before this instruction.
    public var cyclesBefore: Int
    /// What it has cost after it.
    public var cyclesAfter: Int
    /// What may still be used after it.
    public var cyclesLeft: Int
    /// The bytes of output so far.
    public var outputCount: Int

    /// A line of a trace: address, instruction, cycles used and left, bytes of output.
    public var description: String {
        let text = instruction?.description ?? "no instruction"
        return
            "\(address)\t\(text)\t+\(cyclesAfter - cyclesBefore) = \(cyclesAfter), \(cyclesLeft) left\t\(outputCount) out"
    }
}

extension UDVM {
    /// Executes instructions until the message has ended, and shows each to `observe`, also the one that fails.
    ///
    /// For tools: each step copies the memory.
    public mutating func run(observing observe: (ExecutionStep) -> Void) throws(DecompressionFailureReason) {
        while !hasEnded {
            let address = programCounter
            let before = usedCycles
            let instruction = Disassembler(memoryContents()).instruction(at: address)
            func show() {
                observe(
                    ExecutionStep(
                        instruction: instruction, address: address, cyclesBefore: before, cyclesAfter: usedCycles,
                        cyclesLeft: availableCycles, outputCount: outputCount))
            }
            do throws(DecompressionFailureReason) { try step() } catch {
                show()
                throw error
            }
            show()
        }
    }
}
