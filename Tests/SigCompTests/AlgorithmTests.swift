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
}
