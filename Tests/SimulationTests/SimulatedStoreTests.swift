import LinkProfiles
import MessageStore
import Testing

@testable import Simulation

/// What the conformance suite of MessageStore does not ask: commits that take time, crashes, failures.
@Suite struct SimulatedStoreTests {
    let store = SimulatedStore()
    static let now = Instant(microseconds: 1_000_000)

    static func message(_ number: Int64) -> DeferredMessage {
        DeferredMessage(
            number: MessageNumber(number), recipient: AddressNumber(1), sender: "sip:a@x",
            identity: MessageIdentity(high: 1, low: UInt64(number)), acceptedAt: now,
            expiresAt: now + .seconds(100 as Int64), isUrgent: false, state: .queued, attempts: 0, payload: [1, 2, 3])
    }

    static let name = StoreCommand.name(AddressNumber(1), addressOfRecord: "sip:b@x")

    @Test func whatIsHandedOverIsVolatileUntilItsGroupIsFinished() {
        store.handOver([Self.name, .enqueue(Self.message(1))])
        store.beginGroup()
        store.handOver([.enqueue(Self.message(2))])
        store.crash()
        #expect(store.messages.isEmpty)
        #expect(!store.isWriting && !store.hasPending)
    }

    @Test func groupsAreNumberedInTheOrderOfTheirCommands() throws {
        store.handOver([Self.name, .enqueue(Self.message(1))])
        store.beginGroup()
        store.handOver([.claim(MessageNumber(1), attempts: 1, at: Self.now)])
        let first = store.finishGroup()
        #expect(first.through == 2)
        #expect(try first.outcome.get().isEmpty)
        store.beginGroup()
        let second = store.finishGroup()
        #expect(second.through == 3)
        #expect(try second.outcome.get() == [ClaimedMessage(number: MessageNumber(1), payload: [1, 2, 3])])
    }

    @Test func aGroupFailsAsAWhole() throws {
        _ = try store.commit([Self.name])
        #expect(throws: StoreFailure.self) {
            try store.commit([.enqueue(Self.message(1)), .enqueue(Self.message(2)), .enqueue(Self.message(1))])
        }
        #expect(store.messages.isEmpty)
    }

    @Test func aFullStoreRefusesAndRecovers() throws {
        store.failure = .full("test")
        store.handOver([Self.name])
        store.beginGroup()
        #expect(throws: StoreFailure.full("test")) { try store.finishGroup().outcome.get() }
        store.failure = nil
        _ = try store.commit([Self.name, .enqueue(Self.message(1))])
        #expect(store.liveCount == 1)
    }

    @Test func aStepThatDoesNotFitTheStateIsCountedAndIgnored() throws {
        _ = try store.commit([Self.name, .enqueue(Self.message(1)), .deliver(MessageNumber(1), at: Self.now)])
        #expect(store.misfits == 1)
        #expect(store.message(MessageNumber(1))?.state == .queued)
        _ = try store.commit([.deliver(MessageNumber(9), at: Self.now)])
        #expect(store.misfits == 1)
    }
}
