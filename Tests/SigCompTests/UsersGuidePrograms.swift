/// The assembly of RFC 4464, sections 4.1 and 4.2, without its comments.
enum UsersGuidePrograms {
    static let sources: [String: String] = [
        "LZ77": lz77,
        "LZSS": lzss,
        "LZW": lzw,
        "DEFLATE": deflate,
        "LZJH": lzjh,
        "Modified DEFLATE": modifiedDeflate,
    ]

    /// RFC 4464, section 4.1.1.
    static let lz77 = """
        at (32)
        :position_value                 pad (2)
        :length_value                   pad (2)
        at (42)
        set (requested_feedback_location, 0)
        at (64)
        :byte_copy_left                 pad (2)
        :byte_copy_right                pad (2)
        :decompressed_pointer           pad (2)
        set (returned_parameters_location, 0)
        align (64)
        :initialize_memory
        set (udvm_memory_size, 8192)
        set (state_length, (udvm_memory_size - 64))
        MULTILOAD (64, 3, circular_buffer, udvm_memory_size, circular_buffer)
        MEMSET (static_dictionary, 256, 0, 1)
        :decompress_sigcomp_message
        :next_character
        INPUT-BYTES (4, position_value, end_of_message)
        COPY-LITERAL ($position_value, $length_value, $decompressed_pointer)
        OUTPUT ($position_value, $length_value)
        JUMP (next_character)
        :end_of_message
        END-MESSAGE (requested_feedback_location,
        returned_parameters_location, state_length, 64,
        decompress_sigcomp_message, 6, 0)
        at (256)
        :static_dictionary              pad (256)
        :circular_buffer
        """

    /// RFC 4464, section 4.1.2.
    static let lzss = """
        at (32)
        readonly (0)
        :index                          pad (2)
        :length_value                   pad (2)
        :old_pointer                    pad (2)
        at (42)
        set (requested_feedback_location, 0)
        at (64)
        :byte_copy_left                 pad (2)
        :byte_copy_right                pad (2)
        :input_bit_order                pad (2)
        :decompressed_pointer           pad (2)
        set (returned_parameters_location, 0)
        align (64)
        readonly (1)
        :initialize_memory
        set (udvm_memory_size, 8192)
        set (state_length, (udvm_memory_size - 64))
        MULTILOAD (64, 4, circular_buffer, udvm_memory_size, 0,
        circular_buffer)
        :decompress_sigcomp_message
        :next_character
        INPUT-HUFFMAN (index, end_of_message, 2, 9, 0, 255, 16384, 4, 4096,
        8191, 1)
        COMPARE ($index, 8192, length, end_of_message, literal)
        :literal
        set (index_lsb, (index + 1))
        OUTPUT (index_lsb, 1)
        COPY-LITERAL (index_lsb, 1, $decompressed_pointer)
        JUMP (next_character)
        :length
        INPUT-BITS (4, length_value, !)
        ADD ($length_value, 3)
        LOAD (old_pointer, $decompressed_pointer)
        COPY-OFFSET ($index, $length_value, $decompressed_pointer)
        OUTPUT ($old_pointer, $length_value)
        JUMP (next_character)
        :end_of_message
        END-MESSAGE (requested_feedback_location,
        returned_parameters_location, state_length, 64,
        decompress_sigcomp_message, 6, 0)
        readonly (0)
        :circular_buffer
        """

    /// RFC 4464, section 4.1.3.
    static let lzw = """
        at (32)
        :length_value                   pad (2)
        :position_value                 pad (2)
        :index                          pad (2)
        at (42)
        set (requested_feedback_location, 0)
        at (64)
        :byte_copy_left                 pad (2)
        :byte_copy_right                pad (2)
        :input_bit_order                pad (2)
        :codebook_next                  pad (2)
        :current_length                 pad (2)
        :decompressed_pointer           pad (2)
        set (returned_parameters_location, 0)
        align (64)
        :initialize_memory
        set (udvm_memory_size, 8192)
        set (state_length, (udvm_memory_size - 64))
        MULTILOAD (64, 6, circular_buffer, udvm_memory_size, 0, codebook, 1,
        static_dictionary)
        :initialize_codebook
        set (index_lsb, (index + 1))
        set (current_length_lsb, (current_length + 1))
        COPY-LITERAL (current_length_lsb, 3, $codebook_next)
        COPY-LITERAL (index_lsb, 1, $decompressed_pointer)
        ADD ($index, 1)
        COMPARE ($index, 256, initialize_codebook, next_character, 0)
        :decompress_sigcomp_message
        :next_character
        INPUT-BITS (10, index, end_of_message)
        set (length_value_lsb, (length_value + 1))
        MULTIPLY ($index, 3)
        ADD ($index, codebook)
        COPY ($index, 3, length_value_lsb)
        LOAD (current_length, 1)
        ADD ($current_length, $length_value)
        COPY-LITERAL (current_length_lsb, 3, $codebook_next)
        COPY-LITERAL ($position_value, $length_value, $decompressed_pointer)
        OUTPUT ($position_value, $length_value)
        JUMP (next_character)
        :end_of_message
        END-MESSAGE (requested_feedback_location,
        returned_parameters_location, state_length, 64,
        decompress_sigcomp_message, 6, 0)
        :static_dictionary              pad (256)
        :circular_buffer
        at (4492)
        :codebook
        """

    /// RFC 4464, section 4.1.4.
    static let deflate = """
        at (32)
        readonly (0)
        :index                          pad (2)
        :extra_length_bits              pad (2)
        :length_value                   pad (2)
        :extra_distance_bits            pad (2)
        :distance_value                 pad (2)
        at (42)
        set (requested_feedback_location, 0)
        at (64)
        :byte_copy_left                 pad (2)
        :byte_copy_right                pad (2)
        :input_bit_order                pad (2)
        :decompressed_pointer           pad (2)
        :length_table                   pad (116)
        :distance_table                 pad (120)
        set (returned_parameters_location, 0)
        align (64)
        readonly (1)
        :initialize_memory
        set (udvm_memory_size, 8192)
        set (state_length, (udvm_memory_size - 64))
        set (length_table_start, (((length_table - 4) + 65536) / 4))
        set (length_table_mid, (length_table_start + 24))
        set (distance_table_start, (distance_table / 4))
        MULTILOAD (64, 122, circular_buffer, udvm_memory_size, 5,
        circular_buffer,
        0,       3,       0,       4,       0,       5,
        0,       6,       0,       7,       0,       8,
        0,       9,       0,       10,      1,       11,
        1,       13,      1,       15,      1,       17,
        2,       19,      2,       23,      2,       27,
        2,       31,      3,       35,      3,       43,
        3,       51,      3,       59,      4,       67,
        4,       83,      4,       99,      4,       115,
        5,       131,     5,       163,     5,       195,
        5,       227,     0,       258,
        0,       1,       0,       2,       0,       3,
        0,       4,       1,       5,       1,       7,
        2,       9,       2,       13,      3,       17,
        3,       25,      4,       33,      4,       49,
        5,       65,      5,       97,      6,       129,
        6,       193,     7,       257,     7,       385,
        8,       513,     8,       769,     9,       1025,
        9,       1537,    10,      2049,    10,      3073,
        11,      4097,    11,      6145,    12,      8193,
        12,      12289,   13,      16385,   13,      24577)
        :decompress_sigcomp_message
        INPUT-BITS (3, extra_length_bits, !)
        :next_character
        INPUT-HUFFMAN (index, end_of_message, 4,
            7, 0, 23, length_table_start,
            1, 48, 191, 0,
            0, 192, 199, length_table_mid,
            1, 400, 511, 144)
        COMPARE ($index, length_table_start, literal, end_of_message,
        length_distance)
        :literal
        set (index_lsb, (index + 1))
        OUTPUT (index_lsb, 1)
        COPY-LITERAL (index_lsb, 1, $decompressed_pointer)
        JUMP (next_character)
        :length_distance
        MULTIPLY ($index, 4)
        COPY ($index, 4, extra_length_bits)
        INPUT-BITS ($extra_length_bits, extra_length_bits, !)
        ADD ($length_value, $extra_length_bits)
        INPUT-HUFFMAN (index, !, 1, 5, 0, 31, distance_table_start)
        MULTIPLY ($index, 4)
        COPY ($index, 4, extra_distance_bits)
        INPUT-BITS ($extra_distance_bits, extra_distance_bits, !)
        ADD ($distance_value, $extra_distance_bits)
        LOAD (index, $decompressed_pointer)
        COPY-OFFSET ($distance_value, $length_value, $decompressed_pointer)
        OUTPUT ($index, $length_value)
        JUMP (next_character)
        :end_of_message
        END-MESSAGE (requested_feedback_location,
        returned_parameters_location, state_length, 64,
        decompress_sigcomp_message, 6, 0)
        readonly (0)
        :circular_buffer
        """

    /// RFC 4464, section 4.1.5.
    static let lzjh = """
        at (32)
        readonly (0)
        :length_value                   pad (2)
        :position_value                 pad (2)
        :index                          pad (2)
        :extra_extension_bits           pad (2)
        :codebook_old                   pad (2)
        at (42)
        set (requested_feedback_location, 0)
        at (64)
        :byte_copy_left                 pad (2)
        :byte_copy_right                pad (2)
        :input_bit_order                pad (2)
        :current_length                 pad (2)
        :decompressed_pointer           pad (2)
        :ordinal_length                 pad (2)
        :codeword_length                pad (2)
        :codebook_next                  pad (2)
        set (returned_parameters_location, 0)
        align (64)
        readonly (1)
        :initialize_memory
        set (udvm_memory_size, 8192)
        set (max_extension_length, 8)
        set (min_ordinal_length, 7)
        set (min_codeword_length, 6)
        set (codebook_start, 4492)
        set (first_codeword, (codebook_start - 12))
        set (state_length, (udvm_memory_size - 64))
        MULTILOAD (64, 8, circular_buffer, udvm_memory_size, 7, 0,
        circular_buffer, min_ordinal_length, min_codeword_length,
        codebook_start)
        :decompress_sigcomp_message
        :standard_prefix
        INPUT-BITS (1, index, end_of_message)
        COMPARE ($index, 1, ordinal, codeword_control, codeword_control)
        :prefix_after_codeword
        INPUT-HUFFMAN (index, end_of_message, 2, 1, 1, 1, 2, 1, 0, 1, 0)
        COMPARE ($index, 1, ordinal, string_extension, codeword_control)
        :ordinal
        set (index_lsb, (index + 1))
        set (current_length_lsb, (current_length + 1))
        INPUT-BITS ($ordinal_length, index, !)
        OUTPUT (index_lsb, 1)
        LOAD (current_length, 2)
        COPY-LITERAL (current_length_lsb, 3, $codebook_next)
        COPY-LITERAL (index_lsb, 1, $decompressed_pointer)
        JUMP (standard_prefix)
        :codeword_control
        INPUT-BITS ($codeword_length, index, !)
        COMPARE ($index, 3, control_code, initialize_memory, codeword)
        :codeword
        set (length_value_lsb, (length_value + 1))
        MULTIPLY ($index, 3)
        ADD ($index, first_codeword)
        COPY ($index, 3, length_value_lsb)
        LOAD (current_length, 1)
        ADD ($current_length, $length_value)
        LOAD (codebook_old, $codebook_next)
        COPY-LITERAL (current_length_lsb, 3, $codebook_next)
        COPY-LITERAL ($position_value, $length_value, $decompressed_pointer)
        OUTPUT ($position_value, $length_value)
        JUMP (prefix_after_codeword)
        :string_extension
        INPUT-HUFFMAN (index, !, 4, 1, 1, 1, 1, 2, 1, 3, 2, 1, 1, 1, 13, 3,
        0, 7, 5)
        COMPARE ($index, 13, continue, extra_bits, extra_bits)
        :extra_bits
        INPUT-BITS (max_extension_length, extra_extension_bits, !)
        ADD ($index, $extra_extension_bits)
        :continue
        COPY-LITERAL ($position_value, $length_value, $position_value)
        COPY-LITERAL ($position_value, $index, $decompressed_pointer)
        OUTPUT ($position_value, $index)
        ADD ($index, $length_value)
        COPY (index_lsb, 1, $codebook_old)
        JUMP (standard_prefix)
        :control_code
        COMPARE ($index, 1, !, flush, stepup)
        :flush
        INPUT-BYTES (0, 0, 0)
        JUMP (standard_prefix)
        :stepup
        INPUT-BITS (1, index, !)
        COMPARE ($index, 1, stepup_ordinal, stepup_codeword, 0)
        :stepup_ordinal
        ADD ($ordinal_length, 1)
        JUMP (ordinal)
        :stepup_codeword
        ADD ($codeword_length, 1)
        JUMP (codeword_control)
        :end_of_message
        END-MESSAGE (requested_feedback_location,
        returned_parameters_location, state_length, 64,
        decompress_sigcomp_message, 6, 0)
        readonly (0)
        :circular_buffer
        """

    /// RFC 4464, section 4.2.1.
    static let modifiedDeflate = """
        at (32)
        readonly (0)
        :index                          pad (2)
        :distance_value                 pad (2)
        :old_pointer                    pad (2)
        at (42)
        set (requested_feedback_location, 0)
        at (64)
        :byte_copy_left                 pad (2)
        :byte_copy_right                pad (2)
        :input_bit_order                pad (2)
        :decompressed_pointer           pad (2)
        set (returned_parameters_location, 0)
        at (128)
        readonly (1)
        :initialize_memory
        set (udvm_memory_size, 8192)
        set (state_length, (udvm_memory_size - 64))
        MULTILOAD (64, 4, circular_buffer, udvm_memory_size, 0,
        circular_buffer)
        :decompress_sigcomp_message
        :character_after_literal
        INPUT-HUFFMAN (index, end_of_message, 16,
            5, 0, 11, 46,
            0, 12, 12, 256,
            1, 26, 32, 257,
            1, 66, 68, 32,
            0, 69, 94, 97,
            0, 95, 102, 264,
            0, 103, 103, 511,
            2, 416, 426, 35,
            0, 427, 465, 58,
            0, 466, 481, 272,
            1, 964, 995, 288,
            3, 7968, 7988, 123,
            0, 7989, 8115, 384,
            1, 16232, 16263, 0,
            0, 16264, 16327, 320,
            1, 32656, 32767, 144)
        COMPARE ($index, 256, literal, distance, distance)
        :character_after_match
        INPUT-HUFFMAN (index, end_of_message, 16,
            4, 0, 0, 511,
            1, 2, 9, 256,
            1, 20, 22, 32,
            0, 23, 30, 264,
            1, 62, 73, 46,
            0, 74, 89, 272,
            2, 360, 385, 97,
            0, 386, 417, 288,
            1, 836, 874, 58,
            0, 875, 938, 320,
            1, 1878, 1888, 35,
            0, 1889, 2015, 384,
            1, 4032, 4052, 123,
            1, 8106, 8137, 0,
            1, 16276, 16379, 144,
            1, 32760, 32767, 248)
        COMPARE ($index, 256, literal, distance, distance)
        :literal
        set (index_lsb, (index + 1))
        OUTPUT (index_lsb, 1)
        COPY-LITERAL (index_lsb, 1, $decompressed_pointer)
        JUMP (character_after_literal)
        :distance
        SUBTRACT ($index, 253)
        INPUT-HUFFMAN (distance_value, !, 9,
            9, 0, 7, 9,
            0, 8, 63, 129,
            1, 128, 135, 1,
            0, 136, 247, 17,
            0, 248, 319, 185,
            1, 640, 1407, 257,
            2, 5632, 6655, 1025,
            1, 13312, 15359, 2049,
            2, 61440, 65535, 4097)
        LOAD (old_pointer, $decompressed_pointer)
        COPY-OFFSET ($distance_value, $index, $decompressed_pointer)
        OUTPUT ($old_pointer, $index)
        JUMP (character_after_match)
        :end_of_message
        END-MESSAGE (requested_feedback_location,
        returned_parameters_location, state_length, 64,
        decompress_sigcomp_message, 6, 0)
        readonly (0)
        :circular_buffer
        """
}
