import SigComp
import Testing

/// RFC 4465: every step reproduces the output, the cycles and the reason of the failure.
@Suite("RFC 4465 torture tests")
struct TortureTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let test: SigCompVectors.TortureTest
        let step: Int
        var testDescription: String { "\(test.id) step \(step + 1)" }
    }

    static var cases: [Case] {
        get throws {
            try SigCompVectors.torture().flatMap { test in test.steps.indices.map { Case(test: test, step: $0) } }
        }
    }

    @Test func noStepIsLeftOut() throws {
        #expect(try Self.cases.count == 77)
    }

    /// A step needs the states that the steps before it have left.
    @Test(arguments: try TortureTests.cases)
    func step(_ torture: Case) throws {
        let conditions = torture.test.conditions
        let dispatcher = DecompressorDispatcher(
            parameters: SigCompParameters(
                cyclesPerBit: conditions.cycles_per_bit,
                decompressionMemorySize: conditions.decompression_memory_size,
                stateMemorySize: conditions.state_memory_size, version: conditions.sigcomp_version))
        #expect(dispatcher.states.add(.session))
        for index in 0...torture.step {
            let step = torture.test.steps[index]
            let outcomes = try run(step, dispatcher)
            guard index == torture.step else { continue }
            let expected = try step.expect_messages ?? [#require(step.expect)]
            #expect(outcomes.count == expected.count)
            for (outcome, expectation) in zip(outcomes, expected) { check(outcome, expectation) }
            checkStates(step, dispatcher)
        }
    }

    /// The useful values seen by an endpoint of version 2, whose saved state therefore has another identifier.
    @Test func usefulValuesOfVersionTwo() throws {
        let variants = try SigCompVectors.torture().compactMap(\.derived_variant_version_2)
        #expect(variants.count == 1)
        for variant in variants {
            let dispatcher = DecompressorDispatcher(
                parameters: SigCompParameters(
                    cyclesPerBit: 16, decompressionMemorySize: 2_048, stateMemorySize: 2_048,
                    version: variant.sigcomp_version))
            for step in variant.steps {
                let outcomes = try run(step, dispatcher)
                check(try #require(outcomes.first), try #require(step.expect))
            }
        }
    }

    private enum Outcome {
        case success(DecompressedMessage)
        case failure(DecompressionFailure)
    }

    private func run(_ step: SigCompVectors.Step, _ dispatcher: DecompressorDispatcher) throws -> [Outcome] {
        var messages: [[UInt8]] = []
        if let stream = step.stream_hex {
            var deframer = RecordDeframer()
            deframer.append(SigCompVectors.bytes(stream))
            while let message = try deframer.next() { messages.append(message) }
        } else {
            messages = [SigCompVectors.bytes(try #require(step.message_hex))]
        }
        return messages.map { message in
            do throws(DecompressionFailure) {
                let result = try dispatcher.decompress(message, over: step.stream_hex == nil ? .message : .stream)
                dispatcher.accept(result, for: CompartmentIdentifier("\(step.compartment ?? 0)"))
                return .success(result)
            } catch {
                return .failure(error)
            }
        }
    }

    private func check(_ outcome: Outcome, _ expectation: SigCompVectors.Expectation) {
        switch outcome {
        case .success(let message):
            #expect(expectation.result == "success")
            #expect(SigCompVectors.hex(message.output ?? []) == expectation.output_hex)
            if let executed = expectation.output_instruction_executed { #expect((message.output != nil) == executed) }
            if let cycles = expectation.cycles { #expect(message.cycles == cycles) }
            if let item = expectation.requested_feedback_item_hex {
                #expect(SigCompVectors.hex(message.requestedFeedback?.item ?? []) == item)
                #expect(message.returnedParameters?.resources == 8)
                #expect(message.returnedParameters?.version == 1)
                #expect(message.returnedParameters?.stateIdentifiers.map(\.length) == [6, 12, 20])
            }
        case .failure(let failure):
            #expect(expectation.result == "decompression_failure", "\(failure)")
            #expect(failure.reason.rawValue == expectation.nack_reason_code)
            #expect(failure.reason.name == expectation.reason)
        }
    }

    private func checkStates(_ step: SigCompVectors.Step, _ dispatcher: DecompressorDispatcher) {
        if let count = step.expect?.items_in_compartment_after {
            let compartment = dispatcher.states.compartment(CompartmentIdentifier("\(step.compartment ?? 0)"))
            #expect((compartment?.states.count ?? 0) == count)
        }
        for (name, identifiers) in step.own_interpreter?.states_after ?? [:] {
            let compartment = dispatcher.states.compartment(CompartmentIdentifier(name))
            #expect(Set((compartment?.states ?? []).map { $0.identifier.description }) == Set(identifiers))
        }
        for (name, _) in step.own_interpreter?.states_after ?? [:] {
            guard let compartment = dispatcher.states.compartment(CompartmentIdentifier(name)) else { continue }
            #expect(compartment.usedBytes == compartment.states.reduce(0) { $0 + $1.cost })
        }
    }
}
