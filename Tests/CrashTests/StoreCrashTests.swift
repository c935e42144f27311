import Foundation
import LinkProfiles
import MessageStore
import MessageStoreSQLite
import Testing

/// SIGKILL at moments nobody chose, again and again on the same database. (That a commit also survives a power failure
/// rests on `synchronous = FULL`, which MessageStoreTests read back.)
@Suite("A killed process loses nothing that its store acknowledged")
struct StoreCrashTests {
    @Test("killed in mid-commit", arguments: [11, 12, 13] as [UInt64])
    func killed(seed: UInt64) throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
            "godwit-crash-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: directory) }
        let path = directory.appendingPathComponent("store.db").path

        var expected = ExpectedContent()
        var generator = seed
        let rounds: UInt64 = 10
        for round in 0..<rounds {
            generator = generator &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let journal = try CrashingProcess(database: path, seed: seed << 32 | round)
                .journal(killedAfter: Int(generator >> 33) % 20_000)
            #expect(journal.isReady)
            #expect(journal.unreadable == [])
            for group in journal.acknowledged { expected.apply(group) }
            try expected.compare(with: path, open: journal.open, payloads: round + 1 == rounds ? .max : 200)
        }
        #expect(expected.highest > 0)
        #expect(expected.highestSubscription > 0)
        #expect(expected.highestPublication > 0)
    }
}

/// What the acknowledged groups leave in a store.
struct ExpectedContent {
    private(set) var states: [Int64: DeferredState] = [:]
    private(set) var highest: Int64 = 0
    /// Reserved CSeqs of each subscription.
    private(set) var ceilings: [Int64: UInt32] = [:]
    private(set) var highestSubscription: Int64 = 0
    /// How often each publication was published.
    private(set) var editions: [Int64: Int64] = [:]
    private(set) var highestPublication: Int64 = 0

    mutating func apply(_ group: CrashJournal.Group) {
        let last = group.numbers.max() ?? 0
        for number in group.numbers {
            switch group.kind {
            case .accept, .postpone: states[number] = group.kind == .accept ? .queued : .waiting
            case .claim: states[number] = .claimed
            case .deliver: states[number] = .delivered
            case .forget: break
            case .subscribe: ceilings[number] = 100
            case .renew: ceilings[number, default: 0] += 100
            case .unsubscribe: ceilings[number] = nil
            case .publish: editions[number, default: 0] += 1
            case .unpublish: editions[number] = nil
            }
        }
        switch group.kind {
        case .accept, .claim, .deliver, .postpone, .forget: highest = max(highest, last)
        case .subscribe, .renew, .unsubscribe: highestSubscription = max(highestSubscription, last)
        case .publish, .unpublish: highestPublication = max(highestPublication, last)
        }
    }

    /// Compares, and takes over whether the group that was open at the kill happened: all of it or nothing. Reads the
    /// newest `payloads` payloads.
    mutating func compare(with path: String, open: CrashJournal.Group?, payloads: Int) throws {
        let inspector = try QueueInspector(path: path, access: .exclusive)
        #expect(try inspector.integrityCheck() == [])
        let records = try inspector.records()
        #expect(Set(records.map(\.number)).count == records.count)
        #expect(Set(records.map(\.identity)).count == records.count)
        let found = Dictionary(uniqueKeysWithValues: records.map { ($0.number.rawValue, $0) })
        var subscriptions: [Int64: StoredSubscription] = [:]
        try inspector.forEachSubscription { record in
            subscriptions[record.subscription.number.rawValue] = record.subscription
            return true
        }
        var publications: [Int64: StoredPublication] = [:]
        try inspector.forEachPublication { record in
            publications[record.publication.number.rawValue] = record.publication
            return true
        }

        var withOpen = self
        if let open { withOpen.apply(open) }
        let differences =
            withOpen.mismatches(found) + withOpen.mismatches(subscriptions) + withOpen.mismatches(publications)
        if differences.isEmpty { self = withOpen }
        let remaining = Array(
            (mismatches(found) + mismatches(subscriptions) + mismatches(publications)).prefix(5))
        #expect(remaining == [], "and with the group that was open: \(differences.prefix(5))")
        for record in records.filter({ !$0.state.isTerminal }).suffix(payloads) {
            #expect(try inspector.payload(of: record.number) == ExpectedContent.payload(of: record.number.rawValue))
        }
        // What was forgotten need not be expected any more.
        states = states.filter { found[$0.key] != nil }
    }

    private func mismatches(_ found: [Int64: QueueRecord]) -> [String] {
        let missing = states.filter { number, state in
            guard let record = found[number] else { return state != .delivered }
            return record.state != state
        }
        let invented = found.keys.filter { states[$0] == nil }
        return missing.map { "\($0.key) should be \($0.value), is \(found[$0.key].map { "\($0.state)" } ?? "missing")" }
            + invented.map { "\($0) is there unasked" }
    }

    private func mismatches(_ found: [Int64: StoredSubscription]) -> [String] {
        let wrong = ceilings.filter { number, ceiling in
            found[number]?.progress.sequenceCeiling != ceiling
                || found[number]?.dialog != ExpectedContent.payload(of: number)
        }
        let invented = found.keys.filter { ceilings[$0] == nil }
        return wrong.map { "subscription \($0.key) should have reserved \($0.value)" }
            + invented.map { "subscription \($0) is there unasked" }
    }

    private func mismatches(_ found: [Int64: StoredPublication]) -> [String] {
        let wrong = editions.filter { number, edition in
            found[number]?.entityTag != String(edition)
                || found[number]?.body != ExpectedContent.payload(of: number * 1_000 + edition)
        }
        let invented = found.keys.filter { editions[$0] == nil }
        return wrong.map { "publication \($0.key) should be edition \($0.value)" }
            + invented.map { "publication \($0) is there unasked" }
    }

    /// The child's ``Workload`` makes the same.
    private static func payload(of number: Int64) -> [UInt8] {
        let seed = UInt64(bitPattern: number) &* 0x9e37_79b9_7f4a_7c15
        return (0..<(100 + Int(seed >> 54))).map { UInt8(truncatingIfNeeded: (seed >> 8) &+ UInt64($0)) }
    }
}
