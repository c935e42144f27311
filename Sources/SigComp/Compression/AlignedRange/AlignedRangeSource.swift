/// The decompressor in the assembly language of RFC 4464, section 3. `docs/sigcomp-compressor.md` explains it.
enum AlignedRangeSource {
    /// The source for one layout.
    static func text(_ layout: AlignedRangeLayout) -> String {
        constants(layout) + variables + startup + tokens + copies + ending(layout) + routines + tables(layout)
    }

    private static func constants(_ layout: AlignedRangeLayout) -> String {
        """
        set (slot_size, \(layout.slotSize))
        set (reach, \(layout.reach))
        set (live, \(layout.slotCount * layout.slotSize))
        set (slot_mask, \(8 * (65_536 / layout.slotSize) - 8))
        set (slot_shift, \(layout.slotShift - 3))
        set (first, \(layout.firstPosition))
        set (recent_size, \(layout.recentLength))
        set (recent_place, \(layout.recentOffset))
        set (growth, \(layout.growthLimit))
        set (long, \(layout.longCopy))
        set (old, \(layout.oldDistance))

        """
    }

    /// `p_high` and `range_high` overlap the words behind them, after a byte that stays 0: reading one shifts by 8.
    private static let variables = """
        set (calls, 10)
        set (write, 20)
        set (history, 22)
        set (context, 24)
        set (seen, 26)
        set (entry, 28)
        set (low, 30)
        set (p_high, 33)
        set (p, 34)
        set (range_high, 37)
        set (range, 38)
        set (value, 40)
        set (x, 42)
        set (limit, 44)
        set (base, 46)
        set (tree_low, 48)
        set (bound, 50)
        set (t, 52)
        set (place, 54)
        set (bit_value, 56)
        set (number, 58)
        set (kept, 60)
        set (n, 62)
        set (length, 72)
        set (target, 74)
        set (position, 76)
        set (source, 78)
        set (upper, 80)
        set (expected, 82)
        set (next, 84)
        set (byte, 86)
        set (character, 87)
        set (access, 88)
        set (announced, 90)
        set (class, 92)
        set (offset, 94)
        set (state_length, 8)
        set (block, 118)
        set (tail_position, 118)
        set (given, 120)
        set (aligned, 122)
        set (other, 124)
        at (128)
        readonly (1)

        """

    /// A message that uploads the program begins at `boot`, one that starts a head at `start`.
    private static let startup = """
        :boot
        LOAD (state_length, (tail - block))
        LOAD (tail_position, first)
        MEMSET (models, (models_end - models), 128, 0)
        :start
        LOAD (70, calls)
        LOAD (write, $state_length)
        ADD ($write, block)
        LOAD (next, recent_new)
        LOAD (range, 65535)
        COPY (recent, recent_size, (tail + recent_place))
        INPUT-BITS (16, value, token)

        """

    /// One token: a byte coded by itself, or a copy. The context of most decisions is the class of the aligned byte, the one that
    /// follows the latest copy's source as far as output went since, and what kinds of bytes were coded since that copy.
    private static let tokens = """
        :token
        LOAD (position, $aligned)
        ADD ($position, $given)
        MULTILOAD (length, 2, 1, character)
        CALL (fetch)
        CALL (classify)
        LSHIFT ($class, 2)
        ADD ($class, $context)
        LOAD (place, $class)
        LSHIFT ($place, 1)
        ADD ($place, kind_model)
        CALL (bit)
        LOAD (limit, 32)
        COMPARE ($bit_value, 1, literal, copy, copy)
        :literal
        LOAD (base, $class)
        LSHIFT ($base, 5)
        ADD ($base, high_model)
        CALL (tree)
        LOAD (number, $x)
        LSHIFT ($x, 4)
        AND ($x, 224)
        LOAD (base, $context)
        LSHIFT ($base, 8)
        ADD ($base, $x)
        ADD ($base, low_model)
        CALL (tree)
        LSHIFT ($number, 4)
        ADD ($number, $x)
        RSHIFT ($number, 1)
        SUBTRACT ($number, 272)
        LOAD (byte, $number)
        COPY (character, 1, $write)
        CALL (classify)
        COMPARE ($class, 1, punctuation, rank, rank)
        :rank
        COMPARE ($class, $context, ranked, ranked, higher)
        :punctuation
        LOAD (class, 1)
        :higher
        LOAD (context, $class)
        :ranked
        MULTILOAD (number, 2, 1, 1)
        JUMP (emit)

        """

    private static let copies = """
        :copy
        LOAD (base, $context)
        LSHIFT ($base, 3)
        ADD ($base, source_model)
        LOAD (limit, 8)
        CALL (tree)
        LOAD (source, $x)
        COMPARE ($x, 10, same, swap, far)
        :far
        COMPARE ($x, 13, distant, recently, recently)
        :distant
        MULTILOAD (base, 2, distance_model, (distance_model + 32))
        CALL (read_number)
        LOAD (position, $tail_position)
        ADD ($position, $write)
        SUBTRACT ($position, tail)
        SUBTRACT ($position, $number)
        JUMP (turn)
        :recently
        MULTILOAD (base, 2, recent_model, (recent_model + 32))
        CALL (read_number)
        LOAD (position, $tail_position)
        ADD ($position, (recent_place - 1))
        ADD ($position, $number)
        JUMP (turn)
        :swap
        LOAD (position, $other)
        ADD ($position, $given)
        :turn
        LOAD (other, $aligned)
        LOAD (aligned, $position)
        SUBTRACT ($aligned, $given)
        :same
        LOAD (position, $aligned)
        ADD ($position, $given)
        LOAD (entry, $position)
        AND ($entry, 255)
        LSHIFT ($entry, 1)
        ADD ($entry, lengths)
        COPY ($entry, 2, expected)
        LOAD (upper, $position)
        AND ($upper, 64512)
        SUBTRACT ($expected, $upper)
        COMPARE ($expected, 1024, familiar, strange, strange)
        :familiar
        LOAD (place, $source)
        ADD ($place, (hit_model - 8))
        CALL (bit)
        COMPARE ($bit_value, 1, repeated, strange, strange)
        :strange
        LOAD (base, $source)
        LSHIFT ($base, 4)
        ADD ($base, (length_model - 128))
        LOAD (tree_low, length_low)
        CALL (read_number)
        JUMP (measured)
        :repeated
        LOAD (number, $expected)
        :measured
        ADD ($upper, $number)
        LOAD ($entry, $upper)
        LOAD (context, 0)
        LOAD (kept, $number)
        COMPARE ($number, long, go, distance, distance)
        :distance
        LOAD (n, $write)
        ADD ($n, $tail_position)
        SUBTRACT ($n, $position)
        COMPARE ($n, (old + tail), drop, go, renew)
        :renew
        COMPARE ($n, 49152, go, drop, drop)
        :drop
        LOAD (kept, 0)
        :go
        MULTILOAD (length, 2, $number, $write)
        CALL (fetch)
        LOAD (t, $write)
        ADD ($t, $number)
        SUBTRACT ($t, 1)
        COPY ($t, 1, character)
        :emit
        LOAD (n, $number)
        COMPARE ($byte, 1, last, more, more)
        :last
        SUBTRACT ($n, 1)
        :more
        OUTPUT ($write, $n)
        COMPARE ($next, (recent_new + recent_size), remember, remembered, remembered)
        :remember
        COPY-LITERAL ($write, $number, $next)
        :remembered
        ADD ($given, $number)
        COMPARE ($write, (tail + growth), grow, grown, grown)
        :grow
        ADD ($write, $kept)
        :grown
        COMPARE ($byte, 1, end, token, token)

        """

    /// What the message leaves behind: 0 a head, 1 nothing, 2 and 3 the same with returned parameters, given as numbers from 256.
    private static func ending(_ layout: AlignedRangeLayout) -> String {
        """
        :end
        LOAD (base, end_model)
        LOAD (limit, 8)
        CALL (tree)
        LOAD (source, $x)
        COMPARE ($x, 12, silent, announce, announce)
        :announce
        MULTILOAD (announced, 2, announcement, announcement)
        :parameter
        MULTILOAD (base, 2, length_model, length_low)
        CALL (read_number)
        COPY-LITERAL ((number + 1), 1, $class)
        COMPARE ($number, 512, parameter, told, told)
        :told
        SUBTRACT ($source, 4)
        :silent
        COMPARE ($source, 9, save, save, discard)
        :save
        COMPARE ($state_length, ((slot_size + tail) - block), unsealed, seal, seal)
        :seal
        MULTILOAD ((tail - 8), 4, slot_size, tail, 0, 6)
        LOAD (entry, $tail_position)
        RSHIFT ($entry, slot_shift)
        ADD ($entry, table)
        LOAD ($entry, $tail_position)
        ADD ($entry, 2)
        SHA-1 ((tail - 8), (slot_size + 8), $entry)
        STATE-CREATE (slot_size, tail, 0, 6, \(AlignedRangeLayout.slotPriority))
        LOAD (entry, $tail_position)
        SUBTRACT ($entry, live)
        RSHIFT ($entry, slot_shift)
        ADD ($entry, (table + 2))
        STATE-FREE ($entry, 6)
        ADD ($tail_position, slot_size)
        LOAD (aligned, $tail_position)
        SUBTRACT ($aligned, $given)
        LOAD (other, $aligned)
        SUBTRACT ($write, slot_size)
        MULTILOAD (64, 2, (tail + slot_size), tail)
        :unsealed
        COPY (recent_new, recent_size, recent)
        SUBTRACT ($write, block)
        END-MESSAGE (0, $announced, $write, block, start, 6, \(AlignedRangeLayout.headPriority))
        :discard
        END-MESSAGE (0, $announced, 0, 0, 0, 0, 0)

        """
    }

    private static let routines = """
        :read_number
        LOAD (limit, 32)
        CALL (tree)
        SUBTRACT ($x, 32)
        LOAD (n, $x)
        LSHIFT ($x, 3)
        ADD ($tree_low, $x)
        LOAD (number, 1)
        :digit
        COMPARE ($n, 1, back, back, further)
        :further
        SUBTRACT ($n, 2)
        LOAD (place, $tree_low)
        COMPARE ($number, 8, leading, trailing, trailing)
        :leading
        ADD ($place, $number)
        ADD ($place, $number)
        :trailing
        CALL (bit)
        LSHIFT ($number, 1)
        ADD ($number, $bit_value)
        JUMP (digit)

        :tree
        LOAD (x, 2)
        :branch
        LOAD (place, $base)
        ADD ($place, $x)
        CALL (bit)
        ADD ($x, $bit_value)
        LSHIFT ($x, 1)
        COMPARE ($x, $limit, branch, back, back)

        :bit
        COPY ($place, 2, p)
        LOAD (bound, $range_high)
        MULTIPLY ($bound, $p_high)
        ADD ($bound, 64)
        LOAD (t, $p)
        RSHIFT ($t, 4)
        SUBTRACT ($p, $t)
        LOAD (bit_value, 0)
        COMPARE ($value, $bound, zero, one, one)
        :zero
        LOAD (range, $bound)
        ADD ($p, 4095)
        JUMP (adapted)
        :one
        SUBTRACT ($value, $bound)
        SUBTRACT ($range, $bound)
        LOAD (bit_value, 1)
        :adapted
        LOAD ($place, $p)
        :normalize
        COMPARE ($range, 32768, double, back, back)
        :double
        LSHIFT ($range, 1)
        LSHIFT ($value, 1)
        INPUT-BITS (1, t, normalize)
        ADD ($value, $t)
        JUMP (normalize)
        :back
        RETURN

        :fetch
        LOAD (offset, $position)
        SUBTRACT ($offset, $tail_position)
        COMPARE ($offset, reach, near, stored, stored)
        :near
        ADD ($offset, tail)
        COPY ($offset, $length, $target)
        RETURN
        :stored
        LOAD (t, $position)
        AND ($t, (slot_size - 1))
        LOAD (n, slot_size)
        SUBTRACT ($n, $t)
        COMPARE ($n, $length, part, whole, whole)
        :whole
        LOAD (n, $length)
        :part
        LOAD (access, $position)
        RSHIFT ($access, slot_shift)
        AND ($access, slot_mask)
        ADD ($access, table)
        COPY ($access, 2, t)
        ADD ($access, 2)
        LOAD (offset, $position)
        SUBTRACT ($offset, $t)
        STATE-ACCESS ($access, 6, $offset, $n, $target, 0)
        ADD ($position, $n)
        ADD ($target, $n)
        SUBTRACT ($length, $n)
        COMPARE ($length, 1, back, fetch, fetch)

        :classify
        LOAD (class, 0)
        COMPARE ($byte, 65, below, letter, letter)
        :below
        COMPARE ($byte, 48, back, digit_or_sign, digit_or_sign)
        :digit_or_sign
        COMPARE ($byte, 58, hexadecimal, back, back)
        :letter
        COMPARE ($byte, 97, capital, small, small)
        :small
        COMPARE ($byte, 103, hexadecimal, late, late)
        :capital
        ADD ($class, 1)
        :late
        ADD ($class, 1)
        :hexadecimal
        ADD ($class, 1)
        RETURN

        """

    /// The table of slots, of which the upload has what maps the dictionaries, and the variable data behind it.
    private static func tables(_ layout: AlignedRangeLayout) -> String {
        let entries = layout.initialEntries.map { entry in
            let words = ([entry.base >> 8, entry.base & 0xFF] + entry.identifier.map(Int.init)).map(String.init)
            return "byte (\(words.joined(separator: ", ")))\n"
        }
        return """
            :table
            \(entries.joined())
            set (lengths, (((table + slot_mask) + 8) + 16))
            set (models, (lengths + 512))
            set (kind_model, models)
            set (high_model, (kind_model + 32))
            set (low_model, (high_model + 512))
            set (source_model, (low_model + 1024))
            set (distance_model, (source_model + 32))
            set (recent_model, (distance_model + 288))
            set (hit_model, (recent_model + 288))
            set (length_model, (hit_model + 8))
            set (length_low, (length_model + 128))
            set (end_model, (length_low + 256))
            set (models_end, (end_model + 8))
            set (recent, models_end)
            set (tail, ((recent + recent_size) + 8))
            set (recent_new, (tail + reach))
            set (announcement, ((recent_new + recent_size) + 1024))
            """
    }
}
