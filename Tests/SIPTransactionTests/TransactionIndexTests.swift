import Testing

@testable import SIPTransaction

@Suite("Transaction index")
struct TransactionIndexTests {
    /// `spread` is how many different words there are to probe by: few make long chains.
    @Test(arguments: [3 as UInt64, 40, 1_000, .max])
    func likeADictionary(spread: UInt64) {
        let index = TransactionIndex()
        var numbers = ModelTests.Numbers(state: spread)
        var model: [TransactionID: UInt32] = [:]
        var ids: [UInt32: TransactionID] = [:]
        for round in 0..<20_000 {
            let isInsertion = Int.random(in: 0..<10, using: &numbers) < (round / 3_000 % 2 == 0 ? 8 : 2)
            if isInsertion || model.isEmpty {
                let low = (numbers.next() % spread) &* 0xd134_2543_de82_ef95
                let id = TransactionID(high: numbers.next() % 50, low: low)
                let found = index.find(id) { ids[$0] == id }
                #expect(found == model[id])
                guard found == nil else { continue }
                let slot = UInt32(round)
                index.insert(slot, for: id)
                model[id] = slot
                ids[slot] = id
            } else if let (id, slot) = model.randomElement(using: &numbers) {
                #expect(index.find(id) { ids[$0] == id } == slot)
                index.remove(slot, for: id)
                #expect(index.find(id) { ids[$0] == id } == nil)
                model[id] = nil
                ids[slot] = nil
            }
            if round % 2_500 == 0 { #expect(model.allSatisfy { id, slot in index.find(id) { ids[$0] == id } == slot }) }
        }
        var slots: Set<UInt32> = []
        index.forEachSlot { slots.insert($0) }
        #expect(slots == Set(model.values))
    }

    @Test func anEntryMayBeAllZeros() {
        let index = TransactionIndex()
        let id = TransactionID(high: 0, low: 0)
        #expect(index.find(id) { _ in true } == nil)
        index.insert(0, for: id)
        #expect(index.find(id) { $0 == 0 } == 0)
        index.remove(0, for: id)
        #expect(index.find(id) { _ in true } == nil)
    }

    @Test func removingWhatIsNotThereChangesNothing() {
        let index = TransactionIndex()
        index.insert(1, for: Bench.id(1))
        index.remove(2, for: Bench.id(1))
        index.remove(1, for: Bench.id(2))
        #expect(index.find(Bench.id(1)) { $0 == 1 } == 1)
    }
}
