import SigComp
import Testing

/// Creating, freeing, giving up and sharing states (RFC 3320, section 6; RFC 4896, sections 3.3, 5 and 6).
@Suite("State handler")
struct StateHandlerTests {
    let a = CompartmentIdentifier("0")
    let b = CompartmentIdentifier("1")

    static func creation(_ byte: UInt8, length: Int = 100, priority: UInt16 = 0, minimum: UInt8 = 6) -> StateRequest {
        .create(
            StateCreation(
                address: 128, instruction: 128, minimumAccessLength: minimum, priority: priority,
                value: [UInt8](repeating: byte, count: length)))
    }

    @Test func dictionariesAreThoseOfTheRFCs() throws {
        let hash = StateHash()
        let session = try #require(StaticDictionary.session.item(hash: hash))
        #expect(session.identifier.description == "fbe507dfe5e6aa5af2abb914ceaa05f99ce61ba5")
        #expect(session.value == [UInt8](try SigCompVectors.data("dictionary-rfc3485.bin")))
        let presence = try #require(StaticDictionary.presence.item(hash: hash))
        #expect(presence.identifier.description == "d942297d0bb38fc01d6741d6b3b48157ac8e1be0")
        #expect(presence.value == [UInt8](try SigCompVectors.data("dictionary-rfc5112.bin")))
    }

    @Test func partialIdentifiersMatchByEveryBit() throws {
        let bytes = (0..<20).map { UInt8($0 * 11 + 3) }
        let identifier = try #require(StateIdentifier(bytes))
        #expect(identifier.bytes == bytes)
        for length in 6...20 {
            let partial = try #require(identifier.prefix(length))
            #expect(partial.matches(identifier))
            #expect(partial.bytes == Array(bytes.prefix(length)))
            for bit in 0..<160 {
                var other = bytes
                other[bit / 8] ^= 1 << UInt8(bit % 8)
                #expect(partial.matches(try #require(StateIdentifier(other))) == (bit >= 8 * length))
            }
        }
        #expect(identifier.prefix(5) == nil)
        #expect(PartialStateIdentifier([UInt8](repeating: 0, count: 21)) == nil)
    }

    @Test func prioritiesGoUpFromLocallyAvailable() {
        let order: [UInt16] = [65_535, 0, 1, 2, 32_768, 65_534]
        #expect(order.shuffled().map(StateRetentionPriority.init).sorted().map(\.value) == order)
    }

    /// The lowest priority goes first, among equals the oldest; creating a state again makes it young.
    @Test func givingUp() {
        let states = StateHandler(stateMemorySize: 4 * 164)
        let compartment = states.openCompartment(a)
        _ = states.perform(
            [Self.creation(1), Self.creation(2), Self.creation(3, priority: 1), Self.creation(4)], in: compartment)
        _ = states.perform([Self.creation(1)], in: compartment)
        #expect(values(compartment) == [2, 3, 4, 1])
        _ = states.perform([Self.creation(5, priority: 7)], in: compartment)
        #expect(values(compartment) == [3, 4, 1, 5])
        _ = states.perform([Self.creation(6, length: 200, priority: 65_534)], in: compartment)
        #expect(values(compartment) == [3, 5, 6])
        StateInvariants.check(states)
    }

    /// A new priority replaces the old one (RFC 4896, section 5.2).
    @Test func aRenewedStateTakesTheNewPriority() {
        let states = StateHandler(stateMemorySize: 2 * 164)
        let compartment = states.openCompartment(a)
        _ = states.perform([Self.creation(1, priority: 9), Self.creation(2, priority: 5)], in: compartment)
        _ = states.perform([Self.creation(1, priority: 3), Self.creation(3, priority: 5)], in: compartment)
        #expect(values(compartment) == [2, 3])
        #expect(compartment.usedBytes == 2 * 164)
    }

    @Test func sharedStatesAreKeptOnce() throws {
        let states = StateHandler(stateMemorySize: 2_048)
        let first = states.openCompartment(a)
        let second = states.openCompartment(b)
        let item = try #require(states.perform([Self.creation(1)], in: first).first)
        #expect(states.perform([Self.creation(1)], in: second).first === item)
        #expect(states.store.count == 1)
        #expect(states.usedBytes == 2 * 164)
        let partial = try #require(item.identifier.prefix(6))
        _ = states.perform([.free(partial)], in: first)
        #expect(try states.store.access(partial) === item)
        states.close(b)
        #expect(throws: DecompressionFailureReason.stateNotFound) { try states.store.access(partial) }
        #expect(states.store.count == 0 && states.store.valueBytes == 0 && states.usedBytes == 0)
    }

    /// Freeing reaches only into its own compartment, and never the locally available states (RFC 4896, section 3.3).
    @Test func freeingIsLocal() throws {
        let states = StateHandler(stateMemorySize: 2_048)
        #expect(states.add(.session))
        let dictionary = try #require(states.locallyAvailable.first)
        let first = states.openCompartment(a)
        let second = states.openCompartment(b)
        let item = try #require(states.perform([Self.creation(1, minimum: 20)], in: first).first)
        let partial = try #require(item.identifier.prefix(6))
        _ = states.perform([.free(partial), .free(try #require(dictionary.identifier.prefix(6)))], in: second)
        #expect(states.store.item(item.identifier) === item)
        #expect(states.store.item(dictionary.identifier) === dictionary)
        _ = states.perform([.free(partial)], in: first)
        #expect(states.store.item(item.identifier) == nil)
    }

    @Test func minimumAccessLength() throws {
        let states = StateHandler(stateMemorySize: 2_048)
        let item = try #require(states.perform([Self.creation(1, minimum: 12)], in: states.openCompartment(a)).first)
        let short = try #require(item.identifier.prefix(11))
        #expect(throws: DecompressionFailureReason.stateNotFound) { try states.store.access(short) }
        #expect(try states.store.access(try #require(item.identifier.prefix(12))) === item)
    }

    @Test func noMemoryNoState() {
        let states = StateHandler(stateMemorySize: 0)
        #expect(states.perform([Self.creation(1), Self.creation(2, length: 0)], in: states.openCompartment(a)).isEmpty)
        #expect(states.store.count == 0)
    }

    /// A state of this endpoint's own displaces only others of its kind (RFC 3320, section 6.2).
    @Test func ownStatesDoNotInterfere() {
        let states = StateHandler(stateMemorySize: 3 * 164)
        let compartment = states.openCompartment(a)
        func own(_ byte: UInt8, length: Int = 100) -> StateItem? {
            guard case .create(let creation) = Self.creation(byte, length: length) else { return nil }
            return states.createLocally(creation, in: compartment)
        }
        _ = states.perform([Self.creation(1), Self.creation(2)], in: compartment)
        #expect(own(10) != nil)
        #expect(own(11) != nil)
        #expect(values(compartment) == [1, 2, 11])
        #expect(own(12, length: 200) == nil)
        #expect(own(1) != nil, "the peer's state serves as well")
        _ = states.perform([Self.creation(3)], in: compartment)
        #expect(values(compartment).contains(1) && values(compartment).contains(2) && values(compartment).contains(3))
        StateInvariants.check(states)
    }

    @Test func compartmentsAreBounded() {
        let states = StateHandler(stateMemorySize: 2_048, limits: .init(compartments: 3, bytes: 100_000))
        for index in 0..<10 {
            let compartment = states.openCompartment(CompartmentIdentifier("\(index)"))
            _ = states.perform([Self.creation(UInt8(index))], in: compartment)
            _ = states.openCompartment(CompartmentIdentifier("0"))
        }
        #expect(states.compartmentCount == 3)
        #expect(states.closedForSpace == 7)
        #expect(states.compartment(CompartmentIdentifier("0")) != nil, "the one in use stays")
        #expect(states.store.count == 3)
    }

    @Test func allStatesTogetherAreBounded() {
        let states = StateHandler(stateMemorySize: 2_048, limits: .init(compartments: 100, bytes: 1_000))
        for index in 0..<10 {
            _ = states.perform(
                [Self.creation(UInt8(index))], in: states.openCompartment(CompartmentIdentifier("\(index)")))
        }
        #expect(states.usedBytes == 6 * 164)
        #expect(states.compartmentCount == 6)
    }

    @Test func idleCompartmentsAreClosed() {
        let states = StateHandler(stateMemorySize: 2_048)
        for index in 0..<10 { _ = states.openCompartment(CompartmentIdentifier("\(index)"), at: UInt64(index)) }
        _ = states.openCompartment(CompartmentIdentifier("2"), at: 20)
        #expect(states.closeCompartments(unusedSince: 5) == 4)
        #expect(states.compartmentCount == 6)
        #expect(states.compartment(CompartmentIdentifier("2")) != nil)
    }

    /// Random requests: the sums stay right, and every state is held by someone.
    @Test(arguments: 0..<8)
    func randomRequests(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let states = StateHandler(stateMemorySize: 2_048, limits: .init(compartments: 2, bytes: 3_500))
        states.add(.presence)
        var known: [StateIdentifier] = []
        for _ in 0..<400 {
            let compartment = states.openCompartment(
                CompartmentIdentifier("\(Int.random(in: 0..<3, using: &generator))"))
            switch Int.random(in: 0..<4, using: &generator) {
            case 0:
                if let partial = known.randomElement(using: &generator)?.prefix(6) {
                    _ = states.perform([.free(partial)], in: compartment)
                }
            case 1:
                let value = [UInt8](repeating: .random(in: 0...9, using: &generator), count: 50)
                _ = states.createLocally(
                    StateCreation(address: 0, instruction: 0, minimumAccessLength: 6, priority: 0, value: value),
                    in: compartment)
            default:
                let request = Self.creation(
                    .random(in: 0...20, using: &generator), length: .random(in: 0...2_300, using: &generator) / 2,
                    priority: .random(in: 0...3, using: &generator))
                known += states.perform([request], in: compartment).map(\.identifier)
            }
            StateInvariants.check(states)
        }
    }

    private func values(_ compartment: Compartment) -> [UInt8] { compartment.states.compactMap(\.value.first) }
}
