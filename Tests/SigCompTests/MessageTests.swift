import SigComp
import Testing

/// Headers (RFC 3320, section 7), NACKs (RFC 4077) and record marking (RFC 3320, section 4.2.2).
@Suite("SigComp messages")
struct MessageTests {
    let dispatcher = DecompressorDispatcher(parameters: .minimumForSIP)

    @Test func tellsSigCompFromPlainSIP() {
        #expect((0...255).filter { SigCompHeader.isSigComp(firstByte: $0) } == Array(0xF8...0xFF))
    }

    @Test(arguments: [6, 9, 12], [nil, [5], [0x82, 1, 2], [0x80]] as [[UInt8]?])
    func stateHeader(_ length: Int, _ feedback: [UInt8]?) throws {
        let identifier = try #require(PartialStateIdentifier((1...UInt8(length)).map { $0 }))
        var builder = try #require(SigCompMessageBuilder(state: identifier, feedback: feedback))
        builder.append([7, 7])
        let header = try SigCompHeader(reading: builder.bytes)
        #expect(header.program == .state(identifier))
        #expect(header.returnedFeedbackItem.map { Array(builder.bytes[$0]) } == feedback)
        #expect(builder.bytes[header.length...] == [7, 7])
        for count in 0..<header.length {
            #expect(throws: DecompressionFailureReason.messageTooShort) {
                try SigCompHeader(reading: Array(builder.bytes.prefix(count)))
            }
        }
    }

    @Test(arguments: [0, 1, 15, 16, 4_095], [128, 192, 1_024])
    func bytecodeHeader(_ count: Int, _ destination: Int) throws {
        let code = [UInt8](repeating: 35, count: count)
        let message = try #require(SigCompMessageBuilder(bytecode: code, destination: destination, feedback: [9])).bytes
        let header = try SigCompHeader(reading: message)
        #expect(header.program == .bytecode(4..<4 + count, destination: destination))
        #expect(header.length == message.count)
        #expect(throws: DecompressionFailureReason.messageTooShort) {
            try SigCompHeader(reading: message.dropLast())
        }
    }

    @Test func refusesToBuildWhatNoHeaderCanSay() {
        #expect(SigCompMessageBuilder(bytecode: [UInt8](repeating: 0, count: 4_096), destination: 128) == nil)
        #expect(SigCompMessageBuilder(bytecode: [1], destination: 64) == nil)
        #expect(SigCompMessageBuilder(bytecode: [1], destination: 130) == nil)
        #expect(SigCompMessageBuilder(bytecode: [1], destination: 1_088) == nil)
        #expect(PartialStateIdentifier([1, 2, 3, 4, 5, 6, 7]).flatMap { SigCompMessageBuilder(state: $0) } == nil)
    }

    @Test(arguments: DecompressionFailureReason.allCases)
    func everyReasonRoundTrips(_ reason: DecompressionFailureReason) throws {
        let details: [UInt8] =
            switch reason {
            case .stateNotFound, .idNotUnique, .stateTooShort: [1, 2, 3, 4, 5, 6]
            case .cyclesExhausted: [16]
            case .bytecodesTooLarge: [32, 0]
            default: []
            }
        let failure = DecompressionFailure(reason, opcode: 7, programCounter: 0x1234, details: details)
        let nack = try #require(dispatcher.negativeAcknowledgement(of: failure, to: [0xF8, 1, 2, 3]))
        #expect(Array(nack.bytes.prefix(7)) == [0xF8, 0, 1, reason.rawValue, 7, 0x12, 0x34])
        #expect(nack.bytes.count == 27 + details.count)
        guard case .negativeAcknowledgement(let read) = try dispatcher.receive(nack.bytes) else {
            Issue.record("not read as a NACK")
            return
        }
        #expect(read.failure.reason == reason)
        #expect(read.failure.details == details)
        #expect(read.stateIdentifier?.bytes == (details.count == 6 ? details : nil))
        #expect(read.messageHash == StateHash().identifier(of: [0xF8, 1, 2, 3]) || reason == .framingError)
        #expect(dispatcher.negativeAcknowledgement(of: read.failure, to: nack.bytes) == nil)
    }

    @Test func theReasonCodesAreThoseOfTheRFC() {
        #expect(DecompressionFailureReason.allCases.map(\.rawValue) == Array(1...25))
        #expect(Set(DecompressionFailureReason.allCases.map(\.name)).count == 25)
    }

    /// What may be a NACK is never answered, or two endpoints would answer each other for ever.
    @Test(arguments: [
        [0xF8, 0, 1], [0xF8, 0, 1, 99] + [UInt8](repeating: 0, count: 23), [0xF8, 0, 2, 1, 1, 1], [0xF8, 0, 0],
        [0xF8, 0, 1, 1] + [UInt8](repeating: 0, count: 23), [0xFC, 3, 0, 5],
    ])
    func damagedNACKsAreNotAnswered(_ message: [UInt8]) {
        let failure = #expect(throws: DecompressionFailure.self) { try dispatcher.receive(message) }
        #expect(failure?.isAnswerable == false)
    }

    @Test(arguments: [[], [0x49], Array("OPTIONS sip:a@b SIP/2.0".utf8)] as [[UInt8]])
    func whatIsNoSigCompIsNotAnswered(_ message: [UInt8]) {
        let failure = #expect(throws: DecompressionFailure.self) { try dispatcher.receive(message) }
        #expect(failure?.isAnswerable == false)
    }

    @Test func versionOneSendsNoNACK() {
        let old = DecompressorDispatcher(parameters: .minimum)
        #expect(old.negativeAcknowledgement(of: DecompressionFailure(.segfault), to: [0xF8]) == nil)
    }

    @Test func unknownState() throws {
        let message: [UInt8] = [0xF9, 1, 2, 3, 4, 5, 6, 0]
        let failure = try #require(throws: DecompressionFailure.self) { try dispatcher.receive(message) }
        #expect(failure == DecompressionFailure(.stateNotFound, details: [1, 2, 3, 4, 5, 6]))
    }

    @Test func tooLargeForTheMemory() throws {
        let large = try #require(
            SigCompMessageBuilder(bytecode: [UInt8](repeating: 0x16, count: 4_095), destination: 128))
        var message = large.bytes
        let failure = try #require(throws: DecompressionFailure.self) { try dispatcher.receive(message) }
        #expect(failure == DecompressionFailure(.bytecodesTooLarge, details: [0x20, 0]))
        message += [UInt8](repeating: 0, count: 8_192)
        let failureOfAll = try #require(throws: DecompressionFailure.self) { try dispatcher.receive(message) }
        #expect(failureOfAll == DecompressionFailure(.bytecodesTooLarge, details: [0x20, 0]))
    }

    @Test func failuresTellWhereAndWhat() throws {
        let looping = try #require(try Assembler.assemble("at (128) NOT ($32) :here JUMP (here)").message()).bytes
        let failure = try #require(throws: DecompressionFailure.self) { try dispatcher.receive(looping) }
        #expect(failure == DecompressionFailure(.cyclesExhausted, opcode: 22, programCounter: 130, details: [16]))
    }

    @Test(arguments: 0..<20)
    func recordMarkingRoundTrips(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        var stream: [UInt8] = []
        var messages: [[UInt8]] = []
        for _ in 0..<20 {
            let message = (0..<Int.random(in: 1...400, using: &generator)).map { _ in
                Int.random(in: 0..<4, using: &generator) < seed % 5
                    ? UInt8(0xFF) : UInt8.random(in: 0...255, using: &generator)
            }
            messages.append(message)
            let before = stream.count
            RecordMarking.append(message, to: &stream)
            #expect(
                stream.count - before <= message.count + message.count / 64 + 4 + message.count(where: { $0 == 0xFF }))
        }
        var deframer = RecordDeframer()
        var read: [[UInt8]] = []
        var rest = stream[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...90, using: &generator))
            rest = rest.dropFirst(piece.count)
            deframer.append(piece)
            while let message = try deframer.next() { read.append(message) }
        }
        #expect(read == messages)
        #expect(deframer.bufferedCount == 0)
    }

    @Test func aRunOfMarksCostsLittle() {
        var stream: [UInt8] = []
        RecordMarking.append([UInt8](repeating: 0xFF, count: 1_280), to: &stream)
        #expect(stream.count == 1_280 + 10 + 2)
    }

    @Test(arguments: [0x80, 0xA0, 0xFE] as [UInt8])
    func reservedEscapes(_ byte: UInt8) throws {
        var deframer = RecordDeframer()
        deframer.append([0xF8, 1, 0xFF, byte])
        #expect(throws: RecordDeframer.Failure.framingError) { try deframer.next() }
        var quoted = RecordDeframer()
        quoted.append([0xF8, 0xFF, 2, 0xFF, byte, 0xFF, 0xFF])
        #expect(try quoted.next() == [0xF8, 0xFF, 0xFF, byte])
    }

    @Test func aMessageWithoutEndIsRefused() {
        var deframer = RecordDeframer(messageLimit: 1_000)
        deframer.append([UInt8](repeating: 0xF8, count: 1_001))
        #expect(throws: RecordDeframer.Failure.messageTooLong) { try deframer.next() }
        var escaped = RecordDeframer(messageLimit: 1_000)
        for _ in 0..<1_001 { escaped.append([0xFF, 0]) }
        #expect(throws: RecordDeframer.Failure.messageTooLong) { try escaped.next() }
    }
}
