/// A message being compressed by one program, and whether the peer can bear it.
struct CompactDraft {
    private let program: CompactProgram
    private let request: CompressionRequest
    private var encoded: SigCompMessageBuilder
    private let headerLength: Int
    private let announcement: [UInt8]
    private var writer: CompactWriter

    /// - Parameter reference: the text to refer to; nil to upload the program.
    init?(program: CompactProgram, request: CompressionRequest, reference: StateIdentifier?) {
        let header =
            reference.map { request.header(state: $0) }
            ?? SigCompMessageBuilder(
                bytecode: program.upload, destination: CompactProgram.codeAddress, feedback: request.returnedFeedback)
        guard let header else { return nil }
        self.program = program
        self.request = request
        encoded = header
        headerLength = header.bytes.count
        announcement = request.announcement.map { [UInt8($0.count)] + $0 } ?? []
        writer = CompactWriter(cyclesPerBit: request.peer.parameters.cyclesPerBit)
    }

    mutating func write(_ tokens: [CompactParser.Token]) {
        for token in tokens { writer.append(token) }
        writer.finish()
    }

    private var length: Int { headerLength + Self.prefixLength + announcement.count + writer.bytes.count }
    /// The feedback number and the address of the next text.
    private static let prefixLength = 3

    var fits: Bool {
        let granted = (1_000 + 8 * headerLength) * request.peer.parameters.cyclesPerBit
        return beginning + writer.shortage <= granted
            && beginning + writer.cycles + CompactCode.symbols.cycles + 2 <= request.cycles(messageLength: length)
            && request.memorySize(messageLength: length) >= program.ringEnd
    }

    /// The bytes of the tokens.
    var payload: Int { writer.bytes.count }

    /// Whether there are cycles for a state, too.
    var fitsState: Bool { beginning + writer.cycles + stateCycles <= request.cycles(messageLength: length) }

    /// STATE-ACCESS of the program, JUMP, MULTILOAD, LOAD, INPUT-BYTES, COMPARE; for an announcement SUBTRACT, two INPUT-BYTES, LOAD.
    private var beginning: Int {
        1 + program.code.count + 1 + 3 + 1 + 4 + 1 + (announcement.isEmpty ? 0 : 5 + announcement.count)
    }
    /// The failing INPUT-HUFFMAN, COMPARE, COPY, STATE-CREATE, ADD, END-MESSAGE.
    private var stateCycles: Int {
        CompactCode.symbols.cycles + 5 + program.code.count + program.loader.count + 2 * program.textLength
    }

    /// The whole message.
    ///
    /// - Parameter nextText: the address of the text to be made; nil when no state is to be made.
    func message(_ nextText: Int?) -> EncodedMessage {
        var encoded = encoded
        let number = (nextText == nil ? 0 : request.feedbackNumber) | (announcement.isEmpty ? 0 : 0x80)
        let start = nextText ?? 0
        encoded.append([number, UInt8(start >> 8), UInt8(start & 0xFF)])
        encoded.append(announcement)
        encoded.append(writer.bytes)
        return EncodedMessage(
            bytes: encoded.bytes, announces: !announcement.isEmpty, requestsFeedback: nextText != nil)
    }
}
