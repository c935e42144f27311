import SIPCore
import Testing

@Suite("SipHash-2-4")
struct KeyedHashTests {
    /// Key and input of the reference implementation's vectors: 00 01 02 … 0f, and 00 01 02 ….
    static let key: (UInt64, UInt64) = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)

    /// Reference vectors_sip64, by length of input.
    @Test(arguments: [
        (0, UInt64(0x726f_db47_dd0e_0e31)), (1, 0x74f8_39c5_93dc_67fd), (2, 0x0d6c_8009_d9a9_4f5a),
        (3, 0x8567_6696_d7fb_7e2d), (7, 0xab02_00f5_8b01_d137), (8, 0x93f5_f579_9a93_2462),
        (15, 0xa129_ca61_49be_45e5),
    ])
    func referenceVectors(_ count: Int, _ expected: UInt64) {
        #expect(KeyedHash.hash((0..<count).map(UInt8.init), key: Self.key) == expected)
    }

    /// Reference vectors_sip128, the first and the second.
    @Test func wideReferenceVectors() {
        var hash = KeyedHash(key: Self.key, wide: true)
        #expect(hash.finalize128() == (0xe6a8_25ba_047f_81a3, 0x9302_55c7_1472_f66d))
        hash.combine(byte: 0)
        #expect(hash.finalize128() == (0x44af_996b_d8c1_87da, 0x45fc_229b_1159_7634))
    }

    @Test func piecesMakeNoDifference() {
        var generator = SeededGenerator(seed: 4)
        for length in 0..<80 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            var hash = KeyedHash(key: Self.key)
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...13, using: &generator))
                hash.combine(piece)
                rest = rest.dropFirst(piece.count)
            }
            #expect(hash.finalize() == KeyedHash.hash(bytes, key: Self.key))
        }
    }

    @Test func numbersAreTheirBytes() {
        for offset in 0..<8 {
            var a = KeyedHash(key: Self.key)
            var b = KeyedHash(key: Self.key)
            for byte in 0..<UInt8(offset) {
                a.combine(byte: byte)
                b.combine(byte: byte)
            }
            a.combine(0x0807_0605_0403_0201 as UInt64)
            b.combine([1, 2, 3, 4, 5, 6, 7, 8])
            #expect(a.finalize() == b.finalize())
        }
    }

    @Test func separatorsTellPiecesApart() throws {
        func hash(_ pieces: [String]) -> UInt64 {
            var hash = KeyedHash(key: Self.key)
            for piece in pieces {
                hash.combine(piece.utf8)
                hash.separate()
            }
            return hash.finalize()
        }
        #expect(hash(["ab", "c"]) != hash(["a", "bc"]))
        let message = try parsed(request())
        var folded = KeyedHash(key: Self.key)
        folded.combineFolded(message.callID, of: message)
        #expect(folded.finalize() == KeyedHash.hash("c1@192.0.2.15".utf8, key: Self.key))
        var plain = KeyedHash(key: Self.key)
        plain.combine(message.cseqMethod, of: message)
        #expect(plain.finalize() == KeyedHash.hash("MESSAGE".utf8, key: Self.key))
    }
}
