import SigComp
import Testing

/// The decompressors of RFC 4464 and the pass-through bytecode of RFC 4896, section 11.
@Suite("RFC 4464 algorithms")
struct AlgorithmTests {
    static func dispatcher(_ conditions: SigCompVectors.Conditions?) -> DecompressorDispatcher {
        DecompressorDispatcher(
            parameters: SigCompParameters(
                cyclesPerBit: conditions?.cycles_per_bit ?? 16,
                decompressionMemorySize: conditions?.decompression_memory_size ?? 16_384,
                stateMemorySize: conditions?.state_memory_size ?? 8_192, version: conditions?.sigcomp_version ?? 1))
    }

    @Test func noneIsLeftOut() throws {
        #expect(try SigCompVectors.algorithms().count == 7)
    }

    @Test(arguments: try SigCompVectors.algorithms(), [DecompressorDispatcher.Transport.message, .stream])
    func decodes(_ algorithm: SigCompVectors.Algorithm, _ transport: DecompressorDispatcher.Transport) throws {
        let dispatcher = Self.dispatcher(algorithm.conditions)
        let message = SigCompVectors.bytes(algorithm.sigcomp_message_hex)
        let result = try dispatcher.decompress(message, over: transport)
        #expect(SigCompVectors.hex(result.output ?? []) == algorithm.plaintext_hex)
        if transport == .message, let cycles = algorithm.own_interpreter?.cycles { #expect(result.cycles == cycles) }
        let created = dispatcher.accept(result, for: CompartmentIdentifier("a"))
        if let saved = algorithm.state_saved {
            #expect(created.map { $0.identifier.description } == [saved.state_identifier])
        }
        if let second = algorithm.derived_second_message {
            let result = try dispatcher.decompress(SigCompVectors.bytes(second.sigcomp_message_hex), over: transport)
            #expect(SigCompVectors.hex(result.output ?? []) == second.output_hex)
            if transport == .message { #expect(result.cycles == second.cycles) }
        }
    }

    /// The native pass-through gives what the UDVM gives, for every length and every memory size near its limit.
    @Test func passThroughIsTheSameNatively() throws {
        for memory in [2_048, 8_192] {
            let parameters = SigCompParameters(cyclesPerBit: 16, decompressionMemorySize: memory, stateMemorySize: 0)
            let native = DecompressorDispatcher(parameters: parameters)
            let interpreted = DecompressorDispatcher(parameters: parameters)
            interpreted.nativePrograms = []
            for count in Array(0...40) + Array((memory - 170)...(memory - 10)) {
                let plain = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
                let message = PassThroughProgram.prefix + plain
                let first = Result { try native.decompress(message) }
                let second = Result { try interpreted.decompress(message) }
                switch (first, second) {
                case (.success(let first), .success(let second)):
                    #expect(first.output == second.output)
                    #expect(first.output == (count == 0 ? nil : plain))
                    #expect(first.cycles == second.cycles)
                    #expect(first.requests.isEmpty && second.requests.isEmpty)
                case (.failure(let first), .failure(let second)):
                    #expect(first as? DecompressionFailure == second as? DecompressionFailure)
                default: Issue.record("native and interpreted differ for \(count) bytes in \(memory)")
                }
            }
        }
    }
}
