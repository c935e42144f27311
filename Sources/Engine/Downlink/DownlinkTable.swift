import LinkProfiles
import SIPCore
import SIPTransaction

/// Bytes that are ready and wait for their turn: a response, a retransmission, an ACK, a CANCEL.
struct DownlinkParcel {
    var bytes: [UInt8]
    var destination: Destination
}

/// One endpoint whose link has a budget: its scheduler, and what waits there with its bytes.
final class DownlinkEndpoint {
    let address: TransportAddress
    /// Different for every endpoint there ever was.
    let number: UInt64
    /// Number of the link profile its budget is from.
    private(set) var profile: Int
    var scheduler: DownlinkScheduler
    var parcels: [DownlinkKey: DownlinkParcel] = [:]
    /// Client transactions under way towards it.
    var transactions = 0
    /// The deadline queued in the engine's heap, so that it is queued once.
    var armed: Instant?
    /// Whether its turns are being given, so that what a turn brings up waits for the next.
    var isServing = false

    init(address: TransportAddress, number: UInt64, profile: Int, scheduler: DownlinkScheduler) {
        self.address = address
        self.number = number
        self.profile = profile
        self.scheduler = scheduler
    }

    /// Its user's account says better than its address which link it is on.
    func adopt(_ budget: LinkBudget, largestPacket: Int, profile: Int, at now: Instant) {
        guard profile != self.profile else { return }
        self.profile = profile
        scheduler.adopt(budget, largestPacket: largestPacket, at: now)
    }
}

/// The endpoints that have a downlink scheduler: those of constrained links that something was sent to lately.
struct DownlinkTable {
    /// A client transaction towards one of them.
    struct Transaction {
        let endpoint: DownlinkEndpoint
        let urgency: DownlinkUrgency
        /// When it has ended at the latest.
        let until: Instant
    }

    private var byAddress: [TransportAddress: DownlinkEndpoint] = [:]
    private var byNumber: [UInt64: DownlinkEndpoint] = [:]
    private var transactions: [TransactionID: Transaction] = [:]
    private var lastNumber: UInt64 = 0
    private var nextSweep = Instant(microseconds: 0)

    var isEmpty: Bool { byNumber.isEmpty }
    var count: Int { byNumber.count }
    var transactionCount: Int { transactions.count }
    var waitingCount: Int { byNumber.values.reduce(0) { $0 + $1.scheduler.waitingCount } }

    subscript(address: TransportAddress) -> DownlinkEndpoint? { byAddress[address] }
    subscript(number: UInt64) -> DownlinkEndpoint? { byNumber[number] }

    mutating func add(_ address: TransportAddress, profile: Int, _ scheduler: DownlinkScheduler) -> DownlinkEndpoint {
        lastNumber += 1
        let endpoint = DownlinkEndpoint(
            address: address, number: lastNumber, profile: profile, scheduler: scheduler)
        byAddress[address] = endpoint
        byNumber[lastNumber] = endpoint
        return endpoint
    }

    mutating func remove(_ endpoint: DownlinkEndpoint) {
        byAddress[endpoint.address] = nil
        byNumber[endpoint.number] = nil
    }

    // MARK: Transactions

    mutating func begin(
        _ id: TransactionID, at endpoint: DownlinkEndpoint, _ urgency: DownlinkUrgency, until: Instant
    ) {
        endpoint.transactions += 1
        transactions[id] = Transaction(endpoint: endpoint, urgency: urgency, until: until)
    }

    func transaction(_ id: TransactionID) -> Transaction? { transactions[id] }

    /// - Returns: its endpoint, if it was one of these.
    mutating func end(_ id: TransactionID) -> DownlinkEndpoint? {
        guard let ended = transactions.removeValue(forKey: id) else { return nil }
        ended.endpoint.transactions -= 1
        return ended.endpoint
    }

    /// Forgets once a minute what has ended without a word.
    mutating func sweep(at now: Instant) {
        guard now >= nextSweep else { return }
        nextSweep = now + .seconds(60 as Int64)
        for (id, transaction) in transactions where transaction.until < now {
            transactions[id] = nil
            transaction.endpoint.transactions -= 1
        }
    }
}
