import SigComp
import Testing

/// What holds for a state handler at any time.
enum StateInvariants {
    static func check(_ states: StateHandler, names: [String] = ["0", "1", "2"]) {
        var holders: [StateIdentifier: Int] = [:]
        for item in states.locallyAvailable { holders[item.identifier, default: 0] += 1 }
        var used = 0
        for compartment in names.compactMap({ states.compartment(CompartmentIdentifier($0)) }) {
            #expect(compartment.usedBytes <= compartment.stateMemorySize)
            #expect(compartment.usedBytes == compartment.states.reduce(0) { $0 + $1.cost })
            #expect(Set(compartment.states.map(\.identifier)).count == compartment.states.count)
            used += compartment.usedBytes
            for item in compartment.states {
                holders[item.identifier, default: 0] += 1
                #expect(states.store.item(item.identifier) === item)
            }
        }
        #expect(states.usedBytes == used)
        #expect(states.usedBytes <= states.limits.bytes || states.compartmentCount == 1)
        #expect(states.compartmentCount <= states.limits.compartments)
        #expect(states.store.count == holders.count)
    }
}
