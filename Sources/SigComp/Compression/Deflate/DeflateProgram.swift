/// The inflater that runs at the peer, in the manner of RFC 4464, section 4.1.4, and where things lie in its memory.
///
/// The first byte of the compressed data is the number that the peer returns as feedback, or 0 when no state is to be made;
/// 128 more when an announcement (RFC 3320, figure 13) follows with its length before it. Then come blocks of DEFLATE with the
/// fixed codes. A state is everything from the registers to the end of the window as far as it is filled.
struct DeflateProgram {
    /// What is uploaded, and begins the first state.
    let program: AssembledProgram
    /// The first address of the window.
    let windowStart: Int
    let windowSize: Int
    /// What lies in the window before the first message.
    let preset: [UInt8]
    /// Where a state begins execution.
    let instruction: Int

    /// nil when there is no room for a window.
    ///
    /// - Parameters:
    ///   - windowEnd: the address behind the window; the least memory that the program needs.
    ///   - hasDictionary: whether RFC 3485's dictionary is put into the window first.
    init?(windowEnd: Int, hasDictionary: Bool) {
        let dictionary = StaticDictionary.session.value
        let room = windowEnd - Self.codeStart - Self.codeReserve
        guard room >= Self.leastWindow else { return nil }
        let preset = hasDictionary ? min(dictionary.count, room) : 0
        guard let program = try? Assembler.assemble(Self.source(windowEnd: windowEnd, preset: preset)),
            let start = program.symbols["window"], let instruction = program.symbols["next_message"],
            start - Self.codeStart <= Self.codeReserve
        else { return nil }
        self.program = program
        self.instruction = instruction
        windowStart = start
        windowSize = windowEnd - start
        self.preset = Array(dictionary.prefix(preset))
    }

    static let stateStart = 64
    private static let codeStart = 320
    /// The bytes that the code before the window has at most.
    private static let codeReserve = 208
    private static let leastWindow = 512

    /// The memory before the window, from ``stateStart`` on, as it is after every message but for the pointer and the end of the
    /// filled part: the uploaded code, with what it has initialized.
    func prefix(pointer: Int, filledEnd: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        let registers = [windowStart, windowStart + windowSize, 5, pointer, filledEnd, 0]
        for word in registers + Self.lengthTable + Self.distanceTable {
            bytes.append(UInt8(word >> 8))
            bytes.append(UInt8(word & 0xFF))
        }
        bytes += [UInt8](repeating: 0, count: Self.codeStart - Self.stateStart - bytes.count)
        return bytes + program.image[Self.codeStart..<windowStart]
    }

    /// Extra bits and base, for each symbol.
    private static let lengthTable: [Int] = [
        0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0, 9, 0, 10, 1, 11, 1, 13, 1, 15, 1, 17, 2, 19, 2, 23, 2, 27, 2, 31, 3, 35,
        3,
        43, 3, 51, 3, 59, 4, 67, 4, 83, 4, 99, 4, 115, 5, 131, 5, 163, 5, 195, 5, 227, 0, 258,
    ]
    private static let distanceTable: [Int] = [
        0, 1, 0, 2, 0, 3, 0, 4, 1, 5, 1, 7, 2, 9, 2, 13, 3, 17, 3, 25, 4, 33, 4, 49, 5, 65, 5, 97, 6, 129, 6, 193, 7,
        257,
        7, 385, 8, 513, 8, 769, 9, 1025, 9, 1537, 10, 2049, 10, 3073, 11, 4097, 11, 6145, 12, 8193, 12, 12289, 13,
        16385,
        13, 24577,
    ]

    private static func source(windowEnd: Int, preset: Int) -> String {
        let tables = (lengthTable + distanceTable).map(String.init).joined(separator: ", ")
        let fillPreset = preset == 0 ? "" : "STATE-ACCESS (dictionary, 6, 0, \(preset), window, 0)"
        return """
            at (2)
            :parameters                     pad (30)
            at (32)
            readonly (0)
            :index                          pad (2)
            :extra_length_bits              pad (2)
            :length_value                   pad (2)
            :extra_distance_bits            pad (2)
            :distance_value                 pad (2)
            :number                         pad (2)
            :announced                      pad (2)
            :length                         pad (2)
            :begin                          pad (2)
            :state_length                   pad (2)
            set (index_lsb, (index + 1))
            set (number_lsb, (number + 1))
            set (length_lsb, (length + 1))
            at (64)
            :byte_copy_left                 pad (2)
            :byte_copy_right                pad (2)
            :input_bit_order                pad (2)
            :pointer                        pad (2)
            :filled_end                     pad (2)
            align (4)
            :length_table                   pad (116)
            :distance_table                 pad (120)
            set (length_table_start, (((length_table - 4) + 65536) / 4))
            set (length_table_mid, (length_table_start + 24))
            set (distance_table_start, (distance_table / 4))
            set (window_end, \(windowEnd))
            set (first_pointer, (window + \(preset)))

            at (\(codeStart))
            readonly (1)
            JUMP (initialize)
            :fill
            \(fillPreset)
            :next_message
            INPUT-BYTES (1, number_lsb, !)
            COMPARE ($number, 128, blocks, announcement, announcement)
            :announcement
            SUBTRACT ($number, 128)
            INPUT-BYTES (1, length_lsb, !)
            INPUT-BYTES ($length, parameters, !)
            LOAD (announced, parameters)
            :blocks
            LOAD (begin, $pointer)
            :block
            INPUT-BITS (3, index, end_of_message)
            :next_symbol
            INPUT-HUFFMAN (index, end_of_message, 4,
                7, 0, 23, length_table_start,
                1, 48, 191, 0,
                0, 192, 199, length_table_mid,
                1, 400, 511, 144)
            COMPARE ($index, length_table_start, literal, block, match)
            :literal
            OUTPUT (index_lsb, 1)
            COPY-LITERAL (index_lsb, 1, $pointer)
            JUMP (next_symbol)
            :match
            MULTIPLY ($index, 4)
            COPY ($index, 4, extra_length_bits)
            INPUT-BITS ($extra_length_bits, extra_length_bits, !)
            ADD ($length_value, $extra_length_bits)
            INPUT-HUFFMAN (index, !, 1, 5, 0, 31, distance_table_start)
            MULTIPLY ($index, 4)
            COPY ($index, 4, extra_distance_bits)
            INPUT-BITS ($extra_distance_bits, extra_distance_bits, !)
            ADD ($distance_value, $extra_distance_bits)
            LOAD (index, $pointer)
            COPY-OFFSET ($distance_value, $length_value, $pointer)
            OUTPUT ($index, $length_value)
            JUMP (next_symbol)

            :end_of_message
            COMPARE ($number, 0, stateless, stateless, state)
            :stateless
            END-MESSAGE (0, $announced, 0, 0, 0, 0, 0)
            :state
            COMPARE ($pointer, $begin, wrapped, wrapped, longer)
            :wrapped
            LOAD (filled_end, window_end)
            :longer
            COMPARE ($pointer, $filled_end, save, save, grown)
            :grown
            LOAD (filled_end, $pointer)
            :save
            LOAD (state_length, $filled_end)
            SUBTRACT ($state_length, 64)
            ADD ($number, 1024)
            END-MESSAGE (number, $announced, $state_length, 64, next_message, 6, 0)
            :dictionary
            byte (251, 229, 7, 223, 229, 230)
            readonly (0)

            :window
            readonly (1)
            :initialize
            MULTILOAD (64, 124, window, window_end, 5, first_pointer, first_pointer, 0, \(tables))
            JUMP (fill)
            readonly (0)
            """
    }
}
