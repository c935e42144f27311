import SIPCore

/// What every transaction costs: 48 bytes. Its one timer is that of its state: A, D, E, G, I, J, K, L, M or the delay of
/// a 100. Timers B, F and H run in parallel to another one, and live in ``PendingMessage``.
struct TransactionRecord: TimerCarrier {
    let id: TransactionID
    var deadline: Int64 = 0
    var next: UInt32 = 0
    var previous: UInt32 = 0
    /// The caller's context.
    var user: UInt32
    /// Slot of the ``PendingMessage``, or of the tail of a response to a non-INVITE request; `SlotPages.none` if there
    /// is neither.
    var payload: UInt32
    /// Status code of the last response of a server transaction; 0 before the first.
    var status: UInt16 = 0
    var queue: UInt16 = .max
    var machine: TransactionMachine
    let timers: TimersIndex
    /// How often timer A, E or G was started with a longer interval; for a non-INVITE server transaction 1 once the
    /// delay of the 100 is over.
    var step: UInt8 = 0
    var options: TransactionOptions

    init(
        _ id: TransactionID, _ machine: TransactionMachine, timers: TimersIndex, user: UInt32, payload: UInt32,
        options: TransactionOptions
    ) {
        self.id = id
        self.machine = machine
        self.timers = timers
        self.user = user
        self.payload = payload
        self.options = options
    }
}

struct TransactionOptions: OptionSet, Sendable {
    let rawValue: UInt8

    static let isReliable = TransactionOptions(rawValue: 1 << 0)
    static let reportsEnd = TransactionOptions(rawValue: 1 << 1)
    /// A client transaction nobody waits for.
    static let isAbandoned = TransactionOptions(rawValue: 1 << 2)
}

/// What a transaction holds while a message of it may have to be sent again, with timer B, F or H.
struct PendingMessage: TimerCarrier {
    var deadline: Int64 = 0
    var next: UInt32 = 0
    var previous: UInt32 = 0
    var queue: UInt16 = .max
    /// Slot of the transaction.
    var transaction: UInt32 = .max
    /// A client's request or ACK; the tail of the response of an INVITE server.
    var bytes: [UInt8]
    /// Where a client's messages go.
    let destination: Destination?

    init(_ bytes: [UInt8], destination: Destination?) {
        self.bytes = bytes
        self.destination = destination
    }
}
