import SigComp
import Testing

/// Feedback in both directions (RFC 3320, sections 7.1 and 9.4.9; RFC 4896, sections 9 and 10).
@Suite("Feedback")
struct FeedbackTests {
    let peer = CompartmentIdentifier("peer")

    /// A message without output that puts these bytes at address 256 and ends with the given operands.
    private func message(_ bytes: [UInt8], requested: Int, returned: Int, feedback: [UInt8]? = nil) throws -> [UInt8] {
        let data = bytes.map(String.init).joined(separator: ", ")
        let source = "at (128) END-MESSAGE (\(requested), \(returned), 0, 0, 0, 0, 0) at (256) byte (\(data), 0)"
        return try #require(try Assembler.assemble(source).message(feedback: feedback)).bytes
    }

    private func accept(_ message: [UInt8], _ dispatcher: DecompressorDispatcher) throws -> Compartment {
        dispatcher.accept(try dispatcher.decompress(message), for: peer)
        return try #require(dispatcher.states.compartment(peer))
    }

    @Test func requestedItemsAreKeptUntilReplaced() throws {
        let dispatcher = DecompressorDispatcher(parameters: .minimumForSIP)
        #expect(try accept(try message([4, 0x7F], requested: 256, returned: 0), dispatcher).itemToReturn == [0x7F])
        #expect(try accept(try message([4, 0x7F], requested: 0, returned: 0), dispatcher).itemToReturn == [0x7F])
        let long: [UInt8] = [0x83, 1, 2, 3]
        #expect(try accept(try message([4] + long, requested: 256, returned: 0), dispatcher).itemToReturn == long)
        #expect(try accept(try message([0], requested: 256, returned: 0), dispatcher).itemToReturn == nil)
    }

    @Test func returnedItemsReachTheCompartment() throws {
        let dispatcher = DecompressorDispatcher(parameters: .minimumForSIP)
        let compartment = try accept(try message([0], requested: 0, returned: 0, feedback: [0x82, 7, 8]), dispatcher)
        #expect(compartment.returnedItem == [0x82, 7, 8])
        #expect(try accept(try message([0], requested: 0, returned: 0), dispatcher).returnedItem == [0x82, 7, 8])
    }

    @Test func returnedParametersReachTheCompartment() throws {
        let dispatcher = DecompressorDispatcher(parameters: .minimumForSIP)
        let told = SigCompParameters(cyclesPerBit: 64, decompressionMemorySize: 65_536, stateMemorySize: 8_192)
        let list: [UInt8] = [6, 1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 7, 0]
        var compartment = try accept(try message([told.encoded, 2] + list, requested: 0, returned: 256), dispatcher)
        #expect(compartment.peerParameters == told)
        #expect(compartment.peerVersion == 2)
        #expect(compartment.peerStates.map(\.length) == [6, 7])
        compartment = try accept(try message([0, 0, 0], requested: 0, returned: 256), dispatcher)
        #expect(compartment.peerParameters == told, "what is not told stays")
        #expect(compartment.peerStates.isEmpty)
    }

    @Test func announcementsAreBounded() throws {
        let dispatcher = DecompressorDispatcher(parameters: .minimumForSIP)
        let list = (0..<300).flatMap { (index: Int) -> [UInt8] in
            [6, UInt8(index & 0xFF), 2, 3, 4, 5, UInt8(index >> 8)]
        }
        let compartment = try accept(try message([0, 0] + list, requested: 0, returned: 256), dispatcher)
        #expect(compartment.peerStates.count == ReturnedParameters.identifierLimit)
    }

    @Test func aPeerMayDeclineState() throws {
        let dispatcher = DecompressorDispatcher(parameters: .minimumForSIP)
        let compartment = dispatcher.states.openCompartment(peer)
        _ = dispatcher.states.perform([StateHandlerTests.creation(1)], in: compartment)
        _ = try accept(try message([3], requested: 256, returned: 0), dispatcher)
        #expect(compartment.isStateDeclined && compartment.isLocalStateDeclined)
        #expect(compartment.states.isEmpty && compartment.stateMemorySize == 0)
        _ = try accept(try message([0], requested: 256, returned: 0), dispatcher)
        #expect(compartment.stateMemorySize == 2_048)
        #expect(!compartment.isLocalStateDeclined)
    }

    @Test func nothingHappensBeforeTheCompartmentIsNamed() throws {
        let dispatcher = DecompressorDispatcher(parameters: .minimumForSIP)
        let result = try dispatcher.decompress(try message([4, 1], requested: 256, returned: 0))
        #expect(result.requestedFeedback == RequestedFeedback(item: [1]))
        #expect(result.output == nil)
        #expect(dispatcher.states.compartmentCount == 0)
    }

    @Test(arguments: [16, 32, 64, 128], [2_048, 8_192, 131_072])
    func parametersRoundTrip(_ cycles: Int, _ memory: Int) {
        for state in [0, 2_048, 4_096, 131_072] {
            let parameters = SigCompParameters(
                cyclesPerBit: cycles, decompressionMemorySize: memory, stateMemorySize: state)
            #expect(SigCompParameters(encoded: parameters.encoded, version: 2) == parameters)
        }
        #expect(SigCompParameters(encoded: 0, version: 2) == nil)
    }

    @Test func parametersAreRoundedDown() {
        let parameters = SigCompParameters(cyclesPerBit: 100, decompressionMemorySize: 9_000, stateMemorySize: 2_000)
        #expect(parameters.cyclesPerBit == 64)
        #expect(parameters.decompressionMemorySize == 8_192)
        #expect(parameters.stateMemorySize == 0)
        #expect(SigCompParameters(cyclesPerBit: 1, decompressionMemorySize: 1, stateMemorySize: -1).encoded == 8)
    }
}
