import SIPDialog
import Testing

@Suite("Sequence numbers in a dialog")
struct DialogSequenceTests {
    @Test(
        "requests come in order, or are told why not (RFC 3261 section 12.2.2)",
        arguments: [
            (0, 0, nil), (0, 7, nil), (7, 7, nil), (7, 8, nil), (7, 4_000, nil), (7, 6, 500), (7, 0, 500),
            (7, 0x7fff_ffff, nil), (7, 0x8000_0000, 400), (0, .max, 400),
        ] as [(UInt32, UInt32, UInt16?)])
    func remote(_ before: UInt32, _ next: UInt32, _ status: UInt16?) {
        var sequence = RemoteSequence(before)
        #expect(sequence.check(next).statusCode == status)
        #expect(sequence.number == before)
        if status == nil {
            sequence.accept(next)
            #expect(sequence.number == next)
        }
    }

    @Test("numbers begin at one and need no write until half a block is left")
    func block() {
        var sequence = SequenceReservation(block: 10)
        #expect(sequence.ceiling == 10)
        for number in 1...5 as ClosedRange<UInt32> {
            #expect(sequence.next() == number)
            #expect(sequence.reserve(block: 10) == nil)
        }
        #expect(sequence.next() == 6)
        #expect(sequence.reserve(block: 10) == 16)
        #expect(sequence.reserve(block: 10) == nil)
        for number in 7...10 as ClosedRange<UInt32> { #expect(sequence.next() == number) }
        #expect(sequence.next() == nil)
        sequence.storingFailed()
        #expect(sequence.next() == nil)
        #expect(sequence.reserve(block: 10) == 20)
        sequence.stored(20)
        #expect(sequence.next() == 11)
    }

    @Test("a dialog out of the store uses nothing before a new ceiling is stored")
    func afterRestart() {
        var sequence = SequenceReservation(above: 1_000)
        #expect(sequence.next() == nil)
        #expect(sequence.reserve(block: 64) == 1_064)
        sequence.stored(1_064)
        #expect(sequence.next() == 1_001)
    }

    @Test("numbers end below two to the thirty-first")
    func exhausted() {
        var sequence = SequenceReservation(above: SequenceReservation.last - 1)
        #expect(sequence.reserve(block: 100) == SequenceReservation.last)
        sequence.stored(SequenceReservation.last)
        #expect(sequence.next() == SequenceReservation.last)
        #expect(sequence.isExhausted)
        #expect(sequence.next() == nil)
        #expect(sequence.reserve(block: 100) == nil)
        #expect(SequenceReservation(above: .max).isExhausted)
    }

    @Test("no number is ever used twice, whatever crashes and fails", arguments: [1, 2, 3, 4] as [UInt64])
    func model(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var sequence = SequenceReservation(block: 16)
        var stored = sequence.ceiling
        var underWay: [UInt32] = []
        var highest: UInt32 = 0
        var sent = 0
        for _ in 0..<20_000 {
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<12:
                if let number = sequence.next() {
                    #expect(number > highest && number <= stored)
                    highest = number
                    sent += 1
                }
                if let ceiling = sequence.reserve(block: 16) { underWay.append(ceiling) }
            case 12: underWay.append(sequence.raise(block: 16))
            case 13..<18:
                guard !underWay.isEmpty else { continue }
                stored = max(stored, underWay.removeFirst())
                sequence.stored(stored)
            case 18:
                underWay = []
                sequence.storingFailed()
            default:
                // What was under way may or may not have reached the disk.
                if Bool.random(using: &random), let last = underWay.last { stored = max(stored, last) }
                underWay = []
                sequence = SequenceReservation(above: stored)
            }
        }
        #expect(sent > 1_000)
    }
}
