/// The decompressor of ``CompressionAlgorithm/compact``: LZ77 with fixed prefix codes, for peers that have little memory and few
/// cycles. Copies come from the history or straight from RFC 3485's dictionary, which is never in the UDVM's memory as a whole.
///
/// Two states do what one does elsewhere, so that the code is stored once: the *program*, and the *text*, some bytes of
/// history behind an instruction that loads the program. A message refers to a text, or uploads both. Every message that makes a
/// text makes the program again, so that it is never the oldest state.
///
/// The program's state has no instruction of its own: not every UDVM in the field goes on where a state loaded by STATE-ACCESS says.
///
/// The compressed data is: the number that the peer returns as feedback, or 0 when no state is to be made, 128 more when an
/// announcement follows; the address from which the bytes of the next text are taken (2 bytes); the announcement with its length
/// before it; tokens until there are no more bits.
struct CompactProgram {
    /// What is uploaded: the program and the instruction that loads it.
    let upload: [UInt8]
    /// The value of the program's state, and its identifier.
    let code: [UInt8]
    let identifier: StateIdentifier
    /// The instruction that loads the program: the beginning of every text.
    let loader: [UInt8]
    let loaderAddress: Int
    /// The ring of history and output, its first bytes the text.
    let ringStart: Int
    let ringEnd: Int
    let textLength: Int

    var ringSize: Int { ringEnd - ringStart }

    static let codeAddress = 128
    /// STATE-ACCESS, JUMP and the identifier.
    static let loaderLength = 17
    /// Dictionary copies go through the bytes between the registers and the code.
    static let scratchAddress = 72
    static let dictionaryCopyLimit = codeAddress - scratchAddress
    /// Only the strings of the dictionary are used; the table behind them repeats their addresses.
    static let dictionaryLength = 4_096
    static let dictionaryBits = 12

    /// - Parameters:
    ///   - ringEnd: the memory that the program needs.
    ///   - textLength: the bytes of history in a text.
    init?(ringEnd: Int, textLength: Int, hash: StateHash) {
        let source = Self.source(ringEnd: ringEnd, textLength: textLength)
        guard let program = try? Assembler.assemble(source), program.start == Self.codeAddress,
            let loaderAddress = program.symbols["loader"], let text = program.symbols["text"],
            text + textLength < ringEnd
        else { return nil }
        let image = program.image + [UInt8](repeating: 0, count: max(0, text - program.image.count))
        code = Array(image[Self.codeAddress..<loaderAddress])
        let identifier = hash.identifier(
            address: UInt16(Self.codeAddress), instruction: 0, minimumAccessLength: 6,
            value: code[...])
        guard let identifier else { return nil }
        self.identifier = identifier
        loader = Array(image[loaderAddress..<text - 6]) + identifier.bytes.prefix(6)
        upload = code + loader
        self.loaderAddress = loaderAddress
        ringStart = text
        self.ringEnd = ringEnd
        self.textLength = textLength
    }

    private static func source(ringEnd: Int, textLength: Int) -> String {
        """
        at (2)
        :parameters                     pad (30)
        at (32)
        readonly (0)
        :symbol                         pad (2)
        :count                          pad (2)
        :distance                       pad (2)
        :number                         pad (2)
        :next_text                      pad (2)
        :announced                      pad (2)
        :length                         pad (2)
        :pointer                        pad (2)
        :origin                         pad (2)
        set (symbol_lsb, (symbol + 1))
        set (number_lsb, (number + 1))
        set (length_lsb, (length + 1))
        at (\(scratchAddress))
        :scratch                        pad (\(dictionaryCopyLimit))

        at (\(codeAddress))
        readonly (1)
        :next_message
        MULTILOAD (64, 2, text, \(ringEnd))
        LOAD (pointer, (text + \(textLength)))
        INPUT-BYTES (3, number_lsb, !)
        COMPARE ($number, 128, next_symbol, announcement, announcement)
        :announcement
        SUBTRACT ($number, 128)
        INPUT-BYTES (1, length_lsb, !)
        INPUT-BYTES ($length, parameters, !)
        LOAD (announced, parameters)
        :next_symbol
        INPUT-HUFFMAN (symbol, end_of_message, \(CompactCode.symbols.operands))
        COMPARE ($symbol, \(CompactCode.escapeSymbol), literal, escape, copy)
        :escape
        INPUT-BITS (8, symbol, end_of_message)
        :literal
        OUTPUT (symbol_lsb, 1)
        COPY-LITERAL (symbol_lsb, 1, $pointer)
        JUMP (next_symbol)
        :copy
        INPUT-HUFFMAN (count, end_of_message, \(CompactCode.lengths.operands))
        COMPARE ($symbol, \(CompactCode.historySymbol), history, history, dictionary)
        :history
        INPUT-HUFFMAN (distance, !, \(CompactCode.distances.operands))
        LOAD (origin, $pointer)
        COPY-OFFSET ($distance, $count, $pointer)
        OUTPUT ($origin, $count)
        JUMP (next_symbol)
        :dictionary
        INPUT-BITS (\(dictionaryBits), distance, !)
        STATE-ACCESS (dictionary_identifier, 6, $distance, $count, scratch, 0)
        OUTPUT (scratch, $count)
        COPY-LITERAL (scratch, $count, $pointer)
        JUMP (next_symbol)

        :end_of_message
        COMPARE ($number, 0, stateless, stateless, state)
        :stateless
        END-MESSAGE (0, $announced, 0, 0, 0, 0, 0)
        :state
        COPY ($next_text, \(textLength), text)
        STATE-CREATE ((loader - next_message), next_message, 0, 6, 0)
        ADD ($number, 1024)
        END-MESSAGE (number, $announced, (\(textLength) + (text - loader)), loader, loader, 6, 0)
        :dictionary_identifier
        byte (251, 229, 7, 223, 229, 230)

        :loader
        STATE-ACCESS (program_identifier, 6, 0, 0, next_message, 0)
        JUMP (next_message)
        :program_identifier
        byte (0, 0, 0, 0, 0, 0)
        readonly (0)
        :text
        """
    }
}
