import Testing

@testable import SIPTransaction

@Suite("Slots in pages")
struct SlotPagesTests {
    @Test func valuesStayWhereTheyAre() {
        let slots = SlotPages<UInt64>(slotsPerPage: 64)
        var numbers = ModelTests.Numbers(state: 5)
        var model: [UInt32: UInt64] = [:]
        for round in 0..<20_000 {
            // Grows and shrinks in turn.
            let isInsertion = Int.random(in: 0..<10, using: &numbers) < (round / 2_000 % 2 == 0 ? 7 : 3)
            if isInsertion || model.isEmpty {
                let value = numbers.next()
                let slot = slots.insert(value)
                #expect(model.updateValue(value, forKey: slot) == nil)
            } else if let slot = model.keys.randomElement(using: &numbers) {
                #expect(slots.pointer(slot).pointee == model.removeValue(forKey: slot))
                slots.remove(slot)
            }
            #expect(slots.count == model.count)
        }
        #expect(model.allSatisfy { slots.pointer($0.key).pointee == $0.value })
    }

    @Test func pagesAreGivenBack() {
        let slots = SlotPages<UInt64>(slotsPerPage: 64)
        let all = (0..<6_400).map { slots.insert(UInt64($0)) }
        #expect(slots.livePages == 100)
        for slot in all { slots.remove(slot) }
        #expect(slots.count == 0)
        #expect(slots.livePages <= 2)
        let again = (0..<64).map { slots.insert(UInt64($0)) }
        #expect(Set(again).count == 64)
        #expect(slots.livePages <= 2)
    }

    /// After a burst a trickle of new values must not keep every page alive.
    @Test func lowPagesAreFilledFirst() {
        let slots = SlotPages<UInt64>(slotsPerPage: 64)
        var old = (0..<6_400).map { slots.insert(UInt64($0)) }
        var new: [UInt32] = []
        while !old.isEmpty {
            for slot in old.prefix(32) { slots.remove(slot) }
            old.removeFirst(min(32, old.count))
            new.append(slots.insert(0))
        }
        #expect(new.count == 200)
        #expect(slots.livePages <= 6)
    }

    @Test func theLowestGapIsFilledFirst() {
        let slots = SlotPages<UInt64>(slotsPerPage: 64)
        let all = (0..<6_400).map { slots.insert(UInt64($0)) }
        let gaps = stride(from: 63, to: 6_300, by: 64).map { all[$0] }
        var numbers = ModelTests.Numbers(state: 7)
        for slot in gaps.shuffled(using: &numbers) { slots.remove(slot) }
        #expect(gaps.map { _ in slots.insert(0) } == gaps)
        #expect(slots.livePages == 100)
    }

    @Test func removedValuesAreDestroyed() {
        final class Witness {}
        let slots = SlotPages<Witness>(slotsPerPage: 64)
        var witness: Witness? = Witness()
        weak let observed = witness
        let slot = witness.map { slots.insert($0) } ?? 0
        witness = nil
        #expect(observed != nil)
        slots.remove(slot)
        #expect(observed == nil)
    }
}
