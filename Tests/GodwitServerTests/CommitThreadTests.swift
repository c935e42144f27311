import Foundation
import LinkProfiles
import MessageStore
import Testing

@testable import GodwitServer

/// A store whose commits wait until the test lets them go, and fail as the test says.
private final class GatedStore: MessageStore, @unchecked Sendable {
    private let condition = NSCondition()
    private var allowed = 0
    private var begun = 0
    private(set) var groups: [[StoreCommand]] = []
    private let failure: @Sendable ([StoreCommand]) -> StoreFailure?

    init(failure: @escaping @Sendable ([StoreCommand]) -> StoreFailure? = { _ in nil }) { self.failure = failure }

    func recover<V: RecoveryVisitor>(
        duplicatesSince: Instant, into visitor: inout V
    ) throws(StoreFailure) -> StoreNumbering {
        StoreNumbering(lastMessage: MessageNumber(0), lastAddress: AddressNumber(0), lastBinding: BindingNumber(0))
    }

    func commit(_ commands: [StoreCommand]) throws(StoreFailure) -> [ClaimedMessage] {
        condition.lock()
        begun += 1
        condition.broadcast()
        while allowed == 0 { condition.wait() }
        allowed -= 1
        groups.append(commands)
        condition.unlock()
        if let failure = failure(commands) { throw failure }
        return commands.compactMap { command in
            if case .claim(let number, _, _) = command { ClaimedMessage(number: number, payload: [1]) } else { nil }
        }
    }

    func allow(_ count: Int) {
        condition.lock()
        allowed += count
        condition.broadcast()
        condition.unlock()
    }

    func waitUntilBegun(_ count: Int) {
        condition.lock()
        while begun < count { condition.wait() }
        condition.unlock()
    }
}

private final class Reports: @unchecked Sendable {
    private let lock = NSLock()
    private var list: [CommitReport] = []

    func add(_ report: CommitReport) { lock.withLock { list.append(report) } }
    var all: [CommitReport] { lock.withLock { list } }
}

@Suite("The commit thread")
struct CommitThreadTests {
    private func name(_ number: Int64) -> StoreCommand {
        .name(AddressNumber(number), addressOfRecord: "sip:\(number)@x")
    }

    @Test func takesEverythingThatWaitsAsOneGroup() {
        let store = GatedStore()
        let reports = Reports()
        let thread = CommitThread(store: store, groupLimit: 100) { reports.add($0) }
        thread.start()
        thread.submit([name(1)])
        store.waitUntilBegun(1)
        for number in 2...30 as ClosedRange<Int64> { thread.submit([name(number)]) }
        store.allow(10)
        thread.stop()
        #expect(store.groups.map(\.count) == [1, 29])
        #expect(reports.all.map(\.through) == [1, 30])
        #expect(store.groups.flatMap { $0 } == (1...30).map { name($0) })
    }

    @Test func keepsGroupsWithinTheLimit() {
        let store = GatedStore()
        let reports = Reports()
        let thread = CommitThread(store: store, groupLimit: 10) { reports.add($0) }
        thread.submit((1...25).map { name($0) })
        store.allow(10)
        thread.start()
        thread.stop()
        #expect(store.groups.map(\.count) == [10, 10, 5])
        #expect(reports.all.map(\.through) == [10, 20, 25])
    }

    @Test func stopCommitsWhatWaits() {
        let store = GatedStore()
        let reports = Reports()
        let thread = CommitThread(store: store, groupLimit: 10) { reports.add($0) }
        store.allow(10)
        thread.start()
        thread.submit([name(1), name(2)])
        thread.stop()
        #expect(reports.all.last?.through == 2)
    }

    @Test func failureIsReportedAndWorkGoesOn() {
        let store = GatedStore { $0.count == 2 ? .full("no space") : nil }
        let reports = Reports()
        let thread = CommitThread(store: store, groupLimit: 2) { reports.add($0) }
        thread.submit([name(1), name(2), name(3)])
        store.allow(10)
        thread.start()
        thread.stop()
        #expect(reports.all.map(\.through) == [2, 3])
        #expect(reports.all.map(\.failure) == [.full("no space"), nil])
    }

    @Test func oneWrongCommandDoesNotTakeTheOthersWithIt() {
        let wrong = name(3)
        let store = GatedStore { $0.contains(wrong) ? .misuse("number used twice") : nil }
        let reports = Reports()
        let thread = CommitThread(store: store, groupLimit: 10) { reports.add($0) }
        thread.submit((1...4).map { name($0) })
        store.allow(10)
        thread.start()
        thread.stop()
        #expect(reports.all.map(\.through) == [1, 2, 3, 4])
        #expect(reports.all.map(\.failure) == [nil, nil, .misuse("number used twice"), nil])
    }

    @Test func claimsComeBackWithTheirPayloads() {
        let store = GatedStore()
        let reports = Reports()
        let thread = CommitThread(store: store, groupLimit: 10) { reports.add($0) }
        thread.submit([name(1), .claim(MessageNumber(7), attempts: 1, at: Instant(microseconds: 1))])
        store.allow(10)
        thread.start()
        thread.stop()
        #expect(reports.all.map(\.claimed) == [[ClaimedMessage(number: MessageNumber(7), payload: [1])]])
    }
}
