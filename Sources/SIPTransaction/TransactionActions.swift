/// What a transaction machine wants done; ``TransactionLayer`` does it.
///
/// Timers carry the letters of RFC 3261 table 4 and RFC 6026. A timer whose duration is zero fires at once; one that a
/// reliable transport does not use (A, E, G) is not started on it. Starting the timer of a new state stops the timers
/// of the state before, B, F and H excepted.
struct TransactionActions: OptionSet, Hashable, Sendable {
    let rawValue: UInt32

    /// Pass what was received to the transaction user.
    static let inform = TransactionActions(rawValue: 1 << 0)
    /// Clients: send the request again. Servers: send the response given, or the last one again.
    static let transmit = TransactionActions(rawValue: 1 << 1)
    /// Send the ACK, which the transaction user builds the first time.
    static let acknowledge = TransactionActions(rawValue: 1 << 2)
    /// Tell the transaction user that timer B, F or H fired.
    static let reportTimeout = TransactionActions(rawValue: 1 << 3)
    /// Tell the transaction user of a transport error.
    static let reportFailure = TransactionActions(rawValue: 1 << 4)
    /// Ask the transaction user for a 100.
    static let reportTryingDue = TransactionActions(rawValue: 1 << 5)
    /// Tell the transaction user that the time for an answer has passed (RFC 4320 section 4.2).
    static let reportUnanswered = TransactionActions(rawValue: 1 << 6)

    static let startTimerA = TransactionActions(rawValue: 1 << 8)
    static let startTimerB = TransactionActions(rawValue: 1 << 9)
    static let startTimerD = TransactionActions(rawValue: 1 << 10)
    static let startTimerE = TransactionActions(rawValue: 1 << 11)
    static let startTimerF = TransactionActions(rawValue: 1 << 12)
    static let startTimerG = TransactionActions(rawValue: 1 << 13)
    static let startTimerH = TransactionActions(rawValue: 1 << 14)
    static let startTimerI = TransactionActions(rawValue: 1 << 15)
    static let startTimerJ = TransactionActions(rawValue: 1 << 16)
    static let startTimerK = TransactionActions(rawValue: 1 << 17)
    static let startTimerL = TransactionActions(rawValue: 1 << 18)
    static let startTimerM = TransactionActions(rawValue: 1 << 19)

    /// Start timer A, E or G with its next interval: twice the last, E and G at most T2.
    static let lengthenInterval = TransactionActions(rawValue: 1 << 20)
    /// Start timer E with T2.
    static let startTimerEWithT2 = TransactionActions(rawValue: 1 << 21)
    /// Start the delay after which a 100 is due.
    static let startTryingDelay = TransactionActions(rawValue: 1 << 22)
    /// Start what remains of 64*T1 once that delay is over.
    static let startExpiry = TransactionActions(rawValue: 1 << 23)
    /// Stop timer A, E or G, or the delay of the 100.
    static let stopInterval = TransactionActions(rawValue: 1 << 24)
    /// Stop timer B, F or H.
    static let stopLifetime = TransactionActions(rawValue: 1 << 25)
}
