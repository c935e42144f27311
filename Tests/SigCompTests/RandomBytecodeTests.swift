import SigComp
import Testing

/// Strangers send bytecode: whatever it is, it ends within its limits, changes nothing by itself, and fails with a reason.
@Suite("Random bytecode and damaged messages")
struct RandomBytecodeTests {
    static let parameters = SigCompParameters(
        cyclesPerBit: 16, decompressionMemorySize: 8_192, stateMemorySize: 4_096)

    /// What must hold for any message.
    static func check(
        _ message: [UInt8], _ dispatcher: DecompressorDispatcher, _ transport: DecompressorDispatcher.Transport,
        accept: Bool
    ) {
        let parameters = dispatcher.parameters
        let before = (dispatcher.states.store.count, dispatcher.states.store.valueBytes, dispatcher.states.usedBytes)
        do throws(DecompressionFailure) {
            guard case .message(let result) = try dispatcher.receive(message, over: transport) else { return }
            #expect(result.cycles > 0)
            #expect(result.cycles <= (8 * message.count + 1_000) * parameters.cyclesPerBit)
            #expect((result.output?.count ?? 0) <= 65_536)
            #expect(result.requests.count <= 8)
            if accept {
                dispatcher.accept(result, for: CompartmentIdentifier("\(message.count % 3)"))
            }
        } catch {
            let nack = dispatcher.negativeAcknowledgement(of: error, to: message)
            #expect((nack != nil) == error.isAnswerable)
            if let nack { roundTrips(nack, dispatcher) }
        }
        let after = (dispatcher.states.store.count, dispatcher.states.store.valueBytes, dispatcher.states.usedBytes)
        #expect(accept || before == after, "a message that was not accepted has changed states")
        StateInvariants.check(dispatcher.states)
    }

    private static func roundTrips(_ nack: NegativeAcknowledgement, _ dispatcher: DecompressorDispatcher) {
        guard case .negativeAcknowledgement(let read) = try? dispatcher.receive(nack.bytes) else {
            Issue.record("a NACK that cannot be read: \(nack)")
            return
        }
        #expect(read.failure.reason == nack.failure.reason)
        #expect(read.failure.details == nack.failure.details)
        #expect(read.failure.programCounter == nack.failure.programCounter)
        #expect(read.failure.opcode == nack.failure.opcode)
        #expect(read.messageHash == nack.messageHash)
    }

    /// Uploads of random bytes, most of them instructions.
    @Test(arguments: 0..<8)
    func randomUploads(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let dispatcher = DecompressorDispatcher(parameters: Self.parameters)
        dispatcher.states.add(.session)
        for _ in 0..<150 {
            let code = (0..<Int.random(in: 1...200, using: &generator)).map { _ in
                Bool.random(using: &generator)
                    ? UInt8.random(in: 0...255, using: &generator) : UInt8.random(in: 0...36, using: &generator)
            }
            var message: [UInt8] = [0xF8, UInt8(code.count >> 4), UInt8((code.count & 15) << 4) | 1] + code
            message += (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            let transport: DecompressorDispatcher.Transport = Bool.random(using: &generator) ? .message : .stream
            Self.check(message, dispatcher, transport, accept: Bool.random(using: &generator))
        }
    }

    /// Programs of valid instructions with random operands: they get further than random bytes.
    @Test(arguments: 0..<8)
    func randomPrograms(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(1_000 + seed))
        let dispatcher = DecompressorDispatcher(parameters: Self.parameters)
        dispatcher.states.add(.session)
        for _ in 0..<80 {
            var message = try #require(try Assembler.assemble(RandomProgram.source(&generator)).message())
            message.append((0..<40).map { _ in UInt8.random(in: 0...255, using: &generator) })
            Self.check(message.bytes, dispatcher, .message, accept: true)
        }
    }

    /// The messages of RFC 4465 and RFC 4464 with bytes changed, removed and added.
    @Test(arguments: 0..<8)
    func damagedMessages(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(2_000 + seed))
        let vectors =
            try SigCompVectors.torture().flatMap { $0.steps.compactMap(\.message_hex) }.map(SigCompVectors.bytes)
            + SigCompVectors.algorithms().map { SigCompVectors.bytes($0.sigcomp_message_hex) }
        let dispatcher = DecompressorDispatcher(parameters: Self.parameters)
        for _ in 0..<150 {
            var message = try #require(vectors.randomElement(using: &generator))
            for _ in 0..<Int.random(in: 1...4, using: &generator) where !message.isEmpty {
                let at = Int.random(in: 0..<message.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: message[at] = UInt8.random(in: 0...255, using: &generator)
                case 1: message[at] ^= 1 << UInt8.random(in: 0...7, using: &generator)
                case 2: message.remove(at: at)
                default: message.insert(UInt8.random(in: 0...255, using: &generator), at: at)
                }
            }
            Self.check(message, dispatcher, .message, accept: Bool.random(using: &generator))
        }
    }

    /// A machine that has run one message runs the next as a fresh one would.
    @Test(arguments: 0..<4)
    func nothingIsLeftOfAMessage(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(3_000 + seed))
        let used = DecompressorDispatcher(parameters: Self.parameters)
        for _ in 0..<60 {
            var message = try #require(try Assembler.assemble(RandomProgram.source(&generator)).message())
            message.append((0..<40).map { _ in UInt8.random(in: 0...255, using: &generator) })
            let fresh = DecompressorDispatcher(parameters: Self.parameters)
            let first = Result { try used.decompress(message.bytes) }
            let second = Result { try fresh.decompress(message.bytes) }
            switch (first, second) {
            case (.success(let first), .success(let second)):
                #expect(first.output == second.output)
                #expect(first.cycles == second.cycles)
                #expect(first.requests == second.requests)
            case (.failure(let first), .failure(let second)):
                #expect(first as? DecompressionFailure == second as? DecompressionFailure)
            default: Issue.record("the results differ")
            }
        }
    }

    /// Stepping and observing gives the same as running.
    @Test func tracingChangesNothing() throws {
        for algorithm in try SigCompVectors.algorithms() {
            let message = SigCompVectors.bytes(algorithm.sigcomp_message_hex)
            let dispatcher = AlgorithmTests.dispatcher(algorithm.conditions)
            var steps: [ExecutionStep] = []
            let traced = try dispatcher.decompress(message) { steps.append($0) }
            let plain = try dispatcher.decompress(message)
            #expect(traced.cycles == plain.cycles)
            #expect(traced.output == plain.output)
            #expect(steps.last?.cyclesAfter == plain.cycles)
            #expect(steps.last?.instruction?.opcode == .endMessage)
            #expect(zip(steps, steps.dropFirst()).allSatisfy { $0.cyclesAfter == $1.cyclesBefore })
        }
    }
}
