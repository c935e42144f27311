public import Engine
public import LinkProfiles
public import MessageStore
public import SIPCore

/// What a ``World`` needs of the server it drives: the interface of ``Engine``, so that a test can put something else in
/// its place and show that the checks notice.
public protocol SimulatedServer: AnyObject {
    /// Reads the store back, once, before traffic.
    func start(from store: any MessageStore, at: Instant) throws(StoreFailure)
    func received(_ bytes: [UInt8], on flow: Flow, at: Instant)
    func flowOpened(_ flow: Flow, target: Target?, at: Instant)
    func flowClosed(_ flow: Flow, at: Instant)
    func transmissionFailed(_ token: UInt64, reason: String, at: Instant)
    func committed(through: UInt64, claimed: [ClaimedMessage], at: Instant)
    func storeFailed(through: UInt64, failure: StoreFailure, at: Instant)
    func resolved(_ id: UInt64, targets: [Target], at: Instant)
    func advance(to: Instant)
    var nextDeadline: Instant? { get }
    var output: EngineOutput { get set }
    /// Sizes of the tables that must be empty when nothing is under way.
    var occupancy: ServerOccupancy { get }
}

/// How much a server holds in memory.
public struct ServerOccupancy: Hashable, Sendable {
    public var transactions: Int
    public var contexts: Int
    public var queued: Int
    public var bindings: Int

    public init(transactions: Int = 0, contexts: Int = 0, queued: Int = 0, bindings: Int = 0) {
        self.transactions = transactions
        self.contexts = contexts
        self.queued = queued
        self.bindings = bindings
    }
}

extension Engine: SimulatedServer {
    public func start(from store: any MessageStore, at time: Instant) throws(StoreFailure) {
        try recover(from: store, at: time)
    }

    public var occupancy: ServerOccupancy {
        let now = counters
        return ServerOccupancy(
            transactions: now.serverTransactions + now.clientTransactions, contexts: now.openContexts,
            queued: now.messagesQueued, bindings: now.bindings)
    }
}
