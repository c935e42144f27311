/// Keeps states and feedback between messages, by compartment (RFC 3320, section 6).
///
/// Its memory is bounded: each compartment by its state memory, all together by ``Limits``. What is over a limit is paid for
/// by closing the compartment that was not used for the longest time.
public final class StateHandler {
    /// What all compartments may use together.
    public struct Limits: Sendable {
        public var compartments: Int
        /// The sum of what the states cost in every compartment, and of what the compressors keep.
        public var bytes: Int

        public init(compartments: Int = 10_000, bytes: Int = 256 * 1_024 * 1_024) {
            self.compartments = max(1, compartments)
            self.bytes = max(0, bytes)
        }
    }

    public let store = StateStore()
    public let limits: Limits
    /// The state memory that a new compartment is given, in bytes.
    public let stateMemorySize: Int
    /// The states that are available to every message without having been created by one.
    public private(set) var locallyAvailable: [StateItem] = []
    /// The sum of what the states cost in every compartment.
    public private(set) var usedBytes = 0
    /// The sum of what the compressors of all compartments keep.
    public private(set) var compressorBytes = 0
    /// Is told of every compartment before it is closed.
    var willClose: ((Compartment) -> Void)?
    /// How many compartments were closed to stay within the limits.
    public private(set) var closedForSpace = 0

    private var compartments: [CompartmentIdentifier: Compartment] = [:]
    private unowned var oldest: Compartment?
    private unowned var newest: Compartment?

    public init(stateMemorySize: Int, limits: Limits = Limits()) {
        self.stateMemorySize = stateMemorySize
        self.limits = limits
    }

    public var compartmentCount: Int { compartments.count }

    /// Makes a state available for good, such as a static dictionary. False when another state has its identifier.
    @discardableResult
    public func addLocallyAvailable(_ item: StateItem) -> Bool {
        guard let stored = store.hold(item) else { return false }
        locallyAvailable.append(stored)
        return true
    }

    /// The compartment of a peer, if there is one.
    public func compartment(_ identifier: CompartmentIdentifier) -> Compartment? { compartments[identifier] }

    /// The compartment of a peer; a new one if there is none. Marks it as used.
    ///
    /// - Parameter instant: the time, in any unit that does not go back.
    public func openCompartment(_ identifier: CompartmentIdentifier, at instant: UInt64 = 0) -> Compartment {
        if let compartment = compartments[identifier] {
            compartment.lastUse = instant
            if newest !== compartment {
                unlink(compartment)
                link(compartment)
            }
            return compartment
        }
        let compartment = Compartment(identifier: identifier, stateMemorySize: stateMemorySize)
        compartment.lastUse = instant
        compartments[identifier] = compartment
        link(compartment)
        while compartments.count > limits.compartments, closeOldest(except: compartment) {}
        return compartment
    }

    /// Gives up a compartment and the states that only it holds.
    @discardableResult
    public func close(_ identifier: CompartmentIdentifier) -> Bool {
        guard let compartment = compartments[identifier] else { return false }
        willClose?(compartment)
        freeAll(compartment)
        compressorBytes -= compartment.compressorBytes
        unlink(compartment)
        compartments[identifier] = nil
        return true
    }

    /// Closes every compartment that was not used since `instant`, and tells how many.
    @discardableResult
    public func closeCompartments(unusedSince instant: UInt64) -> Int {
        var closed = 0
        while let compartment = oldest, compartment.lastUse < instant {
            close(compartment.identifier)
            closed += 1
        }
        return closed
    }

    /// Does what a message asks, in the order in which it asks (RFC 3320, section 6.2), and tells which states were created.
    public func perform(_ requests: [StateRequest], in compartment: Compartment) -> [StateItem] {
        var created: [StateItem] = []
        for request in requests {
            switch request {
            case .create(let creation):
                if let item = create(creation, in: compartment) { created.append(item) }
            case .free(let identifier):
                if let item = compartment.uniqueState(identifier) { free(item, in: compartment) }
            }
        }
        return created
    }

    /// Puts a state of this endpoint's own into a compartment, such as a message that it has sent (RFC 3321, section 5.2).
    ///
    /// It has the lowest priority and displaces nothing that the peer created; nil when there is no room for it.
    public func createLocally(_ creation: StateCreation, in compartment: Compartment) -> StateItem? {
        var creation = creation
        creation.priority = StateRetentionPriority.locallyAvailable
        guard creation.value.count + StateItem.overhead <= compartment.stateMemorySize else { return nil }
        return create(creation, in: compartment)
    }

    private func create(_ creation: StateCreation, in compartment: Compartment) -> StateItem? {
        let room = compartment.stateMemorySize
        guard room >= StateItem.overhead else { return nil }
        let value = creation.value.prefix(room - StateItem.overhead)
        guard
            let identifier = store.hash.identifier(
                address: creation.address, instruction: creation.instruction,
                minimumAccessLength: creation.minimumAccessLength, value: value)
        else { return nil }
        let priority = StateRetentionPriority(creation.priority)
        let isOwn = creation.priority == StateRetentionPriority.locallyAvailable
        let item = StateItem(
            identifier: identifier, address: creation.address, instruction: creation.instruction,
            minimumAccessLength: creation.minimumAccessLength,
            value: value.count == creation.value.count ? creation.value : Array(value))
        // Held before anything is given up: the same state may be among that.
        guard let stored = store.hold(item) else { return nil }
        if let entry = compartment.entries.first(where: { $0.item === stored }) {
            // A state that exists already counts once and takes the new priority and age (RFC 4896, sections 5.2 and 6).
            let kept = isOwn ? max(entry.priority, priority) : priority
            compartment.remove(stored)
            compartment.append(stored, priority: kept)
            store.release(stored)
            return stored
        }
        while compartment.usedBytes + stored.cost > room {
            guard let given = compartment.removeFirst(upTo: isOwn ? priority : nil) else {
                store.release(stored)
                return nil
            }
            usedBytes -= given.cost
            store.release(given)
        }
        compartment.append(stored, priority: priority)
        usedBytes += stored.cost
        closeOverLimit(except: compartment)
        return stored
    }

    /// Notes what a compartment's compressor keeps now.
    func note(compressorBytes bytes: Int, of compartment: Compartment) {
        compressorBytes += bytes - compartment.compressorBytes
        compartment.compressorBytes = bytes
        closeOverLimit(except: compartment)
    }

    private func closeOverLimit(except compartment: Compartment) {
        while usedBytes + compressorBytes > limits.bytes, closeOldest(except: compartment) {}
    }

    /// Frees a state in a compartment; others may go on holding it.
    public func free(_ item: StateItem, in compartment: Compartment) {
        guard compartment.remove(item) else { return }
        usedBytes -= item.cost
        store.release(item)
    }

    func freeAll(_ compartment: Compartment) {
        for item in compartment.states { free(item, in: compartment) }
    }

    private func closeOldest(except kept: Compartment) -> Bool {
        guard let compartment = oldest, compartment !== kept else { return false }
        closedForSpace += 1
        return close(compartment.identifier)
    }

    private func link(_ compartment: Compartment) {
        compartment.older = newest
        compartment.newer = nil
        newest?.newer = compartment
        newest = compartment
        if oldest == nil { oldest = compartment }
    }

    private func unlink(_ compartment: Compartment) {
        if let older = compartment.older { older.newer = compartment.newer } else { oldest = compartment.newer }
        if let newer = compartment.newer { newer.older = compartment.older } else { newest = compartment.older }
        compartment.older = nil
        compartment.newer = nil
    }
}

extension StateHandler {
    /// Makes a static dictionary available; false when libcrypto has no SHA-1.
    @discardableResult
    public func add(_ dictionary: StaticDictionary) -> Bool {
        dictionary.item(hash: store.hash).map { addLocallyAvailable($0) } ?? false
    }
}
